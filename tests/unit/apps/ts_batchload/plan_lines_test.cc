// What --dry_run and `check` print.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/ts_batchload/load_sample.h"
#include "ts_batchload/plan_load.h"

namespace tsm::apps {
namespace {

using test::PlanOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct PlanLinesTest : ::testing::Test {
  void Plan(batchload::LoadPlan plan) {
    planned.plan = std::move(plan);
    planned.found.tables.resize(planned.plan.tables.size());
    for (const batchload::TableLoad& table : planned.plan.tables) {
      batchload::DesiredTable wish;
      wish.table = table.target;
      planned.wishes.tables.push_back(std::move(wish));
    }
    settings.copy = planned.plan.copy;
    settings.target_bucket = planned.plan.target_bucket;
    settings.destination_prefix = planned.plan.destination_prefix;
  }
  std::vector<std::string> Lines() const { return PlanLines(planned, settings); }

  PlannedLoad planned;
  BatchLoadSettings settings;
};

TEST_F(PlanLinesTest, ALoadInPlaceOfAnExistingTable) {
  Plan(PlanOf(false, 2));
  planned.found.tables[0].emplace();
  planned.plan.tables[0].source = timestream::TableRef{"sourcedb", "mine"};
  planned.plan.tables[0].record_uri = "s3://source/unload/tsm-run-x.json";
  EXPECT_THAT(Lines(), ElementsAre("source    sourcedb.mine, s3://source/unload/",
                                   "record    s3://source/unload/tsm-run-x.json",
                                   "target    targetdb.t in eu-west-1",
                                   "files     4 files, 2.0 kB, 200 rows",
                                   "groups    2 groups, a batch-load task each, by partition",
                                   "  g0001  s3://target/dest/p=01/  2 files, 1.0 kB, 100 rows",
                                   "  g0002  s3://target/dest/p=02/  2 files, 1.0 kB, 100 rows",
                                   "canary    g0001 loads alone first",
                                   "checked   nothing was copied, created or loaded"));
}

TEST_F(PlanLinesTest, WhatWouldBeCreatedIsNamed) {
  Plan(PlanOf(true, 1));
  planned.found.target_missing = true;
  planned.found.report_missing = true;
  planned.found.missing_databases = {"targetdb"};
  planned.remarks = {"measure x is left out"};
  planned.plan.tables[0].gzip = true;
  planned.plan.tables[0].rows.reset();
  const auto lines = Lines();
  EXPECT_THAT(lines, Contains("target    targetdb.t in eu-west-1, to be created"));
  EXPECT_THAT(lines, Contains(HasSubstr("2 files, 1.0 kB of gzip")));
  EXPECT_THAT(lines, Contains("copy      2 files to s3://target/dest/"));
  EXPECT_THAT(lines, Contains("create    the bucket target"));
  EXPECT_THAT(lines, Contains("create    the bucket reports"));
  EXPECT_THAT(lines, Contains("create    the database targetdb"));
  EXPECT_THAT(lines, Contains(StartsWith("create    the table targetdb.t, partition key ")));
  EXPECT_THAT(lines, Contains("note      measure x is left out"));
  EXPECT_THAT(lines, Not(Contains(StartsWith("canary"))));
}

TEST_F(PlanLinesTest, OfManyGroupsTheFirstAreShown) {
  Plan(PlanOf(false, 6));
  EXPECT_THAT(Lines(), Contains(StartsWith("  g0006  ")));
  planned = {};
  Plan(PlanOf(false, 9));
  EXPECT_THAT(Lines(), Contains(StartsWith("  g0005  ")));
  EXPECT_THAT(Lines(), Not(Contains(StartsWith("  g0006  "))));
  EXPECT_THAT(Lines(), Contains("  and 4 more"));
}

TEST_F(PlanLinesTest, CopiesAloneHaveNoGroupsAndNoTarget) {
  batchload::LoadPlan plan = PlanOf(true, 1);
  plan.load = false;
  Plan(std::move(plan));
  planned.wishes.tables.clear();
  planned.found.tables.clear();
  EXPECT_THAT(Lines(),
              ElementsAre("source    s3://source/unload/", "files     2 files, 1.0 kB, 100 rows",
                          "copy      2 files to s3://target/dest/",
                          "checked   nothing was copied, created or loaded"));
}

}  // namespace
}  // namespace tsm::apps
