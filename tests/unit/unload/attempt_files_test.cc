#include "../../src/unload/attempt_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unload/leftover_s3.h"
#include "unload/plan_sample.h"

namespace tsm::unload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kQuery = "AEDACANRA63LLDJ2NRK35XUWCGVKFYGA";
const std::string kOther = "AEDACAOTHERQUERY2222222222222222";
const std::string kStem = "_1234567890_abcdefghijklmnop";

std::string FileName(const std::string& query, int number) {
  std::string id = std::to_string(number);
  id.insert(0, 16 - id.size(), 'x');
  return query + "_1234567890_" + id + ".csv";
}

class AttemptFilesTest : public ::testing::Test {
 protected:
  // What a query writes below a folder: two files, manifest, metadata.
  void PutResults(const std::string& folder, const std::string& query, bool finished = true) {
    s3_.Put(folder + "results/partition_date=2024-02-26/" + FileName(query, 1));
    s3_.Put(folder + "results/partition_date=2024-02-27/" + FileName(query, 2));
    if (finished) s3_.Put(folder + query + kStem + "_manifest.json");
    s3_.Put(folder + query + kStem + "_metadata.json");
  }

  std::optional<FoundManifest> Find(const Attempt& attempt) {
    const auto found = FindManifest(attempt, s3_.Services(), {});
    EXPECT_TRUE(found) << found.error().Text();
    return found ? *found : std::nullopt;
  }

  Cleaned Clean(const Attempt& attempt) {
    const auto cleaned = CleanAttempt(attempt, s3_.Services(), {});
    EXPECT_TRUE(cleaned) << cleaned.error().Text();
    return cleaned ? *cleaned : Cleaned();
  }

  static Attempt Flat(const std::string& query_id) {
    Attempt attempt = FlatAttempt("abcdef");
    attempt.query_id = query_id;
    return attempt;
  }
  static Attempt Nested(const std::string& query_id = "") {
    Attempt attempt = NestedAttempt("0001", "abcdef");
    attempt.query_id = query_id;
    return attempt;
  }

  const std::string nested_ = "unload/results/0001-abcdef/";
  test::LeftoverS3 s3_;
};

TEST_F(AttemptFilesTest, FindsTheManifestOfAQueryThatWasNeverSeen) {
  EXPECT_FALSE(Find(Nested()));
  PutResults(nested_, kQuery, /*finished=*/false);
  EXPECT_FALSE(Find(Nested()));
  PutResults(nested_, kQuery);
  const auto found = Find(Nested());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->query_id, kQuery);
  EXPECT_EQ(found->uri, "s3://bkt/" + nested_ + kQuery + kStem + "_manifest.json");
}

TEST_F(AttemptFilesTest, TheJournaledQuerysManifestGoesFirst) {
  PutResults(nested_, kQuery);
  PutResults(nested_, kOther);
  EXPECT_EQ(Find(Nested(kOther))->query_id, kOther);
  EXPECT_EQ(Find(Nested(kQuery))->query_id, kQuery);
}

TEST_F(AttemptFilesTest, LooksForAManifestWithoutWalkingTheDataFiles) {
  s3_.page_size = 3;
  PutResults(nested_, kQuery);
  for (int i = 0; i < 50; ++i) s3_.Put(nested_ + "results/" + FileName(kQuery, i));
  ASSERT_TRUE(Find(Nested()));
  EXPECT_EQ(s3_.listed, 2U);  // manifest and metadata
}

TEST_F(AttemptFilesTest, FindsAManifestOnALaterPage) {
  s3_.page_size = 1;
  s3_.Put(nested_ + "0.txt");
  s3_.Put(nested_ + "1.txt");
  PutResults(nested_, kQuery);
  EXPECT_TRUE(Find(Nested()));
}

TEST_F(AttemptFilesTest, BesideAFlatAttemptOnlyItsOwnQueryCounts) {
  PutResults("unload/", kOther);
  EXPECT_FALSE(Find(Flat(kQuery)));
  EXPECT_FALSE(Find(Flat("")));
  PutResults("unload/", kQuery);
  EXPECT_EQ(Find(Flat(kQuery))->query_id, kQuery);
  EXPECT_FALSE(Find(Flat("")));
}

