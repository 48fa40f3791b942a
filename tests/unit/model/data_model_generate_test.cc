#include "tsm/model/data_model_generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace tsm::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using timestream::ColumnRole;
using timestream::SchemaColumn;

// A source as an unload of the whole table gives it; `columns` beside measure_name and time.
ModelSource Table(std::vector<SchemaColumn> columns,
                  const std::vector<std::pair<std::string, std::string>>& measures) {
  columns.push_back({"measure_name", "varchar", ColumnRole::kMeasureName});
  columns.push_back({"time", "timestamp", ColumnRole::kTimestamp});
  ModelSource source;
  source.schema.columns = std::move(columns);
  for (const auto& [name, type] : measures) {
    source.measures.push_back({.name = name, .data_type = type, .dimensions = {}});
  }
  source.time_column = "nanoseconds";
  return source;
}

SchemaColumn Dimension(std::string name) {
  return {std::move(name), "varchar", ColumnRole::kDimension};
}
SchemaColumn Multi(std::string name, std::string type) {
  return {std::move(name), std::move(type), ColumnRole::kMulti};
}
SchemaColumn Value(const std::string& type) {
  return {"measure_value::" + type, type, ColumnRole::kMeasureValue};
}

// The model, after it has shown that its file is read back as the same model.
GeneratedModel Generated(const ModelSource& source) {
  Result<GeneratedModel> generated = GenerateDataModel(source);
  if (!generated) {
    ADD_FAILURE() << generated.error().Text();
    return {};
  }
  EXPECT_TRUE(CheckDataModel(generated->model));
  const std::string text = ToJson(generated->model);
  EXPECT_EQ(text.back(), '\n');
  const Result<DataModel> read = ParseDataModel(text);
  if (!read) {
    ADD_FAILURE() << read.error().Text() << "\n" << text;
    return {};
  }
  EXPECT_EQ(ToRequestJson(*read), ToRequestJson(generated->model));
  return *std::move(generated);
}

std::string Why(const ModelSource& source) {
  const Result<GeneratedModel> generated = GenerateDataModel(source);
  if (generated) return "generated";
  EXPECT_EQ(generated.error().kind, ErrorKind::kInvalidInput);
  return generated.error().Text();
}

// "source>target:TYPE" of each attribute.
std::vector<std::string> Attributes(const std::vector<AttributeMapping>& attributes) {
  std::vector<std::string> lines;
  for (const AttributeMapping& mapping : attributes) {
    lines.push_back(mapping.source_column + ">" + mapping.Target() + ":" +
                    std::string(mapping.type ? Name(*mapping.type) : "none"));
  }
  return lines;
}

// "name:TYPE<source" of each mixed mapping.
std::vector<std::string> Mixed(const DataModel& model) {
  std::vector<std::string> lines;
  for (const MixedMeasureMapping& mapping : model.mixed) {
    EXPECT_EQ(mapping.Target(), mapping.measure_name);
    lines.push_back(mapping.measure_name + ":" + std::string(Name(mapping.type)) + "<" +
                    mapping.source_column);
  }
  return lines;
}

// Lists of mappings carry no meaning by their order.
nlohmann::json Sorted(nlohmann::json json) {
  for (nlohmann::json& member : json) {
    if (member.is_structured()) member = Sorted(std::move(member));
  }
  if (json.is_array()) std::sort(json.begin(), json.end());
  return json;
}

nlohmann::json Sample(const std::string& name) {
  std::ifstream file(std::string(TSM_SOURCE_DIR) + "/data_model_samples/" + name);
  EXPECT_TRUE(file) << name;
  return Sorted(nlohmann::json::parse(file));
}

ModelSource SampleTable() {
  return Table(
      {Dimension("city"), Dimension("device"), Dimension("floor"), Multi("temperature", "double"),
       Multi("humidity", "double"), Multi("samples", "bigint"), Multi("ok", "boolean"),
       Multi("note", "varchar"), Multi("load", "double"), Multi("status", "varchar")},
      {{"climate", "multi"}, {"power", "multi"}});
}

