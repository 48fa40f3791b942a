#include "ts_unload/status_command.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>

#include "ts_unload/stored_unload.h"
#include "ts_unload/summary.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/run/run_report.h"
#include "tsm/run/state_dir.h"
#include "tsm/unload/unload_report.h"

namespace tsm::apps {

namespace {

using unload::SliceState;

UnixNanos Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             SystemClock().Now().time_since_epoch())
      .count();
}

bool IsClosed(const unload::UnloadState& state) {
  const auto& tables = state.tables();
  return std::all_of(tables.begin(), tables.end(),
                     [](const unload::TableState& table) { return table.closed; });
}

std::string StateOf(const StoredUnload& stored) {
  if (IsClosed(*stored.state)) return "done";
  if (Journal::Holder(stored.directory)) return "running";
  return stored.state->Totals().failed > 0 ? "failed" : "interrupted";
}

bool IsOpen(const std::string& state) { return state != "done" && state != "running"; }

run::RunReport ReportOf(const UnloadFlags& flags, const StoredUnload& stored) {
  const std::string state = StateOf(stored);
  run::RunReport report = unload::ReportOf(*stored.state, state, Now());
  if (report.finished) report.finished = LastSign(stored.directory);
  if (IsOpen(state)) report.next_command = ResumeCommand(flags, stored.plan);
  return report;
}

std::string RunningLine(const std::string& id, const unload::Attempt& attempt) {
  std::string line = "  " + id + "  " + std::to_string(static_cast<int>(attempt.percent)) + "%, " +
                     FormatBytes(attempt.bytes_scanned) + " scanned, since " +
                     FormatTimestamp(attempt.started);
  if (!attempt.query_id.empty()) line += ", query " + attempt.query_id;
  return line;
}

void PrintTable(const StoredUnload& stored, std::size_t index, Console& console) {
  const unload::TableState& table = stored.state->table(index);
  std::size_t leaves = 0;
  std::size_t done = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (const auto& [id, slice] : table.slices) {
    if (slice.state == SliceState::State::kSplit) continue;
    ++leaves;
    if (slice.state != SliceState::State::kDone) continue;
    ++done;
    rows += slice.done.rows;
    bytes += slice.done.bytes;
  }
  console.Print("table     " + stored.plan.tables[index].table().str() + ": " +
                std::to_string(done) + " of " + std::to_string(leaves) + " slices, " +
                WithThousands(rows) + " rows, " + FormatBytes(bytes) +
                (table.closed ? ", proof " + table.verified : ""));
  for (const auto& [id, slice] : table.slices) {
    if (const unload::Attempt* open = slice.open()) console.Print(RunningLine(id, *open));
    if (slice.state == SliceState::State::kFailed) {
      console.Print("  " + id + "  failed: " + slice.failure);
    }
  }
}

}  // namespace

ExitCode ShowStatus(const UnloadFlags& flags, Console& console) {
  Result<std::filesystem::path> state_dir = StateDir(flags.input.state_dir);
  if (state_dir) {
    Result<std::filesystem::path> directory = FindRun(*state_dir, flags.run, kUnloadTool);
    state_dir = directory ? Result<std::filesystem::path>(*directory) : directory.error();
  }
  Result<std::unique_ptr<StoredUnload>> stored =
      state_dir ? ReadUnload(*state_dir) : Result<std::unique_ptr<StoredUnload>>(state_dir.error());
  if (!stored) {
    console.Fail(stored.error());
    return ExitCodeOf(stored.error());
  }
  const std::string state = StateOf(**stored);
  if (flags.json) {
    console.Print(run::ToJsonLine(ReportOf(flags, **stored)));
    return ExitCode::kDone;
  }
  console.Print("run       " + (*stored)->plan.run_id + ", " + state);
  console.Print("plan      " + (*stored)->plan.Title());
  for (std::size_t i = 0; i < (*stored)->plan.tables.size(); ++i) {
    PrintTable(**stored, i, console);
  }
  console.Print("directory " + (*stored)->directory.string());
  if (IsOpen(state)) console.Print("resume    " + ResumeCommand(flags, (*stored)->plan));
  return ExitCode::kDone;
}

ExitCode ListRuns(const UnloadFlags& flags, Console& console) {
  Result<std::filesystem::path> state_dir = StateDir(flags.input.state_dir);
  if (!state_dir) {
    console.Fail(state_dir.error());
    return ExitCodeOf(state_dir.error());
  }
  Result<std::vector<run::StoredRun>> runs = run::ListRuns(*state_dir);
  if (!runs) {
    console.Fail(runs.error());
    return ExitCodeOf(runs.error());
  }
  std::reverse(runs->begin(), runs->end());  // the latest last, beside the prompt
  for (const run::StoredRun& found : *runs) {
    if (found.header && found.header->tool != kUnloadTool) continue;
    Result<std::unique_ptr<StoredUnload>> stored = ReadUnload(found.directory);
    if (flags.json) {
      console.Print(
          run::ToJsonLine(stored ? ReportOf(flags, **stored)
                                 : UnreadableReport(kUnloadTool, "slice", found, stored.error())));
      continue;
    }
    const std::string what = stored ? StateOf(**stored) + "  " + (*stored)->plan.Title()
                                    : "unreadable  " + stored.error().message;
    console.Print(found.run_id + "  " + what);
  }
  return ExitCode::kDone;
}

}  // namespace tsm::apps
