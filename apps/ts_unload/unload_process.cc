#include "ts_unload/unload_process.h"

#include <algorithm>
#include <string>
#include <utility>

#include "ts_unload/run_events.h"
#include "ts_unload/summary.h"
#include "tsm/core/version.h"
#include "tsm/run/event_log.h"
#include "tsm/run/report_page.h"
#include "tsm/run/state_dir.h"
#include "tsm/unload/unload_report.h"
#include "tsm/unload/unload_run.h"

namespace tsm::apps {

using unload::UnloadOutcome;

namespace {

ExitCode CodeOf(UnloadOutcome outcome) {
  switch (outcome) {
    case UnloadOutcome::kDone:
      return ExitCode::kDone;
    case UnloadOutcome::kSomeFailed:
      return ExitCode::kSomeFailed;
    case UnloadOutcome::kProofFailed:
      return ExitCode::kProofFailed;
    case UnloadOutcome::kInterrupted:
      return ExitCode::kInterrupted;
  }
  return ExitCode::kService;
}

std::string StateOf(const Result<unload::UnloadSummary>& summary) {
  if (!summary) return summary.error().kind == ErrorKind::kCancelled ? "interrupted" : "failed";
  switch (summary->outcome) {
    case UnloadOutcome::kDone:
      return "done";
    case UnloadOutcome::kInterrupted:
      return "interrupted";
    case UnloadOutcome::kSomeFailed:
    case UnloadOutcome::kProofFailed:
      return "failed";
  }
  return "failed";
}

UnixNanos NowOf(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock.Now().time_since_epoch())
      .count();
}

// Both files, or a warning: a report never fails a run.
void WriteReport(const unload::UnloadLedger& ledger, const Result<unload::UnloadSummary>& summary,
                 const std::string& next, const UnloadProcess& process) {
  run::RunReport report;
  ledger.Look([&](const unload::UnloadState& state) {
    report = ReportOf(state, StateOf(summary), NowOf(process.session.clock()));
  });
  if (summary) {
    for (const unload::TableSummary& table : summary->tables) {
      for (const std::string& failure : table.failures) report.troubles.push_back(failure);
      for (const std::string& remark : table.remarks) report.troubles.push_back(remark);
    }
  } else {
    report.troubles.push_back(summary.error().Text());
  }
  report.next_command = next;
  WriteReportFiles(report, process.stored.directory, process.console);
}

void TellEnd(const UnloadProcess& process, const unload::UnloadSummary& summary, const RunEnd& end,
             ProgressSink& events) {
  for (const std::string& line : SummaryLines(summary, process.stored.plan)) {
    process.console.Print(line);
  }
  process.console.Print("report    " + end.report);
  if (!end.next.empty()) process.console.Print("next      " + end.next);
  if (!end.resume.empty()) PrintResume(process.console, end.resume);
  for (const Event& event : EndEvents(summary, end)) events.OnEvent(event);
}

// `resume` is "" where there is nothing to go on with, and no directory is left.
ExitCode TellFailure(const UnloadProcess& process, const Error& error, const std::string& resume,
                     ProgressSink& events) {
  process.console.Fail(error);
  RunEnd end;
  end.code = ExitCodeOf(error);
  if (!resume.empty()) {
    end.report = ReportPath(process.stored.directory);
    end.resume = resume;
    PrintResume(process.console, resume);
  }
  events.OnEvent(FailureEvent(error, end));
  return end.code;
}

bool SourceChanged(const unload::UnloadSummary& summary) {
  const auto& tables = summary.tables;
  return std::any_of(tables.begin(), tables.end(),
                     [](const unload::TableSummary& table) { return table.source_changed; });
}

// With no stop of its own: the run's may be why it ends.
void EndState(S3State& state, bool untouched, Console& console) {
  if (untouched) {
    Status discarded = state.Discard(std::stop_token());
    if (!discarded) console.Warn("the run's memory in S3: " + discarded.error().Text());
  }
  state.Release();
}

}  // namespace

unload::UnloadServices ServicesOf(Session& session, timestream::QueryClient& query,
                                  ProgressSink& sink) {
  return {session.s3(),     query, session.sts(),    session.clock(),
          session.random(), sink,  session.region(), std::string(Version())};
}

ExitCode RunProcess(UnloadProcess process) {
  const unload::UnloadPlan& plan = process.stored.plan;
  run::EventLog events(process.stored.directory, plan.run_id, process.console,
                       process.session.clock(),
                       [&](const std::string& line) { process.console.PrintNow(line); });
  S3State* const s3_state = process.s3_state.get();
  unload::UnloadLedger::Mirror mirror;
  unload::UnloadConduct conduct;
  conduct.settings = process.settings;
  conduct.redo_changed = process.flags.input.redo_changed;
  if (s3_state != nullptr) {
    mirror = [s3_state](const JournalEntry& entry) {
      return s3_state->Put(entry, std::stop_token());
    };
    conduct.tick = [s3_state] { return s3_state->Tick(std::stop_token()); };
  }
  unload::UnloadLedger ledger(std::move(*process.stored.state), process.journal, mirror);
  std::string resume = ResumeCommand(process.flags, plan);
  events.Info("run " + plan.run_id + ": " + plan.Title() + "; if it is interrupted: " + resume);
  const unload::UnloadInterrupts interrupts{process.interrupts.drain, process.interrupts.stop};
  Result<unload::UnloadSummary> summary = RunUnload(
      plan, ledger, conduct, ServicesOf(process.session, process.query, events), interrupts);
  if (Status flushed = process.journal.Flush(); !flushed && summary) summary = flushed.error();
  // Nothing was announced, so there is nothing to resume: the same command can be given again.
  const bool untouched = process.untouched != nullptr && !summary && ledger.Totals().attempts == 0;
  if (untouched) *process.untouched = true;
  if (s3_state != nullptr) EndState(*s3_state, untouched, process.console);
  const bool done = summary && summary->outcome == UnloadOutcome::kDone;
  if (summary && SourceChanged(*summary)) resume += " --redo_changed";
  const std::string next = done ? NextCommand(process.flags, plan, *summary) : resume;
  WriteReport(ledger, summary, next, process);
  if (!summary) return TellFailure(process, summary.error(), untouched ? "" : resume, events);
  const ExitCode code = CodeOf(summary->outcome);
  TellEnd(process, *summary,
          {code, ReportPath(process.stored.directory), done ? next : "", done ? "" : resume},
          events);
  return code;
}

}  // namespace tsm::apps
