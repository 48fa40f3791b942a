#include "tsm/timestream/schema_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tsm::timestream {
namespace {

using ::testing::HasSubstr;

TEST(SchemaJson, AColumnOfEveryRoleComesBack) {
  const TableSchema schema = {{{"city", "varchar", ColumnRole::kDimension},
                               {"measure_name", "varchar", ColumnRole::kMeasureName},
                               {"time", "timestamp", ColumnRole::kTimestamp},
                               {"measure_value::double", "double", ColumnRole::kMeasureValue},
                               {"say \"größe\"\n", "bigint", ColumnRole::kMulti}}};
  const std::string text = ToJson(schema);
  EXPECT_THAT(text, HasSubstr(R"([{"name":"city","type":"varchar","role":"DIMENSION"},)"));
  const Result<TableSchema> back = ParseTableSchema(text);
  ASSERT_TRUE(back) << back.error().Text();
  ASSERT_EQ(back->columns.size(), schema.columns.size());
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    EXPECT_EQ(back->columns[i].name, schema.columns[i].name);
    EXPECT_EQ(back->columns[i].type, schema.columns[i].type);
    EXPECT_EQ(back->columns[i].role, schema.columns[i].role);
  }
  EXPECT_EQ(ToJson(*back), text);
}

TEST(SchemaJson, MeasuresComeBackInTheirOrder) {
  const std::vector<Measure> measures = {
      {"climate", "multi", {{"city", "varchar"}, {"id", "varchar"}}},
      {"climate", "double", {}},  // a name may have several types
      {"ü", "bigint", {{"city", "varchar"}}}};
  const std::string text = ToJson(measures);
  EXPECT_THAT(text, HasSubstr(R"({"name":"climate","data_type":"double","dimensions":[]})"));
  const Result<std::vector<Measure>> back = ParseMeasures(text);
  ASSERT_TRUE(back) << back.error().Text();
  ASSERT_EQ(back->size(), 3U);
  EXPECT_EQ((*back)[0].name, "climate");
  EXPECT_EQ((*back)[0].data_type, "multi");
  ASSERT_EQ((*back)[0].dimensions.size(), 2U);
  EXPECT_EQ((*back)[0].dimensions[1].name, "id");
  EXPECT_EQ((*back)[0].dimensions[1].type, "varchar");
  EXPECT_EQ(ToJson(*back), text);
}

TEST(SchemaJson, NothingIsAnEmptyList) {
  EXPECT_EQ(ToJson(TableSchema()), "[]");
  EXPECT_EQ(ToJson(std::vector<Measure>()), "[]");
  EXPECT_TRUE(ParseTableSchema("[]")->columns.empty());
  EXPECT_TRUE(ParseMeasures("[]")->empty());
}

TEST(SchemaJson, WhatIsNoListOfColumnsIsRefused) {
  for (const std::string text :
       {"", "{}", "null", "[7]", R"(["city"])", R"([{"name":"city","type":"varchar"}])",
        R"([{"name":"city","role":"DIMENSION"}])", R"([{"type":"varchar","role":"DIMENSION"}])",
        R"([{"name":7,"type":"varchar","role":"DIMENSION"}])",
        R"([{"name":"city","type":"varchar","role":"dimension"}])",
        R"([{"name":"city","type":"varchar","role":"DIMENSION"}])"
        "x"}) {
    const Result<TableSchema> back = ParseTableSchema(text);
    ASSERT_FALSE(back) << text;
    EXPECT_EQ(back.error().kind, ErrorKind::kBadReply) << text;
  }
  EXPECT_THAT(ParseTableSchema(R"([{"name":"a","type":"b","role":"KEY"}])").error().message,
              HasSubstr("'KEY' is no attribute type"));
}

TEST(SchemaJson, WhatIsNoListOfMeasuresIsRefused) {
  for (const std::string text :
       {"", "{}", "[7]", R"([{"name":"climate","data_type":"multi"}])",
        R"([{"name":"climate","dimensions":[]}])", R"([{"data_type":"multi","dimensions":[]}])",
        R"([{"name":"climate","data_type":"multi","dimensions":{}}])",
        R"([{"name":"climate","data_type":"multi","dimensions":["city"]}])",
        R"([{"name":"climate","data_type":"multi","dimensions":[{"name":"city"}]}])"}) {
    const Result<std::vector<Measure>> back = ParseMeasures(text);
    ASSERT_FALSE(back) << text;
    EXPECT_EQ(back.error().kind, ErrorKind::kBadReply) << text;
  }
}

TEST(SchemaJson, BytesThatAreNoUtf8DoNotThrow) {
  const std::string text = ToJson(TableSchema{{{"\xFF", "varchar", ColumnRole::kDimension}}});
  EXPECT_TRUE(ParseTableSchema(text));
}

}  // namespace
}  // namespace tsm::timestream
