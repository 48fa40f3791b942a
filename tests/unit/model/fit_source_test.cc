// The data model against the table that was unloaded; the samples that show edits are among them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_bench.h"
#include "tsm/model/data_model_fit.h"

namespace tsm::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SourceFit Fit(const DataModel& model, const ModelSource& source = DemoSource(),
              const RowCounts& counts = {}) {
  Result<SourceFit> fit = FitToSource(model, source, counts);
  EXPECT_TRUE(fit) << (fit ? "" : fit.error().Text());
  return fit ? *std::move(fit) : SourceFit();
}

DataModel Sample(const std::string& name) {
  std::ifstream file(std::string(TSM_SOURCE_DIR) + "/data_model_samples/" + name + ".json");
  EXPECT_TRUE(file) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return Parsed(text.str());
}

TEST(FitToSource, AGeneratedModelChangesNothing) {
  const SourceFit fit = Fit(DemoModel());
  EXPECT_THAT(fit.changes, IsEmpty());
  EXPECT_THAT(fit.key_changes, IsEmpty());
}

TEST(FitToSource, TheSamplesShowWhatTheirNamesSay) {
  const struct {
    const char* name;
    std::vector<std::string> changes;
  } samples[] = {
      {"multi_measure", {}},
      {"rename_columns",
       {"the dimension \"city\" becomes \"town\"",
        "the measure \"temperature\" becomes \"temperature_celsius\"",
        "the measure \"load\" becomes \"load_watts\""}},
      {"drop_columns",
       {"the measure \"ok\" is not loaded; batch load refuses rows that have no other",
        "the measure \"note\" is not loaded; batch load refuses rows that have no other"}},
      {"other_measure_name",
       {"the measure name \"climate\" becomes \"indoor_climate\"",
        "the measure name \"power\" becomes \"mains\""}},
      {"change_types",
       {"the measure \"samples\" changes from BIGINT to DOUBLE, which holds whole numbers exactly "
        "up to 9,007,199,254,740,992 only",
        "the measure \"ok\" changes from BOOLEAN to VARCHAR"}},
  };
  for (const auto& sample : samples) {
    const DataModel model = Sample(sample.name);
    const SourceFit fit = Fit(model);
    EXPECT_EQ(fit.changes, sample.changes) << sample.name;
    EXPECT_THAT(fit.key_changes, IsEmpty()) << sample.name;
    EXPECT_TRUE(FitToHeader(model, DemoHeader(), "x.csv")) << sample.name;
  }
}

TEST(FitToSource, TheTimeMustBeReadAsItWasWritten) {
  DataModel model = DemoModel();
  model.time_column = "time";
  EXPECT_EQ(
      FitToSource(model, DemoSource()).error().Text(),
      "$.TimeColumn: \"time\" holds text in the unloaded files, and batch load takes times as "
      "whole numbers: name \"nanoseconds\" with TimeUnit NANOSECONDS");
  model = DemoModel();
  model.time_unit.reset();
  EXPECT_EQ(FitToSource(model, DemoSource()).error().Text(),
            "$.TimeUnit: \"nanoseconds\" holds nanoseconds, and the data model reads MILLISECONDS, "
            "the default: write \"TimeUnit\": \"NANOSECONDS\"");
  model.time_unit = TimeUnit::kSeconds;
  EXPECT_THAT(FitToSource(model, DemoSource()).error().Text(), HasSubstr("reads SECONDS: write"));
  model = DemoModel();
  model.time_column = "samples";
  model.time_unit = TimeUnit::kSeconds;
  EXPECT_THAT(Fit(model).key_changes,
              ElementsAre("the time is read from \"samples\", not from the rows' own time "
                          "(\"nanoseconds\")"));
}

