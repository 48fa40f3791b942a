// Whole unloads against a small AWS in memory: the order of effects, and what each failure leaves.
#include "tsm/unload/unload_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tsm/run/run_record.h"
#include "unload/fake_aws.h"

namespace tsm::unload {
namespace {

using test::DataFileName;
using test::FakeAws;
using test::kOtherQueryId;
using test::kQueryId;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class UnloadRunTest : public ::testing::Test {
 protected:
  UnloadRunTest() {
    input.database = "sourcedb";
    input.table = "myTable";
    input.s3_uri = "s3://bkt/unload";
    input.partition = "day";
  }

  Result<UnloadSummary> Run() {
    Result<UnloadOptions> options = UnloadOptions::Check(input);
    if (!options) return options.error();
    return RunUnload(*options, fake.Services(), stop.get_token());
  }

  // The run's record as it lies in the bucket.
  std::optional<run::RunRecord> Record() {
    const auto text = fake.ObjectWithPrefix("bkt", "unload/tsm-run-");
    if (!text) return std::nullopt;
    Result<run::RunRecord> record = run::ParseRunRecord(*text);
    return record ? std::optional(*record) : std::nullopt;
  }

  void Put(const std::string& key, const std::string& body = "x") {
    fake.buckets["bkt"].objects[key] = body;
  }

  std::size_t CallIndex(const std::string& prefix) const {
    for (std::size_t i = 0; i < fake.calls.size(); ++i) {
      if (fake.calls[i].starts_with(prefix)) return i;
    }
    return fake.calls.size();
  }

  FakeAws fake;
  UnloadInput input;
  std::stop_source stop;
};

TEST_F(UnloadRunTest, ProvesAndRecordsAFinishedUnload) {
  const Result<UnloadSummary> summary = Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->rows, 7U);
  EXPECT_EQ(summary->files, 2U);
  EXPECT_EQ(summary->bytes, 70U);
  EXPECT_EQ(summary->partitions, 2U);
  EXPECT_EQ(summary->query_id, kQueryId);
  EXPECT_EQ(summary->account, "123456789012");

  const auto record = Record();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->state, run::RunState::kDone);
  EXPECT_EQ(record->query_id, kQueryId);
  EXPECT_EQ(record->rows, 7U);
  EXPECT_EQ(record->bytes, 70U);
  EXPECT_EQ(record->files, 2U);
  EXPECT_EQ(record->manifest_uri, summary->manifest_uri);
  EXPECT_EQ(record->sql, fake.unload_sql);
  EXPECT_EQ(record->tool_version, "9.9.9");
}

