#include "ts_unload/stored_unload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "apps/ts_unload/plan_sample.h"
#include "run/run_dir.h"
#include "support/fake_clock.h"
#include "tsm/run/state_dir.h"

namespace tsm::apps {
namespace {

using ::testing::HasSubstr;
using tsm::test::FakeClock;
using tsm::test::Put;
using tsm::test::RunDir;

class StoredUnloadTest : public ::testing::Test {
 protected:
  // Each a minute after the one before it.
  std::unique_ptr<Journal> Begin(const std::string& run_id, const std::string& tool = kUnloadTool) {
    clock_.Advance(std::chrono::minutes(1));
    unload::UnloadPlan plan = test::OneTable();
    plan.run_id = run_id;
    const std::string text = ToJson(plan);
    Put(dir_.path() / run_id / kPlanFileName, text);
    JournalHeader header = HeaderOf(plan, text);
    header.tool = tool;
    auto journal = Journal::Create(dir_.path() / run_id, header, clock_);
    EXPECT_TRUE(journal) << journal.error().Text();
    return *std::move(journal);
  }

  std::string Found(const std::string& name) {
    const auto found = FindRun(dir_.path(), name, kUnloadTool);
    return found ? found->filename().string() : found.error().message;
  }

  RunDir dir_;
  FakeClock clock_;
};

TEST_F(StoredUnloadTest, ARunIsFoundByItsIdItsBeginningOrAsTheLast) {
  Begin("20240226T1-aaa");
  Begin("20240226T2-bbb");
  EXPECT_EQ(Found("20240226T1-aaa"), "20240226T1-aaa");
  EXPECT_EQ(Found("20240226T1"), "20240226T1-aaa");
  EXPECT_EQ(Found("last"), "20240226T2-bbb");
}

TEST_F(StoredUnloadTest, TheLastIsTheOneThatBeganLastWhateverItsName) {
  Begin("b");
  Begin("a");
  EXPECT_EQ(Found("last"), "a");
}

TEST_F(StoredUnloadTest, AWholeIdGoesBeforeOtherRunsThatBeginWithIt) {
  Begin("run1");
  Begin("run12");
  EXPECT_EQ(Found("run1"), "run1");
}

TEST_F(StoredUnloadTest, ABeginningOfSeveralNamesThem) {
  Begin("run-aaa");
  Begin("run-bbb");
  const auto found = FindRun(dir_.path(), "run", kUnloadTool);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(found.error().message, HasSubstr("2 runs begin with run"));
  EXPECT_THAT(found.error().message, HasSubstr("run-aaa"));
  EXPECT_THAT(found.error().message, HasSubstr("run-bbb"));
}

TEST_F(StoredUnloadTest, WhatIsNotThereSaysWhereItWasLookedFor) {
  for (const char* name : {"last", "20240226T1-aaa"}) {
    const auto found = FindRun(dir_.path(), name, kUnloadTool);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(found.error().message, HasSubstr(dir_.path().string()));
    EXPECT_THAT(found.error().message, HasSubstr("ts-unload list"));
  }
  EXPECT_EQ(FindRun(dir_.path() / "absent", "last", kUnloadTool).error().kind,
            ErrorKind::kNotFound);
}

TEST_F(StoredUnloadTest, AnotherToolsRunsAreNotOurs) {
  Begin("ours");
  Begin("theirs", "ts-batchload");
  EXPECT_EQ(Found("last"), "ours");
  EXPECT_EQ(FindRun(dir_.path(), "theirs", kUnloadTool).error().kind, ErrorKind::kNotFound);
}

TEST_F(StoredUnloadTest, PlanAndJournalAreRead) {
  auto journal = Begin("run");
  const auto stored = ReadUnload(dir_.path() / "run");
  ASSERT_TRUE(stored) << stored.error().Text();
  EXPECT_EQ((*stored)->plan.Title(), "sourcedb.myTable by day to s3://bucket/unload");
  EXPECT_EQ((*stored)->state->Totals().slices, 1U);
  EXPECT_EQ(&(*stored)->state->plan(), &(*stored)->plan);
}

TEST_F(StoredUnloadTest, AJournalThatTheStateDoesNotKnowIsRefused) {
  auto journal = Begin("run");
  JournalEntry entry;
  entry.kind = "something of a later version";
  ASSERT_TRUE(journal->Append(entry, Durability::kBeforeEffect));
  const auto stored = ReadUnload(dir_.path() / "run");
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind, ErrorKind::kLocalIo);
}

TEST_F(StoredUnloadTest, APlanThatIsDamagedOrGoneIsNamed) {
  Begin("run");
  const auto file = dir_.path() / "run" / kPlanFileName;
  Put(file, "{");
  const auto damaged = ReadPlan(dir_.path() / "run");
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().Text(), HasSubstr(file.string()));
  std::filesystem::remove(file);
  EXPECT_EQ(ReadPlan(dir_.path() / "run").error().kind, ErrorKind::kNotFound);
}

TEST_F(StoredUnloadTest, TheHeaderKnowsThePlanByItsText) {
  const unload::UnloadPlan plan = test::OneTable();
  const JournalHeader header = HeaderOf(plan, "abc");
  EXPECT_EQ(header.tool, "ts-unload");
  EXPECT_EQ(header.run_id, plan.run_id);
  EXPECT_EQ(header.plan, plan.Title());
  EXPECT_EQ(header.fingerprint, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(StateDirTest, TheFlagGoesBeforeTheEnvironment) {
  EXPECT_EQ(*StateDir("/x/y"), "/x/y");
  const char* before = ::getenv("XDG_STATE_HOME");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("XDG_STATE_HOME", "/state", 1);
  EXPECT_EQ(*StateDir(""), "/state/ts-migration");
  if (before == nullptr) {
    ::unsetenv("XDG_STATE_HOME");
  } else {
    ::setenv("XDG_STATE_HOME", kept.c_str(), 1);
  }
}

}  // namespace
}  // namespace tsm::apps
