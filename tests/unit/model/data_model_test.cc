#include "tsm/model/data_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace tsm::model {
namespace {

using ::testing::HasSubstr;

// The original tool's own sample.
constexpr const char* kOriginal = R"({
  "TimeUnit": "NANOSECONDS", "TimeColumn": "nanoseconds",
  "DimensionMappings": [{"SourceColumn": "city", "DestinationColumn": "city"},
                        {"SourceColumn": "text", "DestinationColumn": "text"}],
  "MultiMeasureMappings": {"MultiMeasureAttributeMappings": [
    {"SourceColumn": "cpu_utilization", "TargetMultiMeasureAttributeName": "cpu_utilization",
     "MeasureValueType": "DOUBLE"},
    {"SourceColumn": "memory", "TargetMultiMeasureAttributeName": "memory",
     "MeasureValueType": "DOUBLE"}]},
  "MeasureNameColumn": "measure_name"})";

constexpr const char* kMixed = R"({
  "TimeColumn": "t", "DimensionMappings": [{"SourceColumn": "host"}],
  "MeasureNameColumn": "measure_name",
  "MixedMeasureMappings": [
    {"MeasureName": "value", "SourceColumn": "measure_value::double", "MeasureValueType": "DOUBLE"},
    {"MeasureName": "value", "SourceColumn": "measure_value::bigint", "MeasureValueType": "BIGINT"},
    {"MeasureName": "all", "MeasureValueType": "MULTI", "MultiMeasureAttributeMappings": [
       {"SourceColumn": "a", "MeasureValueType": "TIMESTAMP"}]}]})";

TEST(DataModel, ParsesTheOriginalsSample) {
  const Result<DataModel> model = ParseDataModel(kOriginal);
  ASSERT_TRUE(model) << model.error().Text();
  EXPECT_EQ(model->time_column, "nanoseconds");
  EXPECT_EQ(model->time_unit, TimeUnit::kNanoseconds);
  EXPECT_EQ(model->measure_name_column, "measure_name");
  ASSERT_TRUE(model->multi);
  EXPECT_EQ(model->multi->attributes[1].Target(), "memory");
  EXPECT_TRUE(model->HasDimension("city"));
  EXPECT_FALSE(model->HasDimension("memory"));
}

TEST(DataModel, ParsesAMixedModelWithDefaults) {
  const Result<DataModel> model = ParseDataModel(kMixed);
  ASSERT_TRUE(model) << model.error().Text();
  EXPECT_EQ(model->time_unit, std::nullopt);
  EXPECT_EQ(model->dimensions[0].Destination(), "host");
  ASSERT_EQ(model->mixed.size(), 3U);
  EXPECT_EQ(model->mixed[0].Target(), "value");
  EXPECT_EQ(model->mixed[2].type, MeasureType::kMulti);
  EXPECT_EQ(model->mixed[2].attributes[0].Target(), "a");
}

TEST(DataModel, TheRequestHoldsWhatTheFileHeldAndNothingMore) {
  for (const char* text : {kOriginal, kMixed}) {
    const Result<DataModel> model = ParseDataModel(text);
    ASSERT_TRUE(model) << model.error().Text();
    EXPECT_EQ(nlohmann::json::parse(ToRequestJson(*model)), nlohmann::json::parse(text));
  }
}

TEST(DataModel, TheShippedSamplesAreGood) {
  for (const char* name :
       {"multi_measure", "single_measure_mixed", "clickstream", "mixed_with_timestamp",
        "rename_columns", "drop_columns", "other_measure_name", "change_types"}) {
    const std::string path = std::string(TSM_SOURCE_DIR) + "/data_model_samples/" + name + ".json";
    std::ifstream file(path);
    ASSERT_TRUE(file) << path;
    std::ostringstream text;
    text << file.rdbuf();
    const Result<DataModel> model = ParseDataModel(text.str());
    EXPECT_TRUE(model) << path << ": " << model.error().Text();
  }
}

struct Refused {
  const char* name;
  const char* pointer;      // JSON pointer into kOriginal
  const char* replacement;  // JSON put there; nullptr removes it
  const char* message;      // part of the error
};

class RefusedModel : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedModel, NamesThePlace) {
  nlohmann::json json = nlohmann::json::parse(kOriginal);
  const nlohmann::json::json_pointer pointer(GetParam().pointer);
  if (GetParam().replacement != nullptr) {
    json[pointer] = nlohmann::json::parse(GetParam().replacement);
  } else {
    json[pointer.parent_pointer()].erase(pointer.back());
  }
  const Result<DataModel> model = ParseDataModel(json.dump());
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(model.error().Text(), HasSubstr(GetParam().message));
}

constexpr const char* kAttributes = "/MultiMeasureMappings/MultiMeasureAttributeMappings";

