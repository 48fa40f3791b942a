// What SHOW MEASURES gives, in the shape of AWS's own answers.
#include "tsm/timestream/table_measures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/client_bench.h"

namespace tsm::timestream {
namespace {

using test::ClientBench;
using ::testing::HasSubstr;

struct MeasuresTest : ::testing::Test {
  ClientBench bench;
  QueryClient query{bench.client, test::CustomEndpoint("127.0.0.1:4566"), "eu-west-1"};
  TableRef table{.database = "my-db", .table = "t\"t"};

  // A page with the columns that the service names and the given rows.
  void Answer(const std::string& rows, const std::string& next_token = "") {
    bench.transport.Add(200,
                        R"({"QueryId":"A",)" +
                            (next_token.empty() ? "" : "\"NextToken\":\"" + next_token + "\",") +
                            R"("ColumnInfo":[
      {"Name":"measure_name","Type":{"ScalarType":"VARCHAR"}},
      {"Name":"data_type","Type":{"ScalarType":"VARCHAR"}},
      {"Name":"dimensions","Type":{"ArrayColumnInfo":{"Type":{"RowColumnInfo":[
        {"Name":"dimension_name","Type":{"ScalarType":"VARCHAR"}},
        {"Name":"data_type","Type":{"ScalarType":"VARCHAR"}}]}}}}],"Rows":[)" +
                            rows + "]}");
  }
  Result<std::vector<Measure>> Show() { return ShowMeasures(query, table, {}); }
};

TEST_F(MeasuresTest, ReadsNamesTypesAndDimensions) {
  Answer(R"({"Data":[{"ScalarValue":"cpu"},{"ScalarValue":"double"},{"ArrayValue":[
      {"RowValue":{"Data":[{"ScalarValue":"Grüße, \"x\""},{"ScalarValue":"varchar"}]}},
      {"RowValue":{"Data":[{"ScalarValue":"host"},{"ScalarValue":"VARCHAR"}]}}]}]},
    {"Data":[{"ScalarValue":"cpu"},{"ScalarValue":"bigint"},{"ArrayValue":[]}]},
    {"Data":[{"ScalarValue":"IoT"},{"ScalarValue":"MULTI"},{"NullValue":true}]})");
  const Result<std::vector<Measure>> measures = Show();
  ASSERT_TRUE(measures) << measures.error().Text();
  ASSERT_EQ(measures->size(), 3U);
  EXPECT_EQ(measures->at(0).name, "cpu");
  EXPECT_EQ(measures->at(0).data_type, "double");
  ASSERT_EQ(measures->at(0).dimensions.size(), 2U);
  EXPECT_EQ(measures->at(0).dimensions[0].name, "Grüße, \"x\"");
  EXPECT_EQ(measures->at(0).dimensions[1].name, "host");
  EXPECT_EQ(measures->at(0).dimensions[1].type, "varchar");
  EXPECT_EQ(measures->at(1).name, "cpu") << "one line per type of a name";
  EXPECT_EQ(measures->at(1).data_type, "bigint");
  EXPECT_TRUE(measures->at(1).dimensions.empty());
  EXPECT_EQ(measures->at(2).name, "IoT") << "names keep their case";
  EXPECT_EQ(measures->at(2).data_type, "multi");
  const auto sent = nlohmann::json::parse(bench.transport.requests().at(0).body);
  EXPECT_EQ(sent["QueryString"], "SHOW MEASURES FROM \"my-db\".\"t\"\"t\"");
}

TEST_F(MeasuresTest, ReadsEveryPage) {
  Answer(R"({"Data":[{"ScalarValue":"a"},{"ScalarValue":"double"},{"ArrayValue":[]}]})", "next");
  Answer("", "more");
  Answer(R"({"Data":[{"ScalarValue":"b"},{"ScalarValue":"double"},{"ArrayValue":[]}]})");
  const Result<std::vector<Measure>> measures = Show();
  ASSERT_TRUE(measures) << measures.error().Text();
  ASSERT_EQ(measures->size(), 2U);
  EXPECT_EQ(measures->at(1).name, "b");
}

TEST_F(MeasuresTest, AnEmptyTableHasNone) {
  Answer("");
  const Result<std::vector<Measure>> measures = Show();
  ASSERT_TRUE(measures) << measures.error().Text();
  EXPECT_TRUE(measures->empty());
}

TEST_F(MeasuresTest, RefusesWhatItDoesNotKnow) {
  const struct {
    const char* row;
    const char* message;
  } cases[] = {
      {R"({"Data":[{"ScalarValue":""},{"ScalarValue":"double"},{"ArrayValue":[]}]})",
       "measure \"\" has type \"double\""},
      {R"({"Data":[{"ScalarValue":"m"},{"NullValue":true},{"ArrayValue":[]}]})",
       "measure \"m\" has type \"\""},
      {R"({"Data":[{"ScalarValue":"m"},{"ScalarValue":"double"},{"ScalarValue":"[host]"}]})",
       "dimensions of measure m: a cell holds no array of rows"},
      {R"({"Data":[{"ScalarValue":"m"},{"ScalarValue":"double"},{"ArrayValue":[
          {"ScalarValue":"host"}]}]})",
       "a row has 0 cells for 2 columns"},
      {R"({"Data":[{"ScalarValue":"m"},{"ScalarValue":"double"},{"ArrayValue":[
          {"RowValue":{"Data":[{"NullValue":true},{"ScalarValue":"varchar"}]}}]}]})",
       "a dimension has no name"},
  };
  for (const auto& c : cases) {
    Answer(c.row);
    const Result<std::vector<Measure>> measures = Show();
    ASSERT_FALSE(measures) << c.row;
    EXPECT_EQ(measures.error().kind, ErrorKind::kBadReply);
    EXPECT_THAT(measures.error().Text(), HasSubstr(c.message));
    EXPECT_THAT(measures.error().Text(), HasSubstr("SHOW MEASURES FROM my-db.t\"t"));
  }
  bench.transport.Add(200, R"({"QueryId":"A","Rows":[],"ColumnInfo":[]})");
  EXPECT_EQ(Show().error().kind, ErrorKind::kBadReply);
}

TEST_F(MeasuresTest, AnUnknownTableIsTheServicesError) {
  bench.transport.Add(400, R"({"__type":"ValidationException","message":"Table does not exist"})");
  EXPECT_EQ(Show().error().kind, ErrorKind::kValidation);
}

}  // namespace
}  // namespace tsm::timestream