TEST(GenerateDataModel, MakesTheSamplesOfTheirTables) {
  const ModelSource cloudwatch =
      Table({Dimension("resource"), Dimension("metric"), Value("double")}, {{"value", "double"}});
  const ModelSource clickstream = Table(
      {Dimension("channel"), Dimension("ip_address"), Dimension("session_id"), Dimension("user_id"),
       Dimension("user_group"), Multi("query", "varchar"), Multi("product_id", "varchar"),
       Multi("product", "varchar"), Multi("quantity", "bigint")},
      {{"Search", "multi"}, {"Purchase", "multi"}});
  const std::pair<const char*, ModelSource> cases[] = {
      {"multi_measure.json", SampleTable()},
      {"single_measure_mixed.json", cloudwatch},
      {"clickstream.json", clickstream},
  };
  for (const auto& [name, source] : cases) {
    const GeneratedModel generated = Generated(source);
    EXPECT_EQ(Sorted(nlohmann::json::parse(ToJson(generated.model))), Sample(name)) << name;
    EXPECT_THAT(generated.notes, IsEmpty()) << name;
  }
}

TEST(GenerateDataModel, SingleMeasuresGetAMappingPerNameAndType) {
  const GeneratedModel generated = Generated(Table(
      {Dimension("host"), Value("double"), Value("bigint"), Value("varchar"), Value("boolean")},
      {{"cpu", "double"},
       {"processes", "bigint"},
       {"state", "varchar"},
       {"up", "boolean"},
       {"cpu", "double"}}));
  EXPECT_EQ(generated.model.measure_name_column, "measure_name");
  EXPECT_FALSE(generated.model.multi);
  EXPECT_THAT(
      Mixed(generated.model),
      ElementsAre("cpu:DOUBLE<measure_value::double", "processes:BIGINT<measure_value::bigint",
                  "state:VARCHAR<measure_value::varchar", "up:BOOLEAN<measure_value::boolean"));
  EXPECT_THAT(generated.notes, IsEmpty());
}

TEST(GenerateDataModel, ANameOfSeveralTypesHasAMappingForEachAndSaysThatThisIsUncertain) {
  const GeneratedModel generated =
      Generated(Table({Dimension("host"), Value("double"), Value("bigint"), Multi("a", "double")},
                      {{"value", "double"}, {"value", "bigint"}, {"value", "multi"}}));
  EXPECT_THAT(Mixed(generated.model),
              ElementsAre("value:DOUBLE<measure_value::double",
                          "value:BIGINT<measure_value::bigint", "value:MULTI<"));
  EXPECT_THAT(
      generated.notes,
      ElementsAre(HasSubstr("values of several types, with a mapping for each: \"value\". AWS")));
}

TEST(GenerateDataModel, MixedTablesMapEveryMultiColumnForEachMultiName) {
  const GeneratedModel generated = Generated(
      Table({Dimension("host"), Value("double"), Multi("in", "bigint"), Multi("out", "bigint")},
            {{"cpu", "double"}, {"net", "multi"}, {"disk", "multi"}}));
  EXPECT_THAT(Mixed(generated.model),
              ElementsAre("cpu:DOUBLE<measure_value::double", "net:MULTI<", "disk:MULTI<"));
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_THAT(Attributes(generated.model.mixed[i].attributes),
                ElementsAre("in>in:BIGINT", "out>out:BIGINT"));
  }
  EXPECT_THAT(generated.notes,
              ElementsAre(HasSubstr("(empty fields are skipped): \"net\", \"disk\"")));
}

TEST(GenerateDataModel, TimestampMeasuresAreReadFromTheirAliases) {
  ModelSource source = Table({Dimension("host"), Multi("seen", "timestamp"),
                              Multi("gone", "timestamp"), Multi("n", "bigint")},
                             {{"m", "multi"}});
  source.timestamp_aliases = {{"seen", "seen_nanoseconds"}};
  const GeneratedModel generated = Generated(source);
  EXPECT_EQ(generated.model.time_unit, TimeUnit::kNanoseconds);
  ASSERT_TRUE(generated.model.multi);
  EXPECT_THAT(Attributes(generated.model.multi->attributes),
              ElementsAre("seen_nanoseconds>seen:TIMESTAMP", "n>n:BIGINT"));
  EXPECT_THAT(generated.notes,
              ElementsAre(HasSubstr("as the files have them as text only: \"gone\""),
                          HasSubstr("loaded from nanoseconds since 1970: \"seen\"")));
  // The text may be left out where the number is there.
  source.left_out = {"seen", "gone"};
  const GeneratedModel without_text = Generated(source);
  EXPECT_THAT(Attributes(without_text.model.multi->attributes),
              ElementsAre("seen_nanoseconds>seen:TIMESTAMP", "n>n:BIGINT"));
  EXPECT_THAT(without_text.notes,
              ElementsAre(HasSubstr("so not in the target: \"gone\""), HasSubstr("\"seen\"")));
}

