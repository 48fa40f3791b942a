// What a table must hold, place by place, and when it is proven.
#include "ts_batchload/table_proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/ts_batchload/load_sample.h"
#include "verify/verify_bench.h"

namespace tsm::apps {
namespace {

using test::AddGroup;
using test::PlanOf;
using test::SampleRun;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tsm::test::kDay;
using tsm::test::kFebruary26;

// Days from 2024-02-26 on, each with 100 rows in the groups that are named.
batchload::LoadPlan Days(std::size_t groups, const std::vector<std::vector<std::size_t>>& days) {
  batchload::LoadPlan plan = PlanOf(false, groups);
  UnixNanos from = kFebruary26;
  for (std::size_t i = 0; i < days.size(); ++i, from += kDay) {
    plan.tables[0].places.push_back(
        {"day " + std::to_string(i + 1), from, from + kDay, 100, days[i]});
  }
  return plan;
}

// "day 1: 100".
std::vector<std::string> Places(const SampleRun& run) {
  std::vector<std::string> lines;
  UnixNanos before = 0;
  for (const verify::ExpectedPlace& place : ExpectedPlaces(run.plan, 0, run.State())) {
    lines.push_back(place.label + ": " + std::to_string(place.rows));
    EXPECT_LE(before, place.from);
    EXPECT_LT(place.from, place.end);
    before = place.end;
  }
  return lines;
}

TEST(ExpectedPlacesTest, WithoutRejectionsEachStandsAlone) {
  SampleRun run(Days(2, {{0}, {0, 1}, {1}}));
  run.Finish(0);
  run.Finish(1);
  EXPECT_THAT(Places(run), ElementsAre("day 1: 100", "day 2: 100", "day 3: 100"));
}

TEST(ExpectedPlacesTest, RejectionsOfAGroupOfOnePlaceAreTakenOffThere) {
  SampleRun run(Days(2, {{0}, {1}}));
  run.Finish(0);
  run.Finish(1, 7);
  EXPECT_THAT(Places(run), ElementsAre("day 1: 100", "day 2: 93"));
}

TEST(ExpectedPlacesTest, PlacesThatShareAGroupWithRejectionsAreOne) {
  SampleRun run(Days(3, {{0}, {1}, {1}, {2}}));
  run.Finish(0);
  run.Finish(1, 7);
  run.Finish(2);
  EXPECT_THAT(Places(run), ElementsAre("day 1: 100", "day 2 to day 3: 193", "day 4: 100"));
}

TEST(ExpectedPlacesTest, WhatLiesBetweenThemIsWithinTheOne) {
  SampleRun run(Days(3, {{0}, {1}, {2}, {1}, {0}}));
  run.Finish(0);
  run.Finish(1, 10);
  run.Finish(2, 5);
  EXPECT_THAT(Places(run), ElementsAre("day 1: 100", "day 2 to day 4: 285", "day 5: 100"));
}

TEST(ExpectedPlacesTest, AChainOfSharedGroupsIsOnePlaceWithEachRejectionOnce) {
  SampleRun run(Days(3, {{0}, {0, 1}, {1, 2}, {2}}));
  run.Finish(0, 1);
  run.Finish(1, 2);
  run.Finish(2, 4);
  EXPECT_THAT(Places(run), ElementsAre("day 1 to day 4: 393"));
}

TEST(ExpectedPlacesTest, MoreRejectionsThanTheFirstPlaceHasRowsAreAllTakenOff) {
  SampleRun run(Days(1, {{0}, {0}}));
  run.plan.groups[0].rows = 200;
  run.Finish(0, 150);
  EXPECT_THAT(Places(run), ElementsAre("day 1 to day 2: 50"));
}

TEST(ExpectedPlacesTest, NoPlaceHasFewerRowsThanNone) {
  SampleRun run(Days(1, {{0}}));
  run.plan.groups[0].rows = 200;
  run.Finish(0, 150);
  EXPECT_THAT(Places(run), ElementsAre("day 1: 0"));
}

// Tables are proven against a service that has rows.
struct TableProofTest : ::testing::Test {
  void Begin(batchload::LoadPlan plan) { run = std::make_unique<SampleRun>(std::move(plan)); }
  void AddRows(UnixNanos time, std::uint64_t rows) {
    for (std::uint64_t i = 0; i < rows; ++i) {
      bench.service.tables[{"targetdb", "t"}].rows.push_back(
          {time + static_cast<UnixNanos>(i), {}, 0});
    }
  }
  Status Prove(bool again = false) {
    const ProofParts parts{
        run->plan, *run->ledger,          bench.clients.Services().s3, bench.Services(),
        verify,    std::chrono::hours(6), std::chrono::seconds(10),    again};
    remarks.clear();
    return ProveTables(parts, remarks, bench.stop.get_token());
  }
  batchload::TableLoadState Table() const { return run->State().tables()[0]; }

