#include "ts_local/unload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>

#include "apps/ts_local/breaking_storage.h"
#include "apps/ts_local/scratch_dir.h"
#include "ts_local/object_store.h"
#include "ts_local/sql_parser.h"

namespace ts_local {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

const std::vector<OutputColumn> kColumns{
    {"city", ScalarType::kVarchar}, {"value", ScalarType::kDouble}, {"day", ScalarType::kVarchar}};

UnloadSettings Check(const std::string& options, const std::string& to = "s3://bucket/unload/") {
  const Statement statement =
      ParseStatement("UNLOAD (SELECT 1) TO '" + to + "' WITH (" + options + ")");
  return CheckUnload(std::get<UnloadStatement>(statement), kColumns);
}

std::string Refusal(const std::string& options, const std::string& to = "s3://bucket/unload/") {
  try {
    Check(options, to);
  } catch (const ApiError& error) {
    return error.code() + ": " + error.what();
  }
  return "accepted";
}

TEST(UnloadOptions, TheOriginalsSpellingIsRead) {
  const UnloadSettings settings = Check(
      "partitioned_by = ARRAY['day'], format='csv', compression='none', max_file_size = '4.9GB', "
      "include_header='true', encryption='sse_kms', kms_key='k', field_delimiter='|', "
      "escaped_by='^'");
  EXPECT_EQ(settings.bucket, "bucket");
  EXPECT_EQ(settings.prefix, "unload");
  EXPECT_EQ(settings.partition_columns, 1u);
  EXPECT_EQ(settings.max_file_size, 5'261'334'938u);
  EXPECT_TRUE(settings.header);
  EXPECT_EQ(settings.delimiter, '|');
  EXPECT_EQ(settings.escape, '^');
  EXPECT_EQ(settings.stored_as.encryption, "aws:kms");
  EXPECT_EQ(settings.stored_as.kms_key, "k");
}

TEST(UnloadOptions, RefusalsNameTheOption) {
  EXPECT_THAT(Refusal("compression='none', format='parquet'"), HasSubstr("option format"));
  EXPECT_THAT(Refusal("compression='zip'"), HasSubstr("option compression: 'zip' must be"));
  EXPECT_THAT(Refusal("compression='none', colour='red'"), HasSubstr("colour: no such option"));
  EXPECT_THAT(Refusal("compression='none', max_file_size='15MB'"),
              HasSubstr("between 16MB and 78GB"));
  EXPECT_THAT(Refusal("compression='none', max_file_size='79GB'"),
              HasSubstr("between 16MB and 78GB"));
  EXPECT_THAT(Refusal("compression='none', max_file_size='1TB'"), HasSubstr("X[MB|GB]"));
  EXPECT_THAT(Refusal("compression='none', include_header='yes'"), HasSubstr("TRUE or FALSE"));
  EXPECT_THAT(Refusal("compression='none', field_delimiter='ab'"), HasSubstr("single ASCII"));
  EXPECT_THAT(Refusal("compression='none', field_delimiter='\"'"),
              HasSubstr("field_delimiter must"));
  EXPECT_THAT(Refusal("compression='none', kms_key='k'"), HasSubstr("SSE_KMS"));
  EXPECT_THAT(Refusal("compression='none', compression='none'"), HasSubstr("given twice"));
  EXPECT_THAT(Refusal("compression='none', partitioned_by=ARRAY['city']"),
              HasSubstr("must stand last"));
  EXPECT_THAT(Refusal("compression='none', partitioned_by=ARRAY['x']"),
              HasSubstr("is not in the SELECT"));
  EXPECT_THAT(Refusal("compression='none', partitioned_by=ARRAY['city','value','day']"),
              HasSubstr("at least one column"));
  EXPECT_THAT(Refusal("compression='none', partitioned_by='day'"), HasSubstr("takes ARRAY"));
  EXPECT_THAT(Refusal("compression='none'", "http://bucket/x"),
              HasSubstr("s3://bucket-name/folder"));
  EXPECT_EQ(Refusal("compression='none'", "s3://bucket"), "accepted");
}

TEST(UnloadOptions, GzipIsTheDefault) {
  EXPECT_TRUE(Check("format='csv'").gzip);
  EXPECT_TRUE(Check("compression='gzip'").gzip);
  EXPECT_FALSE(Check("compression='None'").gzip);
}

class UnloadFiles : public ::testing::Test {
 protected:
  UnloadFiles() : store_(dir_.path()) { store_.CreateBucket("bucket", "us-east-1"); }

  std::unique_ptr<UnloadWriter> Writer(const std::string& options,
                                       const std::string& to = "s3://bucket/unload/") {
    return std::make_unique<UnloadWriter>(
        &store_, "us-east-1", Check("compression='none'" + options, to), kColumns, "QUERYID");
  }
  void Add(UnloadWriter* writer, std::string_view city, double value, std::string_view day) {
    const Cell row[] = {Cell::Varchar(city), Cell::Double(value), Cell::Varchar(day)};
    writer->Add(row);
  }
  std::string FailureOf(UnloadWriter* writer, std::string_view city, const Cell& day) {
    const Cell row[] = {Cell::Varchar(city), Cell(), day};
    try {
      writer->Add(row);
    } catch (const ApiError& error) {
      return error.code() + ": " + error.what();
    }
    return "accepted";
  }
  std::vector<ObjectInfo> List(const std::string& prefix) {
    return store_.List("bucket", prefix, "", 1000);
  }
  std::string ReadUri(const std::string& uri) {
    return store_.Read(store_.Get("bucket", uri.substr(std::string("s3://bucket/").size())));
  }

  ScratchDir dir_;
  ObjectStore store_;
};

TEST_F(UnloadFiles, PartitionsQuotingManifestAndMetadata) {
  const auto writer = Writer(", partitioned_by=ARRAY['day'], include_header='true'");
  Add(writer.get(), "New York, NY", 0.132, "2026-01-02");
  Add(writer.get(), "a\"b\\c\nd", 1e10, "2026-01-02");
  const Cell nulls[] = {Cell(), Cell(), Cell::Varchar("2026-01-03")};
  writer->Add(nulls);
  EXPECT_THAT(List(""), SizeIs(0)) << "nothing is visible before the end";
  const UnloadResult result = writer->Finish();
  EXPECT_EQ(result.rows, 3);

  const auto files = List("unload/results/");
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_TRUE(std::regex_match(
      files[0].key,
      std::regex("unload/results/day=2026-01-02/QUERYID_[0-9]{10}_[A-Za-z0-9]{16}\\.csv")))
      << files[0].key;
  EXPECT_EQ(store_.Read(files[0]),
            "city,value\n\"New York, NY\",0.132\n\"a\\\"b\\\\c\nd\",1.0E10\n");
  EXPECT_EQ(store_.Read(files[1]), "city,value\n,\n");
  EXPECT_TRUE(std::regex_match(
      result.manifest_uri,
      std::regex("s3://bucket/unload/QUERYID_[0-9]{10}_[A-Za-z0-9]{16}_manifest\\.json")));

  const auto manifest = nlohmann::json::parse(ReadUri(result.manifest_uri));
  ASSERT_EQ(manifest["result_files"].size(), 2u);
  EXPECT_EQ(manifest["result_files"][0]["url"], "s3://bucket/" + files[0].key);
  EXPECT_EQ(manifest["result_files"][0]["file_metadata"]["content_length_in_bytes"], files[0].size);
  EXPECT_EQ(manifest["result_files"][0]["file_metadata"]["row_count"], 2);
  EXPECT_EQ(manifest["query_metadata"]["total_content_length_in_bytes"],
            files[0].size + files[1].size);
  EXPECT_EQ(manifest["query_metadata"]["total_row_count"], 3);
  const auto metadata = nlohmann::json::parse(ReadUri(result.metadata_uri));
  ASSERT_EQ(metadata["ColumnInfo"].size(), 3u) << "the partition column is listed too";
  EXPECT_EQ(metadata["ColumnInfo"][2]["Name"], "day");
  EXPECT_EQ(metadata["ColumnInfo"][1]["Type"]["ScalarType"], "DOUBLE");
}

TEST_F(UnloadFiles, OtherDelimiterAndEscape) {
  const auto writer = Writer(", field_delimiter='.', escaped_by='\"'");
  Add(writer.get(), "a\"b", 1.5, "x\\y");
  writer->Finish();
  EXPECT_EQ(store_.Read(List("unload/results/").front()), "\"a\"\"b\".\"1.5\".x\\y\n");
}

TEST_F(UnloadFiles, EmptyResultHasAManifestWithoutFiles) {
  const UnloadResult result = Writer("", "s3://bucket")->Finish();
  EXPECT_EQ(result.rows, 0);
  const auto manifest = nlohmann::json::parse(ReadUri(result.manifest_uri));
  EXPECT_TRUE(manifest["result_files"].empty());
  EXPECT_EQ(manifest["query_metadata"]["total_row_count"], 0);
  EXPECT_THAT(List(""), SizeIs(2));
}

// What a gzip member holds; "" where it is none, or more follows it.
std::string Inflate(const std::string& member) {
  z_stream stream{};
  std::string in = member;
  std::string out(64U << 20U, '\0');
  if (::inflateInit2(&stream, 15 + 16) != Z_OK) return "";
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = ::inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0;
  out.resize(out.size() - stream.avail_out);
  ::inflateEnd(&stream);
  return whole ? out : "";
}

TEST_F(UnloadFiles, GzipFilesHoldTheSameTextAndTheirOwnSize) {
  UnloadWriter writer(&store_, "us-east-1",
                      Check("partitioned_by=ARRAY['day'], include_header='true', "
                            "max_file_size='16MB'",
                            "s3://bucket/unload/"),
                      kColumns, "QUERYID");
  // 24 MB of text that gzip cannot make much smaller, in a partition of its own; and little text.
  std::mt19937_64 random(7);
  std::string expected;
  for (int i = 0; i < 24 * 1024; ++i) {
    std::string city(1024, ' ');
    for (char& c : city) c = static_cast<char>('!' + random() % 90);
    std::replace_if(
        city.begin(), city.end(), [](char c) { return c == '"' || c == '\\' || c == ','; }, '_');
    Add(&writer, city, 1, "2026-01-02");
    expected += city + ",1.0\n";
  }
  Add(&writer, "Oslo", 2, "2026-01-03");
  const UnloadResult result = writer.Finish();
  const auto manifest = nlohmann::json::parse(ReadUri(result.manifest_uri));
  std::map<std::string, std::string> days;
  std::int64_t rows = 0;
  for (const auto& file : manifest["result_files"]) {
    const std::string url = file["url"];
    EXPECT_TRUE(url.ends_with(".gz")) << url;
    const std::string bytes = ReadUri(url);
    EXPECT_EQ(file["file_metadata"]["content_length_in_bytes"], bytes.size());
    EXPECT_LE(bytes.size(), 16U << 20U);
    const std::string text = Inflate(bytes);
    ASSERT_TRUE(text.starts_with("city,value\n"));
    days[url.substr(url.find("day="), 14)] += text.substr(11);
    rows += file["file_metadata"]["row_count"].get<std::int64_t>();
  }
  EXPECT_GE(manifest["result_files"].size(), 3U) << "two files of the first day at least";
  EXPECT_EQ(rows, result.rows);
  EXPECT_EQ(days["day=2026-01-03"], "Oslo,2.0\n");
  // Compared by size first: a difference is not to print megabytes. Files come in order of time.
  ASSERT_EQ(days["day=2026-01-02"].size(), expected.size());
  EXPECT_TRUE(days["day=2026-01-02"] == expected);
}

TEST_F(UnloadFiles, FilesAreSplitNearTheirMaximum) {
  const auto writer = Writer(", max_file_size='16MB', include_header='true'");
  const std::string text(1000, 'x');
  for (int i = 0; i < 40'000; ++i) Add(writer.get(), text, i, "d");
  const UnloadResult result = writer->Finish();
  EXPECT_EQ(result.rows, 40'000);
  const auto files = List("unload/results/");
  ASSERT_THAT(files, SizeIs(3));
  int full = 0;
  for (const ObjectInfo& file : files) {
    EXPECT_LE(file.size, 16u * 1024 * 1024);
    full += file.size > 16u * 1024 * 1024 - 2000 ? 1 : 0;
    EXPECT_EQ(store_.Read(file).substr(0, 15), "city,value,day\n");
  }
  EXPECT_EQ(full, 2);
}

TEST_F(UnloadFiles, TheHundredAndFirstPartitionIsRefused) {
  const auto writer = Writer(", partitioned_by=ARRAY['day']");
  for (int i = 0; i < 100; ++i) Add(writer.get(), "c", 1, "d" + std::to_string(i));
  EXPECT_THAT(FailureOf(writer.get(), "c", Cell::Varchar("d100")), HasSubstr("100 partitions"));
  EXPECT_EQ(FailureOf(writer.get(), "c", Cell::Varchar("d99")), "accepted");
}

TEST_F(UnloadFiles, PartitionValuesMustBeAsciiAndPresent) {
  const auto writer = Writer(", partitioned_by=ARRAY['day']");
  EXPECT_THAT(FailureOf(writer.get(), "c", Cell()), HasSubstr("null or empty"));
  EXPECT_THAT(FailureOf(writer.get(), "c", Cell::Varchar("Zürich")), HasSubstr("not ASCII"));
  EXPECT_EQ(FailureOf(writer.get(), "c", Cell::Varchar("Social Media")), "accepted");
  EXPECT_THAT(FailureOf(writer.get(), "c", Cell::Varchar(std::string(1000, 'k'))),
              HasSubstr("is too long"));
}

TEST_F(UnloadFiles, DestinationsBeyondS3sKeyLengthAreRefused) {
  EXPECT_THROW(Writer("", "s3://bucket/" + std::string(980, 'p')), ApiError);
  EXPECT_NO_THROW(Writer("", "s3://bucket/" + std::string(900, 'p')));
}

TEST_F(UnloadFiles, ADeniedFileFailsAndLeavesNoManifest) {
  store_.SetPolicy("bucket",
                   R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
      "Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/unload/results/day=2/*"}]})");
  const auto writer = Writer(", partitioned_by=ARRAY['day']");
  Add(writer.get(), "c", 1, "1");
  EXPECT_THAT(FailureOf(writer.get(), "c", Cell::Varchar("2")), HasSubstr("AccessDeniedException"));
}

TEST_F(UnloadFiles, AFileThatTheStorageRefusesLeavesNoManifest) {
  BreakingStorage storage(store_);
  storage.refuse_put = ".csv";
  UnloadWriter writer(&storage, "us-east-1", Check("compression='NONE'"), kColumns, "QUERYID");
  Add(&writer, "c", 1, "1");
  try {
    writer.Finish();
    FAIL() << "it went through";
  } catch (const ApiError& error) {
    EXPECT_EQ(error.code(), "InternalServerException");
    EXPECT_THAT(error.what(), HasSubstr("ServiceUnavailable: "));
  }
  EXPECT_THAT(List(""), SizeIs(0));
}

}  // namespace
}  // namespace ts_local
