#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/ts_local/sql_rows_support.h"
#include "ts_local/sql_parser.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing_support::kNow;
using testing_support::MemoryTable;
using testing_support::RunSql;
using testing_support::SensorTable;
using testing_support::SqlFailure;

std::string Column(const std::string& sql) {
  const std::vector<std::string> rows = RunSql(SensorTable(), sql);
  return rows.size() == 1 ? rows.front() : "rows: " + std::to_string(rows.size());
}

TEST(SqlSelect, StarGivesDimensionsMeasureNameTimeMeasures) {
  EXPECT_THAT(
      RunSql(SensorTable(), "SELECT * FROM db.t LIMIT 1"),
      ElementsAre("Zürich|a|climate|2026-03-19 00:00:00.000000001|0.132|3|true|x,y|NULL|NULL"));
}

TEST(SqlSelect, ColumnNamesAndTypes) {
  const MemoryTable table = SensorTable();
  const Statement statement = ParseStatement(
      R"(SELECT *, to_nanoseconds(time) AS nanoseconds, DATE_FORMAT(time,'%Y-%m-%d') "day", 1+1 FROM "db"."t")");
  const SelectQuery query(std::get<SelectStatement>(statement), &table.schema, kNow);
  std::string columns;
  for (const OutputColumn& column : query.columns()) {
    columns +=
        column.name + " " + std::string(TypeName(column.type)) + (column.aliased ? "* " : " ");
  }
  EXPECT_EQ(columns,
            "city varchar device varchar measure_name varchar time timestamp temperature double "
            "samples bigint ok boolean note varchar seen timestamp measure_value::double double "
            "nanoseconds bigint* day varchar* _col12 bigint ");
}

TEST(SqlSelect, TimeLiteralsOfAnyPrecisionAreTimes) {
  const MemoryTable table = SensorTable();
  const auto count = [&](const std::string& where) {
    return RunSql(table, "SELECT count(*) FROM db.t WHERE " + where).front();
  };
  EXPECT_EQ(count("time >= '2026-03-19' AND time < '2026-03-20'"), "3");
  EXPECT_EQ(count("time <= '2026-03-19 01:00:00'"), "2");
  EXPECT_EQ(count("time = '2026-03-19 01:00:00.0'"), "1");
  EXPECT_EQ(count("time = '2026-03-19 00:00:00.000000001'"), "1");
  EXPECT_EQ(count("'2026-03-20 01:00' < time"), "1");
  EXPECT_EQ(count("time BETWEEN '2026-03-19 01:00' AND TIMESTAMP '2026-03-19 02:00'"), "2");
  EXPECT_EQ(count("time IN ('2026-03-20 00:00:00', '2026-03-20 02:00:00')"), "2");
  EXPECT_EQ(count("time > ago(1d)"), "2");
  EXPECT_EQ(count("time + 1d > now()"), "2");
  EXPECT_EQ(count("time <> '2026-03-20'"), "5");
  EXPECT_THAT(SqlFailure(table, "SELECT time FROM db.t WHERE time > 'yesterday'"),
              HasSubstr("Value cannot be cast to timestamp: yesterday"));
}

TEST(SqlSelect, TimeBoundsReachTheScan) {
  MemoryTable table = SensorTable();
  RunSql(table,
         "SELECT city FROM db.t WHERE time >= '2026-03-20' AND city = 'Oslo' AND time < "
         "'2026-03-20 02:00'");
  EXPECT_EQ(table.visited, 2);
  table.visited = 0;
  RunSql(table, "SELECT city FROM db.t WHERE time >= '2026-03-20' OR city = 'Oslo'");
  EXPECT_EQ(table.visited, 6);
  table.visited = 0;
  RunSql(table, "SELECT city FROM db.t WHERE NOT time >= '2026-03-20'");
  EXPECT_EQ(table.visited, 6);
  table.visited = 0;
  EXPECT_THAT(RunSql(table, "SELECT city FROM db.t WHERE 1 = 2"), IsEmpty());
  EXPECT_THAT(RunSql(table, "SELECT city FROM db.t WHERE time > NULL"), IsEmpty());
  EXPECT_EQ(table.visited, 0);
  RunSql(table, "SELECT city FROM db.t LIMIT 2");
  EXPECT_EQ(table.visited, 2);
}

