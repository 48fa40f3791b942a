#include "support/simulated_clock.h"

#include <gtest/gtest.h>

#include <barrier>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "tsm/core/parallel.h"

namespace tsm::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(SimulatedClockTest, HoursPassAtOnce) {
  const SimulatedClock clock;
  const auto before = std::chrono::steady_clock::now();
  const auto wall = clock.Now();
  EXPECT_TRUE(clock.SleepFor(hours(5), {}));
  EXPECT_EQ(clock.elapsed(), hours(5));
  EXPECT_EQ(clock.Now() - wall, hours(5));
  EXPECT_EQ(clock.Steady().time_since_epoch(), hours(5));
  EXPECT_EQ(clock.leaps(), 1U);
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(30));
}

TEST(SimulatedClockTest, NoTimePassesWithoutASleep) {
  const SimulatedClock clock;
  EXPECT_TRUE(clock.SleepFor(nanoseconds(0), {}));
  std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(clock.elapsed(), nanoseconds(0));
}

TEST(SimulatedClockTest, ThreadsSleepSideBySide) {
  const SimulatedClock clock;
  // Nine sleeps of an hour, three at a time.
  ParallelFor(9, 3, {}, [&](std::size_t, std::stop_token stop) {
    return clock.SleepFor(hours(1), std::move(stop));
  });
  EXPECT_EQ(clock.elapsed(), hours(3));
}

TEST(SimulatedClockTest, WakesInTheOrderOfHoursOneAtATime) {
  const SimulatedClock clock;
  std::mutex mutex;
  std::vector<std::pair<int, nanoseconds>> woken;
  std::barrier all(4);
  {
    std::vector<std::jthread> threads;
    for (int i = 4; i > 0; --i) {
      threads.emplace_back([&, i] {
        all.arrive_and_wait();
        clock.SleepFor(minutes(i), {});
        const auto now = clock.elapsed();
        const std::lock_guard lock(mutex);
        woken.emplace_back(i, now);
      });
    }
  }
  ASSERT_EQ(woken.size(), 4U);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(woken[static_cast<std::size_t>(i)].first, i + 1);
    EXPECT_EQ(woken[static_cast<std::size_t>(i)].second, minutes(i + 1));
  }
}

TEST(SimulatedClockTest, TimeWaitsForAThreadThatComputes) {
  const SimulatedClock clock;
  nanoseconds seen{-1};
  std::jthread busy([&] {
    const auto until = std::chrono::steady_clock::now() + milliseconds(30);
    while (std::chrono::steady_clock::now() < until) {
    }
    seen = clock.elapsed();
  });
  clock.SleepFor(hours(1), {});
  busy.join();
  EXPECT_EQ(seen, nanoseconds(0));
}

TEST(SimulatedClockTest, TimeDoesNotWaitForAThreadThatWaits) {
  const SimulatedClock clock;
  std::mutex mutex;
  std::condition_variable ready;
  bool done = false;
  nanoseconds seen{-1};
  std::jthread waiting([&] {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return done; });
    seen = clock.elapsed();
  });
  clock.SleepFor(hours(1), {});
  {
    const std::lock_guard lock(mutex);
    done = true;
  }
  ready.notify_one();
  // What has just been woken comes before any other sleep ends.
  clock.SleepFor(hours(1), {});
  waiting.join();
  EXPECT_EQ(seen, hours(1));
  EXPECT_EQ(clock.elapsed(), hours(2));
}

TEST(SimulatedClockTest, AStopWakesASleeperAndNoTimePasses) {
  const SimulatedClock clock;
  std::stop_source stop;
  const SimulatedClock::Standstill standstill(clock);
  std::jthread sleeper([&] { EXPECT_FALSE(clock.SleepFor(hours(1), stop.get_token())); });
  std::this_thread::sleep_for(milliseconds(2));
  stop.request_stop();
  sleeper.join();
  EXPECT_EQ(clock.elapsed(), nanoseconds(0));
  EXPECT_FALSE(clock.SleepFor(hours(1), stop.get_token()));
}

TEST(SimulatedClockTest, TimeStandsStillWhileItIsAskedTo) {
  const SimulatedClock clock;
  std::jthread sleeper;
  {
    const SimulatedClock::Standstill standstill(clock);
    sleeper = std::jthread([&] { clock.SleepFor(hours(1), {}); });
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_EQ(clock.elapsed(), nanoseconds(0));
  }
  sleeper.join();
  EXPECT_EQ(clock.elapsed(), hours(1));
}

TEST(SimulatedClockTest, ALongestSleepDoesNotOverflow) {
  const SimulatedClock clock;
  clock.SleepFor(hours(1), {});
  EXPECT_TRUE(clock.SleepFor(nanoseconds::max(), {}));
  EXPECT_GT(clock.elapsed(), hours(24 * 365));
}

TEST(SimulatedClockTest, TheSameCourseEachTime) {
  const auto course = [] {
    const SimulatedClock clock;
    std::mutex mutex;
    std::vector<std::pair<std::size_t, nanoseconds>> order;
    ParallelFor(40, 4, {}, [&](std::size_t index, std::stop_token stop) {
      clock.SleepFor(milliseconds(1 + index * 37 % 11), std::move(stop));
      const std::lock_guard lock(mutex);
      order.emplace_back(index, clock.elapsed());
      return true;
    });
    return order;
  };
  EXPECT_EQ(course(), course());
}

}  // namespace
}  // namespace tsm::test
