// What a run came to: counts, code, and the events that tell it.
#include "ts_batchload/load_outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/ts_batchload/load_sample.h"
#include "ts_batchload/run_events.h"
#include "tsm/run/event_log.h"

namespace tsm::apps {
namespace {

using test::AddGroup;
using test::PlanOf;
using test::SampleRun;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

LoadOutcome Of(const SampleRun& run, const std::optional<CopyResult>& copies = std::nullopt) {
  return OutcomeOf(run.State(), copies);
}

TEST(LoadOutcomeTest, LoadedAndProvenIsDone) {
  SampleRun run(PlanOf(false, 2));
  run.Finish(0);
  run.Finish(1, 3);
  ASSERT_TRUE(run.ledger->ProvedTable(0, "equal", {}));
  ASSERT_TRUE(run.ledger->CloseTable(0));
  const LoadOutcome outcome = Of(run);
  ASSERT_EQ(outcome.tables.size(), 1U);
  const TableOutcome& table = outcome.tables[0];
  EXPECT_EQ(table.target.str(), "targetdb.t");
  EXPECT_EQ(table.files, 4U);
  EXPECT_EQ(table.bytes, 2000U);
  EXPECT_EQ(table.rows, 200U);
  EXPECT_EQ(table.groups, 2U);
  EXPECT_EQ(table.done, 2U);
  EXPECT_EQ(table.failed, 0U);
  EXPECT_EQ(table.processed, 200U);
  EXPECT_EQ(table.ingested, 197U);
  EXPECT_EQ(table.rejected, 3U);
  EXPECT_EQ(table.verified, "equal");
  EXPECT_TRUE(table.done_whole);
  EXPECT_EQ(outcome.tasks, 2U);
  EXPECT_EQ(outcome.bytes_metered, 2000U);
  EXPECT_THAT(outcome.running, IsEmpty());
  EXPECT_EQ(CodeOf(outcome), ExitCode::kDone);
  EXPECT_EQ(StateName(outcome), "done");
}

TEST(LoadOutcomeTest, LoadedButNotProvenIsNotDone) {
  SampleRun run(PlanOf(false, 1));
  run.Finish(0);
  const LoadOutcome outcome = Of(run);
  EXPECT_FALSE(outcome.tables[0].done_whole);
  EXPECT_EQ(CodeOf(outcome), ExitCode::kSomeFailed);
  EXPECT_EQ(StateName(outcome), "failed");
}

TEST(LoadOutcomeTest, AFailedGroupNamesItsTask) {
  SampleRun run(PlanOf(false, 2));
  run.Finish(0);
  run.Fail(1, "the task ended FAILED");
  const LoadOutcome outcome = Of(run);
  EXPECT_EQ(outcome.tables[0].failed, 1U);
  EXPECT_EQ(outcome.tables[0].failed_tasks, 1U);
  EXPECT_THAT(outcome.tables[0].failures,
              ElementsAre("group g0002 (dest/p=02/), task TASK2: the task ended FAILED"));
  EXPECT_FALSE(outcome.broken_proof);
  EXPECT_EQ(CodeOf(outcome), ExitCode::kSomeFailed);
}

TEST(LoadOutcomeTest, CountersThatDifferAreABrokenProof) {
  SampleRun run(PlanOf(false, 1));
  run.Fail(0, "99 rows processed, 100 expected", true);
  EXPECT_EQ(CodeOf(Of(run)), ExitCode::kProofFailed);
}

TEST(LoadOutcomeTest, AGroupThatNeverGotATaskIsNotCharged) {
  SampleRun run(PlanOf(false, 1));
  ASSERT_TRUE(run.ledger->FailGroup(0, {}, "foreign files", false, 0, ""));
  const LoadOutcome outcome = Of(run);
  EXPECT_EQ(outcome.tables[0].failed, 1U);
  EXPECT_EQ(outcome.tables[0].failed_tasks, 0U);
  EXPECT_THAT(outcome.tables[0].failures, ElementsAre("group g0001 (dest/p=01/): foreign files"));
}

TEST(LoadOutcomeTest, AGroupWhoseCopyFailedIsAFailureAndOneThatIsMissingIsNot) {
  SampleRun run(PlanOf(true, 3));
  run.Copy(0);
  ASSERT_TRUE(run.ledger->CopyFailed(1, "unload/a.csv: AccessDenied"));
  const LoadOutcome outcome = Of(run);
  EXPECT_EQ(outcome.tables[0].copied, 1U);
  EXPECT_EQ(outcome.tables[0].failed, 1U);
  EXPECT_THAT(outcome.tables[0].failures,
              ElementsAre("group g0002 (dest/p=02/): not complete: unload/a.csv: AccessDenied"));
  EXPECT_EQ(CodeOf(outcome), ExitCode::kSomeFailed);
}

TEST(LoadOutcomeTest, RunningTasksAreNamed) {
  SampleRun run(PlanOf(false, 2));
  run.Start(0);
  ASSERT_TRUE(run.ledger->AnnounceTask(1, "token", 0));
  LoadOutcome outcome = Of(run);
  outcome.interrupted = true;
  EXPECT_THAT(outcome.running,
              ElementsAre("group g0001 (dest/p=01/), task TASK1: goes on in the service"));
  EXPECT_EQ(outcome.tasks, 2U);
  EXPECT_EQ(CodeOf(outcome), ExitCode::kInterrupted);
  EXPECT_EQ(StateName(outcome), "interrupted");
}

TEST(LoadOutcomeTest, ARetriedGroupCountsItsLastTaskAndAllThatIsMetered) {
  SampleRun run(PlanOf(false, 1));
  run.Fail(0, "refused", false, 40);
  ASSERT_TRUE(run.ledger->RetryGroup(0));
  run.Finish(0);
  const LoadOutcome outcome = Of(run);
  EXPECT_EQ(outcome.tasks, 2U);
  EXPECT_EQ(outcome.bytes_metered, 2000U);
  EXPECT_EQ(outcome.tables[0].ingested, 100U);
  EXPECT_EQ(outcome.tables[0].rejected, 0U);
  EXPECT_THAT(outcome.tables[0].failures, IsEmpty());
}

TEST(LoadOutcomeTest, DifferencesOfATableAreABrokenProof) {
  batchload::LoadPlan plan = PlanOf(false);
  plan.tables.push_back(test::TableOf("u"));
  AddGroup(plan, 0);
  AddGroup(plan, 1);
  SampleRun run(std::move(plan));
  run.Finish(0);
  run.Finish(1);
  ASSERT_TRUE(run.ledger->ProvedTable(0, "equal", {}));
  ASSERT_TRUE(run.ledger->CloseTable(0));
  ASSERT_TRUE(run.ledger->ProvedTable(1, "differs", {"2024-01-01: 100 rows expected, 99"}));
  const LoadOutcome outcome = Of(run);
  EXPECT_TRUE(outcome.tables[0].done_whole);
  EXPECT_FALSE(outcome.tables[1].done_whole);
  EXPECT_THAT(outcome.tables[1].failures, ElementsAre("2024-01-01: 100 rows expected, 99"));
  EXPECT_EQ(CodeOf(outcome), ExitCode::kProofFailed);
}

TEST(LoadOutcomeTest, CopiesAloneAreDoneWhereEveryGroupIsThereAndProven) {
  batchload::LoadPlan plan = PlanOf(true, 2);
  plan.load = false;
  SampleRun run(std::move(plan));
  run.Copy(0);
  EXPECT_EQ(CodeOf(Of(run, CopyResult{})), ExitCode::kSomeFailed);
  run.Copy(1);
  EXPECT_EQ(CodeOf(Of(run, CopyResult{})), ExitCode::kDone);
  CopyResult copies;
  copies.differences = {"s3://target/dest/p=01/a.csv is not there"};
  const LoadOutcome outcome = Of(run, copies);
  EXPECT_FALSE(outcome.tables[0].done_whole);
  EXPECT_THAT(outcome.tables[0].failures, ElementsAre("s3://target/dest/p=01/a.csv is not there"));
  EXPECT_EQ(CodeOf(outcome), ExitCode::kProofFailed);
}

TEST(LoadOutcomeTest, WhatEndedTheCopiesEndedTheRun) {
  SampleRun run(PlanOf(true, 1));
  CopyResult copies;
  copies.fatal = MakeError(ErrorKind::kExpiredCredentials, "they have expired");
  EXPECT_EQ(CodeOf(Of(run, copies)), ExitCode::kEnvironment);
  copies.interrupted = true;
  EXPECT_EQ(CodeOf(Of(run, copies)), ExitCode::kInterrupted);
}

std::string Json(const Event& event) { return run::ToJsonLine(event, "r", 1, {}); }

TEST(LoadEndEventsTest, TablesTroublesAndTheEndLast) {
  SampleRun run(PlanOf(true, 2));
  run.Copy(0);
  run.Copy(1);
  run.Finish(0);
  run.Fail(1, "refused");
  CopyResult copies;
  copies.files = 4;
  copies.bytes = 2000;
  LoadOutcome outcome = Of(run, copies);
  outcome.tables[0].remarks = {"not counted"};
  outcome.elapsed = std::chrono::milliseconds(1500);
  RunEnd end;
  end.code = CodeOf(outcome);
  end.report = "/r/report.html";
  end.resume = "ts-batchload resume r";
  const std::vector<Event> events = EndEvents(outcome, end);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_THAT(
      Json(events[0]),
      HasSubstr(R"("kind":"table_ended","table":"targetdb.t","done":false,"verified":"","files":4,)"
                R"("bytes":2000,"groups":2,"groups_done":1,"groups_failed":1,)"
                R"("rows_processed":200,"rows_ingested":200,"rows_rejected":0,)"
                R"("rows_expected":200})"));
  EXPECT_THAT(Json(events[1]), HasSubstr(R"("severity":"warning","text":"not counted")"));
  EXPECT_THAT(Json(events[2]), HasSubstr(R"("severity":"error","text":"group g0002)"));
  EXPECT_THAT(
      Json(events[3]),
      HasSubstr(R"("kind":"run_ended","outcome":"some_failed","exit_code":1,"tables":1,)"
                R"("tables_done":0,"groups":2,"groups_done":1,"tasks":2,"rows_ingested":200,)"
                R"("bytes_metered":2000,"seconds":1.5,"files_copied":4,"bytes_copied":2000,)"
                R"("report":"/r/report.html","resume_command":"ts-batchload resume r"})"));
}

TEST(LoadEndEventsTest, TheOutcomesNameAndItsError) {
  SampleRun run(PlanOf(false, 1));
  LoadOutcome outcome = Of(run);
  const auto last = [&] { return Json(EndEvents(outcome, {CodeOf(outcome), "", "", ""}).back()); };
  EXPECT_THAT(last(), HasSubstr(R"("outcome":"some_failed","exit_code":1)"));
  outcome.broken_proof = true;
  EXPECT_THAT(last(), HasSubstr(R"("outcome":"proof_failed","exit_code":4)"));
  outcome.fatal = MakeError(ErrorKind::kAccessDenied, "not allowed");
  EXPECT_THAT(last(), HasSubstr(R"("outcome":"failed","exit_code":3)"));
  EXPECT_THAT(last(), HasSubstr(R"("error":"not allowed")"));
  outcome.interrupted = true;
  EXPECT_THAT(last(), HasSubstr(R"("outcome":"interrupted","exit_code":130)"));
}

}  // namespace
}  // namespace tsm::apps