INSTANTIATE_TEST_SUITE_P(
    Rules, RefusedModel,
    ::testing::Values(
        Refused{"no_time", "/TimeColumn", nullptr, "$.TimeColumn: is needed"},
        Refused{"empty_time", "/TimeColumn", R"("")", "$.TimeColumn: must not be empty"},
        Refused{"time_is_number", "/TimeColumn", "1", "$.TimeColumn: must be text, is number"},
        Refused{"unit", "/TimeUnit", R"("NANOS")", "$.TimeUnit: is \"NANOS\", must be one of"},
        Refused{"misspelt", "/TimeUnits", R"("SECONDS")", "$.TimeUnits: is no key of a data model"},
        Refused{"no_dimensions", "/DimensionMappings", nullptr, "$.DimensionMappings: is needed"},
        Refused{"empty_dimensions", "/DimensionMappings", "[]",
                "$.DimensionMappings: must not be empty"},
        Refused{"dimension_is_text", "/DimensionMappings/1", R"("text")",
                "$.DimensionMappings[1]: must be an object, is string"},
        Refused{"dimension_source", "/DimensionMappings/1/SourceColumn", nullptr,
                "$.DimensionMappings[1].SourceColumn: is needed"},
        Refused{"dimension_twice", "/DimensionMappings/1/DestinationColumn", R"("city")",
                "$.DimensionMappings[1]: the dimension \"city\" is already written by "
                "$.DimensionMappings[0]"},
        Refused{"dimension_reserved", "/DimensionMappings/1/DestinationColumn", R"("time")",
                "$.DimensionMappings[1]: the name \"time\" is reserved"},
        Refused{"dimension_ts", "/DimensionMappings/1/DestinationColumn", R"("ts_x")",
                "starts with \"ts_\""},
        Refused{"dimension_colon", "/DimensionMappings/1/DestinationColumn", R"("a:b")",
                "holds a colon"},
        Refused{"dimension_long", "/DimensionMappings/1/DestinationColumn",
                R"("ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd")",
                "has 61 bytes, Timestream takes 60"},
        Refused{"dimension_extra", "/DimensionMappings/0/Type", R"("VARCHAR")",
                "$.DimensionMappings[0].Type: is no key"},
        Refused{"no_measures", "/MultiMeasureMappings", nullptr,
                "one of MultiMeasureMappings and MixedMeasureMappings is needed"},
        Refused{"both", "/MixedMeasureMappings",
                R"([{"MeasureName":"m","SourceColumn":"c","MeasureValueType":"DOUBLE"}])",
                "exclude each other"},
        Refused{"no_measure_name", "/MeasureNameColumn", nullptr,
                "TargetMultiMeasureName is needed"},
        Refused{"no_attributes", kAttributes, "[]", "must not be empty"},
        Refused{"attribute_type",
                "/MultiMeasureMappings/MultiMeasureAttributeMappings/0/MeasureValueType",
                R"("MULTI")", "MultiMeasureAttributeMappings[0].MeasureValueType: is \"MULTI\""},
        Refused{
            "attribute_twice",
            "/MultiMeasureMappings/MultiMeasureAttributeMappings/1/TargetMultiMeasureAttributeName",
            R"("cpu_utilization")", "the measure \"cpu_utilization\" is already written"},
        Refused{
            "attribute_is_dimension",
            "/MultiMeasureMappings/MultiMeasureAttributeMappings/1/TargetMultiMeasureAttributeName",
            R"("city")", "has the name of the dimension at $.DimensionMappings[0]"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(DataModel, RefusesMixedMistakes) {
  const struct {
    const char* mappings;
    bool measure_name_column;
    const char* message;
  } cases[] = {
      {R"([{"SourceColumn":"c","MeasureValueType":"DOUBLE"}])", true,
       "$.MixedMeasureMappings[0]: MeasureName is needed"},
      {R"([{"MeasureName":"m","MeasureValueType":"DOUBLE"}])", true, "SourceColumn is needed"},
      {R"([{"MeasureName":"m","SourceColumn":"c"}])", true, "MeasureValueType: is needed"},
      {R"([{"MeasureName":"m","MeasureValueType":"MULTI"}])", true,
       "$.MixedMeasureMappings[0].MultiMeasureAttributeMappings: is needed"},
      {R"([{"MeasureName":"m","SourceColumn":"c","MeasureValueType":"DOUBLE",
            "MultiMeasureAttributeMappings":[{"SourceColumn":"a"}]}])",
       true, "belongs to MeasureValueType MULTI"},
      {R"([{"MeasureName":"m","SourceColumn":"c","MeasureValueType":"DOUBLE"},
           {"MeasureName":"m","SourceColumn":"d","MeasureValueType":"DOUBLE"}])",
       true, "is already written by $.MixedMeasureMappings[0]"},
      {R"([{"MeasureValueType":"MULTI","MultiMeasureAttributeMappings":[{"SourceColumn":"a"}]}])",
       false, "MeasureName or TargetMeasureName is needed"},
  };
  for (const auto& c : cases) {
    const std::string text =
        std::string(R"({"TimeColumn":"t","DimensionMappings":[{"SourceColumn":"h"}],)") +
        (c.measure_name_column ? R"("MeasureNameColumn":"n",)" : "") +
        R"("MixedMeasureMappings":)" + c.mappings + "}";
    const Result<DataModel> model = ParseDataModel(text);
    ASSERT_FALSE(model) << text;
    EXPECT_THAT(model.error().Text(), HasSubstr(c.message));
  }
}

