#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fit_bench.h"

namespace tsm::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

HeaderSource Demo() {
  HeaderSource source;
  source.header = DemoHeader();
  source.file = "s3://b/x.csv";
  source.table = "targetdb.t";
  source.schema = DemoSchema();
  source.measures = DemoSource().measures;
  return source;
}

std::string Why(const HeaderSource& source) {
  const Result<GeneratedModel> generated = GenerateFromHeader(source);
  if (generated) return "generated";
  EXPECT_EQ(generated.error().kind, ErrorKind::kInvalidInput);
  return generated.error().Text();
}

TEST(GenerateFromHeader, MatchesColumnsByName) {
  HeaderSource source = Demo();
  Result<GeneratedModel> generated = GenerateFromHeader(source);
  ASSERT_TRUE(generated) << generated.error().Text();
  EXPECT_EQ(ToJson(generated->model), ToJson(DemoModel()));
  EXPECT_THAT(generated->notes, IsEmpty());
  source.measures.clear();
  generated = GenerateFromHeader(source);
  ASSERT_TRUE(generated) << generated.error().Text();
  EXPECT_EQ(ToJson(generated->model), ToJson(DemoModel()))
      << "multi-measure rows carry their names";
}

TEST(GenerateFromHeader, TheTimeColumnIsLookedForOrTold) {
  HeaderSource source = Demo();
  source.header.back() = "epoch";
  EXPECT_EQ(Why(source),
            "s3://b/x.csv has no column \"nanoseconds\", in which ts-unload writes the time as a "
            "whole number: write a data model that names the TimeColumn and its TimeUnit, and give "
            "it with --data_model_file");
  source.time_column = "epoch";
  source.time_unit = TimeUnit::kSeconds;
  const Result<GeneratedModel> told = GenerateFromHeader(source);
  ASSERT_TRUE(told) << told.error().Text();
  EXPECT_EQ(told->model.time_column, "epoch");
  EXPECT_EQ(told->model.time_unit, TimeUnit::kSeconds);
  source.time_column = "when";
  EXPECT_THAT(Why(source), HasSubstr("s3://b/x.csv has no column \"when\" to take the time from"));
  // A foreign file may have numbers in `time` itself.
  source = Demo();
  source.header.pop_back();
  source.time_column = "time";
  EXPECT_EQ(Why(source), "generated");
  // A table with a column of the usual alias has the time under the next one.
  source = Demo();
  source.schema.columns.push_back(Dimension("nanoseconds"));
  EXPECT_THAT(Why(source), HasSubstr("has no column \"nanoseconds\", in which"));
  source.header.emplace_back("nanoseconds_2");
  const Result<GeneratedModel> second = GenerateFromHeader(source);
  ASSERT_TRUE(second) << second.error().Text();
  EXPECT_EQ(second->model.time_column, "nanoseconds_2");
  EXPECT_TRUE(second->model.HasDimension("nanoseconds"));
}

TEST(GenerateFromHeader, UnknownColumnsStopIt) {
  HeaderSource source = Demo();
  source.header.insert(source.header.begin(), {"rack", "room"});
  EXPECT_EQ(Why(source),
            "no data model can be made: s3://b/x.csv has columns that targetdb.t does not know: "
            "\"rack\", \"room\". Whether they are dimensions, without which rows fold together, "
            "can't be told: give --data_model_file, or the run record with --unload_run");
}

TEST(GenerateFromHeader, ATableWithoutColumnsTellsNothing) {
  HeaderSource source = Demo();
  source.schema = {};
  EXPECT_THAT(Why(source), HasSubstr("and the table targetdb.t has none yet. Give "
                                     "--data_model_file"));
}

TEST(GenerateFromHeader, SinglesNeedTheNamesOfTheTable) {
  HeaderSource source = Demo();
  source.schema = Schema({Dimension("host"), Single("double")});
  source.header = {"host", "measure_name", "time", "measure_value::double", "nanoseconds"};
  source.measures.clear();
  EXPECT_THAT(Why(source), HasSubstr("its column \"measure_value::double\" needs a mapping for "
                                     "each: give --data_model_file"));
  source.measures = Measures({{"cpu", "double"}});
  const Result<GeneratedModel> generated = GenerateFromHeader(source);
  ASSERT_TRUE(generated) << generated.error().Text();
  EXPECT_EQ(generated->model.mixed[0].measure_name, "cpu");
  EXPECT_THAT(generated->notes, ElementsAre("only the measure names that targetdb.t has already "
                                            "are mapped: rows of others are refused"));
  source = Demo();
  source.measures.clear();
  source.header.erase(source.header.begin() + 3);
  EXPECT_THAT(Why(source), HasSubstr("s3://b/x.csv has no column \"measure_name\""));
}

TEST(GenerateFromHeader, TimestampsAreReadFromTheirNumbers) {
  HeaderSource source = Demo();
  source.schema = Schema({Dimension("host"), Multi("seen", "timestamp"), Multi("n", "bigint")});
  source.header = {"host", "measure_name", "time", "seen", "n", "nanoseconds", "seen_nanoseconds"};
  const Result<GeneratedModel> generated = GenerateFromHeader(source);
  ASSERT_TRUE(generated) << generated.error().Text();
  EXPECT_EQ(generated->model.multi->attributes[0].source_column, "seen_nanoseconds");
  EXPECT_EQ(generated->model.multi->attributes[0].Target(), "seen");
  source.time_column = "nanoseconds";
  source.time_unit = TimeUnit::kMicroseconds;
  EXPECT_THAT(Why(source), HasSubstr("does not know: \"seen_nanoseconds\""));
}

}  // namespace
}  // namespace tsm::model
