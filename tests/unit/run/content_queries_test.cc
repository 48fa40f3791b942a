#include "tsm/run/content_queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tsm/timestream/limits.h"

namespace tsm::run {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using timestream::QueryPage;
using timestream::Row;

const std::string kWhere = " WHERE time >= 'a'";

ContentScope Scope() { return {*timestream::TableRef::Make("db", "table"), {}, kWhere}; }

QueryPage Page(const std::vector<std::string>& columns) {
  QueryPage page;
  for (const std::string& column : columns) page.columns.push_back({column, "VARCHAR"});
  return page;
}

template <typename Value>
std::string BadReply(const Result<Value>& result) {
  if (result) return "(accepted)";
  EXPECT_EQ(result.error().kind, ErrorKind::kBadReply);
  return result.error().message;
}

TEST(ContentTest, AsksEachTypeItsAggregates) {
  EXPECT_EQ(ContentSql(Scope(), {{"s", "varchar"},
                                 {"i", "bigint"},
                                 {"d", "double"},
                                 {"b", "boolean"},
                                 {"time", "timestamp"},
                                 {"x", "array"}}),
            "SELECT date_format(time, '%Y-%m-%d') AS \"p0\", count(*) AS \"rows\", "
            "count(\"s\") AS \"c0_count\", min(\"s\") AS \"c0_min\", max(\"s\") AS \"c0_max\", "
            "sum(length(\"s\")) AS \"c0_length\", "
            "count(\"i\") AS \"c1_count\", min(\"i\") AS \"c1_min\", max(\"i\") AS \"c1_max\", "
            "sum(\"i\" / 4294967296) AS \"c1_quotient\", "
            "sum(\"i\" % 4294967296) AS \"c1_remainder\", "
            "count(\"d\") AS \"c2_count\", min(\"d\") AS \"c2_min\", max(\"d\") AS \"c2_max\", "
            "sum(\"d\") AS \"c2_sum\", "
            "count(\"b\") AS \"c3_count\", count(CASE WHEN \"b\" THEN 1 END) AS \"c3_true\", "
            "count(\"time\") AS \"c4_count\", min(\"time\") AS \"c4_min\", "
            "max(\"time\") AS \"c4_max\", "
            "sum(to_nanoseconds(\"time\") / 1000000000) AS \"c4_seconds\", "
            "sum(to_nanoseconds(\"time\") % 1000000000) AS \"c4_nanos\", "
            "count(\"x\") AS \"c5_count\" FROM \"db\".\"table\"" +
                kWhere + " GROUP BY 1 ORDER BY 1");
  ContentScope scope = Scope();
  scope.unit = timestream::PartitionUnit::kHour;
  EXPECT_THAT(ContentSql(scope, {}), HasSubstr("date_format(time, '%Y-%m-%d-%H') AS \"p0\""));
}

const std::vector<ContentColumn>& TwoColumns() {
  static const std::vector<ContentColumn> columns{{"d", "double"}, {"i", "bigint"}};
  return columns;
}

QueryPage ContentPage() {
  return Page({"p0", "rows", "c0_count", "c0_min", "c0_max", "c0_sum", "c1_count", "c1_min",
               "c1_max", "c1_quotient", "c1_remainder"});
}

Row ContentRow() { return {"2024-02-26", "3", "2", "-1.5", "6.0", "1.6E1", "0", {}, {}, {}, {}}; }

TEST(ContentTest, ReadsARow) {
  const auto content = ParseContentRow(TwoColumns(), ContentPage(), ContentRow());
  ASSERT_TRUE(content) << content.error().Text();
  EXPECT_EQ(content->partition, "2024-02-26");
  EXPECT_EQ(content->rows, 3U);
  std::vector<std::string> facts;
  for (const ContentFact& fact : content->facts) {
    facts.push_back(fact.column + " " + fact.aggregate + " " + fact.value);
  }
  EXPECT_THAT(facts,
              ElementsAre("d count 2", "d min -1.5", "d max 6.0", "d sum 1.6E1", "i count 0"));
}

TEST(ContentTest, RefusesWhatIsNoRow) {
  const auto with = [](std::size_t cell, const timestream::Cell& value) {
    Row row = ContentRow();
    row[cell] = value;
    return BadReply(ParseContentRow(TwoColumns(), ContentPage(), row));
  };
  EXPECT_EQ(with(9, "-4"), "(accepted)");
  EXPECT_EQ(with(5, "Infinity"), "(accepted)");
  EXPECT_THAT(with(0, std::nullopt), HasSubstr("p0 is null"));
  EXPECT_THAT(with(1, "-3"), HasSubstr("rows holds '-3'"));
  EXPECT_THAT(with(2, std::nullopt), HasSubstr("c0_count is null"));
  EXPECT_THAT(with(2, "-2"), HasSubstr("c0_count holds '-2', which is no count"));
  EXPECT_THAT(with(5, "much"), HasSubstr("c0_sum holds 'much', which is no number"));
  EXPECT_THAT(with(10, "1.5"), HasSubstr("c1_remainder holds '1.5', which is no number"));
  QueryPage page = ContentPage();
  page.columns[9].name = "other";
  EXPECT_THAT(BadReply(ParseContentRow(TwoColumns(), page, ContentRow())),
              HasSubstr("c1_quotient is missing"));
}

TEST(ContentTest, ManyColumnsAreSeveralQuestions) {
  EXPECT_THAT(ContentChunks(Scope(), {}), ElementsAre(IsEmpty()));
  std::vector<ContentColumn> columns;
  for (int i = 0; i < 250; ++i) {
    columns.push_back({std::to_string(i) + std::string(250, '"'), "timestamp"});
  }
  std::size_t count = 0;
  for (const auto& chunk : ContentChunks(Scope(), columns)) {
    EXPECT_LE(ContentSql(Scope(), chunk).size(), timestream::kMaxQueryBytes);
    for (const ContentColumn& column : chunk) EXPECT_EQ(column.name, columns[count++].name);
  }
  EXPECT_EQ(count, 250U);
  columns.assign(201, {"time", "timestamp"});
  EXPECT_EQ(ContentChunks(Scope(), columns).size(), 3U);
}

TEST(ContentTest, ALineIsReadBack) {
  const PartitionContent content{
      "2024-02-26", 3, {{"a\"\\b", "min", "x\ny\u00e9\x01"}, {"d", "sum", "1.6E1"}}};
  const std::string line = ContentLine(content);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto again = ParseContentLine(line);
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_EQ(again->partition, "2024-02-26");
  EXPECT_EQ(again->rows, 3U);
  ASSERT_EQ(again->facts.size(), 2U);
  EXPECT_EQ(again->facts[0].column, "a\"\\b");
  EXPECT_EQ(again->facts[0].value, content.facts[0].value);
  EXPECT_EQ(again->facts[1].aggregate, "sum");
  EXPECT_EQ(ContentLine(*again), line);
}

TEST(ContentTest, RefusesWhatIsNoLine) {
  EXPECT_THAT(BadReply(ParseContentLine("{\"partition\":")), HasSubstr("no object of JSON"));
  EXPECT_THAT(BadReply(ParseContentLine(R"({"rows":1,"facts":[]})")), HasSubstr("no partition"));
  EXPECT_THAT(BadReply(ParseContentLine(R"({"partition":"p","rows":-1,"facts":[]})")),
              HasSubstr("no rows"));
  EXPECT_THAT(BadReply(ParseContentLine(R"({"partition":"p","rows":1})")), HasSubstr("no facts"));
  EXPECT_THAT(BadReply(ParseContentLine(R"({"partition":"p","rows":1,"facts":[["a","b"]]})")),
              HasSubstr("a fact is no column"));
}

}  // namespace
}  // namespace tsm::run
