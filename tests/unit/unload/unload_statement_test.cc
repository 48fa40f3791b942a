#include "tsm/unload/unload_statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tsm/unload/unload_plan.h"

namespace tsm::unload {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

UnloadStatement Plain() {
  UnloadStatement statement;
  statement.table = *timestream::TableRef::Make("my-db", "my.table");
  statement.destination = *s3::S3Uri::Parse("s3://bucket/pre'fix");
  return statement;
}

TEST(UnloadStatementTest, QuotesNamesAndEscapesLiterals) {
  EXPECT_EQ(
      Plain().ToSql(),
      "UNLOAD (SELECT *, to_nanoseconds(time) AS \"nanoseconds\" FROM \"my-db\".\"my.table\") "
      "TO 's3://bucket/pre''fix' WITH (format = 'CSV', compression = 'NONE', "
      "max_file_size = '1GB', include_header = 'true')");
}

TEST(UnloadStatementTest, PutsThePartitionColumnLast) {
  const std::pair<PartitionUnit, std::string> cases[] = {{PartitionUnit::kHour, "%Y-%m-%d-%H"},
                                                         {PartitionUnit::kDay, "%Y-%m-%d"},
                                                         {PartitionUnit::kMonth, "%Y-%m"},
                                                         {PartitionUnit::kYear, "%Y"}};
  for (const auto& [unit, format] : cases) {
    UnloadStatement statement = Plain();
    statement.partition = unit;
    EXPECT_THAT(statement.ToSql(), HasSubstr("AS \"nanoseconds\", date_format(time, '" + format +
                                             "') AS \"partition_date\" FROM"));
    EXPECT_THAT(statement.ToSql(), HasSubstr("WITH (partitioned_by = ARRAY['partition_date'], "));
  }
}

TEST(UnloadStatementTest, RangesAreHalfOpenWithNineDecimals) {
  UnloadStatement statement = Plain();
  statement.from = 1'708'968'278'270'000'000;
  EXPECT_THAT(statement.ToSql(),
              HasSubstr("\"my.table\" WHERE time >= '2024-02-26 17:24:38.270000000')"));
  statement.end = statement.from.value() + 1;
  EXPECT_THAT(statement.ToSql(), HasSubstr(" WHERE time >= '2024-02-26 17:24:38.270000000' AND "
                                           "time < '2024-02-26 17:24:38.270000001')"));
  statement.from.reset();
  EXPECT_THAT(statement.ToSql(),
              HasSubstr("\"my.table\" WHERE time < '2024-02-26 17:24:38.270000001')"));
}

TEST(UnloadStatementTest, OrdersOnlyWhenAsked) {
  UnloadStatement statement = Plain();
  EXPECT_THAT(statement.ToSql(), Not(HasSubstr("ORDER BY")));
  statement.order_by_time = true;
  EXPECT_THAT(statement.ToSql(), HasSubstr("\"my.table\" ORDER BY time) TO"));
}

TEST(UnloadStatementTest, ABucketAloneHasNoSlash) {
  UnloadStatement statement = Plain();
  statement.destination.key = s3::ObjectKey();
  EXPECT_THAT(statement.ToSql(), HasSubstr("TO 's3://bucket' WITH"));
}

timestream::TableSchema SchemaOf(const std::vector<std::string>& names) {
  timestream::TableSchema schema;
  for (const std::string& name : names) schema.columns.push_back({name, "varchar", {}});
  return schema;
}

TEST(UnloadPlanTest, FindsAFreeColumnName) {
  EXPECT_EQ(FreeColumnName(SchemaOf({"time", "city"}), "nanoseconds"), "nanoseconds");
  EXPECT_EQ(FreeColumnName(SchemaOf({"NanoSeconds"}), "nanoseconds"), "nanoseconds_2");
  EXPECT_EQ(FreeColumnName(SchemaOf({"nanoseconds", "nanoseconds_2"}), "nanoseconds"),
            "nanoseconds_3");
}

TEST(UnloadPlanTest, KeysLieBelowThePrefix) {
  UnloadOptions options;
  options.table = *timestream::TableRef::Make("sourcedb", "myTable");
  const auto nested =
      MakeUnloadPlan(options, *s3::S3Uri::Parse("s3://bucket/a/b"), SchemaOf({"time"}), "R1");
  ASSERT_TRUE(nested);
  EXPECT_EQ(nested->results_prefix, "a/b/results/");
  EXPECT_EQ(nested->record_prefix, "a/b/tsm-run-");
  EXPECT_EQ(nested->record_uri.str(), "s3://bucket/a/b/tsm-run-R1.json");
  const auto flat =
      MakeUnloadPlan(options, *s3::S3Uri::Parse("s3://bucket"), SchemaOf({"time"}), "R1");
  ASSERT_TRUE(flat);
  EXPECT_EQ(flat->results_prefix, "results/");
  EXPECT_EQ(flat->record_key.str(), "tsm-run-R1.json");
}

TEST(UnloadPlanTest, RefusesAStatementThatTheServiceWouldNotTake) {
  UnloadOptions options;
  options.table.database = "sourcedb";
  options.table.table = std::string(300'000, 't');
  const auto plan =
      MakeUnloadPlan(options, *s3::S3Uri::Parse("s3://bucket"), SchemaOf({"time"}), "R1");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(plan.error().message, HasSubstr("262,144"));
}

}  // namespace
}  // namespace tsm::unload