TEST(FitToSource, ADroppedDimensionChangesTheKey) {
  DataModel model = DemoModel();
  model.dimensions.pop_back();
  EXPECT_THAT(Fit(model).key_changes,
              ElementsAre("the dimension \"floor\" is not loaded as a dimension"));
  ModelSource without = DemoSource();
  without.left_out = {"floor"};
  EXPECT_THAT(Fit(model, without).key_changes,
              ElementsAre("the dimension \"floor\" is not in the files"));
  // One that no row has tells no rows apart.
  const SourceFit empty = Fit(model, DemoSource(), {.rows = 10, .non_null = {{"floor", 0}}});
  EXPECT_THAT(empty.key_changes, IsEmpty());
  EXPECT_THAT(empty.changes,
              ElementsAre("the dimension \"floor\" is not loaded as a dimension; no row has it"));
  EXPECT_EQ(Fit(model, DemoSource(), {.rows = 10, .non_null = {{"floor", 1}}}).key_changes.size(),
            1U);
  // As a measure it is kept, but not in the key.
  model.multi->attributes.push_back({"floor", "level", MeasureType::kVarchar});
  const SourceFit measure = Fit(model);
  EXPECT_THAT(measure.changes,
              ElementsAre("the dimension \"floor\" is written as the measure \"level\""));
  EXPECT_EQ(measure.key_changes.size(), 1U);
}

TEST(FitToSource, MeasureNamesThatAreNotCarriedChangeTheKey) {
  DataModel model = DemoModel();
  model.measure_name_column = "";
  model.multi->target_name = "all";
  EXPECT_THAT(Fit(model).key_changes,
              ElementsAre("the measure names \"climate\", \"power\" are not carried over (no "
                          "MeasureNameColumn \"measure_name\")"));
  ModelSource one = DemoSource();
  one.measures.pop_back();
  const SourceFit renamed = Fit(model, one);
  EXPECT_THAT(renamed.key_changes, IsEmpty());
  EXPECT_THAT(renamed.changes, ElementsAre("the measure name \"climate\" becomes \"all\""));
  // As a dimension it still tells rows apart.
  model.dimensions.push_back({"measure_name", "kind"});
  const SourceFit dimension = Fit(model);
  EXPECT_THAT(dimension.key_changes, IsEmpty());
  EXPECT_THAT(dimension.changes,
              ElementsAre("the measure name is also written as the dimension \"kind\""));
  model = DemoModel();
  model.measure_name_column = "city";
  const SourceFit other = Fit(model);
  EXPECT_EQ(other.key_changes.size(), 1U);
  EXPECT_THAT(other.changes,
              ElementsAre("the measure name is read from \"city\", not from \"measure_name\""));
}

constexpr const char* kMerged = R"({"TimeColumn":"nanoseconds","TimeUnit":"NANOSECONDS",
  "MeasureNameColumn":"measure_name","DimensionMappings":[{"SourceColumn":"host"}],
  "MixedMeasureMappings":[
    {"MeasureName":"cpu","SourceColumn":"measure_value::double","TargetMeasureName":"value",
     "MeasureValueType":"DOUBLE"},
    {"MeasureName":"mem","SourceColumn":"measure_value::double","TargetMeasureName":"value",
     "MeasureValueType":"DOUBLE"}]})";

ModelSource HostSource() {
  ModelSource source;
  source.schema = Schema({Dimension("host"), Single("double"), Single("bigint")});
  source.measures = Measures({{"cpu", "double"}, {"mem", "double"}, {"disk", "double"}});
  source.time_column = "nanoseconds";
  return source;
}

TEST(FitToSource, MergedMeasureNamesAreFoundWithAndWithoutARecord) {
  for (const ModelSource& source : {HostSource(), ModelSource()}) {
    EXPECT_THAT(Fit(Parsed(kMerged), source).key_changes,
                ElementsAre("the measure names \"cpu\", \"mem\" all become \"value\""));
  }
}

TEST(FitToSource, RowsWithoutAMappingAreNamedAndUnusedColumnsAreNot) {
  EXPECT_THAT(Fit(Parsed(kMerged), HostSource()).changes,
              ElementsAre("the measure name \"cpu\" becomes \"value\"",
                          "the measure name \"mem\" becomes \"value\"",
                          "rows of the measure names \"disk\" have no mapping in "
                          "MixedMeasureMappings, so that batch load refuses them"));
}

