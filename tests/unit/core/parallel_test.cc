#include "tsm/core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <vector>

namespace tsm {
namespace {

TEST(ParallelForTest, CallsEveryIndexOnce) {
  std::vector<std::atomic<int>> calls(1000);
  const std::size_t started = ParallelFor(1000, 8, {}, [&](std::size_t index, std::stop_token) {
    ++calls[index];
    return true;
  });
  EXPECT_EQ(started, 1000U);
  for (const auto& count : calls) EXPECT_EQ(count, 1);
}

TEST(ParallelForTest, RunsThatManyAtOnce) {
  // Each call waits for three others: fewer threads would never get past the barrier.
  std::barrier meet(4);
  std::atomic<int> done{0};
  ParallelFor(8, 4, {}, [&](std::size_t, std::stop_token) {
    meet.arrive_and_wait();
    ++done;
    return true;
  });
  EXPECT_EQ(done, 8);
}

TEST(ParallelForTest, NeverMoreThanAskedFor) {
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  ParallelFor(200, 3, {}, [&](std::size_t, std::stop_token) {
    const int count = ++now;
    int seen = most;
    while (count > seen && !most.compare_exchange_weak(seen, count)) {
    }
    --now;
    return true;
  });
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 1);
}

TEST(ParallelForTest, OneThreadKeepsTheOrder) {
  std::vector<std::size_t> order;
  ParallelFor(5, 1, {}, [&](std::size_t index, std::stop_token) {
    order.push_back(index);
    return true;
  });
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(ParallelForTest, ZeroThreadsCountAsOneAndZeroItemsAsNone) {
  int calls = 0;
  const auto count = [&](std::size_t, std::stop_token) {
    ++calls;
    return true;
  };
  EXPECT_EQ(ParallelFor(3, 0, {}, count), 3U);
  EXPECT_EQ(ParallelFor(0, 4, {}, count), 0U);
  EXPECT_EQ(calls, 3);
}

TEST(ParallelForTest, AFalseStartsNoFurtherIndex) {
  std::atomic<std::size_t> calls{0};
  const std::size_t started = ParallelFor(100'000, 1, {}, [&](std::size_t index, std::stop_token) {
    ++calls;
    return index < 4;
  });
  EXPECT_EQ(started, 5U);
  EXPECT_EQ(calls, 5U);
}

TEST(ParallelForTest, AStopStartsNoFurtherIndexAndReachesTheCalls) {
  std::stop_source source;
  std::atomic<std::size_t> calls{0};
  const std::size_t started =
      ParallelFor(100'000, 4, source.get_token(), [&](std::size_t, std::stop_token stop) {
        if (++calls == 10) source.request_stop();
        EXPECT_TRUE(stop.stop_possible());
        return true;
      });
  EXPECT_EQ(started, calls);
  EXPECT_GE(calls, 10U);
  EXPECT_LE(calls, 13U);  // at most the three others were under way
}

TEST(ParallelForTest, AlreadyStoppedStartsNothing) {
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(ParallelFor(5, 2, source.get_token(),
                        [](std::size_t, std::stop_token) {
                          ADD_FAILURE() << "must not be called";
                          return true;
                        }),
            0U);
}

}  // namespace
}  // namespace tsm
