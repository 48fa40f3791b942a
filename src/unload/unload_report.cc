#include "tsm/unload/unload_report.h"

#include <algorithm>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::unload {

namespace {

std::string OutcomeOf(const Attempt& attempt) {
  switch (attempt.state) {
    case Attempt::State::kOpen:
      return "running";
    case Attempt::State::kDone:
      return "done";
    case Attempt::State::kFailed:
      return "failed";
    case Attempt::State::kReplaced:
      return "replaced";
  }
  return "";
}

std::string StateOf(const SliceState& slice) {
  switch (slice.state) {
    case SliceState::State::kDone:
      return "done";
    case SliceState::State::kFailed:
      return "failed";
    case SliceState::State::kSplit:
      return "split";
    case SliceState::State::kPending:
      return slice.open() != nullptr ? "running" : "pending";
  }
  return "";
}

std::string NoteOf(const Attempt& attempt) {
  std::string note = attempt.note;
  if (!attempt.query_id.empty()) {
    note += (note.empty() ? "query " : "; query ") + attempt.query_id;
  }
  return note;
}

run::ReportUnit UnitOf(const std::string& lane, const std::string& id, const SliceState& slice) {
  run::ReportUnit unit;
  unit.lane = lane;
  unit.label = id;
  unit.range = FormatTimestamp(slice.slice.from) + " - " + FormatTimestamp(slice.slice.end);
  unit.state = StateOf(slice);
  unit.rows = slice.done.rows;
  unit.bytes = slice.done.bytes;
  unit.files = slice.done.files;
  for (const Attempt& attempt : slice.attempts) {
    run::ReportAttempt shown;
    shown.begin = attempt.started;
    if (attempt.state != Attempt::State::kOpen) shown.end = attempt.ended;
    shown.outcome = OutcomeOf(attempt);
    shown.note = NoteOf(attempt);
    unit.attempts.push_back(std::move(shown));
  }
  return unit;
}

void AddTroubles(const std::string& lane, const std::string& id, const SliceState& slice,
                 run::RunReport& report) {
  if (slice.state == SliceState::State::kFailed) {
    report.troubles.push_back(lane + " slice " + id + " failed: " + slice.failure);
  }
}

}  // namespace

run::RunReport ReportOf(const UnloadState& unload, const std::string& state, UnixNanos now) {
  const UnloadPlan& plan = unload.plan();
  run::RunReport report;
  report.tool = "ts-unload";
  report.tool_version = plan.tool_version;
  report.run_id = plan.run_id;
  report.title = plan.Title();
  report.state = state;
  report.started = plan.created;
  report.written = now;
  report.unit_name = "slice";
  if (state != "running") report.finished = now;
  const UnloadTotals totals = unload.Totals();
  report.facts = {{"Account", plan.account.empty() ? "not asked" : plan.account},
                  {"Region", plan.region},
                  {"Destination", plan.root.str()},
                  {"Tables", WithThousands(plan.tables.size())},
                  {"Slices", WithThousands(totals.done) + " of " + WithThousands(totals.slices) +
                                 " done in " + WithThousands(totals.attempts) + " attempts"},
                  {"Rows", WithThousands(totals.rows)},
                  {"Files", WithThousands(totals.files) + ", " + FormatBytes(totals.bytes)}};
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    const std::string lane = plan.tables[i].table().str();
    const TableState& table = unload.table(i);
    if (!table.verified.empty()) {
      report.facts.emplace_back("Proof of " + lane, table.verified);
    }
    for (const auto& [id, slice] : table.slices) {
      report.units.push_back(UnitOf(lane, id, slice));
      AddTroubles(lane, id, slice, report);
    }
  }
  return report;
}

}  // namespace tsm::unload
