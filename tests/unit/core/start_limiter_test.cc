#include "tsm/core/start_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <vector>

#include "support/fake_clock.h"

namespace tsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

class StartLimiterTest : public ::testing::Test {
 protected:
  // When each of so many turns was given, after the first.
  std::vector<nanoseconds> Turns(StartLimiter& limiter, int count) {
    const auto began = clock_.Steady();
    std::vector<nanoseconds> turns;
    for (int i = 0; i < count; ++i) {
      EXPECT_TRUE(limiter.Acquire({}));
      turns.push_back(clock_.Steady() - began);
    }
    return turns;
  }

  test::FakeClock clock_;
};

// Waits are written down and nothing passes: what each caller was told to wait shows its turn.
class StandingClock final : public Clock {
 public:
  std::chrono::system_clock::time_point Now() const override { return {}; }
  std::chrono::steady_clock::time_point Steady() const override { return {}; }
  bool SleepFor(nanoseconds duration, std::stop_token stop) const override {
    const std::lock_guard lock(mutex_);
    waits_.push_back(duration);
    return !stop.stop_requested();
  }
  std::vector<nanoseconds> waits() const {
    const std::lock_guard lock(mutex_);
    return waits_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::vector<nanoseconds> waits_;
};

TEST_F(StartLimiterTest, TheFirstGoesAtOnceTheNextAnIntervalApart) {
  StartLimiter limiter(clock_, seconds(1));
  EXPECT_THAT(Turns(limiter, 4), ElementsAre(seconds(0), seconds(1), seconds(2), seconds(3)));
}

TEST_F(StartLimiterTest, TimeNotUsedIsNotSaved) {
  StartLimiter limiter(clock_, seconds(1));
  EXPECT_TRUE(limiter.Acquire({}));
  clock_.Advance(seconds(10));
  EXPECT_THAT(Turns(limiter, 3), ElementsAre(seconds(0), seconds(1), seconds(2)));
  clock_.Advance(milliseconds(400));
  EXPECT_THAT(Turns(limiter, 2), ElementsAre(milliseconds(600), milliseconds(1600)));
}

TEST_F(StartLimiterTest, CallersThatAskAtOnceGetTurnsInTheOrderOfAsking) {
  const StandingClock clock;
  StartLimiter limiter(clock, seconds(1));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(limiter.Acquire({}));
  EXPECT_THAT(clock.waits(), ElementsAre(seconds(1), seconds(2), seconds(3)));
}

TEST_F(StartLimiterTest, NoTwoThreadsShareATurn) {
  const StandingClock clock;
  StartLimiter limiter(clock, seconds(1));
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) threads.emplace_back([&limiter] { (void)limiter.Acquire({}); });
  }
  std::vector<nanoseconds> waits = clock.waits();
  std::sort(waits.begin(), waits.end());
  EXPECT_THAT(waits, ElementsAre(seconds(1), seconds(2), seconds(3), seconds(4), seconds(5),
                                 seconds(6), seconds(7)));
}

TEST_F(StartLimiterTest, AStopEndsTheWaitAndTheTurnPassesUnused) {
  StartLimiter limiter(clock_, seconds(1));
  std::stop_source stop;
  EXPECT_TRUE(limiter.Acquire(stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(limiter.Acquire(stop.get_token()));
  EXPECT_TRUE(clock_.sleeps().empty());
  EXPECT_THAT(Turns(limiter, 1), ElementsAre(seconds(2)));
  // Also where the turn would be now.
  clock_.Advance(minutes(1));
  EXPECT_FALSE(limiter.Acquire(stop.get_token()));
}

TEST_F(StartLimiterTest, ThrottlingDoublesTheIntervalOncePerInterval) {
  StartLimiter limiter(clock_, seconds(1));
  limiter.SlowDown();
  limiter.SlowDown();
  EXPECT_EQ(limiter.interval(), seconds(2));
  clock_.Advance(milliseconds(1999));
  limiter.SlowDown();
  EXPECT_EQ(limiter.interval(), seconds(2));
  clock_.Advance(milliseconds(1));
  limiter.SlowDown();
  EXPECT_EQ(limiter.interval(), seconds(4));
}

TEST_F(StartLimiterTest, AThrottlingAlsoPutsOffTheNextTurn) {
  StartLimiter limiter(clock_, seconds(1));
  EXPECT_TRUE(limiter.Acquire({}));
  clock_.Advance(milliseconds(500));
  limiter.SlowDown();
  EXPECT_THAT(Turns(limiter, 3), ElementsAre(seconds(2), seconds(4), seconds(6)));
}

TEST_F(StartLimiterTest, SlowsDownToAMinuteAtMost) {
  StartLimiter limiter(clock_, seconds(1));
  for (int i = 0; i < 20; ++i) {
    limiter.SlowDown();
    clock_.Advance(minutes(2));
  }
  EXPECT_EQ(limiter.interval(), minutes(1));
}

TEST_F(StartLimiterTest, AnIntervalOfMoreThanAMinuteStays) {
  StartLimiter limiter(clock_, minutes(5));
  limiter.SlowDown();
  EXPECT_EQ(limiter.interval(), minutes(5));
}

TEST_F(StartLimiterTest, SuccessesShrinkTheIntervalByAQuarterDownToTheBase) {
  StartLimiter limiter(clock_, seconds(1));
  limiter.SpeedUp();
  EXPECT_EQ(limiter.interval(), seconds(1));
  limiter.SlowDown();
  limiter.SpeedUp();
  EXPECT_EQ(limiter.interval(), milliseconds(1500));
  limiter.SpeedUp();
  EXPECT_EQ(limiter.interval(), milliseconds(1125));
  limiter.SpeedUp();
  EXPECT_EQ(limiter.interval(), seconds(1));
}

TEST_F(StartLimiterTest, NoIntervalIsSlowedDownToo) {
  StartLimiter limiter(clock_, nanoseconds(0));
  EXPECT_THAT(Turns(limiter, 3), ElementsAre(seconds(0), seconds(0), seconds(0)));
  limiter.SlowDown();
  EXPECT_EQ(limiter.interval(), milliseconds(100));
  clock_.Advance(seconds(1));
  limiter.SlowDown();
  EXPECT_EQ(limiter.interval(), milliseconds(200));
  for (int i = 0; i < 200; ++i) limiter.SpeedUp();
  EXPECT_LT(limiter.interval(), milliseconds(1));
}

}  // namespace
}  // namespace tsm
