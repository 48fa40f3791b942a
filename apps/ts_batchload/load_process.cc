#include "ts_batchload/load_process.h"

#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "common/run_end.h"
#include "ts_batchload/copy_part.h"
#include "ts_batchload/group_files.h"
#include "ts_batchload/load_outcome.h"
#include "ts_batchload/run_events.h"
#include "ts_batchload/summary.h"
#include "ts_batchload/table_proof.h"
#include "tsm/batchload/failure_notifier.h"
#include "tsm/batchload/load_report.h"
#include "tsm/batchload/load_run.h"
#include "tsm/core/text.h"
#include "tsm/run/event_log.h"
#include "tsm/verify/verify_table.h"

namespace tsm::apps {

using batchload::LoadLedger;
using batchload::LoadPlan;
using batchload::LoadState;

namespace {

UnixNanos NowOf(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock.Now().time_since_epoch())
      .count();
}

LoadLedger::Mirror MirrorOf(S3State* state) {
  if (state == nullptr) return nullptr;
  return [state](const JournalEntry& entry) { return state->Put(entry, std::stop_token()); };
}

std::function<Status()> TickOf(S3State* state) {
  if (state == nullptr) return nullptr;
  return [state] { return state->Tick(std::stop_token()); };
}

batchload::LoadConduct ConductOf(const LoadProcess& process) {
  const LoadPace& pace = process.pace;
  batchload::LoadConduct conduct;
  conduct.table_slots = pace.table_slots;
  conduct.account_slots = pace.account_slots;
  conduct.poll_interval = pace.poll_interval;
  conduct.start_interval = pace.start_interval;
  // Whoever may start tasks faster than the service's default may ask faster too.
  conduct.describe_interval =
      std::min<std::chrono::nanoseconds>(conduct.describe_interval, pace.start_interval);
  conduct.give_up_after = pace.give_up_after;
  conduct.max_resumes = pace.max_resumes;
  conduct.retry_failed = process.flags.retry_failed;
  if (process.flags.model.record_version > 0) {
    conduct.record_version = process.flags.model.record_version;
  }
  conduct.tick = TickOf(process.s3_state);
  conduct.report_dir = (process.stored.directory / "reports").string();
  return conduct;
}

// Everything of one process between its beginning and its end.
class Process {
 public:
  explicit Process(const LoadProcess& process)
      : process_(process),
        plan_(process.stored.plan),
        events_(process.stored.directory, plan_.run_id, process.console, process.session.clock(),
                [&process](const std::string& line) { process.console.PrintNow(line); }),
        ledger_(std::move(*process.stored.state), process.journal, MirrorOf(process.s3_state)),
        notifier_(process.session.sns(), process.pace.topic, events_),
        started_(process.session.clock().Steady()),
        on_stop_(process.interrupts.stop, [this] { stop_.request_stop(); }),
        on_drain_(process.interrupts.drain, [this] { drain_.request_stop(); }) {}

  ExitCode Run() {
    events_.Info("run " + plan_.run_id + ": " + plan_.Title() +
                 "; if it is interrupted: " + ResumeCommand(process_.flags, plan_, false));
    std::optional<CopyResult> copies;
    batchload::LoadRunResult loaded;
    Status status = Work(copies, loaded);
    if (status && plan_.load && !loaded.interrupted && !loaded.fatal &&
        !(copies && (copies->interrupted || copies->fatal))) {
      status = Prove(plan_.verify, false);
    }
    return End(copies, loaded, status);
  }

  ExitCode Verify(batchload::Verify verify) {
    Status status = Prove(verify, true);
    return End(std::nullopt, {}, status);
  }

 private:
  Session& session() const { return process_.session; }

