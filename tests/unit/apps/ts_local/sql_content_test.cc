// The aggregates by which a table's content is compared with another's, each against values worked
// out by hand: counts, extremes, and sums that cannot overflow.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "apps/ts_local/sql_rows_support.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;
using testing_support::MemoryRow;
using testing_support::MemoryTable;
using testing_support::RunSql;
using testing_support::SensorTable;
using testing_support::SqlFailure;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHour = 3'600 * kNsPerSecond;
constexpr std::int64_t kFirst = 1'773'964'800 * kNsPerSecond;  // 2026-03-20

MemoryRow Row(std::int64_t time_ns, Value samples, Value ok = {}, Value note = {},
              Value temperature = {}, Value seen = {}) {
  return {{"Oslo", "a"}, "climate", time_ns, {temperature, samples, ok, note, seen}};
}

MemoryTable TableOf(std::vector<MemoryRow> rows) {
  MemoryTable table = SensorTable();
  // The sensor table has a sixth measure; these rows leave it null.
  for (MemoryRow& row : rows) row.measures.resize(table.schema.measures.size());
  table.rows = std::move(rows);
  return table;
}

TEST(SqlContent, BigintsOfAnySizeSumAsQuotientAndRemainder) {
  // Division cuts towards zero and the remainder has the dividend's sign:
  // 2^63-1 = 2147483647 * 2^32 + 4294967295; -2^63 = -2147483648 * 2^32; -7 = 0 * 2^32 - 7.
  const char* sums =
      "SELECT count(samples), min(samples), max(samples), sum(samples / 4294967296), "
      "sum(samples % 4294967296) FROM db.t";
  EXPECT_THAT(RunSql(TableOf({Row(1, kMax), Row(2, kMax), Row(3, kMax)}), sums),
              ElementsAre("3|9223372036854775807|9223372036854775807|6442450941|12884901885"));
  EXPECT_THAT(RunSql(TableOf({Row(1, kMin), Row(2, kMin)}), sums),
              ElementsAre("2|-9223372036854775808|-9223372036854775808|-4294967296|0"));
  EXPECT_THAT(
      RunSql(TableOf({Row(1, kMax), Row(2, kMin), Row(3, std::int64_t{-7}), Row(4, {})}), sums),
      ElementsAre("3|-9223372036854775808|9223372036854775807|-1|4294967288"));
  EXPECT_THAT(RunSql(TableOf({Row(1, {})}), sums), ElementsAre("0|NULL|NULL|NULL|NULL"));
  EXPECT_THAT(SqlFailure(TableOf({Row(1, kMax), Row(2, kMax)}), "SELECT sum(samples) FROM db.t"),
              StartsWith("QueryExecutionException: bigint addition overflow"));
}

