#include "tsm/unload/unload_statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::unload {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

UnloadStatement Plain() {
  UnloadStatement statement;
  statement.select.table = *timestream::TableRef::Make("my-db", "my.table");
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

TEST(UnloadStatementTest, TheOriginalsFlagsMakeTheOriginalsStatement) {
  UnloadStatement statement = Plain();
  statement.select.partition = PartitionUnit::kDay;
  statement.select.order_by = {"time"};
  statement.from = 0;
  statement.end = 1;
  EXPECT_EQ(statement.ToSql(),
            "UNLOAD (SELECT *, to_nanoseconds(time) AS \"nanoseconds\", date_format(time, "
            "'%Y-%m-%d') AS \"partition_date\" FROM \"my-db\".\"my.table\" WHERE time >= "
            "'1970-01-01 00:00:00.000000000' AND time < '1970-01-01 00:00:00.000000001' ORDER BY "
            "time) TO 's3://bucket/pre''fix' WITH (partitioned_by = ARRAY['partition_date'], "
            "format = 'CSV', compression = 'NONE', max_file_size = '1GB', include_header = "
            "'true')");
}

TEST(UnloadStatementTest, PutsThePartitionColumnLast) {
  const std::pair<PartitionUnit, std::string> cases[] = {{PartitionUnit::kHour, "%Y-%m-%d-%H"},
                                                         {PartitionUnit::kDay, "%Y-%m-%d"},
                                                         {PartitionUnit::kMonth, "%Y-%m"},
                                                         {PartitionUnit::kYear, "%Y"}};
  for (const auto& [unit, format] : cases) {
    UnloadStatement statement = Plain();
    statement.select.partition = unit;
    EXPECT_THAT(statement.ToSql(), HasSubstr("AS \"nanoseconds\", date_format(time, '" + format +
                                             "') AS \"partition_date\" FROM"));
    EXPECT_THAT(statement.ToSql(), HasSubstr("WITH (partitioned_by = ARRAY['partition_date'], "));
  }
}

TEST(UnloadStatementTest, ChosenColumnsStandFirstAndPartitionsLastInTheirOrder) {
  UnloadStatement statement = Plain();
  statement.select.columns = {"city", "say \"so\""};
  statement.select.timestamps = {{"seen", "seen_nanoseconds"}};
  statement.select.partition = PartitionUnit::kDay;
  statement.select.partitioned_by = {{"city", "partition_city"}, {"unit", "partition_it's"}};
  EXPECT_THAT(statement.ToSql(),
              HasSubstr("UNLOAD (SELECT \"city\", \"say \"\"so\"\"\", to_nanoseconds(time) AS "
                        "\"nanoseconds\", to_nanoseconds(\"seen\") AS \"seen_nanoseconds\", "
                        "date_format(time, '%Y-%m-%d') AS \"partition_date\", \"city\" AS "
                        "\"partition_city\", \"unit\" AS \"partition_it's\" FROM"));
  EXPECT_THAT(statement.ToSql(),
              HasSubstr("WITH (partitioned_by = ARRAY['partition_date', 'partition_city', "
                        "'partition_it''s'], format"));
  statement.select.partition = PartitionUnit::kNone;
  EXPECT_THAT(statement.ToSql(), HasSubstr("ARRAY['partition_city', 'partition_it''s']"));
  EXPECT_THAT(statement.ToSql(), Not(HasSubstr("date_format")));
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

TEST(UnloadStatementTest, AnExtraPredicateKeepsToItself) {
  UnloadStatement statement = Plain();
  statement.select.where = "city = 'Oslo' OR city = 'Rome'";
  EXPECT_THAT(statement.ToSql(),
              HasSubstr("\"my.table\" WHERE (city = 'Oslo' OR city = 'Rome')) TO"));
  statement.end = 1;
  EXPECT_THAT(statement.ToSql(), HasSubstr(".000000001' AND (city = 'Oslo' OR city = 'Rome')) TO"));
}

TEST(UnloadStatementTest, OrdersOnlyWhenAsked) {
  UnloadStatement statement = Plain();
  EXPECT_THAT(statement.ToSql(), Not(HasSubstr("ORDER BY")));
  statement.select.order_by = {"time"};
  EXPECT_THAT(statement.ToSql(), HasSubstr("\"my.table\" ORDER BY time) TO"));
  statement.select.order_by = {"city desc", "time ASC", "my desc col"};
  EXPECT_THAT(statement.ToSql(),
              HasSubstr(" ORDER BY \"city\" DESC, time ASC, \"my desc col\") TO"));
}

TEST(UnloadStatementTest, ABucketAloneHasNoSlash) {
  UnloadStatement statement = Plain();
  statement.destination.key = s3::ObjectKey();
  EXPECT_THAT(statement.ToSql(), HasSubstr("TO 's3://bucket' WITH"));
}

}  // namespace
}  // namespace tsm::unload
