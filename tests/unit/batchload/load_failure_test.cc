// What goes wrong with a task or a group: each failure's message, what the ledger has of it, and
// what goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "batchload/load_world.h"

namespace tsm::test {
namespace {

using batchload::GroupState;
using batchload::LoadRunResult;
using std::chrono::hours;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kReport =
    R"({"taskId":"T","taskErrors":[],"fileErrors":[{"fileName":"0.csv","errors":[{"reason":
       "The record timestamp is outside the time range of the data ingestion window.",
       "lineRanges":[[2,4],[4,6]]}]}]})";

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

TEST(LoadFailureTest, AFailedTaskIsExplainedAndTheOthersGoOn) {
  LoadWorld world;
  Fill(world, 4);
  LoadFate fate;
  fate.status = "FAILED";
  fate.rejected = 5;
  fate.report = kReport;
  Doom(world, 1, fate);
  world.service.magnetic_writes = false;
  const LoadRunResult result = world.Run();
  EXPECT_FALSE(result.fatal);
  EXPECT_EQ(world.Totals().done, 3U);
  const GroupState group = world.Group(1);
  EXPECT_EQ(group.state, GroupState::State::kFailed);
  EXPECT_FALSE(group.failed_proof);
  EXPECT_EQ(group.rejected, 5U);
  EXPECT_THAT(group.failure, HasSubstr("200 records processed, 195 ingested"));
  EXPECT_THAT(group.failure, HasSubstr("first error: 0.csv, lines 2-4, 4-6: The record timestamp"));
  EXPECT_THAT(group.tasks.at(0).report_uri, HasSubstr("s3://bkt/batch_load_errors/"));
  EXPECT_EQ(ContentOf(std::filesystem::path(world.conduct.report_dir) /
                      ("g0002-" + group.tasks.at(0).task_id + ".json")),
            kReport);
  EXPECT_TRUE(world.sink().Told("  0.csv, lines 2-4, 4-6: The record timestamp is outside"));
  EXPECT_TRUE(world.sink().Told("its magnetic-store writes are not enabled"));
  EXPECT_TRUE(world.sink().Told("ts-batchload resume RUN1 --retry_failed"));
  EXPECT_EQ(world.sink().events["group_failed"], 1U);
}

TEST(LoadFailureTest, AFailedGroupIsLoadedAgainOnlyWhereAsked) {
  LoadWorld world;
  Fill(world, 3);
  LoadFate fate;
  fate.status = "FAILED";
  fate.rejected = 200;
  Doom(world, 0, fate);
  world.Run();
  ASSERT_EQ(world.Totals().failed, 1U);
  world.service.rules.fate = nullptr;
  world.Run();
  EXPECT_EQ(world.Totals().failed, 1U);
  EXPECT_THAT(world.service.tasks(), SizeIs(3));
  world.conduct.retry_failed = true;
  world.conduct.record_version = 9;
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_TRUE(
      world.sink().Told("1 failed group is loaded again (g0001): 20.0 MB are charged once"));
  ASSERT_THAT(world.service.tasks(), SizeIs(4));
  EXPECT_EQ(world.service.tasks()[3].record_version, 9);
  EXPECT_EQ(world.service.tasks()[2].record_version, std::nullopt);
  EXPECT_THAT(world.Group(0).tasks, SizeIs(2));
  EXPECT_EQ(world.Totals().bytes_metered, 4 * 20'000'000U);
}

TEST(LoadFailureTest, CountersThatDifferFromThePlanAreAFailedProof) {
  LoadWorld world;
  Fill(world, 2);
  LoadFate fate;
  fate.unprocessed = 3;
  Doom(world, 0, fate);
  const LoadRunResult result = world.Run();
  EXPECT_FALSE(result.fatal);
  EXPECT_TRUE(world.Group(0).failed_proof);
  EXPECT_THAT(world.Group(0).failure,
              HasSubstr("197 records were processed, the group's files have 200 rows"));
  EXPECT_EQ(world.Totals().done, 1U);
}

TEST(LoadFailureTest, RejectionsThatTheReportExplainsAreCounted) {
  LoadWorld world;
  Fill(world, 1);
  LoadFate fate;
  fate.rejected = 5;
  fate.report = kReport;
  Doom(world, 0, fate);
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.Group(0).rejected, 5U);
  EXPECT_EQ(world.Totals().ingested, 195U);
  EXPECT_TRUE(world.sink().Told("of 200 records 5 were rejected"));
}

