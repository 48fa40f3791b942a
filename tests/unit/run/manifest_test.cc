#include "tsm/run/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace tsm::run {
namespace {

using ::testing::HasSubstr;

constexpr char kId[] = "AEDACAOAWRIPYIBI6ZCQB5KMBG4KKCLCO6IW2Z3ZBVEGUOB623SCCBQOZWYGEEA";

std::string File(const std::string& url, const std::string& bytes, const std::string& rows) {
  return "{\"url\":\"" + url + "\",\"file_metadata\":{\"content_length_in_bytes\":" + bytes +
         ",\"row_count\":" + rows + "}}";
}

std::string Text(const std::string& files, const std::string& totals) {
  return "{\"result_files\":[" + files + "],\"query_metadata\":{" + totals +
         ",\"result_format\":\"CSV\",\"result_version\":\"Amazon Timestream version 1.0.0\"},"
         "\"author\":{\"name\":\"Amazon Timestream\",\"manifest_file_version\":\"1.0\"}}";
}

TEST(Manifest, ReadsFilesAndTotals) {
  const Result<Manifest> manifest =
      ParseManifest(Text(File("s3://bkt/u/results/a.csv", "100", "7") + "," +
                             File("s3://bkt/u/results/b.csv", "50", "0"),
                         "\"total_content_length_in_bytes\":150,\"total_row_count\":7"));
  ASSERT_TRUE(manifest) << manifest.error().Text();
  ASSERT_EQ(manifest->files.size(), 2U);
  EXPECT_EQ(manifest->files[0].uri.str(), "s3://bkt/u/results/a.csv");
  EXPECT_EQ(manifest->files[0].bytes, 100U);
  EXPECT_EQ(manifest->files[0].rows, 7U);
  EXPECT_EQ(manifest->total_rows, 7U);
  EXPECT_EQ(manifest->total_bytes, 150U);
  EXPECT_EQ(manifest->format, "CSV");
}

TEST(Manifest, ReadsTheDocumentedNameOfTheTotalToo) {
  EXPECT_TRUE(ParseManifest(Text(File("s3://bkt/a.csv", "100", "7"),
                                 "\"content_length_in_bytes\":100,\"total_row_count\":7")));
}

TEST(Manifest, AnUnloadOfNothingIsComplete) {
  const Result<Manifest> manifest =
      ParseManifest(Text("", "\"total_content_length_in_bytes\":0,\"total_row_count\":0"));
  ASSERT_TRUE(manifest) << manifest.error().Text();
  EXPECT_TRUE(manifest->files.empty());
}

TEST(Manifest, TotalsThatDifferFromTheListAreAFailedProof) {
  const std::string file = File("s3://bkt/a.csv", "100", "7");
  for (const std::string totals : {"\"total_content_length_in_bytes\":100,\"total_row_count\":8",
                                   "\"total_content_length_in_bytes\":100,\"total_row_count\":6",
                                   "\"total_content_length_in_bytes\":101,\"total_row_count\":7"}) {
    const Result<Manifest> manifest = ParseManifest(Text(file, totals));
    ASSERT_FALSE(manifest) << totals;
    EXPECT_EQ(manifest.error().kind, ErrorKind::kProof);
    EXPECT_THAT(manifest.error().message, HasSubstr("incomplete"));
  }
  // Twice the same file adds up, and is no list of two files.
  const Result<Manifest> twice = ParseManifest(
      Text(file + "," + file, "\"total_content_length_in_bytes\":200,\"total_row_count\":14"));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().kind, ErrorKind::kProof);
}

TEST(Manifest, RefusesWhatIsNone) {
  const std::string totals = "\"total_content_length_in_bytes\":0,\"total_row_count\":0";
  const std::vector<std::string> texts = {
      "",
      "<Error/>",
      "[]",
      "{}",
      Text("", totals).substr(0, 60),  // cut
      "{\"result_files\":{},\"query_metadata\":{" + totals + "}}",
      "{\"result_files\":[],\"query_metadata\":7}",
      Text("", "\"total_row_count\":0"),
      Text("", "\"total_content_length_in_bytes\":0"),
      Text("", "\"total_content_length_in_bytes\":0,\"total_row_count\":\"0\""),
      Text("", "\"total_content_length_in_bytes\":0,\"total_row_count\":-1"),
      Text("", "\"total_content_length_in_bytes\":0,\"total_row_count\":0.5"),
      Text("7", totals),
      Text("{\"url\":\"s3://bkt/a.csv\"}", totals),
      Text(File("s3://bkt/a.csv", "0", "null"), totals),
      Text(File("https://bkt/a.csv", "0", "0"), totals),
      Text(File("s3://bkt/", "0", "0"), totals),
      Text(File("s3://bkt/a", "18446744073709551615", "0") + "," + File("s3://bkt/b", "1", "0"),
           totals),
  };
  for (const std::string& text : texts) {
    const Result<Manifest> manifest = ParseManifest(text);
    ASSERT_FALSE(manifest) << text;
    EXPECT_EQ(manifest.error().kind, ErrorKind::kBadReply) << text;
  }
}

