#include "ts_unload/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ts_unload/summary.h"

namespace tsm::apps {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::optional<ExitCode> Parse(std::vector<const char*> arguments, UnloadFlags& flags) {
  arguments.insert(arguments.begin(), "ts-unload");
  return ParseUnloadFlags(static_cast<int>(arguments.size()), arguments.data(), flags);
}

void ExpectAll(const UnloadFlags& flags) {
  EXPECT_EQ(flags.session.client.region, "eu-west-1");
  EXPECT_EQ(flags.input.database, "sourcedb");
  EXPECT_EQ(flags.input.table, "myTable");
  EXPECT_EQ(flags.input.s3_uri, "s3://b/unload");
  EXPECT_EQ(flags.input.from_time, "2024-01-01 00:00:00");
  EXPECT_EQ(flags.input.end_time, "2024-01-02");
  EXPECT_EQ(flags.input.partition, "day");
  EXPECT_EQ(flags.input.iam_role_arn, "arn:aws:iam::123456789123:role/R");
}

TEST(UnloadFlagsTest, TheOriginalsShortForms) {
  UnloadFlags flags;
  EXPECT_EQ(Parse({"-r", "eu-west-1", "-d", "sourcedb", "-t", "myTable", "-s", "s3://b/unload",
                   "-f", "2024-01-01 00:00:00", "-e", "2024-01-02", "-p", "day", "-i",
                   "arn:aws:iam::123456789123:role/R"},
                  flags),
            std::nullopt);
  ExpectAll(flags);
}

TEST(UnloadFlagsTest, TheOriginalsLongForms) {
  UnloadFlags flags;
  EXPECT_EQ(Parse({"--region", "eu-west-1", "--database=sourcedb", "--table", "myTable",
                   "--s3_uri=s3://b/unload", "--from_time", "2024-01-01 00:00:00", "--end_time",
                   "2024-01-02", "--partition", "day", "--iam_role_arn",
                   "arn:aws:iam::123456789123:role/R"},
                  flags),
            std::nullopt);
  ExpectAll(flags);
}

TEST(UnloadFlagsTest, FormsWithDashes) {
  UnloadFlags flags;
  EXPECT_EQ(Parse({"--region", "eu-west-1", "--database", "sourcedb", "--table", "myTable",
                   "--s3-uri", "s3://b/unload", "--from-time", "2024-01-01 00:00:00", "--end-time",
                   "2024-01-02", "--partition", "day", "--iam-role-arn",
                   "arn:aws:iam::123456789123:role/R", "--order-by", "time", "-v"},
                  flags),
            std::nullopt);
  ExpectAll(flags);
  EXPECT_EQ(flags.input.order_by, "time");
  EXPECT_EQ(flags.session.verbosity, 1);
}

TEST(UnloadFlagsTest, DatabaseAndTableAreRequired) {
  UnloadFlags flags;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Parse({"--database", "sourcedb"}, flags), ExitCode::kUsage);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("--table is required"));
}

unload::UnloadSummary SomeSummary() {
  unload::UnloadSummary summary;
  summary.region = "eu-west-1";
  summary.rows = 1'234'567;
  summary.files = 5;
  summary.bytes = 2'300'000;
  summary.partitions = 3;
  summary.query_id = "Q1";
  summary.manifest_uri = "s3://bucket/my unload/Q1_1_x_manifest.json";
  summary.plan.bucket = *s3::BucketName::Parse("bucket");
  summary.plan.results_prefix = "my unload/results/";
  summary.plan.statement.table = *timestream::TableRef::Make("sourcedb", "myTable");
  summary.plan.statement.end = 1'000'000'000;
  summary.plan.statement.partition = unload::PartitionUnit::kDay;
  return summary;
}

TEST(SummaryTest, TellsWhatWasUnloadedAndWhatComesNext) {
  const std::vector<std::string> lines = SummaryLines(SomeSummary());
  EXPECT_THAT(lines, Contains("unloaded  sourcedb.myTable in eu-west-1, before "
                              "1970-01-01 00:00:01.000000000, by day"));
  EXPECT_THAT(lines, Contains(HasSubstr("1,234,567")));
  EXPECT_THAT(lines, Contains("files     5, 2.3 MB, in 3 partitions"));
  EXPECT_THAT(lines, Contains(HasSubstr("--destination_s3_prefix 'my unload/results/' ")));
}

TEST(SummaryTest, NoRowsAreSaidPlainly) {
  unload::UnloadSummary summary = SomeSummary();
  summary.rows = 0;
  summary.files = 0;
  EXPECT_THAT(SummaryLines(summary), Contains(HasSubstr("0 rows")));
  EXPECT_THAT(SummaryLines(summary), Not(Contains(HasSubstr("ts-batchload"))));
}

}  // namespace
}  // namespace tsm::apps
