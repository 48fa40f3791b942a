// What is compared with what (column_map.h), and when two values are the same (fact_compare.h),
// seen through VerifyContent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verify/content_bench.h"

namespace tsm::test {
namespace {

using model::MeasureType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using timestream::ColumnRole;

// A table of single measures: a and b of double, n of bigint; loaded by a mixed model.
struct MixedBench : ContentBench {
  MixedBench() {
    FakeRows& from = Source();
    from.columns = {{"city", "varchar", ColumnRole::kDimension},
                    {"measure_name", "varchar", ColumnRole::kMeasureName},
                    {"time", "timestamp", ColumnRole::kTimestamp},
                    {"measure_value::double", "double", ColumnRole::kMeasureValue},
                    {"measure_value::bigint", "bigint", ColumnRole::kMeasureValue}};
    from.rows.clear();
    for (int i = 0; i < 30; ++i) {
      const std::string name(1, "abn"[i % 3]);
      const std::string type = name == "n" ? "bigint" : "double";
      from.rows.push_back({kFebruary26 + i,
                           {{"city", "Oslo"},
                            {"measure_name", name},
                            {"measure_value::" + type, std::to_string(i)}},
                           0});
    }
    Rows() = from;
    request.record.schema.columns = from.columns;
    request.record.measures = {{"a", "double", {}}, {"b", "double", {}}, {"n", "bigint", {}}};
    request.record.timestamps.clear();
    request.model.multi.reset();
    request.model.mixed = {Single("a", MeasureType::kDouble), Single("b", MeasureType::kDouble),
                           Single("n", MeasureType::kBigint)};
    WriteContent();
  }

  static model::MixedMeasureMapping Single(const std::string& name, MeasureType type) {
    return {name,
            type == MeasureType::kBigint ? "measure_value::bigint" : "measure_value::double",
            "",
            type,
            {}};
  }
  verify::ContentVerdict Verdict() {
    const auto verdict = Verify();
    EXPECT_TRUE(verdict) << verdict.error().Text();
    EXPECT_THAT(verdict->differences, IsEmpty());
    return *verdict;
  }
};

TEST(ColumnMapTest, SingleMeasuresAreComparedOverAllTheirNames) {
  MixedBench bench;
  EXPECT_THAT(bench.Verdict().not_compared, IsEmpty());
  bench.Rows().rows[2].values["measure_value::bigint"] = "3";  // was 2
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->differences,
              ElementsAre(HasSubstr("measure_value::bigint min: 2 unloaded, 3 now"),
                          HasSubstr("measure_value::bigint remainder")));
}

TEST(ColumnMapTest, NewMeasureNamesAreCountedOnly) {
  MixedBench bench;
  bench.request.model.mixed[0].target_name = "alpha";
  for (FakeRow& row : bench.Rows().rows) {
    if (row.values["measure_name"] == "a") row.values["measure_name"] = "alpha";
  }
  EXPECT_THAT(bench.Verdict().not_compared,
              ElementsAre("measure_name: the data model gives measures other names, so that its "
                          "values are only counted"));
}

TEST(ColumnMapTest, AMeasureThatIsNotLoadedTakesItsColumnAlong) {
  MixedBench bench;
  bench.request.model.mixed.erase(bench.request.model.mixed.begin() + 1);
  EXPECT_THAT(bench.Verdict().not_compared,
              ElementsAre("measure_value::double: the data model does not load it for the measure "
                          "name 'b'"));
}

TEST(ColumnMapTest, TwoColumnsInOneAreNotCompared) {
  MixedBench bench;
  bench.request.model.mixed[2].type = MeasureType::kDouble;  // n, from the bigint column
  EXPECT_THAT(bench.Verdict().not_compared,
              ElementsAre("measure_value::double: the data model loads other columns into "
                          "'measure_value::double' too",
                          "measure_value::bigint: the data model loads other columns into "
                          "'measure_value::double' too"));
}

TEST(ColumnMapTest, OneColumnInTwoIsNotCompared) {
  MixedBench bench;
  const model::AttributeMapping x{"measure_value::double", "x", MeasureType::kDouble};
  const model::AttributeMapping y{"measure_value::double", "y", MeasureType::kDouble};
  bench.request.model.mixed[0] = {"a", "", "", MeasureType::kMulti, {x}};
  bench.request.model.mixed[1] = {"b", "", "", MeasureType::kMulti, {y}};
  EXPECT_THAT(bench.Verdict().not_compared,
              ElementsAre("measure_value::double: the data model loads it into several columns"));
}

TEST(ColumnMapTest, ASingleMeasureMayBecomeAColumnOfItsOwn) {
  MixedBench bench;
  bench.request.model.mixed.clear();
  bench.request.model.multi =
      model::MultiMeasureMappings{"",
                                  {{"measure_value::double", "x", MeasureType::kDouble},
                                   {"measure_value::bigint", "n", MeasureType::kBigint}}};
  bench.Rename("measure_value::double", "x");
  bench.Rename("measure_value::bigint", "n");
  EXPECT_THAT(bench.Verdict().not_compared, IsEmpty());
}

TEST(ColumnMapTest, AModelWithoutMeasureNamesGivesEachRowItsOwn) {
  ContentBench bench;
  bench.WriteContent();
  bench.request.model.measure_name_column.clear();
  bench.request.model.multi->target_name = "all";
  for (FakeRow& row : bench.Rows().rows) row.values["measure_name"] = "all";
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_THAT(verdict->not_compared, ElementsAre("measure_name: the data model does not load it"));
}

TEST(ColumnMapTest, OnlyChosenColumnsAreLookedFor) {
  ContentBench bench;
  bench.request.record.columns = {"city", "measure_name", "time", "visits"};
  std::erase_if(bench.Source().columns, [](const auto& column) {
    return column.name != "time" && column.name != "visits" && column.name != "city";
  });
  bench.WriteContent();
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_THAT(verdict->not_compared, IsEmpty());
  EXPECT_EQ(verdict->facts, 4U * (1 + 4 + 5 + 5));
}

TEST(ColumnMapTest, RowsThatDoNotKeepTheirTimeCantBeCompared) {
  for (const bool unit : {false, true}) {
    ContentBench bench;
    bench.WriteContent();
    if (unit) {
      bench.request.model.time_unit.reset();  // the service's default, MILLISECONDS
    } else {
      bench.request.model.time_column = "seen_ns";
    }
    const auto refused = bench.Verify();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidInput);
    EXPECT_THAT(refused.error().Text(), HasSubstr("prove the load by --verify count"));
  }
}