TEST(SqlSelect, Predicates) {
  const MemoryTable table = SensorTable();
  const auto count = [&](const std::string& where) {
    return RunSql(table, "SELECT count(*) FROM db.t WHERE " + where).front();
  };
  EXPECT_EQ(count("city = 'Zürich'"), "2");
  EXPECT_EQ(count("city <> 'Zürich' AND device IS NOT NULL"), "2");
  EXPECT_EQ(count("device IS NULL"), "2");
  EXPECT_EQ(count("device NOT IN ('a')"), "2");
  EXPECT_EQ(count("device NOT IN ('a', NULL)"), "0");
  EXPECT_EQ(count("samples IN (3, 7.0)"), "2");
  EXPECT_EQ(count("samples > 2.5"), "3");
  EXPECT_EQ(count("NOT (ok OR samples = 5)"), "0");
  EXPECT_EQ(count("ok OR samples = 5"), "3");
  EXPECT_EQ(count("note LIKE 'x%'"), "2");
  EXPECT_EQ(count("note LIKE 'X%'"), "0");
  EXPECT_EQ(count("note LIKE 'x\\%' ESCAPE '\\'"), "1");
  EXPECT_EQ(count("city LIKE 'Z_rich'"), "2");
  EXPECT_EQ(count("note = 'it''s'"), "1");
  EXPECT_EQ(count(R"("measure_value::double" > 3)"), "1");
  EXPECT_EQ(count("measure_value::double BETWEEN 2 AND 3"), "1");
  EXPECT_EQ(count("temperature = NULL"), "0");
}

TEST(SqlSelect, GroupingAndAggregates) {
  const MemoryTable table = SensorTable();
  EXPECT_THAT(RunSql(table,
                     "SELECT city, count(*), count(device) AS n, sum(samples), min(temperature) "
                     "FROM db.t GROUP BY city ORDER BY city"),
              ElementsAre("Oslo|4|2|12|-4.5", "Zürich|2|2|1|0.132"));
  EXPECT_THAT(
      RunSql(table, "SELECT bin(time, 1d) AS day, count(*) FROM db.t GROUP BY 1 ORDER BY 1 DESC"),
      ElementsAre("2026-03-20 00:00:00.000000000|3", "2026-03-19 00:00:00.000000000|3"));
  EXPECT_THAT(RunSql(table,
                     "SELECT count(DISTINCT city), approx_distinct(device), max(note), min(note), "
                     "avg(samples), max(time) FROM db.t"),
              ElementsAre("2|2|x,y|it's|3.25|2026-03-20 02:00:00.000000000"));
  EXPECT_THAT(
      RunSql(table,
             "SELECT device FROM db.t GROUP BY device HAVING count(*) > 1 ORDER BY count(*), 1"),
      ElementsAre("a", "b", "NULL"));
  EXPECT_THAT(
      RunSql(table, "SELECT count(*), sum(samples), max(note) FROM db.t WHERE city = 'Rome'"),
      ElementsAre("0|NULL|NULL"));
  EXPECT_THAT(RunSql(table, "SELECT city, count(*) FROM db.t WHERE city = 'Rome' GROUP BY city"),
              IsEmpty());
  EXPECT_THAT(
      RunSql(table, "SELECT 2 * sum(samples) + 1, upper(city) FROM db.t GROUP BY city ORDER BY 2"),
      ElementsAre("25|OSLO", "3|ZÜRICH"));
}

