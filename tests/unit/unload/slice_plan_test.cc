#include "tsm/unload/slice_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>

#include "tsm/core/time_text.h"
#include "tsm/timestream/partition_calendar.h"

namespace tsm::unload {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

UnixNanos At(std::string_view text) { return *ParseTimestamp(text); }

SliceQuestion Ask(std::string_view from, std::string_view end, PartitionUnit unit) {
  SliceQuestion question;
  question.range = {At(from), At(end)};
  question.unit = unit;
  return question;
}

std::vector<UnloadSlice> Plan(const SliceQuestion& question) {
  auto slices = PlanSlices(question);
  EXPECT_TRUE(slices) << slices.error().Text();
  return slices ? *slices : std::vector<UnloadSlice>();
}

// Every nanosecond of the range once, in order, on boundaries of partitions.
void ExpectCovers(const std::vector<UnloadSlice>& slices, const SliceQuestion& question) {
  ASSERT_FALSE(slices.empty());
  EXPECT_EQ(slices.front().from, question.range.from);
  EXPECT_EQ(slices.back().end, question.range.end);
  for (std::size_t i = 0; i < slices.size(); ++i) {
    EXPECT_EQ(slices[i].number, i + 1);
    EXPECT_LT(slices[i].from, slices[i].end);
    if (i == 0) continue;
    EXPECT_EQ(slices[i].from, slices[i - 1].end);
    EXPECT_EQ(PartitionStart(SurveyUnit(question.unit), slices[i].from), slices[i].from);
  }
}

TEST(PlanSlicesTest, TakesAHundredPartitionsEachWithoutASurvey) {
  struct Case {
    const char* from;
    const char* end;
    PartitionUnit unit;
    std::size_t slices;
    std::uint64_t last;
  };
  const Case cases[] = {
      {"2021-01-01", "2024-01-01", PartitionUnit::kDay, 11, 95},
      {"2021-01-01 00:00:00.000000001", "2024-01-01", PartitionUnit::kDay, 11, 95},
      {"2024-02-01", "2024-03-02", PartitionUnit::kHour, 8, 20},
      {"2021-01-01", "2021-04-11", PartitionUnit::kDay, 1, 100},
      {"2021-01-01", "2021-04-11 00:00:00.000000001", PartitionUnit::kDay, 2, 1},
      {"2020-12-31 23:59:59.999999999", "2021-04-11", PartitionUnit::kDay, 2, 1},
      {"1970-01-01", "2262-04-11 23:47:16.854775807", PartitionUnit::kMonth, 36, 8},
      {"1970-01-01", "2262-04-11 23:47:16.854775807", PartitionUnit::kYear, 3, 93},
      {"1970-01-01", "2262-04-11 23:47:16.854775807", PartitionUnit::kNone, 1, 1},
      {"2024-02-26", "2024-02-26 00:00:00.000000001", PartitionUnit::kHour, 1, 1},
  };
  for (const Case& tested : cases) {
    const SliceQuestion question = Ask(tested.from, tested.end, tested.unit);
    const auto slices = Plan(question);
    ExpectCovers(slices, question);
    ASSERT_EQ(slices.size(), tested.slices) << tested.from;
    EXPECT_EQ(slices.back().partitions, tested.last) << tested.from;
    for (const UnloadSlice& slice : slices) {
      EXPECT_EQ(slice.partitions, CountPartitions(tested.unit, slice.from, slice.end));
      EXPECT_LE(slice.partitions, 100U);
      EXPECT_FALSE(slice.rows);
      EXPECT_FALSE(slice.bytes);
    }
  }
}

TEST(PlanSlicesTest, RecentFirstTurnsTheOrderAndKeepsTheNumbers) {
  SliceQuestion question = Ask("2021-01-01", "2024-01-01", PartitionUnit::kDay);
  auto forward = Plan(question);
  question.recent_first = true;
  auto backward = Plan(question);
  ASSERT_EQ(backward.size(), 11U);
  EXPECT_EQ(backward.front().Id(), "0011");
  EXPECT_EQ(backward.front().end, question.range.end);
  std::reverse(backward.begin(), backward.end());
  for (std::size_t i = 0; i < forward.size(); ++i) {
    EXPECT_EQ(forward[i].Id(), backward[i].Id());
    EXPECT_EQ(forward[i].from, backward[i].from);
  }
}

TEST(PlanSlicesTest, ASparseTableTakesFewSlices) {
  SliceQuestion question = Ask("2000-06-15 12:30", "2024-06-15 12:30", PartitionUnit::kHour);
  question.survey = Survey{{At("2000-06-15 12:00"), 5},
                           {At("2003-01-01 07:00"), 0},
                           {At("2003-01-01 08:00"), 7},
                           {At("2024-06-15 12:00"), 1}};
  question.bytes_per_row = 10;
  auto slices = Plan(question);
  ExpectCovers(slices, question);
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_EQ(slices[0].partitions, 3U);
  EXPECT_EQ(slices[0].rows, 13U);
  EXPECT_EQ(slices[0].bytes, 130U);

  question.limits.max_partitions = 2;
  slices = Plan(question);
  ExpectCovers(slices, question);
  ASSERT_EQ(slices.size(), 2U);
  EXPECT_EQ(slices[0].end, At("2024-06-15 12:00")) << "what lies between goes with the one before";
  EXPECT_EQ(slices[0].partitions, 2U);
  EXPECT_EQ(slices[0].rows, 12U);
  EXPECT_EQ(slices[1].rows, 1U);
}

TEST(PlanSlicesTest, AnEmptySurveyIsOneSliceOfTheWholeRange) {
  SliceQuestion question = Ask("2020-01-01", "2024-01-01", PartitionUnit::kDay);
  question.survey = Survey{};
  const auto slices = Plan(question);
  ExpectCovers(slices, question);
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_EQ(slices[0].partitions, 0U);
  EXPECT_EQ(slices[0].rows, 0U);
}

TEST(PlanSlicesTest, RowsLimitASlice) {
  SliceQuestion question = Ask("2024-01-01", "2024-01-07", PartitionUnit::kDay);
  question.survey = Survey{{At("2024-01-01"), 4},  {At("2024-01-02"), 6}, {At("2024-01-03"), 1},
                           {At("2024-01-04"), 50}, {At("2024-01-05"), 3}, {At("2024-01-06"), 7}};
  question.limits.max_rows = 10;
  const auto slices = Plan(question);
  ExpectCovers(slices, question);
  std::vector<std::uint64_t> rows(slices.size());
  std::transform(slices.begin(), slices.end(), rows.begin(),
                 [](const UnloadSlice& slice) { return *slice.rows; });
  EXPECT_EQ(rows, (std::vector<std::uint64_t>{10, 1, 50, 10}));
}

TEST(PlanSlicesTest, CountsOfRowsDoNotOverflow) {
  SliceQuestion question = Ask("2024-01-01", "2024-01-04", PartitionUnit::kDay);
  question.survey =
      Survey{{At("2024-01-01"), kNoLimit}, {At("2024-01-02"), kNoLimit}, {At("2024-01-03"), 1}};
  question.bytes_per_row = 100;
  auto slices = Plan(question);
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_EQ(slices[0].rows, kNoLimit);
  EXPECT_EQ(slices[0].bytes, kNoLimit);
  const auto halves = SplitSlice(slices[0], PartitionUnit::kDay, &*question.survey);
  ASSERT_TRUE(halves);
  EXPECT_EQ(*halves->first.bytes + *halves->second.bytes, kNoLimit);
  question.limits.max_rows = kNoLimit - 1;
  EXPECT_EQ(Plan(question).size(), 3U);
}

TEST(PlanSlicesTest, WithoutPartitionsRowsAreSurveyedByTheDay) {
  SliceQuestion question = Ask("2024-01-01 12:00", "2030-01-01", PartitionUnit::kNone);
  Survey survey;
  for (int i = 0; i < 300; ++i) {
    survey.push_back({At("2024-01-01") + i * UnixNanos{86'400'000'000'000}, 10});
  }
  question.survey = survey;
  auto slices = Plan(question);
  ASSERT_EQ(slices.size(), 1U) << "there are no partitions to limit";
  EXPECT_EQ(slices[0].rows, 3000U);
  EXPECT_EQ(slices[0].partitions, 1U);
  question.limits.max_rows = 1005;
  slices = Plan(question);
  ExpectCovers(slices, question);
  ASSERT_EQ(slices.size(), 3U);
  EXPECT_EQ(slices[1].rows, 1000U);
  EXPECT_EQ(slices[1].partitions, 1U);
}

TEST(PlanSlicesTest, RefusesWhatHasNoPlan) {
  const SliceQuestion good = Ask("2024-01-01 12:00", "2024-01-05", PartitionUnit::kDay);
  const UnixNanos day = UnixNanos{86'400'000'000'000};
  struct Case {
    std::function<void(SliceQuestion&)> spoil;
    const char* message;
  };
  const Case cases[] = {
      {[](auto& q) { q.range.end = q.range.from; }, "empty"},
      {[](auto& q) { q.limits.max_partitions = 0; }, "at least one partition"},
      {[](auto& q) { q.limits.max_rows = 5; }, "need a survey"},
      {[](auto& q) { q.limits.max_rows = 0; }, "at least one row"},
      {[](auto& q) {
         q.survey = Survey{{At("2024-01-02 01:00"), 1}};
       },
       "no start"},
      {[](auto& q) {
         q.survey = Survey{{q.range.from, 1}};
       },
       "no start"},
      {[&](auto& q) {
         q.survey = Survey{{At("2024-01-03"), 1}, {At("2024-01-02"), 1}};
       },
       "partition 2 of the survey, 2024-01-02 00:00:00.000000000, is not after"},
      {[](auto& q) {
         q.survey = Survey{{At("2024-01-03"), 1}, {At("2024-01-03"), 1}};
       },
       "not after"},
      {[](auto& q) {
         q.survey = Survey{{At("2024-01-05"), 1}};
       },
       "outside"},
      {[&](auto& q) {
         q.survey = Survey{{At("2024-01-01") - day, 1}};
       },
       "outside"},
  };
  for (const Case& tested : cases) {
    SliceQuestion question = good;
    tested.spoil(question);
    const auto slices = PlanSlices(question);
    ASSERT_FALSE(slices) << tested.message;
    EXPECT_EQ(slices.error().kind, ErrorKind::kInvalidInput);
    EXPECT_THAT(slices.error().Text(), HasSubstr(tested.message));
  }
}

// The least number of slices by trying every way to cut: rows of the populated partitions, in
// order.
std::size_t LeastSlices(const std::vector<std::uint64_t>& rows, const SliceLimits& limits) {
  std::vector<std::size_t> least(rows.size() + 1, rows.size() + 1);
  least[0] = 0;
  for (std::size_t end = 1; end <= rows.size(); ++end) {
    std::uint64_t total = 0;
    for (std::size_t begin = end; begin-- > 0;) {
      total += rows[begin];
      const bool alone = begin + 1 == end;
      const bool fits =
          end - begin <= limits.max_partitions && (!limits.max_rows || total <= *limits.max_rows);
      if (alone || fits) least[end] = std::min(least[end], least[begin] + 1);
    }
  }
  return std::max<std::size_t>(least[rows.size()], 1);
}

TEST(PlanSlicesTest, IsTheLeastThatTheLimitsAllow) {
  std::mt19937 random(21);
  const UnixNanos day = UnixNanos{86'400'000'000'000};
  std::size_t most = 0;
  for (int round = 0; round < 3000; ++round) {
    SliceQuestion question;
    question.unit = PartitionUnit::kDay;
    const UnixNanos first = At("2024-02-20");
    const auto days = static_cast<UnixNanos>(random() % 25 + 1);
    question.range = {first + static_cast<UnixNanos>(random() % 86'400) * 1'000'000'000,
                      first + days * day - static_cast<UnixNanos>(random() % 86'399)};
    question.limits.max_partitions = random() % 6 + 1;
    if (random() % 4 != 0) question.limits.max_rows = random() % 40 + 1;
    Survey survey;
    std::vector<std::uint64_t> rows;
    for (UnixNanos i = 0; i < days; ++i) {
      if (random() % 3 == 0) continue;
      survey.push_back({first + i * day, random() % 30});
      if (survey.back().rows > 0) rows.push_back(survey.back().rows);
    }
    question.survey = survey;
    if (question.range.from >= question.range.end) continue;

    const auto slices = Plan(question);
    ExpectCovers(slices, question);
    EXPECT_EQ(slices.size(), LeastSlices(rows, question.limits)) << round;
    std::size_t next = 0;
    for (const UnloadSlice& slice : slices) {
      std::uint64_t in_slice = 0;
      const std::size_t begin = next;
      while (next < rows.size() && next - begin < slice.partitions) in_slice += rows[next++];
      EXPECT_EQ(slice.rows, in_slice) << round;
      EXPECT_LE(slice.partitions, question.limits.max_partitions) << round;
      if (question.limits.max_rows && slice.partitions > 1) {
        EXPECT_LE(in_slice, *question.limits.max_rows);
      }
    }
    EXPECT_EQ(next, rows.size());
    most = std::max(most, slices.size());
  }
  EXPECT_GT(most, 10U);
}

TEST(PlanSlicesTest, PlansAMillionPartitions) {
  SliceQuestion question = Ask("1970-01-01", "2200-01-01", PartitionUnit::kHour);
  Survey survey;
  for (int i = 0; i < 1'000'000; ++i) survey.push_back({i * UnixNanos{7'200'000'000'000}, 1000});
  question.survey = std::move(survey);
  auto slices = Plan(question);
  EXPECT_EQ(slices.size(), 10'000U);
  EXPECT_EQ(slices.back().Id(), "10000");
  // Halving each of them looks at its own partitions only.
  for (const UnloadSlice& slice : slices) {
    const auto halves = SplitSlice(slice, PartitionUnit::kHour, &*question.survey);
    ASSERT_TRUE(halves);
    ASSERT_EQ(halves->first.partitions, 50U);
  }
}

}  // namespace
}  // namespace tsm::unload
