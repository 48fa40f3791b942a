#include "tsm/timestream/partition_calendar.h"

#include <gtest/gtest.h>

#include <array>
#include <ctime>
#include <random>

#include "tsm/core/time_text.h"

namespace tsm::timestream {
namespace {

constexpr std::array kUnits = {PartitionUnit::kHour, PartitionUnit::kDay, PartitionUnit::kMonth,
                               PartitionUnit::kYear};

UnixNanos At(std::string_view text) { return *ParseTimestamp(text); }

TEST(PartitionUnitTest, HasANameThatIsRead) {
  for (const PartitionUnit unit : kUnits) EXPECT_EQ(ParsePartitionUnit(Name(unit)), unit);
  EXPECT_EQ(ParsePartitionUnit(""), PartitionUnit::kNone);
  EXPECT_EQ(ParsePartitionUnit("days"), std::nullopt);
}

struct Case {
  PartitionUnit unit;
  const char* time;
  const char* start;
  const char* next;
  const char* text;
};

TEST(PartitionCalendarTest, KnowsWhereEachBeginsAndEnds) {
  const Case cases[] = {
      {PartitionUnit::kHour, "2024-02-26 17:24:38.27", "2024-02-26 17:00", "2024-02-26 18:00",
       "2024-02-26-17"},
      {PartitionUnit::kHour, "2023-12-31 23:59:59.999999999", "2023-12-31 23:00", "2024-01-01",
       "2023-12-31-23"},
      {PartitionUnit::kDay, "2024-02-28 17:24", "2024-02-28", "2024-02-29", "2024-02-28"},
      {PartitionUnit::kDay, "2024-02-29", "2024-02-29", "2024-03-01", "2024-02-29"},
      {PartitionUnit::kDay, "2023-02-28 23:59:59.999999999", "2023-02-28", "2023-03-01",
       "2023-02-28"},
      {PartitionUnit::kDay, "2100-02-28", "2100-02-28", "2100-03-01", "2100-02-28"},
      {PartitionUnit::kDay, "1970-01-01", "1970-01-01", "1970-01-02", "1970-01-01"},
      {PartitionUnit::kMonth, "2024-02-29 23:59:59", "2024-02-01", "2024-03-01", "2024-02"},
      {PartitionUnit::kMonth, "2023-12-31", "2023-12-01", "2024-01-01", "2023-12"},
      {PartitionUnit::kMonth, "1970-01-01", "1970-01-01", "1970-02-01", "1970-01"},
      {PartitionUnit::kYear, "2023-12-31 23:59:59.999999999", "2023-01-01", "2024-01-01", "2023"},
      {PartitionUnit::kYear, "2000-01-01", "2000-01-01", "2001-01-01", "2000"},
  };
  for (const Case& tested : cases) {
    const UnixNanos time = At(tested.time);
    EXPECT_EQ(PartitionStart(tested.unit, time), At(tested.start)) << tested.time;
    EXPECT_EQ(NextPartition(tested.unit, time), At(tested.next)) << tested.time;
    EXPECT_EQ(PartitionText(tested.unit, time), tested.text);
    EXPECT_EQ(ParsePartitionText(tested.unit, tested.text), At(tested.start)) << tested.text;
  }
}

TEST(PartitionCalendarTest, CountsWithoutWalking) {
  struct CountCase {
    PartitionUnit unit;
    const char* from;
    const char* end;
    std::uint64_t count;
  };
  const CountCase cases[] = {
      {PartitionUnit::kDay, "2021-01-01", "2024-01-01", 1095},
      {PartitionUnit::kDay, "2024-01-01", "2025-01-01", 366},
      {PartitionUnit::kDay, "2024-02-28 23:59:59.999999999", "2024-03-01 00:00:00.000000001", 3},
      {PartitionUnit::kDay, "2024-02-28", "2024-02-29", 1},
      {PartitionUnit::kDay, "2024-02-28", "2024-02-29 00:00:00.000000001", 2},
      {PartitionUnit::kHour, "2024-02-01", "2024-03-02", 720},
      {PartitionUnit::kHour, "1970-01-01", "2262-04-11 23:47:16", 2'562'048},
      {PartitionUnit::kMonth, "2023-11-30", "2024-02-01", 3},
      {PartitionUnit::kYear, "1970-01-01", "2262-04-11 23:47:16", 293},
      {PartitionUnit::kNone, "1970-01-01", "2262-04-11 23:47:16", 1},
      {PartitionUnit::kDay, "2024-02-28", "2024-02-28", 0},
      {PartitionUnit::kNone, "2024-02-28", "2024-02-28", 0},
      {PartitionUnit::kHour, "2024-02-28", "2024-02-27", 0},
  };
  for (const CountCase& tested : cases) {
    EXPECT_EQ(CountPartitions(tested.unit, At(tested.from), At(tested.end)), tested.count)
        << tested.from << " to " << tested.end;
  }
}

TEST(PartitionCalendarTest, HoldsAtBothEndsOf64Bits) {
  for (const PartitionUnit unit : kUnits) {
    EXPECT_EQ(NextPartition(unit, kLastMoment), kLastMoment);
    EXPECT_EQ(PartitionStart(unit, kFirstMoment), kFirstMoment);
    EXPECT_LT(PartitionStart(unit, kLastMoment), kLastMoment);
    EXPECT_GT(NextPartition(unit, kFirstMoment), kFirstMoment);
    EXPECT_GT(CountPartitions(unit, kFirstMoment, kLastMoment), 580U);
    for (const std::int64_t number : {kLastMoment, kLastMoment / 2}) {
      EXPECT_EQ(PartitionBegin(unit, number), kLastMoment);
      EXPECT_EQ(PartitionBegin(unit, -number), kFirstMoment);
    }
  }
  EXPECT_EQ(PartitionStart(PartitionUnit::kNone, 5), kFirstMoment);
  EXPECT_EQ(NextPartition(PartitionUnit::kNone, 5), kLastMoment);
}

TEST(PartitionCalendarTest, PartitionsFollowOneAnother) {
  std::mt19937_64 random(11);
  for (const PartitionUnit unit : kUnits) {
    for (int i = 0; i < 2000; ++i) {
      // Every other time before 1970.
      const auto time = static_cast<UnixNanos>(random() >> 2U) * (i % 2 == 0 ? 1 : -1);
      const UnixNanos start = PartitionStart(unit, time);
      const UnixNanos next = NextPartition(unit, time);
      ASSERT_LE(start, time);
      ASSERT_LT(time, next);
      ASSERT_EQ(PartitionStart(unit, start), start);
      ASSERT_EQ(PartitionStart(unit, next), next);
      ASSERT_EQ(PartitionStart(unit, next - 1), start);
      ASSERT_EQ(PartitionBegin(unit, PartitionNumber(unit, time)), start);
      ASSERT_EQ(PartitionNumber(unit, next), PartitionNumber(unit, time) + 1);
      ASSERT_EQ(CountPartitions(unit, start, next), 1U);
    }
  }
}

// What the SQL asks of the service, evaluated by the C library: these specifiers mean the same to
// it.
TEST(PartitionCalendarTest, TextIsWhatDateFormatMakes) {
  std::mt19937_64 random(12);
  for (const PartitionUnit unit : kUnits) {
    const std::string format(PartitionDateFormat(unit));
    for (int i = 0; i < 500; ++i) {
      const auto time = static_cast<UnixNanos>(random() >> 1U);
      const std::time_t seconds = time / 1'000'000'000;
      std::tm fields{};
      ASSERT_NE(::gmtime_r(&seconds, &fields), nullptr);
      std::array<char, 64> text{};
      ASSERT_GT(std::strftime(text.data(), text.size(), format.c_str(), &fields), 0U);
      ASSERT_EQ(PartitionText(unit, time), text.data());
      ASSERT_EQ(ParsePartitionText(unit, text.data()), PartitionStart(unit, time));
    }
  }
}

TEST(PartitionCalendarTest, RefusesTextsOfAnotherShape) {
  const std::pair<PartitionUnit, const char*> cases[] = {
      {PartitionUnit::kHour, "2024-02-26"},
      {PartitionUnit::kHour, "2024-02-26 17"},
      {PartitionUnit::kHour, "2024-02-26-24"},
      {PartitionUnit::kHour, "2024-02-26-1"},
      {PartitionUnit::kHour, "2024-02-26T17"},
      {PartitionUnit::kDay, "2024-02-30"},
      {PartitionUnit::kDay, "2024-02-3"},
      {PartitionUnit::kDay, ""},
      {PartitionUnit::kDay, "2024-02-26Z"},
      {PartitionUnit::kMonth, "2024-13"},
      {PartitionUnit::kMonth, "2024-02-26"},
      {PartitionUnit::kMonth, "2024-2-"},
      {PartitionUnit::kYear, "1969"},
      {PartitionUnit::kYear, "2263"},
      {PartitionUnit::kYear, "+202"},
      {PartitionUnit::kYear, "20240"},
      {PartitionUnit::kNone, ""},
  };
  for (const auto& [unit, text] : cases) {
    EXPECT_EQ(ParsePartitionText(unit, text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tsm::timestream