TEST(UnloadNames, TheQueryIdStandsFirst) {
  const std::string stem = std::string(kId) + "_2139231817_qHWk3caBpP26jRQ9";
  EXPECT_EQ(QueryIdOfDataFile("u/results/partition_date=25-11-28/" + stem + ".csv"), kId);
  EXPECT_EQ(QueryIdOfDataFile(stem + ".parquet"), kId);
  EXPECT_EQ(QueryIdOfDataFile("u/results/" + stem + ".gz"), kId);
  EXPECT_EQ(QueryIdOfManifest("u/" + stem + "_manifest.json"), kId);
  // Each other's names are not theirs.
  EXPECT_EQ(QueryIdOfDataFile("u/" + stem + "_manifest.json"), std::nullopt);
  EXPECT_EQ(QueryIdOfManifest("u/results/" + stem + ".csv"), std::nullopt);
  EXPECT_EQ(QueryIdOfManifest("u/" + stem + "_metadata.json"), std::nullopt);
}

TEST(UnloadNames, OtherNamesHaveNoQueryId) {
  for (const std::string key :
       {"", "u/results/", "u/results/data.csv", "u/results/ABC_12.csv", "u/ABC_12_short.csv",
        "u/abc_12_qHWk3caBpP26jRQ9.csv", "u/ABC_1x_qHWk3caBpP26jRQ9.csv",
        "u/_12_qHWk3caBpP26jRQ9.csv", "u/ABC_12_qHWk3caBpP26jRQ9.txt", "u/ABC_12_qHWk3caBpP26jRQ9",
        "u/ABC_12_qHWk3caBpP26jR-9.csv", "u/X_ABC_12_qHWk3caBpP26jRQ9.csv"}) {
    EXPECT_EQ(QueryIdOfDataFile(key), std::nullopt) << key;
  }
}

TEST(UnloadNames, KindsByTheirSuffix) {
  EXPECT_TRUE(IsManifestKey("u/A_1_qHWk3caBpP26jRQ9_manifest.json"));
  EXPECT_FALSE(IsManifestKey("u/x_manifest.json/data.csv"));
  EXPECT_TRUE(IsMetadataKey("u/A_1_qHWk3caBpP26jRQ9_metadata.json"));
  EXPECT_FALSE(IsMetadataKey("u/A_1_qHWk3caBpP26jRQ9_manifest.json"));
  EXPECT_TRUE(IsDataFile("u/results/x.csv"));
  EXPECT_TRUE(IsDataFile("u/results/x.gz"));
  EXPECT_TRUE(IsDataFile("u/results/x.parquet"));
  EXPECT_FALSE(IsDataFile("u/results.csv/x"));
  EXPECT_FALSE(IsDataFile("u/x_manifest.json"));
}

struct RealManifests : ::testing::Test {
  std::filesystem::path folder =
      std::filesystem::path(TSM_SOURCE_DIR) / ".." / "shared" / "vectors" / "unload-real";
  void SetUp() override {
    if (!std::filesystem::exists(folder)) {
      GTEST_SKIP() << "SKIPPED: ../shared/vectors/unload-real is absent: the real service's "
                      "manifests are not read";
    }
  }
  std::string Read(const std::string& name) {
    std::ifstream in(folder / name, std::ios::binary);
    EXPECT_TRUE(in.is_open()) << name;
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
};

TEST_F(RealManifests, CompleteOnesAreRead) {
  const std::vector<std::tuple<std::string, std::uint64_t, std::uint64_t>> cases = {
      {"single_manifest.json", 9, 1876},
      {"multi_manifest.json", 1, 1805},
      {"bulk_multi_manifest.json", 19801, 1217719}};
  for (const auto& [name, rows, bytes] : cases) {
    const Result<Manifest> manifest = ParseManifest(Read(name));
    ASSERT_TRUE(manifest) << name << ": " << manifest.error().Text();
    EXPECT_EQ(manifest->total_rows, rows) << name;
    EXPECT_EQ(manifest->total_bytes, bytes) << name;
    ASSERT_EQ(manifest->files.size(), 1U) << name;
    const auto query_id = QueryIdOfDataFile(manifest->files[0].uri.key.str());
    ASSERT_TRUE(query_id) << name;
    EXPECT_TRUE(query_id->starts_with("AEDACAOAWR")) << name;
  }
}

TEST_F(RealManifests, TheIncompleteOneIsRefused) {
  const Result<Manifest> manifest = ParseManifest(Read("csv_shortened_manifest.json"));
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().kind, ErrorKind::kProof);
  EXPECT_THAT(manifest.error().message, HasSubstr("11,626 rows"));
  EXPECT_THAT(manifest.error().message, HasSubstr("24,906 rows"));
}

}  // namespace
}  // namespace tsm::run
