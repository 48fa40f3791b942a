// How groups become tasks: order, slots, paces, others' tasks, refusals, patience.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "batchload/load_world.h"

namespace tsm::test {
namespace {

using batchload::GroupState;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Each;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> PrefixesOf(FakeBatchLoadService& service) {
  std::vector<std::string> prefixes;
  for (const FakeLoadTask& task : service.tasks()) prefixes.push_back(task.prefix);
  return prefixes;
}

TEST(LoadRunTest, LoadsEveryGroupInOrder) {
  LoadWorld world;
  for (int i = 0; i < 12; ++i) world.AddGroup();
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  const std::vector<std::string> prefixes = PrefixesOf(world.service);
  EXPECT_EQ(prefixes.size(), 12U);
  EXPECT_TRUE(std::is_sorted(prefixes.begin(), prefixes.end()));
  EXPECT_EQ(world.service.most_at_once(), 5U);
  const batchload::LoadTotals totals = world.Totals();
  EXPECT_EQ(totals.done, 12U);
  EXPECT_EQ(totals.processed, 2400U);
  EXPECT_EQ(totals.ingested, 2400U);
  EXPECT_EQ(totals.bytes_metered, world.plan.bytes());
  EXPECT_EQ(world.sink().events["task_created"], 12U);
  EXPECT_EQ(world.sink().events["group_done"], 12U);
  EXPECT_EQ(world.sink().last.done, 12U);
  EXPECT_EQ(world.sink().last.rows_done, 2400U);
  EXPECT_EQ(world.sink().last.bytes_done, world.plan.bytes());
}

TEST(LoadRunTest, CreatesAreASecondApart) {
  LoadWorld world;
  for (int i = 0; i < 10; ++i) world.AddGroup();
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  const std::vector<FakeLoadTask> tasks = world.service.tasks();
  std::vector<UnixNanos> between;
  for (std::size_t i = 1; i < tasks.size(); ++i) {
    between.push_back(tasks[i].created - tasks[i - 1].created);
  }
  EXPECT_THAT(between, Each(Ge(1'000'000'000)));
}

TEST(LoadRunTest, AskingKeepsItsPace) {
  LoadWorld world;
  std::vector<UnixNanos> at;
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name == "DescribeBatchLoadTask" || call.name == "ListBatchLoadTasks") {
      at.push_back(world.Now());
    }
    return std::nullopt;
  };
  for (int i = 0; i < 10; ++i) world.AddGroup();
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  std::vector<UnixNanos> between;
  for (std::size_t i = 1; i < at.size(); ++i) between.push_back(at[i] - at[i - 1]);
  EXPECT_THAT(between, Each(Ge(200'000'000)));
}

TEST(LoadRunTest, SendsWhatThePlanSays) {
  LoadWorld world;
  world.AddGroup();
  world.plan.record_version = 7;
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  const FakeLoadTask task = world.service.tasks().at(0);
  EXPECT_EQ(task.record_version, 7);
  EXPECT_EQ(task.bucket, "bkt");
  EXPECT_EQ(task.report_prefix, batchload::kReportPrefix);
  EXPECT_GE(task.token.size(), 32U);
  EXPECT_LE(task.token.size(), 64U);
  EXPECT_THAT(task.body, HasSubstr(R"("QuoteChar":"\"")"));
}

TEST(LoadRunTest, TheCanaryLoadsAloneAndFirst) {
  LoadWorld world;
  world.plan.canary = true;
  for (int i = 0; i < 20; ++i) world.AddGroup(i == 3 ? 1 : 10);
  ASSERT_EQ(batchload::CanaryOf(world.plan), 3U);
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  const std::vector<FakeLoadTask> tasks = world.service.tasks();
  ASSERT_EQ(tasks.size(), 20U);
  EXPECT_EQ(tasks[0].prefix, world.plan.groups[3].prefix);
  EXPECT_GE(tasks[1].created, tasks[0].ended);
  EXPECT_EQ(tasks[1].prefix, world.plan.groups[0].prefix);
  EXPECT_TRUE(world.state().canary_passed());
}

TEST(LoadRunTest, ThereIsNoCanaryOfOneGroup) {
  LoadWorld world;
  world.plan.canary = true;
  world.AddGroup();
  EXPECT_EQ(batchload::CanaryOf(world.plan), std::nullopt);
  EXPECT_EQ(WhyNotLoaded(world, world.Run()), "");
}

TEST(LoadRunTest, TablesShareTheAccount) {
  LoadWorld world;
  world.AddTable("u");
  world.AddTable("v");
  for (int i = 0; i < 30; ++i) world.AddGroup(10, 100, 2, static_cast<std::size_t>(i) % 3);
  std::size_t most = 0;
  world.service.rules.fate = [&](const FakeLoadTask&, std::size_t number) {
    most = std::max(most, number);
    return std::optional<LoadFate>();
  };
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.service.most_at_once(), 10U);
  EXPECT_FALSE(world.sink().Told("waiting"));
}

TEST(LoadRunTest, FewerSlotsWhereAsked) {
  LoadWorld world;
  world.conduct.table_slots = 2;
  for (int i = 0; i < 6; ++i) world.AddGroup();
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.service.most_at_once(), 2U);
}

TEST(LoadRunTest, WaitsForTasksOfOthersOnTheTable) {
  LoadWorld world;
  for (int i = 0; i < 4; ++i) world.AddGroup();
  const UnixNanos now = world.Now();
  for (int i = 0; i < 5; ++i) {
    world.service.AddOther({"db", "t"}, "OTHER" + std::to_string(i), now,
                           now + std::chrono::nanoseconds(hours(i < 2 ? 30 : 40)).count());
  }
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.sink().CountTold("waiting: 5 tasks of others are active on db.t (OTHER0, OTHER1, "
                                   "OTHER2, OTHER3, OTHER4)"),
            1U);
  EXPECT_TRUE(world.sink().Told("tasks of others no longer keep db.t waiting"));
  EXPECT_GE(world.service.tasks()[0].created - now, std::chrono::nanoseconds(hours(30)).count());
  EXPECT_LE(world.service.most_at_once(), 5U);
  EXPECT_EQ(world.transport().CountCalls("CreateBatchLoadTask"), 4U);
}

TEST(LoadRunTest, WaitsForTasksOfOthersInTheAccount) {
  LoadWorld world;
  world.AddGroup();
  const UnixNanos now = world.Now();
  for (int i = 0; i < 10; ++i) {
    world.service.AddOther({"other", "x" + std::to_string(i % 3)}, "OTHER" + std::to_string(i), now,
                           now + std::chrono::nanoseconds(minutes(20 + i)).count());
  }
  world.service.rules.tasks_per_page = 3;
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_TRUE(world.sink().Told("waiting: 10 tasks of others are active in the account"));
  EXPECT_EQ(world.transport().CountCalls("CreateBatchLoadTask"), 1U);
}

TEST(LoadRunTest, AQuotaThatIsNotSeenIsWaitedFor) {
  LoadWorld world;
  world.service.rules.table_tasks = 2;  // the listing does not tell why
  for (int i = 0; i < 20; ++i) world.AddGroup();
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.service.tasks().size(), 20U);
  EXPECT_TRUE(world.sink().Told("the service takes no task for it now"));
  EXPECT_LE(world.transport().CountCalls("CreateBatchLoadTask"), 60U);
}