TEST(LoadFailureTest, RejectionsThatNothingExplainsAreAFailedProof) {
  LoadWorld world;
  Fill(world, 2);
  LoadFate fate;
  fate.rejected = 6;  // the report names five lines
  fate.report = kReport;
  Doom(world, 0, fate);
  world.Run();
  EXPECT_TRUE(world.Group(0).failed_proof);
  EXPECT_THAT(world.Group(0).failure, HasSubstr("explains 5 of the 6 missing"));
}

TEST(LoadFailureTest, AReportThatCantBeReadNowIsWaitedFor) {
  LoadWorld world;
  Fill(world, 1);
  LoadFate fate;
  fate.rejected = 5;
  fate.report = kReport;
  Doom(world, 0, fate);
  int refused = 0;
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    const bool reports = call.subject.find("batch_load_errors") != std::string::npos;
    if (!reports || refused++ > 8) return std::nullopt;
    return Interference::Of("InternalError", "later", 500);
  };
  ASSERT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_EQ(world.Group(0).rejected, 5U);
}

TEST(LoadFailureTest, AFailedCanaryEndsTheRun) {
  LoadWorld world;
  world.plan.canary = true;
  Fill(world, 6);
  LoadFate fate;
  fate.status = "FAILED";
  fate.rejected = 200;
  fate.report = kReport;
  fate.error_message = "bad model";
  Doom(world, 0, fate);
  LoadRunResult result = world.Run();
  ASSERT_TRUE(result.fatal);
  EXPECT_TRUE(result.canary_failed);
  EXPECT_EQ(result.fatal->kind, ErrorKind::kService);
  EXPECT_THAT(result.fatal->message, HasSubstr("g0001 (p=g0001), which is loaded alone"));
  EXPECT_THAT(result.fatal->message, HasSubstr("bad model"));
  EXPECT_THAT(result.fatal->message, HasSubstr("nothing else was started"));
  EXPECT_THAT(world.service.tasks(), SizeIs(1));
  EXPECT_TRUE(world.sink().Told("  0.csv, lines 2-4"));
  EXPECT_FALSE(world.sink().Told("on in the service"));
  // Nor does a resume start the others.
  result = world.Run();
  EXPECT_TRUE(result.canary_failed);
  EXPECT_THAT(world.service.tasks(), SizeIs(1));
  world.service.rules.fate = nullptr;
  world.conduct.retry_failed = true;
  EXPECT_EQ(WhyNotLoaded(world, world.Run()), "");
  EXPECT_THAT(world.service.tasks(), SizeIs(7));
}

TEST(LoadFailureTest, ACanaryWithRejectedRowsIsAFailedProof) {
  LoadWorld world;
  world.plan.canary = true;
  Fill(world, 6);
  LoadFate fate;
  fate.rejected = 5;
  fate.report = kReport;
  Doom(world, 0, fate);
  const LoadRunResult result = world.Run();
  ASSERT_TRUE(result.fatal);
  EXPECT_TRUE(result.canary_failed);
  EXPECT_EQ(result.fatal->kind, ErrorKind::kProof);
  EXPECT_THAT(world.service.tasks(), SizeIs(1));
}

TEST(LoadFailureTest, ForeignFilesUnderAPrefixStopTheirGroupAlone) {
  LoadWorld world;
  Fill(world, 3);
  world.service.Put(world.plan.groups[1].prefix + "0.csv.bak", {7, 0, ""});
  world.service.Remove(world.plan.groups[2].prefix + "1.csv");
  EXPECT_FALSE(world.Run().fatal);
  EXPECT_EQ(world.Totals().done, 1U);
  EXPECT_THAT(world.Group(1).failure,
              HasSubstr("s3://bkt/unload/results/p=g0002/ holds what is not of its group: "
                        "unload/results/p=g0002/0.csv.bak; a task would load that too, so move or "
                        "delete it"));
  EXPECT_THAT(world.Group(2).failure, HasSubstr("lacks unload/results/p=g0003/1.csv"));
  EXPECT_THAT(world.Group(1).tasks, IsEmpty());
  // Nothing was charged, so any resume tries again.
  world.service.Remove(world.plan.groups[1].prefix + "0.csv.bak");
  world.service.Put(world.plan.groups[2].prefix + "1.csv", {10'000'000, 100, ""});
  EXPECT_EQ(WhyNotLoaded(world, world.Run()), "");
}