  tsm::test::VerifyBench bench;
  std::unique_ptr<SampleRun> run;
  batchload::Verify verify = batchload::Verify::kCount;
  std::vector<std::vector<std::string>> remarks;
};

TEST_F(TableProofTest, EqualCountsCloseTheTable) {
  Begin(Days(2, {{0}, {1}}));
  run->Finish(0);
  run->Finish(1, 4);
  AddRows(kFebruary26, 100);
  AddRows(kFebruary26 + kDay, 96);
  ASSERT_TRUE(Prove());
  EXPECT_EQ(Table().verified, "equal");
  EXPECT_TRUE(Table().closed);
  EXPECT_THAT(remarks[0], ElementsAre(HasSubstr("4 rows were rejected")));
}

TEST_F(TableProofTest, DifferencesLeaveItOpen) {
  Begin(Days(2, {{0}, {1}}));
  run->Finish(0);
  run->Finish(1);
  AddRows(kFebruary26, 101);
  AddRows(kFebruary26 + kDay, 100);
  ASSERT_TRUE(Prove());
  EXPECT_EQ(Table().verified, "differs");
  EXPECT_FALSE(Table().closed);
  EXPECT_THAT(Table().differences, ElementsAre(HasSubstr("day 1: 100 rows expected")));
}

TEST_F(TableProofTest, WithoutPlacesTheRangeOrTheTableIsCounted) {
  Begin(PlanOf(false, 1));
  run->plan.tables[0].from = kFebruary26;
  run->plan.tables[0].end = kFebruary26 + kDay;
  run->Finish(0);
  AddRows(kFebruary26, 100);
  AddRows(kFebruary26 + kDay, 5);
  ASSERT_TRUE(Prove());
  EXPECT_TRUE(Table().closed);
  run->plan.tables[0].end.reset();
  ASSERT_TRUE(Prove(true));
  EXPECT_THAT(Table().differences, ElementsAre(HasSubstr("the table: 100 rows expected")));
}

TEST_F(TableProofTest, AsLongAsAGroupIsOpenNothingIsAsked) {
  Begin(PlanOf(false, 2));
  run->Finish(0);
  ASSERT_TRUE(Prove());
  EXPECT_EQ(Table().verified, "");
  EXPECT_FALSE(Table().closed);
  EXPECT_THAT(remarks[0], ElementsAre(HasSubstr("not every group is loaded")));
  EXPECT_EQ(bench.clients.transport.calls(), 0U);
}

TEST_F(TableProofTest, AFailedGroupIsCountedOnlyWhereItIsAskedFor) {
  Begin(Days(2, {{0}, {1}}));
  run->Finish(0);
  run->Fail(1, "refused", false, 100);
  ASSERT_TRUE(Prove());
  EXPECT_EQ(Table().verified, "");
  AddRows(kFebruary26, 100);
  ASSERT_TRUE(Prove(true));
  EXPECT_EQ(Table().verified, "equal");
  EXPECT_FALSE(Table().closed);
}

TEST_F(TableProofTest, AClosedTableIsLeftAloneUnlessItIsAskedFor) {
  Begin(Days(1, {{0}}));
  run->Finish(0);
  AddRows(kFebruary26, 100);
  ASSERT_TRUE(Prove());
  AddRows(kFebruary26, 1);
  ASSERT_TRUE(Prove());
  EXPECT_EQ(Table().verified, "equal");
  ASSERT_TRUE(Prove(true));
  EXPECT_EQ(Table().verified, "differs");
}

TEST_F(TableProofTest, NotAskedForIsClosedUnproven) {
  verify = batchload::Verify::kNone;
  Begin(PlanOf(false, 1));
  run->Finish(0);
  ASSERT_TRUE(Prove());
  EXPECT_EQ(Table().verified, "not asked");
  EXPECT_TRUE(Table().closed);
  EXPECT_EQ(bench.clients.transport.calls(), 0U);
}

TEST_F(TableProofTest, WhatCannotBeCountedSaysWhy) {
  Begin(PlanOf(false, 1));
  run->plan.tables[0].rows.reset();
  run->Finish(0);
  ASSERT_TRUE(Prove());
  EXPECT_EQ(Table().verified, "not comparable");
  EXPECT_TRUE(Table().closed);
  EXPECT_THAT(remarks[0], ElementsAre(HasSubstr("no record and no manifest")));
}

TEST_F(TableProofTest, RowsThatWereThereBeforeMakeTheCountWorthless) {
  Begin(PlanOf(false, 1));
  ASSERT_TRUE(run->ledger->CountedBefore(0, 1200));
  run->Finish(0);
  ASSERT_TRUE(Prove());
  EXPECT_EQ(Table().verified, "not comparable");
  EXPECT_THAT(remarks[0], ElementsAre(HasSubstr("held 1,200 rows in this range before")));
}

TEST_F(TableProofTest, RowsThatAreNotSeenAreWaitedForAndThenSaid) {
  Begin(Days(1, {{0}}));
  run->Finish(0);
  AddRows(kFebruary26, 99);
  ASSERT_TRUE(Prove());
  EXPECT_EQ(Table().verified, "differs");
  EXPECT_GE(bench.Slept(), std::chrono::hours(6));
  EXPECT_THAT(remarks[0], Contains(HasSubstr("ts-batchload verify " + run->plan.run_id)));
}

TEST_F(TableProofTest, ContentWithoutARecordIsRefused) {
  verify = batchload::Verify::kContent;
  Begin(Days(1, {{0}}));
  run->Finish(0);
  AddRows(kFebruary26, 100);
  const Status status = Prove();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(status.error().Text(), HasSubstr("targetdb.t"));
  EXPECT_FALSE(Table().closed);
}

}  // namespace
}  // namespace tsm::apps
