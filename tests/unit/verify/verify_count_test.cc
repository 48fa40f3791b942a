#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tsm/core/time_text.h"
#include "tsm/timestream/limits.h"
#include "tsm/timestream/partition_calendar.h"
#include "verify/verify_bench.h"

namespace tsm::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using verify::CountRequest;
using verify::CountVerdict;
using verify::ExpectedPlace;

struct CountBench : VerifyBench {
  CountBench() { request.table = table; }

  CountRequest request;

  // A day with so many rows, of which `expected` are waited for.
  void AddDay(int day, std::uint64_t rows, std::uint64_t expected, UnixNanos seen_from = 0) {
    const UnixNanos from = kFebruary26 + day * kDay;
    request.places.push_back({FormatTimestamp(from).substr(0, 10), from, from + kDay, expected});
    AddRows(from, rows, seen_from);
  }
  void AddRows(UnixNanos time, std::uint64_t rows, UnixNanos seen_from = 0) {
    FakeRows& to = Rows();
    for (std::uint64_t i = 0; i < rows; ++i) {
      to.rows.push_back({time + static_cast<UnixNanos>(i), {}, seen_from});
    }
  }
  UnixNanos In(std::chrono::seconds later) const { return Now() + later.count() * kSecond; }

  Result<CountVerdict> Verify() {
    return verify::VerifyCount(request, Services(), stop.get_token());
  }
};

std::vector<std::string> Lines(const CountVerdict& verdict) {
  std::vector<std::string> lines;
  for (const verify::PlaceDifference& difference : verdict.differences) {
    lines.push_back(difference.str());
  }
  return lines;
}

TEST(VerifyCountTest, EqualCountsAreOneQuestion) {
  CountBench bench;
  bench.AddDay(0, 3, 3);
  bench.AddDay(1, 0, 0);
  bench.AddDay(2, 5, 5);
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_EQ(verdict->expected, 8U);
  EXPECT_EQ(verdict->counted, 8U);
  EXPECT_FALSE(verdict->waited_out);
  EXPECT_THAT(bench.clock.sleeps(), IsEmpty());
  EXPECT_THAT(bench.service.Asked(),
              ElementsAre("SELECT CASE WHEN time < '2024-02-27 00:00:00.000000000' THEN 0 ELSE "
                          "CASE WHEN time < '2024-02-28 00:00:00.000000000' THEN 1 ELSE 2 END END "
                          "AS \"place\", count(*) AS \"rows\" FROM \"db\".\"t\" WHERE time >= "
                          "'2024-02-26 00:00:00.000000000' AND time < "
                          "'2024-02-29 00:00:00.000000000' GROUP BY 1"));
  EXPECT_EQ(bench.sink.progress.back().phase, "verify");
  EXPECT_EQ(bench.sink.progress.back().done, 3U);
  EXPECT_EQ(bench.sink.progress.back().rows_done, 8U);
}

TEST(VerifyCountTest, RowsBesideAndBetweenThePlacesCountForNothing) {
  CountBench bench;
  bench.request.places = {{"a", kFebruary26 + 5, kFebruary26 + 8, 2},
                          {"b", kFebruary26 + 8, kFebruary26 + 9, 1},
                          {"c", kFebruary26 + 20, kFebruary26 + 30, 3}};
  for (const int time : {4, 5, 7, 8, 9, 19, 20, 25, 29, 30}) bench.AddRows(kFebruary26 + time, 1);
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(Lines(*verdict), IsEmpty());
  EXPECT_EQ(verdict->counted, 6U);
}

TEST(VerifyCountTest, RowsThatAreSeenLateAreWaitedFor) {
  CountBench bench;
  bench.AddDay(0, 4, 4);
  bench.AddDay(1, 10, 10, bench.In(std::chrono::hours(2)));
  bench.AddDay(2, 2, 2);
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_EQ(verdict->counted, 16U);
  EXPECT_GE(bench.Slept(), std::chrono::hours(2));
  EXPECT_LE(bench.Slept(), std::chrono::hours(2) + std::chrono::minutes(10));
  // From half a minute to ten: some twenty questions, and after the first of the one day only.
  const auto asked = bench.service.Asked();
  EXPECT_GE(asked.size(), 10U);
  EXPECT_LE(asked.size(), 40U);
  EXPECT_THAT(asked[1], HasSubstr("WHERE time >= '2024-02-27 00:00:00.000000000' AND time < "
                                  "'2024-02-28 00:00:00.000000000'"));
  EXPECT_THAT(bench.sink.notices,
              ElementsAre(HasSubstr("6 of 16 rows of db.t are to be seen so far (2024-02-27: 10 "
                                    "rows expected, the table has 0); what a batch load wrote")));
  EXPECT_GE(bench.ticks, 240);  // a lock is renewed each minute
}

