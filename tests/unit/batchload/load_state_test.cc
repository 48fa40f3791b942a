// The ledger of a load: what each entry makes of the state, and what is refused.
#include "tsm/batchload/load_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "batchload/load_sample.h"
#include "run/run_dir.h"
#include "support/fake_clock.h"
#include "support/unload_clients.h"
#include "tsm/batchload/load_ledger.h"

namespace tsm::batchload {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using timestream::ProgressReport;
using timestream::TaskStatus;
using State = GroupState::State;
using Task = TaskAttempt::State;

constexpr ProgressReport kAll{100, 100, 0, 0, 0, 5000};
constexpr ProgressReport kSome{40, 40, 0, 0, 0, 2000};

class LoadLedgerTest : public testing::Test {
 protected:
  explicit LoadLedgerTest(bool copy = false, std::size_t groups = 4)
      : plan_(SamplePlan(copy, groups)) {
    Result<std::unique_ptr<Journal>> journal = Journal::Create(path(), Header(), clock_, disk_);
    journal_ = *std::move(journal);
    ledger_ = std::make_unique<LoadLedger>(LoadState(plan_), *journal_,
                                           [this](const JournalEntry& entry) -> Status {
                                             mirrored_.push_back(entry.kind);
                                             return mirror_;
                                           });
  }
  std::filesystem::path path() const { return dir_.path() / "run"; }
  JournalHeader Header() const { return {"ts-batchload", "RUN1", "RUN1", "plan", 0}; }

  static void Good(const Status& status) { ASSERT_TRUE(status) << status.error().Text(); }
  static void Bad(const Status& status, const std::string& why) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kBadReply);
    EXPECT_THAT(status.error().message, HasSubstr(why));
  }
  void Start(std::size_t group, const std::string& task) {
    Good(ledger_->AnnounceTask(group, "token", 0));
    Good(ledger_->TookTask(group, task));
  }
  GroupState Group(std::size_t group) const { return ledger_->Group(group); }

  tsm::test::RunDir dir_;
  tsm::test::FakeClock clock_;
  tsm::test::UnsyncedDisk disk_;
  LoadPlan plan_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<LoadLedger> ledger_;
  std::vector<std::string> mirrored_;
  Status mirror_ = Ok();
};

class CopyLedgerTest : public LoadLedgerTest {
 protected:
  CopyLedgerTest() : LoadLedgerTest(true) {}
};

TEST_F(LoadLedgerTest, FollowsATaskToItsEnd) {
  EXPECT_TRUE(Group(0).sealed);
  Good(ledger_->AnnounceTask(0, "token", 7));
  EXPECT_EQ(Group(0).state, State::kLoading);
  EXPECT_EQ(Group(0).open()->state, Task::kIntent);
  Good(ledger_->TookTask(0, "T1"));
  Good(ledger_->SawTask(0, TaskStatus::kInProgress, kSome));
  const GroupState loading = Group(0);
  EXPECT_EQ(loading.open()->task_id, "T1");
  EXPECT_EQ(loading.open()->client_token, "token");
  EXPECT_EQ(loading.open()->record_version, 7);
  EXPECT_EQ(loading.open()->progress.records_processed, 40);
  EXPECT_EQ(ledger_->Totals().loading, 1U);
  EXPECT_EQ(ledger_->Totals().ingested, 40U);
  Good(ledger_->FinishGroup(0, kAll, 3));
  EXPECT_EQ(Group(0).state, State::kDone);
  EXPECT_EQ(Group(0).open(), nullptr);
  EXPECT_EQ(Group(0).rejected, 3U);
  const LoadTotals totals = ledger_->Totals();
  EXPECT_EQ(totals.groups, 4U);
  EXPECT_EQ(totals.sealed, 4U);
  EXPECT_EQ(totals.done, 1U);
  EXPECT_EQ(totals.loading, 0U);
  EXPECT_EQ(totals.processed, 100U);
  EXPECT_EQ(totals.rejected, 3U);
  EXPECT_EQ(totals.bytes_metered, 5000U);
  EXPECT_EQ(totals.bytes_done, 5000U);
  EXPECT_THAT(mirrored_, ElementsAre("task", "task_created", "task_status", "group_done"));
}

TEST_F(LoadLedgerTest, ALostTaskMakesRoomForTheNext) {
  Good(ledger_->AnnounceTask(0, "a", 0));
  Good(ledger_->LostTask(0, "refused"));
  EXPECT_EQ(Group(0).state, State::kPending);
  Start(0, "T1");
  EXPECT_EQ(Group(0).tasks.size(), 2U);
  EXPECT_EQ(Group(0).tasks[0].state, Task::kLost);
  EXPECT_EQ(Group(0).tasks[0].note, "refused");
}

