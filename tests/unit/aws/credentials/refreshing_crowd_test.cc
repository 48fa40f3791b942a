// RefreshingCredentials asked by several threads at once.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "aws/credentials/refreshing_bench.h"

namespace tsm::aws {
namespace {

using Bench = test::RefreshingBench;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using test::Gate;

// Who would wait is told by a stop that has been requested: it ends a wait and nothing else.
bool Waits(const Bench& bench) {
  std::stop_source stop;
  stop.request_stop();
  const auto given = bench.credentials->Get(stop.get_token());
  return !given && given.error().kind == ErrorKind::kCancelled;
}

TEST(RefreshingCrowdTest, InTheMandatoryWindowTheOthersWait) {
  struct Case {
    nanoseconds lifetime;
    nanoseconds mandatory;  // before the expiration
  };
  const std::vector<Case> cases = {{hours(12), minutes(10)},
                                   {hours(1), minutes(10)},
                                   {minutes(5), seconds(50)},
                                   {seconds(6), seconds(1)}};
  for (const Case& c : cases) {
    Bench bench;
    bench.Lasting(c.lifetime);
    ASSERT_EQ(bench.Key(), "AKID1");
    bench.clock.Advance(c.lifetime - c.mandatory);
    Gate gate;
    bench.source->next = [&](std::stop_token) { return gate.Pass(bench.Make(hours(1))); };
    std::jthread renewing([&] { EXPECT_EQ(bench.Key(), "AKID2"); });
    gate.entered.wait();
    EXPECT_FALSE(Waits(bench)) << c.lifetime.count();
    bench.clock.Advance(nanoseconds(1));
    EXPECT_TRUE(Waits(bench)) << c.lifetime.count();
    gate.open.count_down();
  }
}

TEST(RefreshingCrowdTest, InTheAdvisoryWindowTheOthersGoOn) {
  Bench bench;
  ASSERT_EQ(bench.Key(), "AKID1");
  bench.clock.Advance(minutes(46));
  Gate gate;
  bench.source->next = [&](std::stop_token) { return gate.Pass(bench.Make(hours(1))); };
  std::jthread renewing([&] { EXPECT_EQ(bench.Key(), "AKID2"); });
  gate.entered.wait();
  EXPECT_EQ(bench.Key(), "AKID1");
  gate.open.count_down();
  renewing.join();
  EXPECT_EQ(bench.Key(), "AKID2");
  EXPECT_EQ(bench.fetches(), 2);
}

TEST(RefreshingCrowdTest, AStopEndsAWaitAtOnce) {
  Bench bench;
  Gate gate;
  bench.source->next = [&](std::stop_token) { return gate.Pass(bench.Make(hours(1))); };
  std::jthread renewing([&] { EXPECT_EQ(bench.Key(), "AKID1"); });
  gate.entered.wait();
  std::stop_source stop;
  std::jthread waiting([&] {
    const auto given = bench.credentials->Get(stop.get_token());
    ASSERT_FALSE(given);
    EXPECT_EQ(given.error().kind, ErrorKind::kCancelled);
  });
  stop.request_stop();
  waiting.join();  // the fetch is still held up
  gate.open.count_down();
}

TEST(RefreshingCrowdTest, AStopOfTheOneWhoFetchesIsNotTheOthers) {
  Bench bench;
  std::latch entered(1);
  bench.source->next = [&](std::stop_token stop) -> Result<Credentials> {
    if (bench.fetches() > 1) return bench.Make(hours(1));
    entered.count_down();
    std::latch stopped(1);
    const std::stop_callback on_stop(stop, [&] { stopped.count_down(); });
    stopped.wait();
    return MakeError(ErrorKind::kCancelled, "stopped");
  };
  std::stop_source stop;
  std::jthread first([&] { EXPECT_FALSE(bench.credentials->Get(stop.get_token())); });
  entered.wait();
  std::jthread second([&] { EXPECT_EQ(bench.Key(), "AKID2"); });
  stop.request_stop();
  first.join();
  second.join();
  EXPECT_EQ(bench.fetches(), 2);
}

// Many threads that all need new credentials; `refused`: because the service refused the old ones.
void CrowdAsks(Bench& bench, const std::string& expected, const Credentials* refused) {
  constexpr int kThreads = 8;
  std::latch start(kThreads);
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      if (refused != nullptr) {
        EXPECT_TRUE(bench.credentials->Renew(*refused));
      }
      for (int call = 0; call < 50; ++call) EXPECT_EQ(bench.Key(), expected);
    });
  }
}

