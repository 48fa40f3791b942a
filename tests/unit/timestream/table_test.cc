// Names, quoting, and the schema that DESCRIBE gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/client_bench.h"
#include "tsm/timestream/table_ref.h"
#include "tsm/timestream/table_schema.h"

namespace tsm::timestream {
namespace {

using test::ClientBench;
using ::testing::HasSubstr;

TEST(TableRef, ChecksNames) {
  EXPECT_TRUE(TableRef::Make("source.db-1_A", std::string(256, 't')));
  const auto why = [](std::string_view database, std::string_view table) {
    const Result<TableRef> ref = TableRef::Make(database, table);
    return ref ? std::string("accepted") : ref.error().message;
  };
  EXPECT_TRUE(TableRef::Make("a", "b")) << "the API's model has no lower bound but one";
  EXPECT_THAT(why("", "table"), HasSubstr("database name \"\""));
  EXPECT_THAT(why("db1", std::string(257, 't')), HasSubstr("257 bytes"));
  EXPECT_THAT(why("db1", "my table"), HasSubstr("table name \"my table\""));
  EXPECT_THAT(why("db1", "t\"; DROP"), HasSubstr("only letters"));
  EXPECT_THAT(why("dbü", "table"), HasSubstr("only letters"));
  EXPECT_EQ(TableRef::Make("", "table").error().kind, ErrorKind::kInvalidInput);
}

TEST(Quoting, DoublesItsOwnQuote) {
  EXPECT_EQ(QuoteIdentifier("my-db.x"), "\"my-db.x\"");
  EXPECT_EQ(QuoteIdentifier("a\"b'c"), "\"a\"\"b'c\"");
  EXPECT_EQ(QuoteLiteral("it's \"so\""), "'it''s \"so\"'");
  EXPECT_EQ(QuoteLiteral(""), "''");
}

struct SchemaTest : ::testing::Test {
  ClientBench bench;
  QueryClient query{bench.client, test::CustomEndpoint("127.0.0.1:4566"), "eu-west-1"};
  TableRef table{.database = "my-db", .table = "t\"t"};
};

TEST_F(SchemaTest, ReadsColumnsByName) {
  bench.transport.Add(200, R"({"QueryId":"A","ColumnInfo":[
      {"Name":"Timestream attribute type","Type":{"ScalarType":"VARCHAR"}},
      {"Name":"Column","Type":{"ScalarType":"VARCHAR"}},{"Name":"Type","Type":
      {"ScalarType":"VARCHAR"}}],
    "Rows":[{"Data":[{"ScalarValue":"DIMENSION"},{"ScalarValue":"city"},{"ScalarValue":"varchar"}]},
            {"Data":[{"ScalarValue":"MEASURE_NAME"},{"ScalarValue":"measure_name"},
      {"ScalarValue":"varchar"}]},
            {"Data":[{"ScalarValue":"TIMESTAMP"},{"ScalarValue":"time"},
      {"ScalarValue":"timestamp"}]},
            {"Data":[{"ScalarValue":"MULTI"},{"ScalarValue":"load"},{"ScalarValue":"double"}]},
            {"Data":[{"ScalarValue":"MEASURE_VALUE"},{"ScalarValue":"measure_value::bigint"},
      {"ScalarValue":"bigint"}]}]})");
  const Result<TableSchema> schema = DescribeSchema(query, table, {});
  ASSERT_TRUE(schema) << schema.error().Text();
  ASSERT_EQ(schema->columns.size(), 5U);
  EXPECT_EQ(schema->columns[0].name, "city");
  EXPECT_EQ(schema->columns[0].type, "varchar");
  EXPECT_EQ(schema->columns[0].role, ColumnRole::kDimension);
  EXPECT_EQ(schema->columns[1].role, ColumnRole::kMeasureName);
  EXPECT_EQ(schema->columns[2].role, ColumnRole::kTimestamp);
  EXPECT_EQ(schema->columns[3].role, ColumnRole::kMulti);
  EXPECT_EQ(schema->columns[4].role, ColumnRole::kMeasureValue);
  EXPECT_TRUE(schema->Has("load"));
  EXPECT_FALSE(schema->Has("nanoseconds"));
  const auto sent = nlohmann::json::parse(bench.transport.requests().at(0).body);
  EXPECT_EQ(sent["QueryString"], "DESCRIBE \"my-db\".\"t\"\"t\"");
}

TEST_F(SchemaTest, RefusesWhatItDoesNotKnow) {
  bench.transport.Add(200, R"({"QueryId":"A","Rows":[],"ColumnInfo":[]})");
  EXPECT_EQ(DescribeSchema(query, table, {}).error().kind, ErrorKind::kBadReply);
  bench.transport.Add(
      200, R"({"QueryId":"A","ColumnInfo":[{"Name":"Column","Type":{}},{"Name":"Type","Type":{}},
      {"Name":"Timestream attribute type","Type":{}}],
      "Rows":[{"Data":[{"ScalarValue":"x"},{"ScalarValue":"varchar"},{"ScalarValue":"NEWER"}]}]})");
  const Result<TableSchema> schema = DescribeSchema(query, table, {});
  ASSERT_FALSE(schema);
  EXPECT_EQ(schema.error().kind, ErrorKind::kBadReply);
  EXPECT_THAT(schema.error().Text(), HasSubstr("NEWER"));
}

TEST_F(SchemaTest, AnUnknownTableIsTheServicesError) {
  bench.transport.Add(400, R"({"__type":"ValidationException","message":"Table does not exist"})");
  EXPECT_EQ(DescribeSchema(query, table, {}).error().kind, ErrorKind::kValidation);
}

}  // namespace
}  // namespace tsm::timestream
