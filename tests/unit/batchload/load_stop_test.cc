// Tasks that stop before their end, and states that are not known: waits, resumes, and when a task
// is given up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batchload/load_world.h"

namespace tsm::test {
namespace {

using batchload::GroupState;
using batchload::LoadRunResult;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// The task of the n-th create (from 0) has the fate.
void Doom(LoadWorld& world, std::size_t victim, const LoadFate& fate) {
  world.service.rules.fate = [victim, fate](const FakeLoadTask&, std::size_t number) {
    return number == victim ? std::optional(fate) : std::nullopt;
  };
}

LoadWorld& Fill(LoadWorld& world, int groups) {
  for (int i = 0; i < groups; ++i) world.AddGroup();
  return world;
}

TEST(LoadStopTest, AStoppedTaskIsResumedUntilItEnds) {
  LoadWorld world;
  Fill(world, 1);
  LoadFate fate;
  fate.takes = hours(1);
  fate.stops = {0.2, 0.5, 0.8};
  Doom(world, 0, fate);
  world.conduct.max_resumes = 1;  // each resume makes progress
  const UnixNanos began = world.Now();
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.service.tasks()[0].resumes, 3);
  EXPECT_EQ(world.sink().events["task_resumed"], 3U);
  EXPECT_EQ(world.sink().events["task_stopped"], 3U);
  // An hour of work and three waits of ten minutes, each a little longer.
  EXPECT_GE(world.Now() - began, nanoseconds(minutes(90)).count());
  EXPECT_LE(world.Now() - began, nanoseconds(minutes(105)).count());
}

TEST(LoadStopTest, AStoppedTaskWithoutProgressIsGivenUp) {
  LoadWorld world;
  Fill(world, 2);
  LoadFate fate;
  fate.takes = hours(1);
  fate.stops = {0.5};
  fate.stuck = true;
  fate.resumable = hours(1000);
  Doom(world, 0, fate);
  world.conduct.max_resumes = 4;
  EXPECT_FALSE(world.Run().fatal);
  EXPECT_EQ(world.service.tasks()[0].resumes, 4);
  EXPECT_THAT(world.Group(0).failure, HasSubstr("after 4 resumes without any progress"));
  EXPECT_EQ(world.Group(1).state, GroupState::State::kDone);
}

TEST(LoadStopTest, AStoppedTaskIsResumedBeforeItsTimeIsOver) {
  LoadWorld world;
  Fill(world, 1);
  LoadFate fate;
  fate.stops = {0.5};
  fate.resumable = minutes(4);
  Doom(world, 0, fate);
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.service.tasks()[0].resumes, 1);
}

TEST(LoadStopTest, ATaskThatCantBeResumedAnyMoreHasFailed) {
  LoadWorld world;
  Fill(world, 1);
  LoadFate fate;
  fate.stops = {0.5};
  fate.resumable = seconds(1);
  Doom(world, 0, fate);
  world.conduct.poll_interval = minutes(5);
  world.service.rules.base = hours(1);
  EXPECT_FALSE(world.Run().fatal);
  EXPECT_THAT(world.Group(0).failure, HasSubstr("it can't be resumed any more"));
}

TEST(LoadStopTest, StopsHalveWhatRuns) {
  LoadWorld world;
  Fill(world, 14);
  world.service.rules.base = minutes(20);
  LoadFate fate;
  fate.takes = minutes(20);
  fate.stops = {0.1};
  world.service.rules.fate = [&](const FakeLoadTask&, std::size_t number) {
    return number < 5 ? std::optional(fate) : std::nullopt;
  };
  std::size_t together = 0;
  world.after = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name != "CreateBatchLoadTask") return std::nullopt;
    std::size_t open = 0;
    for (const FakeLoadTask& task : world.service.tasks()) open += task.ended == 0 ? 1 : 0;
    if (world.service.tasks().size() == 6) together = open;
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_LE(together, 3U);  // not five at once right after the stops
}

TEST(LoadStopTest, AnUnknownStateWaitsAndIsToldOnce) {
  LoadWorld world;
  Fill(world, 2);
  LoadFate fate;
  fate.status = "VALIDATING";
  Doom(world, 0, fate);
  const LoadRunResult result = world.Run();
  ASSERT_TRUE(result.fatal);  // it never ends
  EXPECT_THAT(result.fatal->message, HasSubstr("nothing has moved for 24 h"));
  EXPECT_EQ(world.sink().CountTold("VALIDATING"), 1U);
  EXPECT_EQ(world.Group(0).state, GroupState::State::kLoading);
  EXPECT_EQ(world.Group(1).state, GroupState::State::kDone);
}

}  // namespace
}  // namespace tsm::test
