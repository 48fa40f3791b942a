#include "tsm/unload/table_queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tsm/timestream/limits.h"

namespace tsm::unload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using timestream::QueryPage;
using timestream::Row;

constexpr TimeRange kRange{0, 1'000'000'000};
const std::string kWhere =
    "FROM \"db\".\"table\" WHERE time >= '1970-01-01 00:00:00.000000000' AND time < "
    "'1970-01-01 00:00:01.000000000'";

TableSelect Select() {
  TableSelect select;
  select.table = *timestream::TableRef::Make("db", "table");
  return select;
}

TableSelect ByCity() {
  TableSelect select = Select();
  select.partition = PartitionUnit::kMonth;
  select.partitioned_by = {{"city", "partition_city"}, {"unit", "partition_unit"}};
  return select;
}

QueryPage Page(const std::vector<std::string>& columns, std::vector<Row> rows = {}) {
  QueryPage page;
  for (const std::string& column : columns) page.columns.push_back({column, "VARCHAR"});
  page.rows = std::move(rows);
  return page;
}

template <typename Value>
std::string BadReply(const Result<Value>& result) {
  if (result) return "(accepted)";
  EXPECT_EQ(result.error().kind, ErrorKind::kBadReply);
  return result.error().message;
}

TEST(RangeTest, AsksWithinTheFlags) {
  TableSelect select = Select();
  EXPECT_EQ(RangeSql(select, {}, {}),
            "SELECT min(time) AS \"first\", max(time) AS \"last\" FROM \"db\".\"table\"");
  select.where = "city = 'Oslo'";
  EXPECT_THAT(RangeSql(select, 0, {}),
              HasSubstr("WHERE time >= '1970-01-01 00:00:00.000000000' AND (city = 'Oslo')"));
}

TEST(RangeTest, EndsOneNanosecondAfterTheLastRow) {
  // By name: the answer's order is not promised.
  const auto range = ParseRange(
      Page({"last", "first"}, {{"1970-01-01 00:00:02.000000005", "1970-01-01 00:00:01"}}));
  ASSERT_TRUE(range) << range.error().Text();
  ASSERT_TRUE(range->has_value());
  EXPECT_EQ((*range)->from, 1'000'000'000);
  EXPECT_EQ((*range)->end, 2'000'000'006);
}

TEST(RangeTest, IsNothingWithoutRows) {
  const auto range = ParseRange(Page({"first", "last"}, {{std::nullopt, std::nullopt}}));
  ASSERT_TRUE(range);
  EXPECT_FALSE(range->has_value());
}

TEST(RangeTest, RefusesWhatIsNoAnswer) {
  const std::string time = "1970-01-01 00:00:01";
  EXPECT_THAT(BadReply(ParseRange(Page({"first", "last"}))), HasSubstr("0 rows"));
  EXPECT_THAT(BadReply(ParseRange(Page({"first"}, {{time}}))), HasSubstr("last is missing"));
  EXPECT_THAT(BadReply(ParseRange(Page({"first", "last"}, {{time}}))), HasSubstr("last"));
  EXPECT_THAT(BadReply(ParseRange(Page({"first", "last"}, {{time, std::nullopt}}))),
              HasSubstr("last is null"));
  EXPECT_THAT(BadReply(ParseRange(Page({"first", "last"}, {{"soon", time}}))),
              HasSubstr("first holds no time"));
  EXPECT_THAT(BadReply(ParseRange(Page({"first", "last"}, {{time, "1970-01-01"}}))),
              HasSubstr("before the first"));
  EXPECT_THAT(
      BadReply(ParseRange(Page({"first", "last"}, {{time, "2262-04-11 23:47:16.854775807"}}))),
      HasSubstr("after which none"));
}

TEST(SurveyTest, CountsByTheUnitOrTheDay) {
  TableSelect select = Select();
  EXPECT_EQ(SurveySql(select, kRange),
            "SELECT date_format(time, '%Y-%m-%d') AS \"p0\", count(*) AS \"rows\" " + kWhere +
                " GROUP BY 1 ORDER BY 1");
  select.partition = PartitionUnit::kHour;
  EXPECT_THAT(SurveySql(select, kRange), HasSubstr("date_format(time, '%Y-%m-%d-%H') AS"));
}

TEST(SurveyTest, ReadsARow) {
  const QueryPage page = Page({"rows", "p0"});
  const auto day = ParseSurveyRow(PartitionUnit::kNone, page, {"42", "1970-01-02"});
  ASSERT_TRUE(day) << day.error().Text();
  EXPECT_EQ(day->start, 86'400'000'000'000);
  EXPECT_EQ(day->rows, 42U);
  const auto month = ParseSurveyRow(PartitionUnit::kMonth, page, {"1", "1970-01"});
  ASSERT_TRUE(month) << month.error().Text();
  EXPECT_EQ(month->start, 0);
}

TEST(SurveyTest, RefusesWhatIsNoRow) {
  const auto read = [](const QueryPage& page, const Row& row) {
    return BadReply(ParseSurveyRow(PartitionUnit::kDay, page, row));
  };
  const QueryPage page = Page({"p0", "rows"});
  EXPECT_THAT(read(Page({"p0"}), {"1970-01-01"}), HasSubstr("rows is missing"));
  EXPECT_THAT(read(Page({"rows"}), {"1"}), HasSubstr("p0 is missing"));
  EXPECT_THAT(read(page, {"1970-01-01"}), HasSubstr("rows is missing in a row"));
  EXPECT_THAT(read(page, {std::nullopt, "1"}), HasSubstr("p0 is null"));
  EXPECT_THAT(read(page, {"1970-01", "1"}), HasSubstr("'1970-01', which is no day"));
  EXPECT_THAT(read(page, {"1970-01-01", std::nullopt}), HasSubstr("rows is null"));
  for (const char* bad : {"-1", "", "1.5", "many", "99999999999999999999"}) {
    EXPECT_THAT(read(page, {"1970-01-01", bad}), HasSubstr("which is no count")) << bad;
  }
}

TEST(PartitionValuesTest, AsksForTheDistinctOnes) {
  EXPECT_EQ(PartitionValuesSql(ByCity(), kRange),
            "SELECT \"city\" AS \"p1\", \"unit\" AS \"p2\", count(*) AS \"rows\" " + kWhere +
                " GROUP BY 1, 2");
}

TEST(PartitionValuesTest, MustMakeFolders) {
  const QueryPage page = Page({"p2", "p1", "rows"});
  EXPECT_TRUE(CheckPartitionValues(ByCity(), page, {"C", "Oslo, N", "1"}));
  const auto refusal = [&page](const Row& row) {
    const Status status = CheckPartitionValues(ByCity(), page, row);
    if (status) return std::string("(accepted)");
    EXPECT_EQ(status.error().kind, ErrorKind::kInvalidInput);
    return status.error().message;
  };
  EXPECT_THAT(refusal({"C", std::nullopt, "1"}),
              HasSubstr("--partitioned_by: column 'city' is null in some rows"));
  EXPECT_THAT(refusal({"C", "", "1"}), HasSubstr("column 'city' is the empty text"));
  EXPECT_THAT(refusal({"\xC2\xB0", "Oslo", "1"}),
              HasSubstr("column 'unit' holds '\xC2\xB0', which is not plain ASCII"));
  EXPECT_THAT(refusal({"C", "a\tb", "1"}), HasSubstr("'a\\tb', which is not plain ASCII"));
  EXPECT_THAT(BadReply(CheckPartitionValues(ByCity(), Page({"p1"}), {"Oslo"})),
              HasSubstr("p2 is missing"));
}

TEST(CountTest, CountsPerPartitionAndColumn) {
  EXPECT_EQ(CountSql(ByCity(), kRange, {"a", "b\"c"}),
            "SELECT date_format(time, '%Y-%m') AS \"p0\", \"city\" AS \"p1\", \"unit\" AS \"p2\", "
            "count(*) AS \"rows\", count(\"a\") AS \"n0\", count(\"b\"\"c\") AS \"n1\" " +
                kWhere + " GROUP BY 1, 2, 3");
  EXPECT_EQ(CountSql(Select(), kRange, {}),
            "SELECT date_format(time, '%Y-%m-%d') AS \"p0\", count(*) AS \"rows\" " + kWhere +
                " GROUP BY 1");
}

TEST(CountTest, ReadsARowByName) {
  const QueryPage page = Page({"n1", "rows", "p2", "p1", "p0", "n0"});
  const auto count =
      ParseCountRow(ByCity(), 2, page, {"3", "7", std::nullopt, "Oslo", "1970-01", "7"});
  ASSERT_TRUE(count) << count.error().Text();
  EXPECT_THAT(count->values, ElementsAre("1970-01", "Oslo", ""));
  EXPECT_EQ(count->rows, 7U);
  EXPECT_THAT(count->non_null, ElementsAre(7U, 3U));
}

TEST(CountTest, RefusesWhatIsNoRow) {
  const QueryPage page = Page({"p0", "rows", "n0"});
  const auto read = [](const QueryPage& answer, const Row& row) {
    return BadReply(ParseCountRow(Select(), 1, answer, row));
  };
  EXPECT_EQ(read(page, {"1970-01-01", "1", "1"}), "(accepted)");
  EXPECT_THAT(read(page, {std::nullopt, "1", "1"}), HasSubstr("p0 is null"));
  EXPECT_THAT(read(page, {"1970", "1", "1"}), HasSubstr("no day"));
  EXPECT_THAT(read(page, {"1970-01-01", "x", "1"}), HasSubstr("rows holds 'x'"));
  EXPECT_THAT(read(page, {"1970-01-01", "1", std::nullopt}), HasSubstr("n0 is null"));
  EXPECT_THAT(read(page, {"1970-01-01", "1", "2"}), HasSubstr("n0 counts more values than rows"));
  EXPECT_THAT(read(Page({"p0", "rows"}), {"1970-01-01", "1"}), HasSubstr("n0 is missing"));
  EXPECT_THAT(
      BadReply(ParseCountRow(ByCity(), 0, Page({"p0", "p1", "rows"}), {"1970-01", "Oslo", "1"})),
      HasSubstr("p2 is missing"));
}

TEST(CountTest, ManyColumnsAreSeveralQuestions) {
  EXPECT_THAT(CountChunks(Select(), kRange, {}), ElementsAre(IsEmpty()));
  EXPECT_THAT(CountChunks(Select(), kRange, {"a", "time", "b"}),
              ElementsAre(ElementsAre("a", "b")));

  TableSelect select = Select();
  select.where = std::string(60'000, 'w');
  std::vector<std::string> columns;
  for (int i = 0; i < 2000; ++i) columns.push_back(std::to_string(i) + std::string(250, '"'));
  std::vector<std::string> again;
  for (const auto& chunk : CountChunks(select, kRange, columns)) {
    EXPECT_LE(CountSql(select, kRange, chunk).size(), timestream::kMaxQueryBytes);
    EXPECT_LE(chunk.size(), 500U);
    again.insert(again.end(), chunk.begin(), chunk.end());
  }
  EXPECT_EQ(again, columns);
  columns.assign(1001, "c");
  EXPECT_EQ(CountChunks(Select(), kRange, columns).size(), 3U);
}

}  // namespace
}  // namespace tsm::unload