TEST(SqlSelect, OrderDistinctLimit) {
  const MemoryTable table = SensorTable();
  EXPECT_THAT(RunSql(table, "SELECT DISTINCT device FROM db.t ORDER BY device DESC"),
              ElementsAre("b", "a", "NULL"));
  EXPECT_THAT(RunSql(table, "SELECT DISTINCT device FROM db.t ORDER BY device NULLS FIRST LIMIT 2"),
              ElementsAre("NULL", "a"));
  EXPECT_THAT(
      RunSql(table,
             "SELECT samples FROM db.t WHERE samples IS NOT NULL ORDER BY time DESC LIMIT 2"),
      ElementsAre("-2", "7"));
  EXPECT_THAT(RunSql(table, "SELECT samples AS s FROM db.t ORDER BY s DESC LIMIT 3"),
              ElementsAre("7", "5", "3"));
  EXPECT_THAT(RunSql(table, "SELECT samples FROM db.t LIMIT 0"), IsEmpty());
}

TEST(SqlSelect, Functions) {
  EXPECT_EQ(
      Column("SELECT date_format(from_nanoseconds(1000000001), '%Y/%c/%e %T %f %W %j %p %y%%')"),
      "1970/1/1 00:00:01 000000 Thursday 001 AM 70%");
  EXPECT_EQ(Column("SELECT date_format(TIMESTAMP '2024-02-29 13:05:09.123456789', '%M %d %b %a "
                   "%H:%i:%s.%f %r %v')"),
            "February 29 Feb Thu 13:05:09.123456 01:05:09 PM 09");
  EXPECT_EQ(Column("SELECT date_trunc('week', TIMESTAMP '2026-03-22 10:00:00')"),
            "2026-03-16 00:00:00.000000000");
  EXPECT_EQ(Column("SELECT date_trunc('quarter', TIMESTAMP '2026-06-30'), date_trunc('year', "
                   "TIMESTAMP '2026-06-30')"),
            "2026-04-01 00:00:00.000000000|2026-01-01 00:00:00.000000000");
  EXPECT_EQ(Column("SELECT to_milliseconds(from_milliseconds(1500)), to_nanoseconds(TIMESTAMP "
                   "'1970-01-01 00:00:00.000000007')"),
            "1500|7");
  EXPECT_EQ(Column("SELECT now(), ago(30m)"),
            "2026-03-21 00:00:00.000000000|2026-03-20 23:30:00.000000000");
  EXPECT_EQ(Column("SELECT cast(1e10 AS varchar), cast('7' AS bigint) + 1, cast(2.5 AS bigint), "
                   "cast('TRUE' AS boolean)"),
            "1.0E10|8|3|true");
  EXPECT_EQ(Column("SELECT length('Zürich'), lower('ÀB'), 'a' || 'b', concat('x', 'y', 'z'), "
                   "coalesce(NULL, 'd')"),
            "6|àb|ab|xyz|d");
  EXPECT_EQ(Column("SELECT CASE WHEN 1 > 2 THEN 1 WHEN true THEN 2.5 END, 7 / 2, 7 % 4, -7 / 2, 7 "
                   "/ 2.0, 1.0 / 0"),
            "2.5|3|3|-3|3.5|Infinity");
  EXPECT_EQ(Column("SELECT CAST(TIMESTAMP '2026-03-22' - TIMESTAMP '2026-03-20' AS varchar), "
                   "year(now()), hour(ago(1h))"),
            "2 00:00:00.000000000|2026|23");
}

