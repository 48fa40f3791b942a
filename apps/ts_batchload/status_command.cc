#include "ts_batchload/status_command.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ts_batchload/load_outcome.h"
#include "ts_batchload/stored_load.h"
#include "ts_batchload/summary.h"
#include "tsm/batchload/load_report.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/run/run_report.h"
#include "tsm/run/state_dir.h"

namespace tsm::apps {

namespace {

UnixNanos Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             SystemClock().Now().time_since_epoch())
      .count();
}

std::string StateOf(const StoredLoad& stored, const LoadOutcome& outcome) {
  if (CodeOf(outcome) == ExitCode::kDone) return "done";
  if (Journal::Holder(stored.directory)) return "running";
  const bool failed = outcome.broken_proof ||
                      std::any_of(outcome.tables.begin(), outcome.tables.end(),
                                  [](const TableOutcome& table) { return table.failed > 0; });
  return failed ? "failed" : "interrupted";
}

bool IsOpen(const std::string& state) { return state != "done" && state != "running"; }

std::string ResumeOf(const BatchLoadFlags& flags, const StoredLoad& stored,
                     const LoadOutcome& outcome) {
  const bool failed = std::any_of(outcome.tables.begin(), outcome.tables.end(),
                                  [](const TableOutcome& table) { return table.failed_tasks > 0; });
  return ResumeCommand(flags, stored.plan, failed && stored.plan.load);
}

run::RunReport ReportOf(const BatchLoadFlags& flags, const StoredLoad& stored) {
  const LoadOutcome outcome = OutcomeOf(*stored.state, std::nullopt);
  const std::string state = StateOf(stored, outcome);
  run::RunReport report = batchload::ReportOf(*stored.state, state, Now());
  if (report.finished) report.finished = LastSign(stored.directory);
  if (IsOpen(state)) report.next_command = ResumeOf(flags, stored, outcome);
  return report;
}

std::string RunningLine(const batchload::LoadGroup& group, const batchload::TaskAttempt& task) {
  if (task.task_id.empty()) return "  " + group.id + "  a task is announced";
  return "  " + group.id + "  task " + task.task_id + ", " +
         std::string(timestream::Name(task.status)) + ", " +
         WithThousands(static_cast<std::uint64_t>(
             std::max<std::int64_t>(0, task.progress.records_ingested))) +
         " rows ingested, since " + FormatTimestamp(task.announced);
}

void PrintTable(const StoredLoad& stored, const TableOutcome& table, Console& console) {
  std::string line = "table     " + table.target.str() + ": ";
  if (stored.plan.copy) {
    line +=
        std::to_string(table.copied) + " of " + std::to_string(table.groups) + " groups copied, ";
  }
  if (stored.plan.load) {
    line += std::to_string(table.done) + " of " + std::to_string(table.groups) + " loaded, " +
            WithThousands(table.ingested) + " rows ingested";
  }
  if (!table.verified.empty()) line += ", proof " + table.verified;
  console.Print(line);
  for (const std::string& failure : table.failures) console.Print("  failed: " + failure);
}

void PrintStatus(const BatchLoadFlags& flags, const StoredLoad& stored, Console& console) {
  const LoadOutcome outcome = OutcomeOf(*stored.state, std::nullopt);
  const std::string state = StateOf(stored, outcome);
  console.Print("run       " + stored.plan.run_id + ", " + state);
  console.Print("plan      " + stored.plan.Title());
  for (const TableOutcome& table : outcome.tables) PrintTable(stored, table, console);
  for (std::size_t i = 0; i < stored.plan.groups.size(); ++i) {
    if (const batchload::TaskAttempt* open = stored.state->group(i).open()) {
      console.Print(RunningLine(stored.plan.groups[i], *open));
    }
  }
  console.Print("directory " + stored.directory.string());
  if (IsOpen(state)) console.Print("resume    " + ResumeOf(flags, stored, outcome));
}

Result<std::unique_ptr<StoredLoad>> Find(const BatchLoadFlags& flags) {
  Result<std::filesystem::path> state_dir = StateDir(flags.state_dir);
  if (!state_dir) return state_dir.error();
  Result<std::filesystem::path> directory = FindRun(*state_dir, flags.run, kBatchLoadTool);
  if (!directory) return directory.error();
  return ReadLoad(*directory);
}

}  // namespace

ExitCode ShowStatus(const BatchLoadFlags& flags, Console& console) {
  Result<std::unique_ptr<StoredLoad>> stored = Find(flags);
  if (!stored) {
    console.Fail(stored.error());
    return ExitCodeOf(stored.error());
  }
  if (flags.json) {
    console.Print(run::ToJsonLine(ReportOf(flags, **stored)));
  } else {
    PrintStatus(flags, **stored, console);
  }
  return ExitCode::kDone;
}

ExitCode ListRuns(const BatchLoadFlags& flags, Console& console) {
  Result<std::filesystem::path> state_dir = StateDir(flags.state_dir);
  Result<std::vector<run::StoredRun>> runs =
      state_dir ? run::ListRuns(*state_dir)
                : Result<std::vector<run::StoredRun>>(state_dir.error());
  if (!runs) {
    console.Fail(runs.error());
    return ExitCodeOf(runs.error());
  }
  std::reverse(runs->begin(), runs->end());  // the latest last, beside the prompt
  for (const run::StoredRun& found : *runs) {
    if (found.header && found.header->tool != kBatchLoadTool) continue;
    Result<std::unique_ptr<StoredLoad>> stored = ReadLoad(found.directory);
    if (flags.json) {
      console.Print(run::ToJsonLine(
          stored ? ReportOf(flags, **stored)
                 : UnreadableReport(kBatchLoadTool, "group", found, stored.error())));
      continue;
    }
    const std::string what = stored
                                 ? StateOf(**stored, OutcomeOf(*(*stored)->state, std::nullopt)) +
                                       "  " + (*stored)->plan.Title()
                                 : "unreadable  " + stored.error().message;
    console.Print(found.run_id + "  " + what);
  }
  return ExitCode::kDone;
}

}  // namespace tsm::apps