TEST(FitToSource, SinglesMultisAndDimensionsBecomeEachOther) {
  ModelSource source;
  source.schema = Schema({Dimension("host"), Single("double"), Multi("a", "bigint"),
                          Multi("b", "varchar"), Multi("c", "double")});
  source.measures = Measures({{"cpu", "double"}, {"m", "multi"}});
  source.time_column = "nanoseconds";
  const DataModel model = Parsed(R"({"TimeColumn":"nanoseconds","TimeUnit":"NANOSECONDS",
    "MeasureNameColumn":"measure_name",
    "DimensionMappings":[{"SourceColumn":"host"},{"SourceColumn":"b","DestinationColumn":"room"}],
    "MixedMeasureMappings":[
      {"MeasureName":"cpu","MeasureValueType":"MULTI","MultiMeasureAttributeMappings":[
        {"SourceColumn":"measure_value::double","TargetMultiMeasureAttributeName":"load",
         "MeasureValueType":"DOUBLE"}]},
      {"MeasureName":"m","SourceColumn":"a","MeasureValueType":"DOUBLE"}]})");
  EXPECT_THAT(
      Fit(model, source).changes,
      ElementsAre("the values of \"measure_value::double\" become the multi-measure attribute "
                  "\"load\"",
                  "the measure \"a\" becomes the single measure \"m\"",
                  HasSubstr("the measure \"a\" changes from BIGINT to DOUBLE"),
                  "the measure \"b\" is written as the dimension \"room\"",
                  "the measure \"c\" is not loaded; batch load refuses rows that have no other"));
}

TEST(FitToSource, TimestampsAreReadFromTheirNumbers) {
  ModelSource source = DemoSource();
  source.schema = Schema({Dimension("host"), Multi("seen", "timestamp")});
  source.timestamp_aliases = {{"seen", "seen_nanoseconds"}};
  DataModel model = Parsed(R"({"TimeColumn":"nanoseconds","TimeUnit":"NANOSECONDS",
    "MeasureNameColumn":"measure_name","DimensionMappings":[{"SourceColumn":"host"}],
    "MultiMeasureMappings":{"MultiMeasureAttributeMappings":[{"SourceColumn":"seen_nanoseconds",
      "TargetMultiMeasureAttributeName":"seen","MeasureValueType":"TIMESTAMP"}]}})");
  EXPECT_THAT(Fit(model, source).changes, IsEmpty());
  model.multi->attributes[0].source_column = "seen";
  EXPECT_THAT(Fit(model, source).changes,
              ElementsAre("the measure \"seen\" is read from text; AWS documents times as whole "
                          "numbers only: map \"seen_nanoseconds\" instead"));
}

TEST(CheckKeyChanges, StopsUnlessAllowed) {
  EXPECT_TRUE(CheckKeyChanges({}, false));
  EXPECT_TRUE(CheckKeyChanges({"x"}, true));
  const Status stopped = CheckKeyChanges({"one", "two"}, false);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(stopped.error().Text(),
              HasSubstr("(dimensions, measure name, time): one; two. Rows that have the same key"));
  EXPECT_THAT(stopped.error().Text(), HasSubstr("--allow_key_change"));
}

TEST(FitPartitionKey, EveryRowMustHaveARequiredKey) {
  DataModel model = DemoModel();
  DimensionOf(model, "floor").destination_column = "level";
  const RowCounts counts{.rows = 1000, .non_null = {{"city", 1000}, {"floor", 988}}};
  const ModelSource source = DemoSource();
  const auto fit = [&](const std::string& key, bool required) {
    const Status status = FitPartitionKey(model, MakePartitionKey(key, required), source, counts);
    return status ? std::string("fits") : status.error().Text();
  };
  EXPECT_EQ(fit("city", true), "fits");
  EXPECT_EQ(fit("level", false), "fits");
  EXPECT_EQ(fit("device", true), "fits") << "not counted";
  EXPECT_EQ(fit("measure_name", true), "fits");
  EXPECT_EQ(fit("level", true),
            "the partition key \"level\" is null or absent in 12 of 1,000 rows, which a table with "
            "enforcement REQUIRED refuses: give --partition_key_enforcement optional, or a key "
            "that every row has");
  EXPECT_THAT(fit("floor", false),
              HasSubstr("the partition key \"floor\" is the destination of no dimension mapping"));
  EXPECT_TRUE(MakePartitionKey("measure_name", true).is_measure);
  EXPECT_FALSE(MakePartitionKey("city", false).required);
}

}  // namespace
}  // namespace tsm::model