std::optional<Interference> RefusedPrefix() {
  return Interference::Of("ValidationException",
                          "Value at 'objectKeyPrefix' failed to satisfy constraint: pattern");
}

TEST(LoadFailureTest, ARefusedPrefixThatAllGroupsHaveEndsTheRun) {
  LoadWorld world;
  Fill(world, 3);
  world.before = [&](const FakeCall& call) {
    return call.name == "CreateBatchLoadTask" ? RefusedPrefix() : std::nullopt;
  };
  const LoadRunResult result = world.Run();
  ASSERT_TRUE(result.fatal);
  EXPECT_EQ(result.fatal->kind, ErrorKind::kValidation);
  EXPECT_THAT(result.fatal->Text(), HasSubstr("--safe_prefixes"));
  EXPECT_EQ(world.transport().CountCalls("CreateBatchLoadTask"), 1U);
}

TEST(LoadFailureTest, ARefusedPrefixOfOneGroupFailsItAlone) {
  LoadWorld world;
  Fill(world, 3);
  for (const std::size_t group : {1, 2}) {
    world.plan.groups[group].prefix = "safe/" + std::to_string(group) + "/";
    for (const char* name : {"0.csv", "1.csv"}) {
      world.service.Put(world.plan.groups[group].prefix + name, {10'000'000, 100, ""});
    }
  }
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name != "CreateBatchLoadTask" || call.subject != world.plan.groups[0].prefix) {
      return std::nullopt;
    }
    return RefusedPrefix();
  };
  EXPECT_FALSE(world.Run().fatal);
  EXPECT_THAT(world.Group(0).failure, HasSubstr("--safe_prefixes"));
  EXPECT_EQ(world.Totals().done, 2U);
}

TEST(LoadFailureTest, AWrongModelEndsTheRunAtItsFirstTask) {
  LoadWorld world;
  Fill(world, 5);
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name != "CreateBatchLoadTask") return std::nullopt;
    return Interference::Of("ValidationException", "DimensionMappings: no such column");
  };
  const LoadRunResult result = world.Run();
  ASSERT_TRUE(result.fatal);
  EXPECT_EQ(result.fatal->kind, ErrorKind::kValidation);
  EXPECT_THAT(result.fatal->Text(), HasSubstr("no such column"));
  EXPECT_THAT(result.fatal->Text(), HasSubstr("creating the first task of db.t"));
  EXPECT_EQ(world.transport().CountCalls("CreateBatchLoadTask"), 1U);
}

TEST(LoadFailureTest, AMissingPermissionEndsTheRun) {
  for (const std::string name :
       {"CreateBatchLoadTask", "ListBatchLoadTasks", "DescribeBatchLoadTask", "ListObjectsV2"}) {
    LoadWorld world;
    Fill(world, 5);
    world.before = [&](const FakeCall& call) -> std::optional<Interference> {
      if (call.name != name) return std::nullopt;
      return Interference::Of("AccessDeniedException", "not authorized to perform: " + name);
    };
    const LoadRunResult result = world.Run();
    ASSERT_TRUE(result.fatal) << name;
    EXPECT_EQ(result.fatal->kind, ErrorKind::kAccessDenied);
    EXPECT_THAT(result.fatal->Text(), HasSubstr("not authorized to perform: " + name));
    world.before = nullptr;
    EXPECT_EQ(WhyNotLoaded(world, world.Run()), "") << name;
    EXPECT_THAT(world.service.tasks(), SizeIs(5));
  }
}

TEST(LoadFailureTest, ATaskThatTheServiceForgotHasFailed) {
  LoadWorld world;
  Fill(world, 2);
  world.service.rules.base = hours(1);
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name != "DescribeBatchLoadTask" || call.subject != "TASK100000") return std::nullopt;
    return Interference::Of("ResourceNotFoundException", "no such task");
  };
  EXPECT_FALSE(world.Run().fatal);
  EXPECT_THAT(world.Group(0).failure, HasSubstr("the service no longer knows the task"));
  EXPECT_EQ(world.Group(1).state, GroupState::State::kDone);
}

TEST(LoadFailureTest, ATaskThatIsNotKnownYetIsAskedForAgain) {
  LoadWorld world;
  Fill(world, 1);
  int asked = 0;
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name != "DescribeBatchLoadTask" || asked++ > 1) return std::nullopt;
    return Interference::Of("ResourceNotFoundException", "no such task");
  };
  EXPECT_EQ(WhyNotLoaded(world, world.Run()), "");
}

}  // namespace
}  // namespace tsm::test