TEST(LoadRunTest, ThrottledCreatesAreSlowerAndThenFastAgain) {
  LoadWorld world;
  for (int i = 0; i < 20; ++i) world.AddGroup();
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name == "CreateBatchLoadTask" && call.number % 3 != 0 && call.number < 60) {
      return Interference::Throttle();
    }
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.service.tasks().size(), 20U);
}

TEST(LoadRunTest, ThrottledListingsAndLooksAreAskedAgain) {
  LoadWorld world;
  for (int i = 0; i < 10; ++i) world.AddGroup();
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    const bool asks = call.name == "DescribeBatchLoadTask" || call.name == "ListBatchLoadTasks";
    if (asks && call.number % 5 != 0) return Interference::Throttle();
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
}

TEST(LoadRunTest, ALostAnswerToACreateMakesNoSecondTask) {
  LoadWorld world;
  for (int i = 0; i < 6; ++i) world.AddGroup();
  int lost = 0;
  world.after = [&](const FakeCall& call) -> std::optional<Interference> {
    // All three attempts of a call.
    if (call.name == "CreateBatchLoadTask" && lost < 6) return ++lost, Interference::Reset();
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.service.tasks().size(), 6U);
  EXPECT_TRUE(world.sink().Told("was already taken: it is task"));
}

TEST(LoadRunTest, AConflictIsLookedIntoAndTriedAgain) {
  LoadWorld world;
  for (int i = 0; i < 3; ++i) world.AddGroup();
  int conflicts = 0;
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name != "CreateBatchLoadTask" || conflicts++ > 1) return std::nullopt;
    return Interference::Of("ConflictException", "in use");
  };
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.service.tasks().size(), 3U);
}

TEST(LoadRunTest, NothingMovesForADayAndTheRunGivesUp) {
  LoadWorld world;
  for (int i = 0; i < 3; ++i) world.AddGroup();
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name != "CreateBatchLoadTask") return std::nullopt;
    return Interference::Of("ServiceQuotaExceededException", "full");
  };
  const UnixNanos began = world.Now();
  const batchload::LoadRunResult result = world.Run();
  ASSERT_TRUE(result.fatal);
  EXPECT_THAT(result.fatal->message, HasSubstr("nothing has moved for 24 h"));
  EXPECT_THAT(result.fatal->message, HasSubstr("full"));
  EXPECT_GE(world.Now() - began, std::chrono::nanoseconds(hours(24)).count());
  EXPECT_THAT(world.service.tasks(), IsEmpty());
  world.before = nullptr;
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
}