TEST(SqlContent, TimesSumAsSecondsAndNanoseconds) {
  const MemoryTable table = TableOf({Row(kFirst, std::int64_t{1}), Row(kFirst + 999'999'999, {}),
                                     Row(kFirst + 2 * kNsPerSecond + 5, {})});
  EXPECT_THAT(
      RunSql(table,
             "SELECT count(time), min(time), max(time), sum(to_nanoseconds(time) / 1000000000), "
             "sum(to_nanoseconds(time) % 1000000000) FROM db.t"),
      // 3 * 1773964800 + 2
      ElementsAre("3|2026-03-20 00:00:00.000000000|2026-03-20 00:00:02.000000005|"
                  "5321894402|1000000004"));
  EXPECT_THAT(RunSql(TableOf({Row(1, {}, {}, {}, {}, Timestamp{1'999'999'999}), Row(2, {}),
                              Row(3, {}, {}, {}, {}, Timestamp{5'000'000'002})}),
                     "SELECT count(seen), min(seen), max(seen), sum(to_nanoseconds(seen) / "
                     "1000000000), sum(to_nanoseconds(seen) % 1000000000) FROM db.t"),
              ElementsAre("2|1970-01-01 00:00:01.999999999|1970-01-01 00:00:05.000000002|6|"
                          "1000000001"));
}

TEST(SqlContent, BooleansAndTexts) {
  const MemoryTable table =
      TableOf({Row(1, {}, true, std::string("Zürich")), Row(2, {}, false, std::string("東京")),
               Row(3, {}, {}, {}), Row(4, {}, true, std::string("a\nb"))});
  EXPECT_THAT(RunSql(table,
                     "SELECT count(*), count(ok), sum(CASE WHEN ok THEN 1 ELSE 0 END), min(ok), "
                     "max(ok), count(note), sum(length(note)), min(note), max(note) FROM db.t"),
              ElementsAre("4|3|2|false|true|3|11|Zürich|東京"));
  EXPECT_THAT(RunSql(table, "SELECT sum(CASE WHEN ok THEN 1 END) FROM db.t WHERE ok IS NULL"),
              ElementsAre("NULL"));
}

TEST(SqlContent, Doubles) {
  const MemoryTable table = TableOf({Row(1, {}, {}, {}, 0.25), Row(2, {}, {}, {}, -1.5),
                                     Row(3, {}, {}, {}, {}), Row(4, {}, {}, {}, 1e300)});
  EXPECT_THAT(
      RunSql(
          table,
          "SELECT count(temperature), min(temperature), max(temperature), "
          "sum(CASE WHEN temperature BETWEEN -10 AND 10 THEN temperature ELSE 0.0 END) FROM db.t"),
      ElementsAre("3|-1.5|1.0E300|-1.25"));
}

TEST(SqlContent, GroupsByPartition) {
  const MemoryTable table =
      TableOf({Row(kFirst, std::int64_t{1}), Row(kFirst + kHour, std::int64_t{2}),
               Row(kFirst + 25 * kHour, std::int64_t{3})});
  const auto grouped = [&](const std::string& by, const std::string& order) {
    return RunSql(table, "SELECT " + by + ", count(*), sum(samples) FROM db.t GROUP BY " + by +
                             " ORDER BY " + order);
  };
  EXPECT_THAT(grouped("date_format(time, '%Y-%m-%d')", "1"),
              ElementsAre("2026-03-20|2|3", "2026-03-21|1|3"));
  EXPECT_THAT(grouped("date_format(time, '%Y-%m-%d-%H')", "1"),
              ElementsAre("2026-03-20-00|1|1", "2026-03-20-01|1|2", "2026-03-21-01|1|3"));
  EXPECT_THAT(grouped("date_format(time, '%Y-%m')", "1"), ElementsAre("2026-03|3|6"));
  EXPECT_THAT(grouped("date_format(time, '%Y')", "1"), ElementsAre("2026|3|6"));
  EXPECT_THAT(grouped("bin(time, 1d)", "1 DESC"), ElementsAre("2026-03-21 00:00:00.000000000|1|3",
                                                              "2026-03-20 00:00:00.000000000|2|3"));
  EXPECT_THAT(grouped("bin(time, 1h)", "1"), ::testing::SizeIs(3));
  EXPECT_THAT(grouped("measure_name", "1"), ElementsAre("climate|3|6"));
}

TEST(SqlContent, CountIf) {
  const MemoryTable table = TableOf({Row(1, std::int64_t{1}, true), Row(2, std::int64_t{5}, false),
                                     Row(3, {}, {}), Row(4, std::int64_t{7}, true)});
  EXPECT_THAT(RunSql(table, "SELECT count_if(ok), count_if(samples > 4), count_if(NULL) FROM db.t"),
              ElementsAre("2|2|0"));
  EXPECT_EQ(SqlFailure(table, "SELECT count_if(samples) FROM db.t"),
            "ValidationException: line 1:8: Unexpected parameters (bigint) for function count_if. "
            "Expected: boolean");
}

// The statement by which ts-unload counts: grouped rows and non-null values in a range.
TEST(SqlContent, CountsPerPartitionInARange) {
  MemoryTable table =
      TableOf({Row(kFirst, std::int64_t{1}, {}, std::string("it's")), Row(kFirst + kHour, {}, true),
               Row(kFirst + 25 * kHour, {}), Row(kFirst + 26 * kHour, std::int64_t{3}),
               Row(kFirst + 48 * kHour, std::int64_t{4})});
  table.rows[2].dimensions[0] = "St. John's";
  table.rows[3].dimensions[0] = std::nullopt;
  const std::string counts =
      "SELECT date_format(time, '%Y-%m-%d') AS \"p\", count(*) AS \"rows\", count(\"samples\") AS "
      "\"n0\", count(\"ok\") AS \"n1\" FROM \"db\".\"t\" WHERE time >= '2026-03-20 "
      "00:00:00.000000000' AND time < '2026-03-22 00:00:00.000000000'";
  EXPECT_THAT(RunSql(table, counts + " GROUP BY 1 ORDER BY 1"),
              ElementsAre("2026-03-20|2|1|1", "2026-03-21|2|1|0"));
  EXPECT_EQ(table.visited, 4) << "the range is read alone";
  EXPECT_THAT(
      RunSql(table, counts + " AND (\"city\" = 'St. John''s' OR \"note\" = 'it''s') GROUP BY "
                             "date_format(time, '%Y-%m-%d') ORDER BY 1"),
      ElementsAre("2026-03-20|1|1|0", "2026-03-21|1|0|0"));
  EXPECT_THAT(
      RunSql(table,
             "SELECT date_trunc('day', time) AS \"p\", \"city\", count(*) AS \"rows\" FROM db.t "
             "GROUP BY 1, \"city\" ORDER BY 1 DESC, \"city\" NULLS FIRST"),
      ElementsAre("2026-03-22 00:00:00.000000000|Oslo|1", "2026-03-21 00:00:00.000000000|NULL|1",
                  "2026-03-21 00:00:00.000000000|St. John's|1",
                  "2026-03-20 00:00:00.000000000|Oslo|2"));
  EXPECT_THAT(RunSql(table, "SELECT \"city\", count(*) FROM db.t GROUP BY 1 ORDER BY 1"),
              ElementsAre("Oslo|3", "St. John's|1", "NULL|1"));
  EXPECT_THAT(RunSql(table, "SELECT approx_distinct(city) FROM db.t"), ElementsAre("2"));
}

// A table of 256 measures, five aggregates of each, two groups.
TEST(SqlContent, TwoHundredAndFiftySixColumnsInOneQuery) {
  MemoryTable table;
  table.schema.dimensions = {"city"};
  MemoryRow row{{"Oslo"}, "m", kFirst, {}};
  std::string sql = "SELECT date_format(time, '%Y-%m-%d') AS \"p\"";
  std::string first = "2026-03-20";
  std::string second = "2026-03-21";
  for (int i = 0; i < 256; ++i) {
    const std::string name = "\"c " + std::to_string(i) + "\"";
    table.schema.measures.push_back({"c " + std::to_string(i), ScalarType::kBigint, true});
    row.measures.emplace_back(std::int64_t{i} - 100);
    sql += ", count(" + name + "), min(" + name + "), max(" + name + "), sum(" + name +
           " / 4294967296), sum(" + name + " % 4294967296)";
    const std::string value = std::to_string(i - 100);
    first += "|2|" + value + "|" + value + "|0|" + std::to_string(2 * (i - 100));
    second += "|1|" + value + "|" + value + "|0|" + value;
  }
  table.rows = {row, row, row};
  table.rows[1].time_ns += 1;
  table.rows[2].time_ns += kNsPerDay;
  EXPECT_THAT(RunSql(table, sql + " FROM db.t GROUP BY 1 ORDER BY 1"), ElementsAre(first, second));
}

TEST(SqlContent, AHundredThousandGroups) {
  constexpr int kGroups = 100'000;
  std::vector<MemoryRow> rows;
  for (int i = 0; i < kGroups; ++i) rows.push_back(Row(kFirst + i * kNsPerSecond, std::int64_t{i}));
  const auto groups = RunSql(
      TableOf(std::move(rows)),
      "SELECT date_format(time, '%Y-%m-%d-%H-%i-%s'), count(*), sum(samples) FROM db.t GROUP BY 1 "
      "ORDER BY 1");
  ASSERT_EQ(groups.size(), std::size_t{kGroups});
  EXPECT_EQ(groups.front(), "2026-03-20-00-00-00|1|0");
  EXPECT_EQ(groups.back(), "2026-03-21-03-46-39|1|99999");  // 99,999 s later
}

TEST(SqlContent, GroupsBeyondTheMemoryAreRefused) {
  std::vector<MemoryRow> rows;
  for (int i = 0; i < 60'000; ++i) rows.push_back(Row(i, std::int64_t{i}));
  std::string sql = "SELECT time";
  // 600 sums of 32 bytes in 60,000 groups are 1.15 GB.
  for (int i = 0; i < 600; ++i) sql += ", sum(samples + " + std::to_string(i) + ")";
  EXPECT_EQ(SqlFailure(TableOf(std::move(rows)), sql + " FROM db.t GROUP BY 1"),
            "QueryExecutionException: The query computation exceeds maximum available memory");
}

}  // namespace
}  // namespace ts_local