TEST_F(AttemptFilesTest, AnErrorOfTheListingTellsWhatForItWas) {
  Attempt attempt = Nested();
  attempt.to.bucket = *s3::BucketName::Parse("gone");
  const auto found = FindManifest(attempt, s3_.Services(), {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(found.error().Text(), HasSubstr("looking for the manifest"));
}

TEST_F(AttemptFilesTest, ReadsAManifest) {
  s3_.Put("m.json", R"({"result_files":[{"url":"s3://bkt/k.csv","file_metadata":
      {"content_length_in_bytes":10,"row_count":2}}],"query_metadata":
      {"total_content_length_in_bytes":10,"total_row_count":2,"result_format":"CSV"}})");
  const auto manifest = ReadManifest("s3://bkt/m.json", s3_.Services(), {});
  ASSERT_TRUE(manifest) << manifest.error().Text();
  EXPECT_EQ(manifest->total_rows, 2U);
}

TEST_F(AttemptFilesTest, WithoutAGoodManifestThereIsNoProof) {
  s3_.Put("none.json", "{}");
  s3_.Put("cut.json", R"({"result_files":[],"query_metadata":
      {"total_content_length_in_bytes":10,"total_row_count":2}})");
  for (const std::string uri :
       {"s3://bkt/gone.json", "s3://bkt/none.json", "s3://bkt/cut.json", "", "s3://B/m.json"}) {
    const auto manifest = ReadManifest(uri, s3_.Services(), {});
    ASSERT_FALSE(manifest) << uri;
    EXPECT_EQ(manifest.error().kind, ErrorKind::kProof) << manifest.error().Text();
    EXPECT_THAT(manifest.error().Text(), HasSubstr(uri));
  }
}

TEST_F(AttemptFilesTest, ANestedAttemptIsDeletedWithAllBelowIt) {
  PutResults(nested_, kQuery);
  PutResults(nested_, kOther);
  PutResults("unload/results/0001-abcdeg/", kQuery);
  s3_.Put("unload/results/0001-abcdef.csv");
  s3_.Put("unload/tsm-run-r1.json");
  const std::size_t all = s3_.objects.size();
  s3_.uploads = {nested_ + "results/a", "unload/results/0001-abcdeg/results/a"};
  const Cleaned cleaned = Clean(Nested(kQuery));
  EXPECT_EQ(cleaned.deleted, 9U);  // eight objects and an upload
  EXPECT_THAT(cleaned.remaining, IsEmpty());
  EXPECT_EQ(s3_.objects.size(), all - 8);
  for (const std::string& key : s3_.Keys()) EXPECT_FALSE(key.starts_with(nested_)) << key;
  EXPECT_THAT(s3_.uploads, ElementsAre("unload/results/0001-abcdeg/results/a"));
}

TEST_F(AttemptFilesTest, OfAFlatAttemptOnlyWhatItsQueryWroteIsDeleted) {
  PutResults("unload/", kQuery);
  PutResults("unload/", kOther);
  PutResults("unload/results/0001-fedcba/", kOther);
  s3_.Put("unload/results/" + kQuery + ".csv");  // only begins like one of the query's
  s3_.Put("unload/results/" + kQuery + "2_1_x.csv");
  s3_.uploads = {"unload/results/partition_date=2024-02-26/" + FileName(kQuery, 3),
                 "unload/results/" + FileName(kOther, 3)};
  const std::size_t all = s3_.objects.size();
  const Cleaned cleaned = Clean(Flat(kQuery));
  EXPECT_EQ(cleaned.deleted, 5U);  // two files, manifest, metadata, an upload
  EXPECT_EQ(s3_.objects.size(), all - 4);
  for (const std::string& key : s3_.Keys()) {
    EXPECT_EQ(key.find(kQuery + "_"), std::string::npos) << key;
  }
  EXPECT_EQ(s3_.uploads.size(), 1U);
}

TEST_F(AttemptFilesTest, OfAFlatAttemptWithoutAQueryNothingIsAskedOrDeleted) {
  PutResults("unload/", kQuery);
  EXPECT_EQ(Clean(Flat("")).deleted, 0U);
  EXPECT_EQ(s3_.objects.size(), 4U);
  EXPECT_TRUE(s3_.bench.transport.requests().empty());
}

