// How long loads take against the best possible under the limits of table and account. The time is
// virtual, so that the numbers are the same on any machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "batchload/load_world.h"

namespace tsm::test {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// How long the task takes that is the n-th to be created.
using Length = std::function<nanoseconds(std::size_t number, std::uint64_t bytes)>;

nanoseconds FromSeconds(double number) {
  return std::chrono::duration_cast<nanoseconds>(duration<double>(number));
}

// As long as their bytes say, but for a tenth.
nanoseconds ByBytes(std::size_t number, std::uint64_t bytes) {
  const double noise = 0.9 + 0.2 * static_cast<double>(number * 7919 % 1000) / 1000;
  return FromSeconds(20 + static_cast<double>(bytes) / 50e6 * noise);
}

// From 20 s to an hour and a half, whatever their bytes: nothing foretells them.
nanoseconds Unforeseen(std::size_t number, std::uint64_t /*bytes*/) {
  const double at = static_cast<double>(number * 104'729 % 1000) / 1000;
  return FromSeconds(20 * std::exp(at * std::log(270)));
}

nanoseconds AllShort(std::size_t /*number*/, std::uint64_t /*bytes*/) { return seconds(60); }

struct Shape {
  const char* name;
  std::size_t groups;
  Length length;
  double bound;
};

// One thread and millions of steps: under the thread sanitizer they take minutes and find nothing.
#ifdef __SANITIZE_THREAD__
constexpr bool kTooSlowHere = true;
#else
constexpr bool kTooSlowHere = false;
#endif

class LoadMakespanTest : public testing::TestWithParam<Shape> {};

TEST_P(LoadMakespanTest, IsCloseToTheBestPossible) {
  if (kTooSlowHere) GTEST_SKIP() << "one thread: measured without the thread sanitizer";
  const Shape& shape = GetParam();
  LoadWorld world;
  world.call_time = milliseconds(50);
  std::mt19937_64 dice(7);
  for (std::size_t i = 0; i < shape.groups; ++i) world.AddGroup(1 + dice() % 4'000, 1000, 2);
  world.service.rules.fate = [&](const FakeLoadTask& task, std::size_t number) {
    LoadFate fate;
    fate.takes = shape.length(number, task.bytes);
    return std::optional(fate);
  };
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  const double best = duration<double>(world.service.best_makespan(5)).count();
  const double makespan = duration<double>(world.service.makespan()).count();
  RecordProperty("best", std::to_string(best));
  RecordProperty("makespan", std::to_string(makespan));
  RecordProperty("ratio", std::to_string(makespan / best));
  RecordProperty("calls", std::to_string(world.transport().calls()));
  EXPECT_GE(makespan, best * 0.999);
  EXPECT_LE(makespan, best * shape.bound) << makespan << " s, the best is " << best << " s";
  EXPECT_EQ(world.service.tasks().size(), shape.groups);
  EXPECT_LE(world.service.most_at_once(), 5U);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LoadMakespanTest,
                         testing::Values(Shape{"ByBytes", 1000, ByBytes, 1.03},
                                         Shape{"Unforeseen", 1000, Unforeseen, 1.03},
                                         Shape{"AllShort", 1000, AllShort, 1.03}),
                         [](const auto& test_info) { return test_info.param.name; });

// Ten thousand, but fewer where a sanitizer makes each step slow.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kManyTasks = 1000;
#else
constexpr std::size_t kManyTasks = 10'000;
#endif

TEST(ManyTasksTest, AllAreScheduledWithFewCallsEach) {
  LoadWorld world;
  for (std::size_t i = 0; i < kManyTasks; ++i) world.AddGroup(100, 1000, 1);
  world.service.rules.base = seconds(45);
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.service.tasks().size(), kManyTasks);
  RecordProperty("calls", std::to_string(world.transport().calls()));
  EXPECT_LE(world.transport().calls(), 20 * kManyTasks);
}

}  // namespace
}  // namespace tsm::test