TEST_F(UnloadRunTest, ClaimsThenLooksThenQueriesThenProves) {
  ASSERT_TRUE(Run());
  std::vector<std::string> names;
  for (const std::string& call : fake.calls) {
    const std::string name = call.substr(0, call.find_first_of(" "));
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  EXPECT_THAT(names,
              ElementsAre("GetCallerIdentity", "Query", "HeadBucket", "PutObject", "ListObjects",
                          "Query", "GetObject", "ListObjects", "PutObject", "ListObjects"));
}

TEST_F(UnloadRunTest, TheRecordSaysStartedWhileTheQueryRuns) {
  std::optional<run::RunRecord> during;
  fake.before = [&](const std::string& call) -> std::optional<FakeAws::Refusal> {
    if (call == "Query UNLOAD" && !during) during = Record();
    return std::nullopt;
  };
  ASSERT_TRUE(Run());
  ASSERT_TRUE(during);
  EXPECT_EQ(during->state, run::RunState::kStarted);
  EXPECT_EQ(during->client_token, fake.unload_token);
  EXPECT_EQ(during->sql, fake.unload_sql);
  EXPECT_EQ(during->source.str(), "sourcedb.myTable");
  EXPECT_EQ(during->partition, "day");
  EXPECT_GE(fake.unload_token.size(), 32U);
}

TEST_F(UnloadRunTest, ProgressEndsOnlyWithTheLastPage) {
  ASSERT_TRUE(Run());
  std::vector<std::string> progress;
  for (const std::string& notice : fake.notices) {
    if (notice.starts_with("progress")) progress.push_back(notice);
  }
  EXPECT_THAT(progress,
              ElementsAre("progress 12 of 100", "progress 99 of 100", "progress 100 of 100"));
}

TEST_F(UnloadRunTest, DataFilesInTheWayStopTheRun) {
  const std::string key = "unload/results/" + DataFileName(kOtherQueryId, 1);
  Put(key);
  const Result<UnloadSummary> summary = Run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(summary.error().message, HasSubstr("--s3_uri"));
  EXPECT_THAT(fake.notices, Contains(HasSubstr(key)));
  EXPECT_THAT(fake.calls, Not(Contains("Query UNLOAD")));
  EXPECT_FALSE(Record()) << "its own record was not taken back";
}

TEST_F(UnloadRunTest, ManyFilesInTheWayAreCountedAndTenNamed) {
  for (int i = 0; i < 25; ++i) Put("unload/results/" + DataFileName(kOtherQueryId, i));
  const Result<UnloadSummary> summary = Run();
  ASSERT_FALSE(summary);
  EXPECT_THAT(summary.error().message, HasSubstr("25 data files"));
  EXPECT_THAT(fake.notices, Contains(StartsWith("in the way")).Times(10));
  EXPECT_THAT(fake.notices, Contains("and 15 more"));
}

TEST_F(UnloadRunTest, AnotherRunsRecordStopsTheRun) {
  run::RunRecord other;
  other.run_id = "20240101T000000Z-aaaaaa";
  other.source = *timestream::TableRef::Make("sourcedb", "myTable");
  other.started_at = "2024-01-01T00:00:00Z";
  const std::string key = "unload/tsm-run-20240101T000000Z-aaaaaa.json";
  Put(key, run::ToJson(other));
  const Result<UnloadSummary> summary = Run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(fake.notices, Contains(::testing::AllOf(HasSubstr(key), HasSubstr("without an end"),
                                                      HasSubstr("2024-01-01T00:00:00Z"))));
  EXPECT_EQ(fake.buckets["bkt"].objects.size(), 1U) << "only the other run's record may be left";
}

TEST_F(UnloadRunTest, OtherObjectsAreNotInTheWay) {
  Put("unload/results/");
  Put("unload/results/readme.txt");
  Put("unload/notes.json");
  Put("unloadother/results/" + DataFileName(kOtherQueryId, 1));
  EXPECT_TRUE(Run());
}

TEST_F(UnloadRunTest, ReadsThePolicyAndAddsToIt) {
  input.iam_role_arn = "arn:aws:iam::123456789123:role/BatchLoadRole";
  fake.buckets["bkt"].policy =
      R"({"Version":"2012-10-17","Statement":{"Sid":"Mine","Effect":"Deny","Principal":"*",)"
      R"("Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::bkt"}})";
  ASSERT_TRUE(Run());
  EXPECT_THAT(fake.buckets["bkt"].policy, HasSubstr("s3:DeleteBucket"));
  EXPECT_THAT(fake.buckets["bkt"].policy, HasSubstr("PermissionS3CopyListBucket"));
  EXPECT_LT(CallIndex("PutObject"), CallIndex("PutBucketPolicy"));
  EXPECT_LT(CallIndex("PutBucketPolicy"), CallIndex("Query UNLOAD"));

  fake.calls.clear();
  fake.buckets["bkt"].objects.clear();
  ASSERT_TRUE(Run());
  EXPECT_THAT(fake.calls, Contains("GetBucketPolicy bkt"));
  EXPECT_THAT(fake.calls, Not(Contains("PutBucketPolicy bkt"))) << "nothing was missing";
}

TEST_F(UnloadRunTest, APolicyThatCannotBeReadIsNotReplaced) {
  input.iam_role_arn = "arn:aws:iam::123456789123:role/BatchLoadRole";
  fake.buckets["bkt"].policy = "{broken";
  const Result<UnloadSummary> summary = Run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().kind, ErrorKind::kBadReply);
  EXPECT_EQ(fake.buckets["bkt"].policy, "{broken");
  EXPECT_THAT(fake.calls, Not(Contains("Query UNLOAD")));
}

