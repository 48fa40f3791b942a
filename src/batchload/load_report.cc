#include "tsm/batchload/load_report.h"

#include <utility>

#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

std::uint64_t Positive(std::int64_t number) {
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

std::string OutcomeOf(const TaskAttempt& task) {
  switch (task.state) {
    case TaskAttempt::State::kIntent:
    case TaskAttempt::State::kRunning:
      return "running";
    case TaskAttempt::State::kSucceeded:
      return "done";
    case TaskAttempt::State::kFailed:
      return "failed";
    case TaskAttempt::State::kLost:
      return "cancelled";
  }
  return "";
}

std::string StateOf(const GroupState& group, bool loads) {
  switch (group.state) {
    case GroupState::State::kDone:
      return "done";
    case GroupState::State::kFailed:
      return "failed";
    case GroupState::State::kLoading:
      return "running";
    case GroupState::State::kPending:
      break;
  }
  if (!loads && group.sealed) return "done";
  if (!group.copy_failure.empty()) return "failed";
  return "pending";
}

std::string NoteOf(const TaskAttempt& task) {
  std::string note = task.task_id.empty() ? "not taken by the service" : "task " + task.task_id;
  if (!task.note.empty()) note += ": " + task.note;
  return note;
}

run::ReportAttempt CopyOf(const GroupState& group) {
  run::ReportAttempt copy;
  copy.begin = group.copy_begun;
  copy.outcome = "running";
  copy.note = "copy";
  if (group.copy_ended > 0) copy.end = group.copy_ended;
  if (group.sealed) copy.outcome = "done";
  if (!group.copy_failure.empty()) {
    copy.outcome = "failed";
    copy.note = "copy: " + group.copy_failure;
  }
  return copy;
}

run::ReportUnit UnitOf(const LoadPlan& plan, const LoadGroup& planned, const GroupState& group) {
  run::ReportUnit unit;
  unit.lane = plan.tables[planned.table].target.str();
  unit.label = planned.id;
  unit.range = planned.label;
  unit.state = StateOf(group, plan.load);
  unit.bytes = group.sealed ? group.sealed->bytes : planned.bytes;
  unit.files = planned.files;
  if (!group.tasks.empty()) unit.rows = Positive(group.tasks.back().progress.records_ingested);
  if (group.copy_begun > 0) unit.attempts.push_back(CopyOf(group));
  for (const TaskAttempt& task : group.tasks) {
    run::ReportAttempt attempt;
    attempt.begin = task.announced;
    if (task.ended > 0) attempt.end = task.ended;
    attempt.outcome = OutcomeOf(task);
    attempt.note = NoteOf(task);
    unit.attempts.push_back(std::move(attempt));
  }
  return unit;
}

std::string GroupsFact(const LoadTotals& totals, bool loads) {
  return WithThousands(loads ? totals.done : totals.sealed) + " of " +
         WithThousands(totals.groups) + (loads ? " loaded by " : " copied") +
         (loads ? WithThousands(totals.tasks) + " tasks" : std::string());
}

void AddTable(const LoadState& load, std::size_t index, run::RunReport& report) {
  const std::string lane = load.plan().tables[index].target.str();
  const TableLoadState& table = load.tables()[index];
  if (!table.verified.empty()) report.facts.emplace_back("Proof of " + lane, table.verified);
  if (table.rows_before && *table.rows_before > 0) {
    report.facts.emplace_back("Rows before in " + lane, WithThousands(*table.rows_before));
  }
  for (const std::string& difference : table.differences) {
    report.troubles.push_back(lane + ": " + difference);
  }
}

void AddGroup(const LoadPlan& plan, const LoadGroup& planned, const GroupState& group,
              run::RunReport& report) {
  report.units.push_back(UnitOf(plan, planned, group));
  const std::string name = report.units.back().lane + " group " + planned.id;
  if (group.state == GroupState::State::kFailed) {
    report.troubles.push_back(name + " failed: " + group.failure);
  } else if (!group.copy_failure.empty()) {
    report.troubles.push_back(name + " was not copied: " + group.copy_failure);
  }
  if (group.state == GroupState::State::kDone && group.rejected > 0) {
    report.troubles.push_back(name + ": " + WithThousands(group.rejected) +
                              " rows were rejected, its task's report names them");
  }
}

}  // namespace

run::RunReport ReportOf(const LoadState& load, const std::string& state, UnixNanos now) {
  const LoadPlan& plan = load.plan();
  const LoadTotals& totals = load.Totals();
  run::RunReport report;
  report.tool = "ts-batchload";
  report.tool_version = plan.tool_version;
  report.run_id = plan.run_id;
  report.title = plan.Title();
  report.state = state;
  report.started = plan.created;
  report.written = now;
  report.unit_name = "group";
  if (state != "running") report.finished = now;
  report.facts = {{"Region", plan.region},
                  {"Files", WithThousands(plan.files()) + ", " + FormatBytes(plan.bytes())},
                  {"Groups", GroupsFact(totals, plan.load)}};
  if (plan.copy) {
    report.facts.emplace_back("Copied", WithThousands(totals.files_copied) + " files, " +
                                            FormatBytes(totals.bytes_copied));
  }
  if (plan.load) {
    report.facts.emplace_back("Rows", WithThousands(totals.ingested) + " ingested of " +
                                          WithThousands(totals.processed) + " processed, " +
                                          WithThousands(totals.rejected) + " rejected");
    report.facts.emplace_back("Metered", FormatBytes(totals.bytes_metered));
  }
  for (std::size_t i = 0; i < plan.tables.size(); ++i) AddTable(load, i, report);
  for (std::size_t i = 0; i < plan.groups.size(); ++i) {
    AddGroup(plan, plan.groups[i], load.group(i), report);
  }
  return report;
}

}  // namespace tsm::batchload