TEST(RefreshingCrowdTest, ACrowdCausesOneFetch) {
  Bench bench;
  CrowdAsks(bench, "AKID1", nullptr);
  EXPECT_EQ(bench.fetches(), 1);
  bench.clock.Advance(hours(2));
  CrowdAsks(bench, "AKID2", nullptr);
  EXPECT_EQ(bench.fetches(), 2);
  const auto current = bench.credentials->Get({});
  ASSERT_TRUE(current);
  CrowdAsks(bench, "AKID3", &*current);
  EXPECT_EQ(bench.fetches(), 3);
}

TEST(RefreshingCrowdTest, TheSourceIsNeverAskedByTwoAtOnce) {
  Bench bench;
  // Always in the mandatory window, refused now and then, failing now and then.
  bench.source->next = [&](std::stop_token) -> Result<Credentials> {
    std::this_thread::yield();
    if (bench.fetches() % 3 == 0) return MakeError(ErrorKind::kTransient, "down");
    return bench.Make(nanoseconds(1));
  };
  std::vector<std::jthread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&bench] {
      for (int call = 0; call < 50; ++call) {
        const auto given = bench.credentials->Get({});
        if (given && call % 10 == 0) {
          EXPECT_TRUE(bench.credentials->Renew(*given));
        }
        bench.clock.Advance(seconds(1));
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(bench.source->overlapped);
  EXPECT_GT(bench.fetches(), 10);
}

// Counts how often the hour was read.
class CountingClock final : public Clock {
 public:
  std::chrono::system_clock::time_point Now() const override {
    ++reads;
    return inner.Now();
  }
  std::chrono::steady_clock::time_point Steady() const override { return inner.Steady(); }
  bool SleepFor(nanoseconds duration, std::stop_token stop) const override {
    return inner.SleepFor(duration, std::move(stop));
  }
  test::FakeClock inner;
  mutable std::atomic<int> reads = 0;
};

TEST(RefreshingCrowdTest, WaitersShareAFailure) {
  const CountingClock clock;
  const ClockSkew skew;
  SeededRandom random(1);
  auto made = std::make_unique<test::FakeSource>();
  test::FakeSource& source = *made;
  Credentials expired;
  expired.source = "a fake";
  expired.expiration = clock.inner.Now() + hours(1);
  source.next = [&](std::stop_token) { return expired; };
  RefreshingCredentials credentials(std::move(made), clock, skew, random);
  ASSERT_TRUE(credentials.Get({}));
  ASSERT_TRUE(clock.SleepFor(hours(2), {}));

  Gate gate;
  source.next = [&](std::stop_token) -> Result<Credentials> {
    static_cast<void>(gate.Pass({}));
    return MakeError(ErrorKind::kCredentials, "down");
  };
  const auto get = [&] {
    const auto failed = credentials.Get({});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().Text(), "renewing the expired credentials of a fake: down");
  };
  std::vector<std::jthread> crowd;
  crowd.emplace_back(get);
  gate.entered.wait();
  for (int i = 0; i < 4; ++i) {
    const int before = clock.reads;
    crowd.emplace_back(get);
    while (clock.reads == before) std::this_thread::yield();
    // It reads the hour with the mutex held, and lets go of that only by waiting: once another call
    // got the mutex, it waits.
    Credentials other;
    other.access_key_id = "AKIDOTHER";
    EXPECT_TRUE(credentials.Renew(other));
  }
  gate.open.count_down();
  crowd.clear();
  EXPECT_EQ(source.fetches, 2);
}

}  // namespace
}  // namespace tsm::aws
