// The data model against a real file's header and against an existing table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "fit_bench.h"
#include "tsm/model/data_model_fit.h"

namespace tsm::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kFile = "s3://b/x.csv";

std::string WhyHeader(const DataModel& model, const std::vector<std::string>& header) {
  const Result<HeaderFit> fit = FitToHeader(model, header, kFile);
  if (fit) return "fits";
  EXPECT_EQ(fit.error().kind, ErrorKind::kInvalidInput);
  return fit.error().Text();
}

TEST(FitToHeader, UnmappedColumnsAreListed) {
  std::vector<std::string> header = DemoHeader();
  header.emplace_back("extra");
  const Result<HeaderFit> fit = FitToHeader(DemoModel(), header, kFile);
  ASSERT_TRUE(fit) << fit.error().Text();
  EXPECT_THAT(fit->unmapped, ElementsAre("time", "extra"));
}

TEST(FitToHeader, AMissingColumnIsNamedWithItsPlaceAndWhatIsMeant) {
  DataModel model = DemoModel();
  AttributeOf(model, "humidity").source_column = "humidty";
  EXPECT_EQ(WhyHeader(model, DemoHeader()),
            "the data model reads columns that s3://b/x.csv does not have: \"humidty\" "
            "($.MultiMeasureMappings.MultiMeasureAttributeMappings[1].SourceColumn; did you mean "
            "\"humidity\"?); the file has \"city\", \"device\", \"floor\", \"measure_name\", "
            "\"time\", \"temperature\", \"humidity\", \"samples\" and 5 more");
  model = DemoModel();
  DimensionOf(model, "city").source_column = "City";
  EXPECT_THAT(WhyHeader(model, DemoHeader()),
              HasSubstr("\"City\" ($.DimensionMappings[0].SourceColumn; did you mean \"city\"?)"));
  model = DemoModel();
  model.time_column = "epoch";
  model.measure_name_column = "kind";
  EXPECT_THAT(WhyHeader(model, DemoHeader()),
              HasSubstr("\"epoch\" ($.TimeColumn); \"kind\" ($.MeasureNameColumn); the file has"));
}

TEST(FitToHeader, ManyMissesAreCutAndAWrongSeparatorIsTold) {
  EXPECT_THAT(WhyHeader(DemoModel(), {"city;device;floor"}),
              HasSubstr("; and 9 more; its header is one column, \"city;device;floor\": the files "
                        "are separated by another character"));
}

TEST(FitToHeader, AColumnThatStandsTwiceCountsOnlyWhereItIsRead) {
  std::vector<std::string> header = DemoHeader();
  header.emplace_back("time");
  EXPECT_EQ(WhyHeader(DemoModel(), header), "fits");
  header.emplace_back("city");
  EXPECT_THAT(WhyHeader(DemoModel(), header),
              HasSubstr("s3://b/x.csv has 2 columns named \"city\", and the data model reads one "
                        "($.DimensionMappings[0].SourceColumn)"));
}

TargetColumns Target(timestream::TableSchema schema,
                     const std::vector<std::pair<std::string, std::string>>& measures = {}) {
  return {"targetdb.t", std::move(schema), Measures(measures)};
}

std::string Why(const DataModel& model, const TargetColumns& target,
                const std::vector<timestream::Measure>& rows_of = {}) {
  const Result<TableFit> fit = FitToTable(model, target, rows_of);
  if (fit) return "fits";
  EXPECT_EQ(fit.error().kind, ErrorKind::kInvalidInput);
  return fit.error().Text();
}

TEST(FitToTable, TheSameTableAndAnEmptyOneFitWithoutANote) {
  for (const TargetColumns& target :
       {Target({}), Target(DemoSchema()),
        Target(DemoSchema(), {{"climate", "multi"}, {"power", "multi"}})}) {
    const Result<TableFit> fit = FitToTable(DemoModel(), target, DemoSource().measures);
    ASSERT_TRUE(fit) << fit.error().Text();
    EXPECT_THAT(fit->notes, IsEmpty());
  }
}