TEST_F(AttemptFilesTest, NothingIsDeletedBelowWhatIsNoAttemptsFolder) {
  PutResults("unload/", kQuery);
  for (const std::string to :
       {"s3://bkt", "s3://bkt/unload", "s3://bkt/unload/results", "s3://bkt/0001-abcdef",
        "s3://bkt/unload/other/0001-abcdef", "s3://bkt/unload/noresults/0001-abcdef"}) {
    Attempt attempt = Nested(kQuery);
    attempt.to = *s3::S3Uri::Parse(to);
    const auto cleaned = CleanAttempt(attempt, s3_.Services(), {});
    ASSERT_FALSE(cleaned) << to;
    EXPECT_EQ(cleaned.error().kind, ErrorKind::kBadReply);
    EXPECT_THAT(cleaned.error().message, HasSubstr(to));
  }
  EXPECT_EQ(s3_.objects.size(), 4U);
  EXPECT_TRUE(s3_.bench.transport.requests().empty());
}

TEST_F(AttemptFilesTest, ADestinationOfABucketsRootHasItsAttemptsToo) {
  Attempt attempt = Nested(kQuery);
  attempt.to = *s3::S3Uri::Parse("s3://bkt/results/0001-abcdef");
  PutResults("results/0001-abcdef/", kQuery);
  s3_.Put("results/other.csv");
  EXPECT_EQ(Clean(attempt).deleted, 4U);
  EXPECT_THAT(s3_.Keys(), ElementsAre("results/other.csv"));
}

TEST_F(AttemptFilesTest, ThousandsGoInBatchesOfOneCallEach) {
  for (int i = 0; i < 2500; ++i) s3_.Put(nested_ + "results/" + FileName(kQuery, i));
  s3_.page_size = 700;
  EXPECT_EQ(Clean(Nested()).deleted, 2500U);
  EXPECT_THAT(s3_.batches, ElementsAre(1000, 1000, 500));
  EXPECT_TRUE(s3_.objects.empty());
}

TEST_F(AttemptFilesTest, MoreUploadsThanAPageAreAllAborted) {
  for (int i = 0; i < 2100; ++i) s3_.uploads.insert(nested_ + "results/" + FileName(kQuery, i));
  const Cleaned cleaned = Clean(Nested());
  EXPECT_EQ(cleaned.deleted, 2100U);
  EXPECT_TRUE(s3_.uploads.empty());
}

TEST_F(AttemptFilesTest, WhatCantBeDeletedIsNamedAndTheRestGoes) {
  PutResults(nested_, kQuery);
  const std::string denied = nested_ + kQuery + kStem + "_metadata.json";
  const std::string upload = nested_ + "results/a";
  s3_.denied = {denied, upload};
  s3_.uploads = {upload, nested_ + "results/b"};
  const Cleaned cleaned = Clean(Nested());
  EXPECT_EQ(cleaned.deleted, 4U);
  EXPECT_THAT(cleaned.remaining,
              ElementsAre("s3://bkt/" + denied + " (AccessDenied)",
                          HasSubstr("incomplete multipart upload of s3://bkt/" + upload)));
  EXPECT_THAT(s3_.Keys(), ElementsAre(denied));
  EXPECT_THAT(s3_.uploads, ElementsAre(upload));
}

TEST_F(AttemptFilesTest, WhoMayNotListUploadsIsToldSo) {
  PutResults(nested_, kQuery);
  s3_.lists_uploads = false;
  const Cleaned cleaned = Clean(Nested());
  EXPECT_EQ(cleaned.deleted, 4U);
  EXPECT_THAT(cleaned.remaining,
              ElementsAre(HasSubstr("incomplete multipart uploads below s3://bkt/unload")));
}

TEST_F(AttemptFilesTest, AStopEndsTheCleaning) {
  std::stop_source stop;
  for (int i = 0; i < 50; ++i) s3_.uploads.insert(nested_ + "results/" + FileName(kQuery, i));
  int aborts = 0;
  s3_.before = [&](const http::Request& request) {
    if (request.method == "DELETE" && ++aborts == 3) stop.request_stop();
  };
  const auto cleaned = CleanAttempt(Nested(), s3_.Services(), stop.get_token());
  ASSERT_FALSE(cleaned);
  EXPECT_EQ(cleaned.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(aborts, 3);
}

TEST_F(AttemptFilesTest, DeletingKeysTellsWhoseAttemptItWas) {
  const auto deleted =
      DeleteKeys(*s3::BucketName::Parse("gone"), {s3::ObjectKey("k")}, s3_.Services(), {});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(deleted.error().Text(), HasSubstr("what a failed attempt left"));
}

}  // namespace
}  // namespace tsm::unload