TEST_F(LoadLedgerTest, ResumesCountUntilThereIsProgress) {
  Start(0, "T1");
  Bad(ledger_->AnnounceResume(0), "has not stopped");
  Good(ledger_->SawTask(0, TaskStatus::kProgressStopped, kSome));
  Good(ledger_->AnnounceResume(0));
  Good(ledger_->SawTask(0, TaskStatus::kPendingResume, kSome));
  Good(ledger_->SawTask(0, TaskStatus::kProgressStopped, kSome));
  Good(ledger_->AnnounceResume(0));
  EXPECT_EQ(Group(0).open()->resumes, 2);
  Good(ledger_->SawTask(0, TaskStatus::kInProgress, {41, 41, 0, 0, 0, 2000}));
  EXPECT_EQ(Group(0).open()->resumes, 0);
}

TEST_F(LoadLedgerTest, AFailedGroupIsRetriedWithItsVersion) {
  Start(0, "T1");
  Good(ledger_->FailGroup(0, kSome, "bad rows", true, 60, "s3://b/r.json"));
  EXPECT_EQ(Group(0).state, State::kFailed);
  EXPECT_TRUE(Group(0).failed_proof);
  EXPECT_EQ(Group(0).tasks[0].report_uri, "s3://b/r.json");
  EXPECT_EQ(ledger_->Totals().failed, 1U);
  EXPECT_EQ(ledger_->Totals().rejected, 60U);
  Bad(ledger_->AnnounceTask(0, "b", 0), "not waiting");
  Good(ledger_->RetryGroup(0, 9));
  EXPECT_EQ(Group(0).record_version, 9);
  EXPECT_FALSE(Group(0).failed_proof);
  EXPECT_EQ(ledger_->Totals().rejected, 0U);
  Start(0, "T2");
  Good(ledger_->FinishGroup(0, kAll, 0));
  EXPECT_EQ(ledger_->Totals().bytes_metered, 7000U);
  EXPECT_EQ(ledger_->Totals().processed, 100U);
}

TEST_F(LoadLedgerTest, RefusesWhatDoesNotFit) {
  Bad(ledger_->TookTask(0, "T1"), "no open task");
  Bad(ledger_->FinishGroup(0, kAll, 0), "no open task");
  Bad(ledger_->RetryGroup(0), "has not failed");
  Bad(ledger_->AnnounceTask(0, "", 0), "no client token");
  Good(ledger_->AnnounceTask(0, "a", 0));
  Bad(ledger_->AnnounceTask(0, "b", 0), "not waiting");
  Bad(ledger_->SawTask(0, TaskStatus::kInProgress, kSome), "has not taken");
  Bad(ledger_->FinishGroup(0, kAll, 0), "has not taken");
  Good(ledger_->TookTask(0, "T1"));
  Bad(ledger_->TookTask(0, "T2"), "takes a task twice");
  Bad(ledger_->LostTask(0, "x"), "takes a task twice");
  Good(ledger_->AnnounceTask(1, "c", 0));
  Bad(ledger_->TookTask(1, "T1"), "another group's");
  Bad(ledger_->Copied(0, 0, {}), "that is complete");
  Bad(ledger_->SealGroup(0, {3, 5000, 100}, {}), "that is complete");
  Good(ledger_->PassCanary());
  Bad(ledger_->PassCanary(), "twice");
  Bad(ledger_->CloseTable(0), "not done");
  const std::size_t written = mirrored_.size();
  EXPECT_EQ(written, 4U);
}

TEST_F(LoadLedgerTest, RefusesDamagedEntries) {
  LoadState state(plan_);
  const auto bad = [&](const JournalEntry& entry, const std::string& why) {
    const Status applied = state.Apply(entry);
    ASSERT_FALSE(applied) << entry.kind;
    EXPECT_THAT(applied.error().message, HasSubstr("entry 5 (" + entry.kind + ")"));
    EXPECT_THAT(applied.error().message, HasSubstr(why));
  };
  bad({"task", {{"group", "g77"}}, 5, 0}, "not in the plan");
  bad({"counted_before", {{"table", "db/x"}}, 5, 0}, "not in the plan");
  bad({"counted_before", {{"table", "db/t"}, {"rows", "-3"}}, 5, 0}, "no count of rows");
  bad({"dance", {{"group", "g0"}}, 5, 0}, "does not know");
  bad({"task", {{"group", "g0"}, {"client_token", "t"}}, 5, 0}, "no record version");
  bad({"group_failed", {{"group", "g0"}, {"processed", "x"}}, 5, 0}, "no good counters");
}