TEST(FitToTable, OtherKindsAndTypesAreRefused) {
  const struct {
    std::vector<timestream::SchemaColumn> columns;
    const char* message;
  } cases[] = {
      {{Multi("city", "varchar")},
       "\"city\" is a measure of type VARCHAR in targetdb.t, and the data model writes it as a "
       "dimension ($.DimensionMappings[0]): give it another name or the table's type"},
      {{Dimension("note")},
       "\"note\" is a dimension in targetdb.t, and the data model writes it as a measure "
       "($.MultiMeasureMappings.MultiMeasureAttributeMappings[4])"},
      {{Multi("samples", "double")},
       "\"samples\" is a measure of type DOUBLE in targetdb.t, and the data model writes it as one "
       "of type BIGINT ($.MultiMeasureMappings.MultiMeasureAttributeMappings[2])"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(Why(DemoModel(), Target(Schema(c.columns))), HasSubstr(c.message));
  }
}

TEST(FitToTable, MeasureNamesKeepTheirType) {
  const DataModel mixed = Parsed(R"({"TimeColumn":"t","MeasureNameColumn":"measure_name",
    "DimensionMappings":[{"SourceColumn":"host"}],"MixedMeasureMappings":[
      {"MeasureName":"cpu","SourceColumn":"v","MeasureValueType":"DOUBLE"},
      {"MeasureName":"net","TargetMeasureName":"network","MeasureValueType":"MULTI",
       "MultiMeasureAttributeMappings":[{"SourceColumn":"in","MeasureValueType":"BIGINT"}]}]})");
  const auto schema = Schema({Dimension("host"), Single("double"), Multi("in", "bigint")});
  EXPECT_EQ(Why(mixed, Target(schema, {{"cpu", "double"}, {"network", "multi"}})), "fits");
  EXPECT_EQ(Why(mixed, Target(schema, {{"cpu", "bigint"}, {"cpu", "double"}})), "fits");
  EXPECT_THAT(Why(mixed, Target(schema, {{"cpu", "bigint"}})),
              HasSubstr("the measure name \"cpu\" is of type BIGINT in targetdb.t, and the data "
                        "model writes it as DOUBLE: give another TargetMeasureName"));
  EXPECT_THAT(Why(mixed, Target(schema, {{"network", "double"}})),
              HasSubstr("\"network\" is of type DOUBLE in targetdb.t, and the data model writes it "
                        "as MULTI"));
  // Names that the rows carry.
  EXPECT_THAT(Why(DemoModel(), Target(DemoSchema(), {{"power", "double"}}), DemoSource().measures),
              HasSubstr("\"power\" is of type DOUBLE in targetdb.t"));
  EXPECT_EQ(Why(DemoModel(), Target(DemoSchema(), {{"power", "double"}})), "fits");
  DataModel named = DemoModel();
  named.measure_name_column = "";
  named.multi->target_name = "power";
  EXPECT_THAT(Why(named, Target(DemoSchema(), {{"power", "double"}})),
              HasSubstr("and the data model writes it as MULTI"));
}

TEST(FitToTable, NewEmptyAndNearlyEqualColumnsAreNoted) {
  const Result<TableFit> fit = FitToTable(
      DemoModel(), Target(Schema({Dimension("city"), Dimension("Device"), Dimension("floor"),
                                  Dimension("rack"), Multi("temperature", "double"),
                                  Multi("humidity", "double"), Multi("samples", "bigint"),
                                  Multi("ok", "boolean"), Multi("note", "varchar")})));
  ASSERT_TRUE(fit) << fit.error().Text();
  EXPECT_THAT(fit->notes,
              ElementsAre("columns that targetdb.t does not have yet: \"load\", \"status\"",
                          "columns that differ from one of targetdb.t in case only, and so become "
                          "columns of their own: \"device\"",
                          "dimensions of targetdb.t that the loaded rows do not have: \"Device\", "
                          "\"rack\""));
}

TEST(FitToTable, TheTableTakesNoMoreThanItsLimits) {
  std::vector<timestream::SchemaColumn> columns;
  columns.reserve(126);
  for (int i = 0; i < 126; ++i) columns.push_back(Dimension("d" + std::to_string(i)));
  EXPECT_THAT(Why(DemoModel(), Target(Schema(columns))),
              HasSubstr("targetdb.t would have 129 dimensions, with those it has already; a "
                        "Timestream table takes 128"));
  columns.clear();
  columns.reserve(1018);
  for (int i = 0; i < 1018; ++i) columns.push_back(Multi("m" + std::to_string(i), "double"));
  EXPECT_THAT(Why(DemoModel(), Target(Schema(columns))),
              HasSubstr("would have 1,025 multi-measure columns"));
  columns.pop_back();
  EXPECT_EQ(Why(DemoModel(), Target(Schema(columns))), "fits");
  std::vector<std::pair<std::string, std::string>> names;
  names.reserve(8191);
  for (int i = 0; i < 8191; ++i) names.emplace_back("n" + std::to_string(i), "multi");
  EXPECT_THAT(Why(DemoModel(), Target(DemoSchema(), names), DemoSource().measures),
              HasSubstr("would have 8,193 measure names"));
}

}  // namespace
}  // namespace tsm::model