TEST(GenerateDataModel, ADimensionMayHaveTheUsualAlias) {
  ModelSource source = Table({Dimension("nanoseconds"), Multi("n", "bigint")}, {{"m", "multi"}});
  EXPECT_EQ(Why(source), "the files have two columns named \"nanoseconds\"");
  source.time_column = "nanoseconds_2";
  const GeneratedModel generated = Generated(source);
  EXPECT_EQ(generated.model.time_column, "nanoseconds_2");
  EXPECT_EQ(generated.model.dimensions[0].source_column, "nanoseconds");
  source.timestamp_aliases = {{"n", "nanoseconds_2"}};
  EXPECT_EQ(Why(source), "the files have two columns named \"nanoseconds_2\"");
}

TEST(GenerateDataModel, KeepsOddNames) {
  const std::string quoted = "a \"b\", \\c";
  const GeneratedModel generated =
      Generated(Table({Dimension(quoted), Dimension("Straße"), Dimension("City"), Dimension("city"),
                       Value("double"), Multi("温度", "double")},
                      {{"time", "double"}, {"ts_a:b \"q\"", "double"}, {"測定", "multi"}}));
  EXPECT_EQ(generated.model.dimensions[0].Destination(), quoted);
  EXPECT_TRUE(generated.model.HasDimension("Straße"));
  EXPECT_TRUE(generated.model.HasDimension("City"));
  EXPECT_TRUE(generated.model.HasDimension("city"));
  EXPECT_EQ(generated.model.mixed[1].measure_name, "ts_a:b \"q\"")
      << "measure names are values, so that the rules of column names do not bind them";
  EXPECT_THAT(Attributes(generated.model.mixed[2].attributes), ElementsAre("温度>温度:DOUBLE"));
}

TEST(GenerateDataModel, SaysWhatIsLeftOut) {
  ModelSource source = SampleTable();
  source.left_out = {"floor", "note", "status", "partition_date"};
  const GeneratedModel generated = Generated(source);
  EXPECT_FALSE(generated.model.HasDimension("floor"));
  EXPECT_EQ(generated.model.multi->attributes.size(), 5U);
  EXPECT_THAT(generated.notes,
              ElementsAre("dimensions not in the files: \"floor\". Rows that differ in nothing "
                          "else become one row",
                          "measures not in the files, so not in the target: \"note\", \"status\""));
}

TEST(GenerateDataModel, MeasuresWithoutTheirColumnAreNamed) {
  ModelSource source =
      Table({Dimension("host"), Value("double"), Value("bigint"), Multi("a", "double")},
            {{"cpu", "double"},
             {"n1", "bigint"},
             {"n2", "bigint"},
             {"n3", "bigint"},
             {"n4", "bigint"},
             {"n5", "bigint"},
             {"n6", "bigint"}});
  source.left_out = {"measure_value::bigint"};
  const GeneratedModel generated = Generated(source);
  EXPECT_THAT(Mixed(generated.model), ElementsAre("cpu:DOUBLE<measure_value::double"));
  EXPECT_THAT(generated.notes,
              ElementsAre(HasSubstr("so not in the target: \"measure_value::bigint\""),
                          HasSubstr("\"n1\", \"n2\", \"n3\", \"n4\", \"n5\" and 1 more. A batch "
                                    "load can't take their rows"),
                          HasSubstr("the table lists no measure of theirs: \"a\"")));
}

// What was once written with single values and has since expired needs no mixed mappings.
TEST(GenerateDataModel, OnlyMultiMeasuresGiveMultiMappings) {
  const GeneratedModel generated = Generated(
      Table({Dimension("host"), Value("double"), Multi("a", "double")}, {{"m", "multi"}}));
  ASSERT_TRUE(generated.model.multi);
  EXPECT_THAT(generated.notes, ElementsAre(HasSubstr("\"measure_value::double\"")));
}

