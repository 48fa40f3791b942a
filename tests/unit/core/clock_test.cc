#include "tsm/core/clock.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/fake_clock.h"

namespace tsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SystemClockTest, SleepsForTheDuration) {
  const SystemClock clock;
  const auto before = clock.Steady();
  EXPECT_TRUE(clock.SleepFor(milliseconds(2), {}));
  EXPECT_GE(clock.Steady() - before, milliseconds(2));
}

TEST(SystemClockTest, AStopEndsALongSleepAtOnce) {
  const SystemClock clock;
  std::stop_source source;
  const auto before = clock.Steady();
  std::jthread stopper([&] { source.request_stop(); });
  EXPECT_FALSE(clock.SleepFor(std::chrono::nanoseconds::max(), source.get_token()));
  EXPECT_LT(clock.Steady() - before, seconds(30));
}

TEST(SystemClockTest, AStoppedTokenDoesNotSleep) {
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(SystemClock().SleepFor(std::chrono::hours(1), source.get_token()));
}

TEST(FakeClockTest, SleepingMovesBothClocksAndIsWrittenDown) {
  const test::FakeClock clock;
  const auto wall = clock.Now();
  const auto steady = clock.Steady();
  EXPECT_TRUE(clock.SleepFor(seconds(3600), {}));
  EXPECT_EQ(clock.Now() - wall, seconds(3600));
  EXPECT_EQ(clock.Steady() - steady, seconds(3600));
  ASSERT_EQ(clock.sleeps().size(), 1U);
  EXPECT_EQ(clock.sleeps()[0], seconds(3600));
}

}  // namespace
}  // namespace tsm