TEST_F(LoadLedgerTest, TablesAreProvenAndClosed) {
  Good(ledger_->CountedBefore(1, 12));
  for (const std::size_t group : {0, 2}) {
    Start(group, "T" + std::to_string(group));
    Good(ledger_->FinishGroup(group, kAll, 0));
  }
  std::vector<std::string> differences;
  for (int i = 0; i < 150; ++i) differences.push_back("day " + std::to_string(i));
  Good(ledger_->ProvedTable(0, "differs", differences));
  ledger_->Look([&](const LoadState& state) {
    EXPECT_EQ(state.tables()[0].differences.size(), 100U);
    EXPECT_EQ(state.tables()[0].differences[42], "day 42");
    EXPECT_EQ(state.tables()[1].rows_before, 12U);
  });
  Good(ledger_->ProvedTable(0, "equal", {}));
  Good(ledger_->CloseTable(0));
  Bad(ledger_->CloseTable(1), "not done");
  ledger_->Look([&](const LoadState& state) {
    EXPECT_TRUE(state.tables()[0].closed);
    EXPECT_EQ(state.tables()[0].verified, "equal");
    EXPECT_THAT(state.tables()[0].differences, IsEmpty());
  });
}

TEST_F(LoadLedgerTest, WhatTheMirrorRefusesIsTrueAndReturned) {
  mirror_ = MakeError(ErrorKind::kTransient, "S3 is away");
  const Status announced = ledger_->AnnounceTask(0, "a", 0);
  ASSERT_FALSE(announced);
  EXPECT_EQ(announced.error().message, "S3 is away");
  EXPECT_EQ(Group(0).state, State::kLoading);
}

TEST_F(CopyLedgerTest, AGroupIsSealedOnceItsFilesAreThere) {
  EXPECT_FALSE(Group(0).sealed);
  Bad(ledger_->AnnounceTask(0, "a", 0), "not waiting");
  for (const std::uint32_t ordinal : {2, 0}) Good(ledger_->Copied(0, ordinal, {1, 10, {}}));
  Good(ledger_->CopyFailed(0, "forbidden"));
  EXPECT_EQ(ledger_->Totals().copy_failed, 1U);
  EXPECT_TRUE(ledger_->IsCopied(0, 2));
  EXPECT_FALSE(ledger_->IsCopied(0, 1));
  Bad(ledger_->SealGroup(0, {3, 30, 100}, {}), "not all there");
  Bad(ledger_->Copied(0, 3, {1, 10, {}}), "no file of its group");
  Bad(ledger_->Copied(0, 1, {2, 10, {}}), "no good count of objects");
  Good(ledger_->Copied(0, 1, {1, 10, {}}));
  EXPECT_EQ(ledger_->Totals().bytes_copied, 30U);
  clock_.Advance(std::chrono::seconds(5));
  Good(ledger_->SealGroup(0, {3, 30, 100}, {}));
  EXPECT_TRUE(ledger_->IsCopied(0, 1));
  EXPECT_THAT(Group(0).copied, IsEmpty());
  EXPECT_EQ(Group(0).copy_failure, "");
  EXPECT_EQ(Group(0).copy_ended - Group(0).copy_begun, 5'000'000'000);
  EXPECT_EQ(ledger_->Totals().files_copied, 3U);
  EXPECT_EQ(ledger_->Totals().bytes_copied, 30U);
  Good(ledger_->AnnounceTask(0, "a", 0));
}

TEST_F(CopyLedgerTest, InflatedFilesBecomeObjects) {
  for (const std::uint32_t ordinal : {0, 1, 2}) {
    Good(ledger_->Copied(1, ordinal, {ordinal + 1, 10, 33}));
  }
  Bad(ledger_->SealGroup(1, {6, 30, 99}, {}), "other objects");
  Bad(ledger_->SealGroup(1, {6, 30, 99}, {1, 2, 4}), "other objects");
  Good(ledger_->SealGroup(1, {6, 30, 99}, {1, 2, 3}));
  EXPECT_THAT(Group(1).inflated_objects, ElementsAre(1, 2, 3));
  EXPECT_EQ(Group(1).sealed->rows, 99U);
}

TEST_F(CopyLedgerTest, UploadsAreRememberedUntilTheyAreOver) {
  const s3::ObjectKey key("dest/a.csv");
  Good(ledger_->UploadStarted(key, "U1"));
  Good(ledger_->UploadStarted(key, "U2"));
  Bad(ledger_->UploadStarted(key, "U2"), "of its own");
  Good(ledger_->UploadEnded(key, "U1"));
  Bad(ledger_->UploadEnded(key, "U1"), "never began");
  ledger_->Look([](const LoadState& state) {
    ASSERT_EQ(state.uploads().size(), 1U);
    EXPECT_EQ(state.uploads()[0].upload_id, "U2");
  });
}

TEST(LoadStateNames, TargetsThatThePlanHasTwiceAreToldApart) {
  LoadPlan plan = SamplePlan(false, 0);
  plan.tables.push_back(plan.tables[0]);
  EXPECT_EQ(JournalName(plan, 0), "db/t");
  EXPECT_EQ(JournalName(plan, 1), "db/u");
  EXPECT_EQ(JournalName(plan, 2), "db/t#2");
}

}  // namespace
}  // namespace tsm::batchload
