// The halves of a slice that was too large.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string_view>

#include "tsm/core/time_text.h"
#include "tsm/timestream/partition_calendar.h"
#include "tsm/unload/slice_plan.h"

namespace tsm::unload {
namespace {

UnixNanos At(std::string_view text) { return *ParseTimestamp(text); }

UnloadSlice SliceOf(std::string_view from, std::string_view end) {
  UnloadSlice slice;
  slice.number = 7;
  slice.from = At(from);
  slice.end = At(end);
  return slice;
}

TEST(SplitSliceTest, NamesItsHalves) {
  const auto halves = SplitSlice(SliceOf("2024-01-01", "2024-02-01"), PartitionUnit::kDay);
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->first.Id(), "0007a");
  EXPECT_EQ(halves->second.Id(), "0007b");
  const auto quarters = SplitSlice(halves->second, PartitionUnit::kDay);
  EXPECT_EQ(quarters->first.Id(), "0007ba");
  EXPECT_EQ(quarters->second.Id(), "0007bb");
}

TEST(SplitSliceTest, CutsTheCalendarInTheMiddle) {
  const auto halves =
      SplitSlice(SliceOf("2024-01-01 12:00", "2024-01-04 12:00"), PartitionUnit::kDay);
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->first.from, At("2024-01-01 12:00"));
  EXPECT_EQ(halves->first.end, At("2024-01-03"));
  EXPECT_EQ(halves->second.from, At("2024-01-03"));
  EXPECT_EQ(halves->second.end, At("2024-01-04 12:00"));
  EXPECT_EQ(halves->first.partitions, 2U);
  EXPECT_EQ(halves->second.partitions, 2U);
  EXPECT_FALSE(halves->first.rows);
}

TEST(SplitSliceTest, CutsByRowsWhereTheyAreKnown) {
  const Survey survey = {{At("2024-01-02"), 10},
                         {At("2024-01-05"), 20},
                         {At("2024-01-06"), 0},
                         {At("2024-01-09"), 70},
                         {At("2024-01-11"), 100}};
  UnloadSlice slice = SliceOf("2024-01-01", "2024-01-11");
  slice.rows = 100;
  slice.bytes = 1001;
  const auto halves = SplitSlice(slice, PartitionUnit::kDay, &survey);
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->first.end, At("2024-01-09"));
  EXPECT_EQ(halves->second.from, At("2024-01-09"));
  EXPECT_EQ(halves->first.partitions, 2U);
  EXPECT_EQ(halves->second.partitions, 1U);
  EXPECT_EQ(halves->first.rows, 30U);
  EXPECT_EQ(halves->second.rows, 70U);
  EXPECT_EQ(*halves->first.bytes + *halves->second.bytes, 1001U);
  EXPECT_EQ(halves->first.bytes, 300U);

  // The failure was the limit of partitions: the survey is not asked.
  const auto by_count = SplitSlice(slice, PartitionUnit::kDay);
  EXPECT_EQ(by_count->first.end, At("2024-01-06"));
  EXPECT_EQ(by_count->first.partitions, 5U);
}

TEST(SplitSliceTest, OnePartitionIsCutInItsTime) {
  const Survey survey = {{At("2024-01-05"), 20}};
  UnloadSlice slice = SliceOf("2024-01-01", "2024-01-11");
  slice.rows = 20;
  auto halves = SplitSlice(slice, PartitionUnit::kDay, &survey);
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->first.from, At("2024-01-01"));
  EXPECT_EQ(halves->first.end, At("2024-01-05 12:00"));
  EXPECT_EQ(halves->second.end, At("2024-01-11"));
  EXPECT_FALSE(halves->first.rows) << "how the rows lie in it nobody knows";
  EXPECT_EQ(halves->first.partitions, 1U);
  halves = SplitSlice(halves->second, PartitionUnit::kDay, &survey);
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->first.end, At("2024-01-05 18:00"));

  halves = SplitSlice(SliceOf("2024-01-01 06:00", "2024-01-01 08:00"), PartitionUnit::kDay);
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->first.end, At("2024-01-01 07:00"));
  halves = SplitSlice(SliceOf("2024-01-01", "2024-01-03"), PartitionUnit::kNone);
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->first.end, At("2024-01-02"));
}

// Whatever is split, the halves meet, lie within it and are shorter, down to the nanosecond.
TEST(SplitSliceTest, EndsAtTheNanosecond) {
  std::mt19937_64 random(31);
  const Survey survey = {{At("2024-01-02"), 10}, {At("2024-01-05"), 20}, {At("2024-01-07"), 3}};
  for (const PartitionUnit unit : {PartitionUnit::kNone, PartitionUnit::kDay}) {
    for (int round = 0; round < 200; ++round) {
      UnloadSlice slice = SliceOf("2024-01-01", "2024-01-11");
      slice.rows = 33;
      int depth = 0;
      while (slice.end - slice.from > 1) {
        ASSERT_LT(++depth, 80);
        const auto halves = SplitSlice(slice, unit, random() % 2 == 0 ? &survey : nullptr);
        ASSERT_TRUE(halves) << slice.Id();
        ASSERT_EQ(halves->first.from, slice.from);
        ASSERT_EQ(halves->first.end, halves->second.from);
        ASSERT_EQ(halves->second.end, slice.end);
        ASSERT_LT(halves->first.from, halves->first.end);
        ASSERT_LT(halves->second.from, halves->second.end);
        ASSERT_GE(halves->first.partitions, 1U);
        ASSERT_GE(halves->second.partitions, 1U);
        slice = random() % 2 == 0 ? halves->first : halves->second;
      }
      EXPECT_FALSE(SplitSlice(slice, unit));
      EXPECT_FALSE(SplitSlice(slice, unit, &survey));
    }
  }
}

TEST(SplitSliceTest, HoldsAtBothEndsOf64Bits) {
  UnloadSlice slice;
  slice.number = 1;
  slice.from = kFirstMoment;
  slice.end = kLastMoment;
  for (const PartitionUnit unit :
       {PartitionUnit::kNone, PartitionUnit::kHour, PartitionUnit::kMonth, PartitionUnit::kYear}) {
    const auto halves = SplitSlice(slice, unit);
    ASSERT_TRUE(halves);
    EXPECT_LT(std::abs(halves->first.end), UnixNanos{400} * 86'400'000'000'000) << "about 1970";
  }
}

}  // namespace
}  // namespace tsm::unload