// Rows of each MeasureName take one mapping, so that several may have one target.
TEST(DataModel, MeasureNamesMayShareATarget) {
  const auto model = [](const char* mappings, bool names) {
    return ParseDataModel(
        std::string(R"({"TimeColumn":"t","DimensionMappings":[{"SourceColumn":"h"}],)") +
        (names ? R"("MeasureNameColumn":"n",)" : "") + R"("MixedMeasureMappings":[)" + mappings +
        "]}");
  };
  const char* const shared =
      R"({"MeasureName":"a","SourceColumn":"c","TargetMeasureName":"v","MeasureValueType":"DOUBLE"},
         {"MeasureName":"b","SourceColumn":"c","TargetMeasureName":"v","MeasureValueType":"DOUBLE"})";
  EXPECT_TRUE(model(shared, true));
  EXPECT_THAT(model(shared, false).error().Text(),
              HasSubstr("the measure \"v\" of type DOUBLE is already written"));
  EXPECT_THAT(
      model(R"({"MeasureName":"a","SourceColumn":"c","MeasureValueType":"TIMESTAMP"})", true)
          .error()
          .Text(),
      HasSubstr("the type TIMESTAMP belongs to multi-measure records"));
  EXPECT_THAT(
      model(R"({"MeasureName":"a","MeasureValueType":"MULTI","MultiMeasureAttributeMappings":[
                 {"SourceColumn":"x","MeasureValueType":"DOUBLE"}]},
               {"MeasureName":"b","MeasureValueType":"MULTI","MultiMeasureAttributeMappings":[
                 {"SourceColumn":"x","MeasureValueType":"BIGINT"}]})",
            true)
          .error()
          .Text(),
      HasSubstr("$.MixedMeasureMappings[1].MultiMeasureAttributeMappings[0]: the measure \"x\" has "
                "another MeasureValueType than at $.MixedMeasureMappings[0]."));
}

TEST(DataModel, ATableHasItsLimits) {
  DataModel model = *ParseDataModel(kMixed);
  model.mixed.resize(1);
  for (int i = 1; i < 8192; ++i) {
    model.mixed.push_back({"n" + std::to_string(i), "c", "", MeasureType::kDouble, {}});
  }
  EXPECT_TRUE(CheckDataModel(model));
  model.mixed.push_back({"one more", "c", "", MeasureType::kDouble, {}});
  EXPECT_THAT(CheckDataModel(model).error().Text(), HasSubstr("writes 8193 measure names"));
  model.mixed.clear();
  for (int i = 0; i < 5; ++i) {
    MixedMeasureMapping mapping{"m" + std::to_string(i), "", "", MeasureType::kMulti, {}};
    for (int j = 0; j < 205; ++j) {
      mapping.attributes.push_back(
          {"c" + std::to_string(i) + "_" + std::to_string(j), "", MeasureType::kDouble});
    }
    model.mixed.push_back(std::move(mapping));
  }
  EXPECT_THAT(CheckDataModel(model).error().Text(),
              HasSubstr("$.MixedMeasureMappings[4].MultiMeasureAttributeMappings: the model writes "
                        "1025 multi-measure columns"));
  model.mixed.back().attributes.pop_back();
  EXPECT_TRUE(CheckDataModel(model));
}

TEST(DataModel, MalformedJsonNamesLineAndColumn) {
  const Result<DataModel> model = ParseDataModel("{\n  \"TimeColumn\": \"t\",\n  oops\n}");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(model.error().Text(), HasSubstr("line 3, column 3"));
  EXPECT_FALSE(ParseDataModel(""));
  EXPECT_FALSE(ParseDataModel("[]"));
  EXPECT_FALSE(ParseDataModel("{\"a\": \"\xff\"}"));
}

TEST(DataModel, ARepeatedKeyIsRefused) {
  const Result<DataModel> model = ParseDataModel(
      R"({"TimeColumn":"a","DimensionMappings":[{"SourceColumn":"x"}],"TimeColumn":"b"})");
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().Text(), HasSubstr("\"TimeColumn\" stands twice"));
}

TEST(DataModel, TooManyDimensionsAreRefused) {
  DataModel model = *ParseDataModel(kOriginal);
  for (int i = 0; i < 126; ++i) model.dimensions.push_back({"d" + std::to_string(i), ""});
  EXPECT_TRUE(CheckDataModel(model));
  model.dimensions.push_back({"one_more", ""});
  EXPECT_FALSE(CheckDataModel(model));
}

TEST(DataModel, ThePartitionKeyMustBeADimension) {
  const DataModel model = *ParseDataModel(kOriginal);
  EXPECT_TRUE(CheckPartitionKey(model, "city"));
  const Status missing = CheckPartitionKey(model, "country");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().Text(), HasSubstr("city, text"));
  EXPECT_TRUE(CheckPartitionKey(model, "measure_name"));
}

}  // namespace
}  // namespace tsm::model
