// How long runs take against the best possible under one start a second and --parallel. The time is
// virtual, so that the numbers are the same on any machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "unload/unload_world.h"

namespace tsm::test {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using World = FakeUnloadService::World;

struct Shape {
  const char* name;
  std::size_t days;
  std::size_t parallel;
  nanoseconds base;     // of an UNLOAD
  nanoseconds per_row;  // and of each of its 2,400 rows
};

class UnloadMakespanTest : public testing::TestWithParam<Shape> {};

TEST_P(UnloadMakespanTest, IsWithinFivePercentOfTheBound) {
  const Shape& shape = GetParam();
  UnloadWorld world;
  world.input.parallel = std::to_string(shape.parallel);
  world.call_time = milliseconds(30);
  world.Table().Fill(kJanuary2024 - 10'000 * kDayNanos, shape.days, 24);
  world.service.With([&](World& all) {
    all.unloads.rules.page_hold = seconds(55);  // as long as the service may
    all.unloads.rules.base = shape.base;
    all.unloads.rules.per_row = shape.per_row;
  });
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  const duration<double> bound = world.service.best_makespan(shape.parallel);
  const duration<double> makespan = world.service.makespan();
  RecordProperty("bound", std::to_string(bound.count()));
  RecordProperty("makespan", std::to_string(makespan.count()));
  EXPECT_GE(makespan.count(), bound.count() * 0.999);
  EXPECT_LE(makespan.count(), bound.count() * 1.05)
      << makespan.count() << " s, the bound is " << bound.count() << " s";
  EXPECT_EQ(world.service.starts(), (shape.days + 99) / 100);
  EXPECT_LE(world.service.most_at_once(), shape.parallel);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, UnloadMakespanTest,
    testing::Values(Shape{"WorkBound", 9600, 4, seconds(300), nanoseconds(0)},
                    Shape{"WorkBoundByRows", 9600, 8, seconds(60), milliseconds(50)},
                    Shape{"OneAtATime", 2000, 1, seconds(120), nanoseconds(0)},
                    Shape{"StartBound", 10'000, 16, seconds(8), nanoseconds(0)},
                    Shape{"ManyAtOnce", 6400, 32, seconds(900), nanoseconds(0)},
                    Shape{"ThreeYears", 1096, 4, seconds(600), nanoseconds(0)}),
    [](const auto& test_info) { return test_info.param.name; });

// The longest first would need to be known; in the order of time it is at most one longest behind.
TEST(UnevenMakespanTest, UnevenSlicesEndAtMostOneLongestBehindTheBound) {
  UnloadWorld world;
  world.input.parallel = "4";
  FakeTable& table = world.Table();
  for (int day = 0; day < 4000; ++day) {
    table.Set(kJanuary2024 - day * kDayNanos, 1 + static_cast<std::uint64_t>(day * 7919 % 97));
  }
  world.service.With([](World& all) { all.unloads.rules.per_row = milliseconds(80); });
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  const std::vector<FakeExecution> all = world.service.executions();
  nanoseconds longest{0};
  for (const FakeExecution& execution : all) {
    longest = std::max(longest, nanoseconds(execution.ends - execution.started));
  }
  EXPECT_LE(world.service.makespan(), world.service.best_makespan(4) + longest);
}

}  // namespace
}  // namespace tsm::test