TEST_F(UnloadRunTest, MakesTheDefaultBucketOnceTheTableIsKnown) {
  input.s3_uri.clear();
  fake.unload_bucket = "timestream-unload-sourcedb-mytable-123456789012";
  fake.unload_prefix = "";
  const Result<UnloadSummary> summary = Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_TRUE(fake.buckets.contains(fake.unload_bucket));
  EXPECT_THAT(fake.unload_sql, HasSubstr("TO 's3://" + fake.unload_bucket + "' WITH"));
  EXPECT_THAT(summary->plan.record_uri.str(),
              StartsWith("s3://" + fake.unload_bucket + "/tsm-run-"));
}

TEST_F(UnloadRunTest, UsesADefaultBucketOfItsOwn) {
  input.s3_uri.clear();
  fake.unload_bucket = "timestream-unload-sourcedb-mytable-123456789012";
  fake.unload_prefix = "";
  fake.buckets[fake.unload_bucket];
  EXPECT_TRUE(Run());
  EXPECT_EQ(CallIndex("CreateBucket"), fake.calls.size());
}

TEST_F(UnloadRunTest, RefusesADefaultBucketOfAnotherAccount) {
  input.s3_uri.clear();
  fake.foreign_buckets = {"timestream-unload-sourcedb-mytable-123456789012"};
  const Result<UnloadSummary> summary = Run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_THAT(summary.error().message, HasSubstr("another account"));
}

TEST_F(UnloadRunTest, NothingIsMadeForAnUnknownTable) {
  input.s3_uri.clear();
  fake.table_exists = false;
  const Result<UnloadSummary> summary = Run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(summary.error().Text(),
              HasSubstr("table sourcedb.myTable is not known in eu-west-1"));
  EXPECT_THAT(fake.calls, ElementsAre("GetCallerIdentity", "Query DESCRIBE"));
}

TEST_F(UnloadRunTest, ABucketThatIsNotThereIsNamed) {
  input.s3_uri = "s3://missing-bucket/unload";
  const Result<UnloadSummary> summary = Run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(summary.error().message, HasSubstr("missing-bucket"));
}

TEST_F(UnloadRunTest, ABucketOfAnotherRegionIsRefused) {
  fake.buckets["bkt"].region = "us-west-2";
  const Result<UnloadSummary> summary = Run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(summary.error().message, HasSubstr("us-west-2"));
  EXPECT_THAT(summary.error().message, HasSubstr("eu-west-1"));
  EXPECT_THAT(fake.calls, Not(Contains(StartsWith("PutObject"))));
}

TEST_F(UnloadRunTest, AddedColumnsEvadeThoseOfTheTable) {
  fake.columns = {"nanoseconds", "Partition_Date", "partition_date_2", "time", "measure_name"};
  ASSERT_TRUE(Run());
  EXPECT_THAT(fake.unload_sql, HasSubstr("AS \"nanoseconds_2\""));
  EXPECT_THAT(fake.unload_sql, HasSubstr("AS \"partition_date_3\""));
  EXPECT_THAT(fake.unload_sql, HasSubstr("ARRAY['partition_date_3']"));
}

TEST_F(UnloadRunTest, NoRowsAreAResult) {
  fake.write_files = false;
  fake.reply_rows = 0;
  fake.manifest_rows = 0;
  const Result<UnloadSummary> summary = Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->rows, 0U);
  EXPECT_EQ(summary->files, 0U);
  EXPECT_EQ(Record()->state, run::RunState::kDone);
}

TEST_F(UnloadRunTest, NoRowsNeedNoManifestButNoFilesEither) {
  fake.write_files = false;
  fake.write_manifest = false;
  fake.name_manifest = false;
  fake.reply_rows = 0;
  EXPECT_TRUE(Run());

  fake.buckets["bkt"].objects.clear();
  fake.write_files = true;
  const Result<UnloadSummary> summary = Run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().kind, ErrorKind::kProof);
}

}  // namespace
}  // namespace tsm::unload