TEST(VerifyCountTest, FewerRowsForGoodAreTheVerdictAfterTheWait) {
  CountBench bench;
  bench.AddDay(0, 3, 4);
  bench.AddDay(1, 1, 1);
  bench.AddDay(2, 1000, 1001);
  bench.request.wait = std::chrono::minutes(50);
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_TRUE(verdict->waited_out);
  EXPECT_EQ(verdict->unsettled, 0U);
  EXPECT_THAT(Lines(*verdict), ElementsAre("2024-02-26: 4 rows expected, the table has 3",
                                           "2024-02-28: 1,001 rows expected, the table has 1,000"));
  EXPECT_EQ(bench.Slept(), std::chrono::minutes(50));  // the last question is asked at its end
}

TEST(VerifyCountTest, WithoutAWaitOnlyOneQuestionIsAsked) {
  CountBench bench;
  bench.AddDay(0, 0, 1);
  bench.request.wait = std::chrono::seconds(0);
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->waited_out);
  EXPECT_THAT(Lines(*verdict), ElementsAre("2024-02-26: 1 row expected, the table has 0"));
  EXPECT_THAT(bench.service.Asked(), SizeIs(1));
}

TEST(VerifyCountTest, MoreRowsAreFinalAtOnce) {
  CountBench bench;
  bench.AddDay(0, 12, 10);
  bench.AddDay(1, 1, 2);
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->waited_out);
  EXPECT_EQ(verdict->unsettled, 1U);
  EXPECT_THAT(Lines(*verdict), ElementsAre("2024-02-26: 10 rows expected, the table has 12",
                                           "2024-02-27: 2 rows expected, the table has 1"));
  EXPECT_THAT(bench.clock.sleeps(), IsEmpty());
}

TEST(VerifyCountTest, AWholeTableIsOnePlace) {
  CountBench bench;
  bench.AddRows(7, 3);
  bench.AddRows(kFebruary26, 4);
  bench.request.whole_table = true;
  bench.request.places = {{"db.t", 0, 0, 7}};
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_THAT(bench.service.Asked(), ElementsAre("SELECT count(*) AS \"rows\" FROM \"db\".\"t\""));
  bench.request.places.push_back({"again", 0, 0, 7});
  EXPECT_EQ(bench.Verify().error().kind, ErrorKind::kInvalidInput);
}

TEST(VerifyCountTest, TenThousandPlacesAreAHundredQuestions) {
  CountBench bench;
  constexpr std::uint64_t kPlaces = 10'000;
  for (std::uint64_t i = 0; i < kPlaces; ++i) {
    const UnixNanos from = static_cast<UnixNanos>(i) * kDay / 24;
    bench.request.places.push_back({std::to_string(i), from, from + kDay / 24, i % 3});
    // One place is a row short until an hour has passed.
    bench.AddRows(from, i % 3, i == 5000 ? bench.In(std::chrono::hours(1)) : 0);
  }
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_EQ(verdict->counted, verdict->expected);
  const auto asked = bench.service.Asked();
  EXPECT_GE(asked.size(), 105U);
  EXPECT_LE(asked.size(), 140U);
  std::size_t longest = 0;
  for (const std::string& sql : asked) longest = std::max(longest, sql.size());
  EXPECT_LT(longest, timestream::kMaxQueryBytes / 10);
}