TEST(SqlSelect, FailuresOfTheDataAreExecutionErrors) {
  MemoryTable table = SensorTable();
  EXPECT_EQ(SqlFailure(table, "SELECT samples / (samples - 3) FROM db.t"),
            "QueryExecutionException: Division by zero");
  EXPECT_THAT(SqlFailure(table, "SELECT samples * 9223372036854775807 FROM db.t"),
              StartsWith("QueryExecutionException: bigint multiplication overflow"));
  for (testing_support::MemoryRow& row : table.rows) {
    row.measures[1] = std::int64_t{4'000'000'000'000'000'000};
  }
  EXPECT_THAT(SqlFailure(table, "SELECT sum(samples) FROM db.t"),
              StartsWith("QueryExecutionException: bigint addition overflow"));
  EXPECT_THAT(SqlFailure(table, "SELECT cast(note AS bigint) FROM db.t"),
              StartsWith("QueryExecutionException: Cannot cast 'x,y' to bigint"));
  EXPECT_THAT(SqlFailure(table, "SELECT time - 30000d FROM db.t"), HasSubstr("before 1970"));
  EXPECT_THAT(SqlFailure(table, "SELECT from_nanoseconds(-1)"), HasSubstr("-1"));
}

TEST(SqlSelect, RefusalsNamePlaceAndToken) {
  const MemoryTable table = SensorTable();
  const auto failure = [&](const std::string& sql) { return SqlFailure(table, sql); };
  EXPECT_EQ(failure("SELECT \"events\" FROM db.t"),
            "ValidationException: line 1:8: Column 'events' does not exist");
  EXPECT_EQ(failure("SELECT City FROM db.t"),
            "ValidationException: line 1:8: Column 'City' does not exist");
  EXPECT_EQ(
      failure("SELECT city\nFORM db.t"),
      "ValidationException: line 2:6: mismatched input 'db'. Expecting: the end of the query");
  EXPECT_EQ(failure("DELETE FROM db.t"),
            "ValidationException: line 1:1: mismatched input 'DELETE'. Expecting: SELECT, UNLOAD, "
            "SHOW or DESCRIBE");
  EXPECT_EQ(
      failure("SELECT city FROM db.t JOIN db.u ON 1=1"),
      "ValidationException: line 1:23: mismatched input 'JOIN'. Expecting: the end of the query");
  EXPECT_THAT(failure("SELECT frobnicate(time) FROM db.t"),
              HasSubstr("'frobnicate' not registered"));
  EXPECT_THAT(failure("SELECT city, count(*) FROM db.t"), HasSubstr("'city' must be an aggregate"));
  EXPECT_THAT(failure("SELECT city FROM db.t WHERE samples = 'x'"),
              HasSubstr("line 1:37: '=' cannot"));
  EXPECT_THAT(failure("SELECT city FROM db.t WHERE samples"),
              HasSubstr("WHERE clause must evaluate"));
  EXPECT_THAT(failure("SELECT city FROM db.t WHERE note > time"), HasSubstr("cannot be applied"));
  EXPECT_THAT(failure("SELECT 1 day FROM db.t WHERE time > ago(1 d)"),
              HasSubstr("mismatched input 'd'"));
  EXPECT_THAT(failure("SELECT 5x"), HasSubstr("'5x' is neither a number nor an interval"));
  EXPECT_THAT(failure("SELECT 'open"), HasSubstr("line 1:8: string literal is not closed"));
  EXPECT_THAT(failure("SELECT 1 ?"), HasSubstr("unexpected character '?'"));
  EXPECT_THAT(failure("SELECT city FROM t"), HasSubstr("mismatched input '<EOF>'"));
  EXPECT_THAT(failure("SELECT sum(city) FROM db.t"), HasSubstr("Unexpected parameters (varchar)"));
  EXPECT_THAT(failure("SELECT city FROM db.t ORDER BY 2"), HasSubstr("ORDER BY position 2"));
  EXPECT_THAT(failure("SELECT *"), HasSubstr("without FROM"));
}