// One double column of one day, with these values there and here.
std::vector<std::string> DifferencesOf(const std::vector<std::string>& there,
                                       const std::vector<std::string>& here) {
  ContentBench bench;
  const auto fill = [](FakeRows& rows, const std::vector<std::string>& values) {
    rows.rows.clear();
    for (const std::string& value : values) {
      rows.rows.push_back({kFebruary26, {{"temperature", value}}, 0});
    }
  };
  fill(bench.Source(), there);
  fill(bench.Rows(), here);
  bench.WriteContent();
  const auto verdict = bench.Verify();
  EXPECT_TRUE(verdict);
  return verdict->differences;
}

TEST(FactCompareTest, SumsAreEqualWithinTheirRounding) {
  EXPECT_THAT(DifferencesOf({"0.1", "0.2", "0.3"}, {"0.3", "0.2", "0.1"}), IsEmpty());
  EXPECT_THAT(DifferencesOf({"1e16", "1", "-1e16"}, {"1e16", "-1e16", "1"}), IsEmpty());
  // In the last of sixteen digits of a sum, but of another value.
  EXPECT_THAT(DifferencesOf({"1", "2", "4"}, {"1", "2.00000000000001", "4"}),
              ElementsAre(HasSubstr("temperature sum: 7 unloaded, 7.000000000000011 now")));
  EXPECT_THAT(DifferencesOf({"-1", "0", "1"}, {"-1", "1e-13", "1"}),
              ElementsAre(HasSubstr("temperature sum: 0 unloaded")));
}

TEST(FactCompareTest, NumbersAreComparedAsNumbers) {
  EXPECT_THAT(DifferencesOf({"16.0"}, {"1.6E1"}), IsEmpty());
  EXPECT_THAT(DifferencesOf({"4.9E-324", "0.5"}, {"5e-324", "0.5"}), IsEmpty());
  EXPECT_THAT(DifferencesOf({"16.0"}, {"16.000000000000004"}), ::testing::SizeIs(2));
}

TEST(FactCompareTest, SumsBeyondADoubleDependOnTheirOrder) {
  // There: infinite on its way; here: 0.
  EXPECT_THAT(DifferencesOf({"1.7e308", "1.7e308", "-1.7e308", "-1.7e308"},
                            {"1.7e308", "-1.7e308", "1.7e308", "-1.7e308"}),
              IsEmpty());
}

}  // namespace
}  // namespace tsm::test