TEST(LoadRunTest, WhatSTheConsolesFolderMarkerIsNotForeign) {
  LoadWorld world;
  world.AddGroup();
  world.service.Put(world.plan.groups[0].prefix, {0, 0, ""});
  EXPECT_EQ(WhyNotLoaded(world, world.Run()), "");
}

TEST(LoadRunTest, ADrainLeavesTasksToTheService) {
  LoadWorld world;
  for (int i = 0; i < 8; ++i) world.AddGroup();
  std::stop_source drain;
  world.interrupts.drain = drain.get_token();
  world.after = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name == "CreateBatchLoadTask" && world.service.tasks().size() == 3) {
      drain.request_stop();
    }
    return std::nullopt;
  };
  const batchload::LoadRunResult result = world.Run();
  EXPECT_TRUE(result.interrupted);
  EXPECT_FALSE(result.fatal);
  EXPECT_TRUE(world.sink().Told("3 tasks go on in the service"));
  EXPECT_EQ(world.Totals().loading, 3U);
  world.interrupts = {};
  world.after = nullptr;
  world.clock.Advance(hours(2));
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.service.tasks().size(), 8U);
}

TEST(LoadRunTest, TheTickEndsTheRun) {
  LoadWorld world;
  world.AddGroup();
  int ticks = 0;
  world.conduct.tick = [&]() -> Status {
    if (++ticks < 4) return Ok();
    return MakeError(ErrorKind::kInTheWay, "the lock was taken over");
  };
  const batchload::LoadRunResult result = world.Run();
  ASSERT_TRUE(result.fatal);
  EXPECT_EQ(result.fatal->kind, ErrorKind::kInTheWay);
}

// Copies a group each half minute, in the order given; those that are left out fail.
class SlowCopies {
 public:
  SlowCopies(LoadWorld& world, std::vector<std::size_t> order)
      : world_(world), order_(std::move(order)), next_at_(world.Now()) {
    world.plan.copy = true;
  }

  void operator()(batchload::LoadLedger& ledger, batchload::ReadyGroups& ready) {
    if (world_.Now() < next_at_) return;
    next_at_ += 30'000'000'000;
    if (copied.size() == order_.size()) return ready.Close();
    const std::size_t group = order_[copied.size()];
    copied[group] = world_.Now();
    for (std::uint32_t i = 0; i < 2; ++i) EXPECT_TRUE(ledger.Copied(group, i, {1, 10, {}}));
    EXPECT_TRUE(ledger.SealGroup(group, {2, 20, 200}, {}));
    ready.Push(group);
  }

  std::map<std::size_t, UnixNanos> copied;

 private:
  LoadWorld& world_;
  std::vector<std::size_t> order_;
  UnixNanos next_at_;
};

TEST(LoadRunTest, GroupsStartAsTheyAreCopied) {
  LoadWorld world;
  for (int i = 0; i < 6; ++i) world.AddGroup();
  SlowCopies copies(world, {0, 2, 1, 3, 4, 5});
  world.copies = std::ref(copies);
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  for (const FakeLoadTask& task : world.service.tasks()) {
    for (const auto& [group, at] : copies.copied) {
      if (world.plan.groups[group].prefix != task.prefix) continue;
      EXPECT_GE(task.created, at);
      EXPECT_LE(task.created - at, 3'000'000'000);
    }
  }
}

TEST(LoadRunTest, ACanaryThatIsNotCopiedIsReplaced) {
  LoadWorld world;
  world.plan.canary = true;
  for (int i = 0; i < 5; ++i) world.AddGroup(i == 2 ? 1 : 10);
  SlowCopies copies(world, {0, 1, 3, 4});  // not 2, the smallest
  world.copies = std::ref(copies);
  const batchload::LoadRunResult result = world.Run();
  EXPECT_FALSE(result.fatal);
  EXPECT_EQ(world.Totals().done, 4U);
  EXPECT_EQ(world.Group(2).state, GroupState::State::kPending);
  EXPECT_TRUE(
      world.sink().Told("g0003 (p=g0003), the first to be loaded alone, is not there; g0001"));
  const std::vector<FakeLoadTask> tasks = world.service.tasks();
  EXPECT_GE(tasks.at(1).created, tasks.at(0).ended);
}

TEST(LoadRunTest, GroupsAreTakenOnce) {
  batchload::ReadyGroups ready;
  ready.Push(3);
  ready.Push(1);
  EXPECT_FALSE(ready.closed());
  ready.Close();
  EXPECT_FALSE(ready.closed());  // not all were taken
  EXPECT_THAT(ready.Take(), testing::ElementsAre(3, 1));
  EXPECT_TRUE(ready.closed());
}

}  // namespace
}  // namespace tsm::test