TEST(SqlSelect, BoundsOfTimeAreNotScannedFor) {
  const MemoryTable table = SensorTable();
  const std::string bounds = "SELECT min(time), max(time) FROM db.t";
  EXPECT_THAT(RunSql(table, bounds),
              ElementsAre("2026-03-19 00:00:00.000000001|2026-03-20 02:00:00.000000000"));
  EXPECT_THAT(
      RunSql(table, bounds + " WHERE time >= '2026-03-19 01:00:00' AND time < '2026-03-20'"),
      ElementsAre("2026-03-19 01:00:00.000000000|2026-03-19 02:00:00.000000000"));
  EXPECT_THAT(RunSql(table, bounds + " WHERE time BETWEEN '2026-03-19 01:00:00' AND '2026-03-20'"),
              ElementsAre("2026-03-19 01:00:00.000000000|2026-03-20 00:00:00.000000000"));
  EXPECT_THAT(RunSql(table, bounds + " WHERE time > '2027-01-01'"), ElementsAre("NULL|NULL"));
  EXPECT_THAT(RunSql(table, bounds + " WHERE time > NULL"), ElementsAre("NULL|NULL"));
  EXPECT_THAT(RunSql(table, "SELECT max(time) + 1ns AS \"end\" FROM db.t"),
              ElementsAre("2026-03-20 02:00:00.000000001"));
  EXPECT_EQ(table.visited, 0);
  // What more than the range decides must be read.
  EXPECT_THAT(RunSql(table, bounds + " WHERE city = 'Oslo' AND time < '2026-03-20'"),
              ElementsAre("2026-03-19 01:00:00.000000000|2026-03-19 02:00:00.000000000"));
  EXPECT_THAT(RunSql(table, bounds + " WHERE time <> '2026-03-20 02:00:00'"),
              ElementsAre("2026-03-19 00:00:00.000000001|2026-03-20 01:00:00.000000000"));
  EXPECT_THAT(
      RunSql(table, bounds + " WHERE time < '2026-03-19 00:30:00' OR time > '2026-03-20 01:30:00'"),
      ElementsAre("2026-03-19 00:00:00.000000001|2026-03-20 02:00:00.000000000"));
  EXPECT_THAT(RunSql(table, "SELECT min(time), count(*) FROM db.t"),
              ElementsAre("2026-03-19 00:00:00.000000001|6"));
  EXPECT_THAT(RunSql(MemoryTable{table.schema, {}, 0}, bounds), ElementsAre("NULL|NULL"));
}

TEST(SqlSelect, CommentsSemicolonAndQuotedNames) {
  MemoryTable table = SensorTable();
  table.schema.dimensions[0] = "we\"ird-name::x";
  EXPECT_THAT(
      RunSql(table, "/* a */ SELECT \"we\"\"ird-name::x\" -- b\nFROM \"d-b\".\"t.1\" LIMIT 1 ;"),
      ElementsAre("Zürich"));
}

TEST(SqlSelect, EndlessNestingAndChainsAreRefused) {
  const MemoryTable table = SensorTable();
  std::string nested = "SELECT " + std::string(50'000, '(') + "1" + std::string(50'000, ')');
  EXPECT_THAT(SqlFailure(table, nested), HasSubstr("nested too deeply"));
  std::string chain = "SELECT 1";
  for (int i = 0; i < 50'000; ++i) chain += "+1";
  EXPECT_THAT(SqlFailure(table, chain), HasSubstr("too many operators"));
  std::string negations = "SELECT ";
  for (int i = 0; i < 50'000; ++i) negations += "NOT ";
  EXPECT_THAT(SqlFailure(table, negations + "true"), HasSubstr("nested too deeply"));
  EXPECT_THAT(SqlFailure(table, "SELECT " + std::string(50'000, '+') + "1"),
              HasSubstr("nested too deeply"));
}

TEST(SqlSelect, CancelledQueriesStop) {
  const MemoryTable table = SensorTable();
  const Statement statement = ParseStatement("SELECT city FROM db.t");
  const SelectQuery query(std::get<SelectStatement>(statement), &table.schema, kNow);
  RunControl control;
  int rows = 0;
  query.Run({table.Scan()}, &control, [&](const Cell*) {
    control.cancelled = ++rows == 2;
    return true;
  });
  EXPECT_EQ(rows, 2);
  EXPECT_EQ(control.rows_scanned, 2);
}

}  // namespace
}  // namespace ts_local
