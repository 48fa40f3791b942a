#include "ts_local/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <sstream>

#include "apps/ts_local/scratch_dir.h"

namespace ts_local {
namespace {

constexpr std::int64_t kNow = 1'790'000'000'123'456'789;
constexpr std::int64_t kDay = 86'400'000'000'000;
constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
const TableName kName{"eu-west-1", "sourcedb", "myTable"};

// Every row as text, in order.
std::multiset<std::string> Contents(const TableStore& store) {
  std::multiset<std::string> rows;
  store.Scan(kName, store.Schema(kName), 0, kForever, [&](const RowView& row) {
    std::ostringstream text;
    text.precision(17);
    text << row.time_ns << '|' << row.measure_name;
    for (const auto& dimension : row.dimensions) text << '|' << dimension.value_or("<none>");
    for (const Value& value : row.measures) {
      std::visit(
          [&](const auto& v) {
            using V = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<V, std::monostate>) {
              text << "|<null>";
            } else if constexpr (std::is_same_v<V, Timestamp>) {
              text << '|' << v.ns;
            } else {
              text << '|' << v;
            }
          },
          value);
    }
    rows.insert(text.str());
    return true;
  });
  return rows;
}

TEST(SampleTest, FillsFiveDaysOnceAndAlwaysAlike) {
  const ScratchDir first_dir;
  const ScratchDir second_dir;
  TableStore first(first_dir.path(), [] { return kNow; });
  TableStore second(second_dir.path(), [] { return kNow; });
  FillSample(first, kNow, "eu-west-1");
  FillSample(second, kNow, "eu-west-1");
  const auto rows = Contents(first);
  EXPECT_GT(rows.size(), 18'000U);
  EXPECT_LT(rows.size(), 24'000U);
  EXPECT_EQ(rows, Contents(second));
  FillSample(first, kNow + kDay / 2, "eu-west-1");
  EXPECT_EQ(rows, Contents(first)) << "a filled sample is left alone";
  EXPECT_THROW(first.GetTable({"us-east-1", "sourcedb", "myTable"}), std::exception);
}

TEST(SampleTest, HoldsWhatAMigrationMustCarry) {
  const ScratchDir dir;
  TableStore store(dir.path(), [] { return kNow; });
  FillSample(store, kNow, "eu-west-1");
  const TableSchema schema = store.Schema(kName);
  EXPECT_THAT(schema.dimensions, ::testing::ElementsAre("city", "device", "floor"));
  std::set<std::int64_t> days;
  std::set<std::string> measures;
  std::set<std::size_t> kinds;
  bool sub_millisecond = false;
  bool missing_dimension = false;
  std::string texts;
  store.Scan(kName, schema, 0, kForever, [&](const RowView& row) {
    days.insert(row.time_ns / kDay);
    measures.insert(row.measure_name);
    sub_millisecond = sub_millisecond || row.time_ns % 1'000'000 != 0;
    EXPECT_TRUE(row.dimensions[0].has_value());
    missing_dimension = missing_dimension || !row.dimensions[2].has_value();
    for (const Value& value : row.measures) {
      kinds.insert(value.index());
      if (const auto* text = std::get_if<std::string>(&value)) texts += *text;
    }
    EXPECT_LE(row.time_ns, kNow);
    return true;
  });
  EXPECT_EQ(days.size(), 5U);
  EXPECT_THAT(measures, ::testing::ElementsAre("climate", "power"));
  EXPECT_EQ(kinds.size(), 5U) << "null, boolean, bigint, double, varchar";
  EXPECT_TRUE(sub_millisecond);
  EXPECT_TRUE(missing_dimension);
  for (const char* part : {",", "\"", "\\", "\n", "\r", "ü"}) {
    EXPECT_THAT(texts, ::testing::HasSubstr(part));
  }
}

}  // namespace
}  // namespace ts_local