  // Copies in a thread of their own, tasks in this one.
  Status Work(std::optional<CopyResult>& copies, batchload::LoadRunResult& loaded) {
    batchload::ReadyGroups ready;
    if (plan_.load) {
      if (Status counted = CountBefore(); !counted) return counted;
    }
    if (!plan_.copy) {
      for (std::size_t i = 0; i < plan_.groups.size(); ++i) ready.Push(i);
      ready.Close();
      return Load(ready, loaded);
    }
    CopyPart part({plan_, ledger_, process_.stored.directory, CopyOptionsOf(), CopyServicesOf(),
                   ready, notifier_});
    if (Status looked = part.Look(drain_.get_token()); !looked) return looked;
    std::jthread copying([&] {
      copies = part.Run({drain_.get_token(), stop_.get_token()});
      // Files that can't be had end what waits for them.
      if (copies->fatal) drain_.request_stop();
    });
    if (plan_.load) {
      Status status = Load(ready, loaded);
      if (!status || loaded.fatal || loaded.interrupted) drain_.request_stop();
      copying.join();
      return status;
    }
    copying.join();
    return Ok();
  }

  copy::CopyOptions CopyOptionsOf() const {
    copy::CopyOptions options;
    options.encryption = plan_.encryption;
    options.kms_key_id = plan_.kms_key_id;
    options.bucket_owner_full_control = plan_.bucket_owner_full_control;
    options.concurrency = process_.pace.copy_concurrency;
    options.most_concurrency = process_.pace.most_copy_concurrency;
    options.part_bytes = process_.pace.part_bytes;
    options.stream_workers = process_.pace.stream_workers;
    options.give_up_after = process_.pace.give_up_after;
    options.streamed = session().two_principals();
    return options;
  }

  copy::CopyServices CopyServicesOf() {
    return {session().source_s3(), session().s3(), session().clock(),
            session().random(),    events_,        TickOf(process_.s3_state)};
  }

  verify::VerifyServices VerifyServicesOf(timestream::QueryClient& query) {
    return {query, session().clock(), session().random(), events_, TickOf(process_.s3_state)};
  }

  // What lies in the targets' ranges before the first task: it would be counted with the load's.
  Status CountBefore() {
    for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
      bool known = false;
      ledger_.Look(
          [&](const LoadState& state) { known = state.tables()[i].rows_before.has_value(); });
      if (known || plan_.verify == batchload::Verify::kNone) continue;
      Result<timestream::QueryClient*> query = session().query();
      if (!query) return query.error();
      const batchload::TableLoad& table = plan_.tables[i];
      Result<std::uint64_t> rows = verify::CountRows(table.target, table.from, table.end,
                                                     VerifyServicesOf(**query), drain_.get_token());
      // A table without any row has no columns to be counted by.
      if (!rows && rows.error().kind == ErrorKind::kValidation) rows = std::uint64_t{0};
      if (!rows) return rows.error().With("counting " + table.target.str() + " before the load");
      if (Status written = ledger_.CountedBefore(i, *rows); !written) return written;
    }
    return Ok();
  }

  Status Load(batchload::ReadyGroups& ready, batchload::LoadRunResult& loaded) {
    Result<timestream::WriteClient*> write = session().write();
    if (!write) return write.error();
    const batchload::GroupKeys keys = [this](std::size_t group) {
      return KeysOfGroup(process_.stored.directory, plan_, group, ledger_.Group(group));
    };
    loaded = batchload::RunLoad(
        plan_, ledger_, ConductOf(process_),
        {**write, session().s3(), session().clock(), session().random(), events_, notifier_}, ready,
        keys, {drain_.get_token(), stop_.get_token()});
    return Ok();
  }

  Status Prove(batchload::Verify verify, bool again) {
    Result<timestream::QueryClient*> query = session().query();
    if (!query) return query.error();
    const ProofParts parts{plan_,
                           ledger_,
                           plan_.copy ? session().source_s3() : session().s3(),
                           VerifyServicesOf(**query),
                           verify,
                           process_.pace.verify_wait,
                           process_.pace.poll_interval,
                           again};
    return ProveTables(parts, remarks_, drain_.get_token());
  }

  ExitCode End(const std::optional<CopyResult>& copies, const batchload::LoadRunResult& loaded,
               Status status) {
    if (Status flushed = process_.journal.Flush(); !flushed && status) status = flushed;
    LoadOutcome outcome;
    ledger_.Look([&](const LoadState& state) { outcome = OutcomeOf(state, copies); });
    for (std::size_t i = 0; i < remarks_.size(); ++i) outcome.tables[i].remarks = remarks_[i];
    // Where one half of the run ended it, the other half was only asked to stop.
    if (loaded.fatal && !loaded.canary_failed && !outcome.fatal) outcome.fatal = loaded.fatal;
    if (loaded.fatal && loaded.canary_failed) events_.Warn(loaded.fatal->Text());
    if (!status && status.error().kind != ErrorKind::kCancelled) outcome.fatal = status.error();
    outcome.interrupted = process_.interrupts.drain.stop_requested() &&
                          (outcome.interrupted || loaded.interrupted || !status);

    outcome.elapsed = session().clock().Steady() - started_;
    return Tell(outcome);
  }

