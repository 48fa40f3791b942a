#include "ts_batchload/load_outcome.h"

#include <algorithm>

#include "tsm/core/text.h"

namespace tsm::apps {

using batchload::GroupState;
using batchload::LoadGroup;

namespace {

std::string FailureLine(const LoadGroup& group, const GroupState& state) {
  std::string line = "group " + group.id + " (" + group.prefix + ")";
  if (!state.tasks.empty() && !state.tasks.back().task_id.empty()) {
    line += ", task " + state.tasks.back().task_id;
  }
  return line + ": " +
         (state.state == GroupState::State::kFailed ? state.failure
                                                    : "not complete: " + state.copy_failure);
}

void AddGroup(const LoadGroup& group, const GroupState& state, TableOutcome& table,
              LoadOutcome& outcome) {
  ++table.groups;
  if (state.state == GroupState::State::kDone) ++table.done;
  if (state.sealed) ++table.copied;
  const bool failed =
      state.state == GroupState::State::kFailed || (!state.sealed && !state.copy_failure.empty());
  if (failed) {
    ++table.failed;
    if (!state.tasks.empty() && !state.tasks.back().task_id.empty()) ++table.failed_tasks;
    table.failures.push_back(FailureLine(group, state));
    outcome.broken_proof = outcome.broken_proof || state.failed_proof;
  }
  table.rejected += state.rejected;
  outcome.tasks += state.tasks.size();
  for (const batchload::TaskAttempt& task : state.tasks) {
    outcome.bytes_metered +=
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, task.progress.bytes_metered));
  }
  if (!state.tasks.empty()) {
    const timestream::ProgressReport& last = state.tasks.back().progress;
    table.processed +=
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, last.records_processed));
    table.ingested += static_cast<std::uint64_t>(std::max<std::int64_t>(0, last.records_ingested));
  }
  if (const batchload::TaskAttempt* open = state.open();
      open != nullptr && !open->task_id.empty()) {
    outcome.running.push_back("group " + group.id + " (" + group.prefix + "), task " +
                              open->task_id + ": goes on in the service");
  }
}

TableOutcome Begin(const batchload::TableLoad& planned, const batchload::TableLoadState& state) {
  TableOutcome table;
  table.target = planned.target;
  table.source = planned.source ? planned.source->str() + ", " + planned.listed : planned.listed;
  table.files = planned.files;
  table.bytes = planned.bytes;
  table.rows = planned.rows;
  table.verified = state.verified;
  return table;
}

}  // namespace

LoadOutcome OutcomeOf(const batchload::LoadState& state, const std::optional<CopyResult>& copies) {
  const batchload::LoadPlan& plan = state.plan();
  LoadOutcome outcome;
  outcome.run_id = plan.run_id;
  outcome.region = plan.region;
  outcome.load = plan.load;
  outcome.copies = copies;
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    outcome.tables.push_back(Begin(plan.tables[i], state.tables()[i]));
  }
  for (std::size_t i = 0; i < plan.groups.size(); ++i) {
    AddGroup(plan.groups[i], state.group(i), outcome.tables[plan.groups[i].table], outcome);
  }
  const bool copies_differ = copies && !copies->differences.empty();
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    TableOutcome& table = outcome.tables[i];
    const batchload::TableLoadState& proof = state.tables()[i];
    table.done_whole = plan.load ? proof.closed : table.copied == table.groups;
    table.done_whole = table.done_whole && proof.differences.empty() && !copies_differ;
    if (table.done_whole) continue;
    outcome.broken_proof = outcome.broken_proof || !proof.differences.empty();
    table.failures.insert(table.failures.end(), proof.differences.begin(), proof.differences.end());
  }
  if (copies_differ) {
    outcome.broken_proof = true;
    auto& failures = outcome.tables.front().failures;
    failures.insert(failures.end(), copies->differences.begin(), copies->differences.end());
  }
  if (copies) {
    outcome.interrupted = copies->interrupted;
    outcome.fatal = copies->fatal;
  }
  return outcome;
}

ExitCode CodeOf(const LoadOutcome& outcome) {
  if (outcome.interrupted) return ExitCode::kInterrupted;
  if (outcome.fatal) return ExitCodeOf(*outcome.fatal);
  if (outcome.broken_proof) return ExitCode::kProofFailed;
  const bool done = std::all_of(outcome.tables.begin(), outcome.tables.end(),
                                [](const TableOutcome& table) { return table.done_whole; });
  return done ? ExitCode::kDone : ExitCode::kSomeFailed;
}

std::string StateName(const LoadOutcome& outcome) {
  if (outcome.interrupted) return "interrupted";
  return CodeOf(outcome) == ExitCode::kDone ? "done" : "failed";
}

}  // namespace tsm::apps
