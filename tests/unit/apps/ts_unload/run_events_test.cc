#include "ts_unload/run_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/ts_unload/plan_sample.h"
#include "tsm/run/event_log.h"

namespace tsm::apps {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Kinds(const std::vector<Event>& events) {
  std::vector<std::string> kinds;
  for (const Event& event : events) kinds.emplace_back(event.kind);
  return kinds;
}

std::string Json(const Event& event) { return run::ToJsonLine(event, "r", 1, {}); }

unload::UnloadSummary TwoTables() {
  unload::UnloadSummary summary;
  summary.outcome = unload::UnloadOutcome::kProofFailed;
  for (const char* name : {"a", "b"}) {
    unload::TableSummary table;
    table.table = {"db", name};
    table.destination = *s3::S3Uri::Parse("s3://bucket/u/db");
    table.slices = 3;
    table.attempts = 4;
    table.rows = 100;
    table.bytes = 5000;
    table.files = 6;
    table.closed = table.table.table == "a";
    summary.tables.push_back(table);
  }
  summary.tables[1].remarks = {"old rows have expired"};
  summary.tables[1].failures = {"count differs: 2024-01-01"};
  return summary;
}

TEST(EndEventsTest, TablesTroublesAndTheEndLast) {
  const auto events =
      EndEvents(TwoTables(), {ExitCode::kProofFailed, "/r/report.html", "", "ts-unload resume r"});
  EXPECT_THAT(Kinds(events),
              ElementsAre("table_ended", "table_ended", "trouble", "trouble", "run_ended"));
  EXPECT_THAT(Json(events[0]), HasSubstr(R"("table":"db.a","done":true,)"));
  EXPECT_THAT(Json(events[1]), HasSubstr(R"("table":"db.b","done":false,)"));
  EXPECT_THAT(Json(events[2]), HasSubstr(R"("severity":"warning","text":"old rows have expired")"));
  EXPECT_THAT(Json(events[3]),
              HasSubstr(R"("severity":"error","text":"count differs: 2024-01-01")"));
  EXPECT_THAT(
      Json(events[4]),
      EndsWith(
          R"("kind":"run_ended","outcome":"proof_failed","exit_code":4,"tables":2,)"
          R"("tables_done":1,"slices":6,"attempts":8,"rows":200,"bytes":10000,"files":12,)"
          R"("seconds":0.0,"report":"/r/report.html","resume_command":"ts-unload resume r"})"));
}

TEST(EndEventsTest, TheErrorThatEndedARun) {
  const Error error = MakeError(ErrorKind::kAccessDenied, "not allowed");
  EXPECT_THAT(Json(FailureEvent(error, {ExitCodeOf(error), "", "", ""})),
              HasSubstr(R"("outcome":"failed","exit_code":3,"error":)"));
  const Error stopped = MakeError(ErrorKind::kCancelled, "stopped");
  const std::string json = Json(FailureEvent(stopped, {ExitCodeOf(stopped), "p", "", "resume it"}));
  EXPECT_THAT(json, HasSubstr(R"("outcome":"interrupted","exit_code":130)"));
  EXPECT_THAT(json, HasSubstr(R"("resume_command":"resume it")"));
  EXPECT_THAT(json, Not(HasSubstr("next_command")));
}

TEST(PlanEventsTest, EachTableWithItsSlices) {
  unload::PlannedUnload planned;
  planned.plan = test::OneTable();
  planned.plan.tables[0].slices[0].rows = 7;
  planned.plan.tables.push_back(test::TableOf("db", "none", planned.plan.root));
  planned.plan.tables[1].slices.clear();
  const auto events = PlanEvents(planned);
  EXPECT_THAT(Kinds(events),
              ElementsAre("table_planned", "slice_planned", "table_planned", "run_ended"));
  EXPECT_THAT(Json(events[0]), HasSubstr(R"("slices":1,"sql":"UNLOAD (SELECT )"));
  EXPECT_THAT(Json(events[1]), HasSubstr(R"("partitions":2,"rows":7})"));
  EXPECT_THAT(Json(events[2]), Not(HasSubstr("sql")));
  EXPECT_THAT(Json(events[3]),
              EndsWith(R"("outcome":"dry_run","exit_code":0,"tables":2,"slices":1})"));
}

}  // namespace
}  // namespace tsm::apps