  // Nothing was announced or copied: there is nothing to resume.
  bool IsUntouched(const LoadOutcome& outcome) const {
    const batchload::LoadTotals totals = ledger_.Totals();
    return process_.untouched != nullptr && outcome.fatal && totals.tasks == 0 &&
           totals.files_copied == 0;
  }

  ExitCode Tell(const LoadOutcome& outcome) {
    const ExitCode code = CodeOf(outcome);
    if (outcome.fatal) process_.console.Fail(*outcome.fatal);
    RunEnd end;
    end.code = code;
    if (IsUntouched(outcome)) {
      *process_.untouched = true;
      events_.OnEvent(FailureEvent(*outcome.fatal, end));
      return code;
    }
    std::uint64_t failed = 0;
    for (const TableOutcome& table : outcome.tables) failed += table.failed_tasks;
    end.report = ReportPath(process_.stored.directory);
    if (code != ExitCode::kDone) {
      const bool retry = plan_.load && failed > 0 && !outcome.interrupted;
      end.resume = ResumeCommand(process_.flags, plan_, retry);
    }
    WriteReport(outcome, end.resume);
    for (const std::string& line : SummaryLines(outcome)) process_.console.Print(line);
    process_.console.Print("report    " + end.report);
    if (!end.resume.empty()) PrintResume(process_.console, end.resume);
    for (const Event& event : EndEvents(outcome, end)) events_.OnEvent(event);
    NotifyEnd(outcome);
    return code;
  }

  void WriteReport(const LoadOutcome& outcome, const std::string& next) {
    run::RunReport report;
    ledger_.Look([&](const LoadState& state) {
      report = batchload::ReportOf(state, StateName(outcome), NowOf(session().clock()));
    });
    // Failed groups and differing places are the state's, and stand there already.
    const auto add = [&report](const std::vector<std::string>& lines) {
      report.troubles.insert(report.troubles.end(), lines.begin(), lines.end());
    };
    if (outcome.copies) add(outcome.copies->differences);
    for (const TableOutcome& table : outcome.tables) add(table.remarks);
    if (outcome.fatal) report.troubles.push_back(outcome.fatal->Text());
    report.next_command = next;
    WriteReportFiles(report, process_.stored.directory, process_.console);
  }

  void NotifyEnd(const LoadOutcome& outcome) {
    std::uint64_t done = 0;
    std::uint64_t groups = 0;
    std::uint64_t rows = 0;
    for (const TableOutcome& table : outcome.tables) {
      done += table.done;
      groups += table.groups;
      rows += table.ingested;
    }
    std::string message = "The batch load " + plan_.run_id + " (" + plan_.Title() + ") is " +
                          StateName(outcome) + ": " + WithThousands(done) + " of " +
                          WithThousands(groups) + " groups loaded, " + WithThousands(rows) +
                          " rows ingested.";
    if (outcome.fatal) message += " It ended with: " + outcome.fatal->Text();
    notifier_.NotifyEnd(StateName(outcome), message, std::stop_token());
  }

  const LoadProcess& process_;
  const LoadPlan& plan_;
  run::EventLog events_;
  LoadLedger ledger_;
  batchload::FailureNotifier notifier_;
  const std::chrono::steady_clock::time_point started_;
  std::vector<std::vector<std::string>> remarks_;
  std::stop_source stop_;
  std::stop_source drain_;
  std::stop_callback<std::function<void()>> on_stop_;
  std::stop_callback<std::function<void()>> on_drain_;
};

}  // namespace

ExitCode RunProcess(const LoadProcess& process) { return Process(process).Run(); }

ExitCode VerifyProcess(const LoadProcess& process, batchload::Verify verify) {
  return Process(process).Verify(verify);
}

}  // namespace tsm::apps