TEST(VerifyCountTest, PlacesMustBeInTheOrderOfTime) {
  CountBench bench;
  bench.Rows();
  bench.request.places = {{"a", 0, 10, 1}, {"b", 9, 20, 1}};
  auto verdict = bench.Verify();
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(verdict.error().Text(), HasSubstr("b begins before a ends"));
  bench.request.places = {{"a", 10, 10, 1}};
  verdict = bench.Verify();
  ASSERT_FALSE(verdict);
  EXPECT_THAT(verdict.error().Text(), HasSubstr("a holds no time"));
  bench.request.places.clear();
  EXPECT_TRUE(bench.Verify());
  EXPECT_THAT(bench.service.Asked(), IsEmpty());
}

TEST(VerifyCountTest, ThrottlesAndPassingFailuresAreWaitedOut) {
  CountBench bench;
  bench.AddDay(0, 3, 3);
  const auto started = bench.clock.Steady();
  bench.clients.transport.before = [&](const FakeCall& call) -> std::optional<Interference> {
    const bool throttles = bench.clock.Steady() - started < std::chrono::minutes(30);
    if (!throttles) return std::nullopt;
    return call.number % 5 == 0 ? Interference::Reset() : Interference::Throttle();
  };
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_THAT(bench.sink.notices.front(), HasSubstr("asking again in a while"));
}

TEST(VerifyCountTest, WhatDoesNotPassIsGivenUp) {
  CountBench bench;
  bench.AddDay(0, 3, 3);
  bench.clients.transport.before = [](const FakeCall&) { return Interference::Throttle(); };
  verify::VerifyServices services = bench.Services();
  services.give_up_after = std::chrono::minutes(10);
  const auto throttled = verify::VerifyCount(bench.request, services, {});
  ASSERT_FALSE(throttled);
  EXPECT_EQ(throttled.error().kind, ErrorKind::kThrottled);
  EXPECT_THAT(throttled.error().Text(), HasSubstr("counting the rows of db.t from 2024-02-26"));
  EXPECT_LE(bench.Slept(), std::chrono::minutes(12));

  bench.clients.transport.before = [](const FakeCall&) {
    return Interference::Of("AccessDeniedException", "no", 403);
  };
  const auto denied = bench.Verify();
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().kind, ErrorKind::kAccessDenied);
}

TEST(VerifyCountTest, AStopEndsTheWait) {
  CountBench bench;
  bench.AddDay(0, 3, 4);
  bench.sink.on_notice = [&](const Notice&) { bench.stop.request_stop(); };
  const auto verdict = bench.Verify();
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().kind, ErrorKind::kCancelled);
  EXPECT_THAT(bench.service.Asked(), SizeIs(1));
}

TEST(VerifyCountTest, ALostLockEndsTheWait) {
  CountBench bench;
  bench.AddDay(0, 3, 4);
  verify::VerifyServices services = bench.Services();
  // Of a kind that would be waited out if it were the service's.
  services.tick = [&]() -> Status {
    if (++bench.ticks < 5) return Ok();
    return MakeError(ErrorKind::kTransient, "the lock could not be renewed");
  };
  const auto verdict = verify::VerifyCount(bench.request, services, {});
  ASSERT_FALSE(verdict);
  EXPECT_THAT(verdict.error().Text(), HasSubstr("the lock could not be renewed"));
  EXPECT_EQ(bench.ticks, 5);
}

TEST(CountRowsTest, CountsWhatIsThereBeforeALoad) {
  CountBench bench;
  bench.AddRows(kFebruary26, 3);
  bench.AddRows(kFebruary26 + kDay, 4);
  const auto count = [&](const std::optional<UnixNanos>& from,
                         const std::optional<UnixNanos>& end) {
    return verify::CountRows(bench.table, from, end, bench.Services(), {}).value();
  };
  EXPECT_EQ(count({}, {}), 7U);
  EXPECT_EQ(count(kFebruary26 + kDay, {}), 4U);
  EXPECT_EQ(count({}, kFebruary26 + kDay), 3U);
  EXPECT_EQ(count(kFebruary26 + 1, kFebruary26 + kDay + 1), 3U);
  EXPECT_EQ(count(timestream::kFirstMoment, timestream::kLastMoment), 7U);
  EXPECT_THAT(bench.service.Asked().back(), ::testing::Not(HasSubstr("WHERE")));
  const auto missing = verify::CountRows({"db", "none"}, {}, {}, bench.Services(), {});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().Text(), HasSubstr("counting the rows of db.none"));
}

}  // namespace
}  // namespace tsm::test