TEST(GenerateDataModel, WithoutMeasureNameOneMeasureCanBeNamed) {
  ModelSource source = Table({Dimension("host"), Multi("a", "double")}, {{"m", "multi"}});
  source.left_out = {"measure_name"};
  const GeneratedModel multi = Generated(source);
  EXPECT_EQ(multi.model.measure_name_column, "");
  EXPECT_EQ(multi.model.multi->target_name, "m");

  source = Table({Dimension("host"), Value("double")}, {{"cpu", "double"}});
  source.left_out = {"measure_name"};
  const GeneratedModel single = Generated(source);
  EXPECT_EQ(single.model.measure_name_column, "");
  EXPECT_THAT(Mixed(single.model), ElementsAre("cpu:DOUBLE<measure_value::double"));

  source.measures.push_back({.name = "mem", .data_type = "double", .dimensions = {}});
  EXPECT_THAT(Why(source), HasSubstr("do not have the column measure_name"));
}

TEST(GenerateDataModel, RefusesWhatHasNothingToMap) {
  EXPECT_THAT(Why(Table({}, {})), HasSubstr("nothing to map: the table has no measures"));
  EXPECT_THAT(Why(Table({Dimension("host"), Multi("a", "double")}, {})),
              HasSubstr("nothing to map: the table has no measures"));
  EXPECT_THAT(Why(Table({Multi("a", "double")}, {{"m", "multi"}})),
              HasSubstr("nothing to map: the files have no dimension"));
  EXPECT_THAT(Why(Table({Dimension("host")}, {{"m", "multi"}})),
              HasSubstr("nothing to map: the files have no column with measure values"));
  EXPECT_THAT(Why(Table({Dimension("host"), Value("double")}, {{"m", "multi"}})),
              HasSubstr("nothing to map: the files have values of none"));
  ModelSource source = SampleTable();
  source.time_column = "";
  EXPECT_THAT(Why(source), HasSubstr("no column with the time as a number"));
}

TEST(GenerateDataModel, RefusesWhatIsBeyondTheLimits) {
  EXPECT_THAT(Why(Table({Dimension("host"), Multi("a", "row")}, {{"m", "multi"}})),
              HasSubstr("the column \"a\" has the type \"row\""));
  EXPECT_THAT(Why(Table({Dimension("ts_host"), Multi("a", "double")}, {{"m", "multi"}})),
              HasSubstr("the name \"ts_host\" starts with \"ts_\""));
  EXPECT_THAT(Why(Table({Dimension(std::string(61, 'd')), Value("double")}, {{"m", "double"}})),
              HasSubstr("has 61 bytes"));

  std::vector<SchemaColumn> columns{Dimension("host")};
  for (int i = 0; i < 256; ++i) columns.push_back(Multi("m" + std::to_string(i), "double"));
  EXPECT_EQ(Generated(Table(columns, {{"m", "multi"}})).model.multi->attributes.size(), 256U);
  columns.push_back(Multi("one_more", "double"));
  EXPECT_THAT(Why(Table(columns, {{"m", "multi"}})), HasSubstr("has 257 multi-measure columns"));
  columns.push_back(Value("double"));
  EXPECT_THAT(Why(Table(columns, {{"m", "multi"}, {"cpu", "double"}})),
              HasSubstr("has 257 multi-measure columns"));
  EXPECT_EQ(Generated(Table(columns, {{"cpu", "double"}})).model.mixed.size(), 1U)
      << "no record has them any more";
  columns.pop_back();
  ModelSource fewer = Table(columns, {{"m", "multi"}});
  fewer.left_out = {"m7"};
  EXPECT_EQ(Generated(fewer).model.multi->attributes.size(), 256U);

  columns = {Value("double")};
  for (int i = 0; i < 128; ++i) columns.push_back(Dimension("d" + std::to_string(i)));
  EXPECT_EQ(Generated(Table(columns, {{"m", "double"}})).model.dimensions.size(), 128U);
  columns.push_back(Dimension("one_more"));
  EXPECT_THAT(Why(Table(columns, {{"m", "double"}})), HasSubstr("129 entries"));
}

}  // namespace
}  // namespace tsm::model
