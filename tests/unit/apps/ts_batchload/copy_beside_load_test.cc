// Copies and loads of one run side by side, as a process has them: copies in a thread of their own,
// tasks in this one, both on the real clients, in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "apps/ts_batchload/part_world.h"
#include "support/fake_batch_load_service.h"
#include "ts_batchload/group_files.h"

namespace tsm::apps {
namespace {

using test::PartWorld;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Pair;
using ::testing::SizeIs;
using tsm::test::CopyS3Call;
using tsm::test::FakeCopyS3;

class CopyBesideLoad : public ::testing::Test {
 protected:
  CopyBesideLoad() {
    world.copies.options.concurrency = 4;
    // A task finds what was copied.
    world.copies.s3.after = [this](const CopyS3Call& call) -> std::optional<http::Response> {
      if (call.name == "CopyObject") service.Put(call.key, {1'000'000, 50, ""});
      return std::nullopt;
    };
    world.plan.canary = false;
  }

  void AddGroups(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      world.AddGroup({"a" + std::to_string(i), "b" + std::to_string(i)});
    }
  }

  struct Ended {
    CopyResult copies;
    batchload::LoadRunResult loads;
  };

  Ended Run() {
    CopyPart& part = world.Begin();
    const Status looked = part.Look({});
    EXPECT_TRUE(looked) << looked.error().Text();
    Ended ended;
    std::jthread copying([&] { ended.copies = part.Run(world.Interrupts()); });
    const batchload::GroupKeys keys = [this](std::size_t group) {
      return KeysOfGroup(world.directory(), world.plan, group, world.ledger->Group(group));
    };
    tsm::test::FakeTransport transport(service, world.copies.clock);
    aws::ClientParts parts = world.copies.Parts("AKIDTARGET");
    parts.transport = &transport;
    aws::Client client(std::move(parts));
    timestream::WriteClient write(client, tsm::test::CustomEndpoint("aws.test"), "eu-west-1");
    batchload::LoadConduct conduct;
    conduct.retry_failed = true;
    ended.loads = batchload::RunLoad(world.plan, *world.ledger, conduct,
                                     {write, world.copies.target, world.copies.clock,
                                      world.copies.random, world.copies.sink, world.topic.notifier},
                                     *world.ready, keys, {world.copies.drain.get_token(), {}});
    copying.join();
    return ended;
  }

  std::string WhyNotLoaded(const Ended& ended) const {
    if (ended.copies.fatal) return ended.copies.fatal->Text();
    if (ended.loads.fatal) return ended.loads.fatal->Text();
    if (!ended.copies.differences.empty()) return ended.copies.differences[0];
    if (ended.copies.interrupted || ended.loads.interrupted) return "interrupted";
    std::string why;
    for (std::size_t i = 0; i < world.plan.groups.size(); ++i) {
      const batchload::GroupState group = world.ledger->Group(i);
      if (group.state == batchload::GroupState::State::kDone) continue;
      why += world.plan.groups[i].id + ": " + group.failure + group.copy_failure + "\n";
    }
    return why;
  }

  PartWorld world;
  tsm::test::FakeBatchLoadService service;
};

TEST_F(CopyBesideLoad, TasksBeginWhileOthersAreStillCopied) {
  AddGroups(30);
  world.copies.s3.call_time = std::chrono::seconds(5);
  const Ended ended = Run();
  EXPECT_EQ(WhyNotLoaded(ended), "");
  EXPECT_THAT(service.loads(), AllOf(SizeIs(30), Each(Pair(::testing::_, 1))));
  EXPECT_GT(service.most_at_once(), 1U);
  UnixNanos first_task = 0;
  std::size_t before_copies_ended = 0;
  UnixNanos last_copy = 0;
  world.ledger->Look([&](const batchload::LoadState& state) {
    for (const batchload::GroupState& group : state.groups()) {
      last_copy = std::max(last_copy, group.copy_ended);
    }
    for (const batchload::GroupState& group : state.groups()) {
      EXPECT_LE(group.copy_ended, group.tasks[0].announced);
      before_copies_ended += group.tasks[0].announced < last_copy ? 1 : 0;
      if (first_task == 0) first_task = group.tasks[0].announced;
      first_task = std::min(first_task, group.tasks[0].announced);
    }
  });
  EXPECT_LT(first_task, last_copy);
  EXPECT_GT(before_copies_ended, 5U);
}

TEST_F(CopyBesideLoad, AGroupThatCannotBeCopiedDoesNotHoldTheOthersUp) {
  AddGroups(6);
  world.copies.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name != "CopyObject" || !call.key.starts_with("dest/p=03/")) return std::nullopt;
    return FakeCopyS3::Refusal(403, "AccessDenied");
  };
  const Ended ended = Run();
  EXPECT_FALSE(ended.copies.fatal);
  EXPECT_FALSE(ended.loads.fatal);
  EXPECT_EQ(ended.copies.failed, 2U);
  EXPECT_EQ(world.ledger->Totals().done, 5U);
  EXPECT_EQ(world.ledger->Totals().copy_failed, 1U);
  EXPECT_EQ(service.loads().count("dest/p=03/"), 0U);
  // Once the permission is there, a resume does what is left and nothing else.
  world.copies.s3.before = nullptr;
  EXPECT_EQ(WhyNotLoaded(Run()), "");
  EXPECT_THAT(service.loads(), AllOf(SizeIs(6), Each(Pair(::testing::_, 1))));
}

TEST_F(CopyBesideLoad, AnInterruptAndAResumeLoadEveryGroupOnce) {
  AddGroups(20);
  world.copies.s3.call_time = std::chrono::seconds(2);
  service.rules.fate = [&](const tsm::test::FakeLoadTask&, std::size_t number) {
    if (number == 4) world.copies.drain.request_stop();
    return std::optional<tsm::test::LoadFate>();
  };
  const Ended ended = Run();
  EXPECT_TRUE(ended.loads.interrupted);
  EXPECT_FALSE(ended.copies.fatal);
  const batchload::LoadTotals totals = world.ledger->Totals();
  EXPECT_LT(totals.done, 20U);
  EXPECT_GE(totals.tasks, 4U);
  world.copies.drain = std::stop_source();
  EXPECT_EQ(WhyNotLoaded(Run()), "");
  EXPECT_THAT(service.loads(), AllOf(SizeIs(20), Each(Pair(::testing::_, 1))));
  EXPECT_EQ(service.tasks().size(), 20U);
}

TEST_F(CopyBesideLoad, CopiesThatAreThrottledOnlyTakeLonger) {
  AddGroups(10);
  world.copies.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "CopyObject" && call.number % 3 == 0) return FakeCopyS3::SlowDown();
    return std::nullopt;
  };
  EXPECT_EQ(WhyNotLoaded(Run()), "");
  EXPECT_THAT(service.loads(), AllOf(SizeIs(10), Each(Pair(::testing::_, 1))));
}

}  // namespace
}  // namespace tsm::apps
