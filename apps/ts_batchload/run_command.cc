#include "ts_batchload/run_command.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "common/run_end.h"
#include "common/session.h"
#include "common/stored_runs.h"
#include "ts_batchload/load_process.h"
#include "ts_batchload/open_run.h"
#include "ts_batchload/plan_load.h"
#include "ts_batchload/settings.h"
#include "tsm/core/local_file.h"
#include "tsm/run/state_dir.h"

namespace tsm::apps {

namespace {

Status NameDefaultBuckets(BatchLoadSettings& settings, Session& session, std::stop_token stop) {
  std::string account;
  if (NeedsAccount(settings)) {
    Result<sts::CallerIdentity> identity = session.sts().GetCallerIdentity(std::move(stop));
    if (!identity) return identity.error().With("naming the default buckets");
    account = identity->account;
  }
  return NameBuckets(settings, account, session.region());
}

// The directory of a run that is still to be planned: the spools go there.
Result<std::filesystem::path> MakeRunDirectory(const BatchLoadFlags& flags,
                                               const std::string& run_id) {
  Result<std::filesystem::path> state_dir = StateDir(flags.state_dir);
  if (!state_dir) return state_dir.error();
  Result<std::filesystem::path> directory = run::RunDirectory(*state_dir, run_id);
  if (!directory) return directory.error();
  if (Status made = MakeDirectories(*directory); !made) return made.error();
  return directory;
}

// A run from its plan to its end; its directory is there, and is discarded where nothing came of
// it.
class NewRun {
 public:
  NewRun(const BatchLoadFlags& flags, const BatchLoadSettings& settings, Session& session,
         Console& console, const Interrupts& interrupts)
      : flags_(flags),
        settings_(settings),
        session_(session),
        console_(console),
        interrupts_(interrupts) {}

  ExitCode Run(const std::string& run_id, const std::filesystem::path& directory) {
    Result<PlannedLoad> planned =
        PlanLoad(settings_, run_id, directory, session_, console_, interrupts_.drain);
    if (!planned) return Discard(directory, planned.error());
    if (flags_.dry_run || flags_.command == BatchLoadFlags::Command::kCheck) {
      return Tell(*planned, directory);
    }
    if (!settings_.notice.empty()) console_.Warn(settings_.notice);
    for (const std::string& remark : planned->remarks) console_.Info(remark);
    Status created = CreateMissing(*planned, session_, console_, interrupts_.drain);
    if (!created) return Discard(directory, created.error());
    Result<OpenRun> run =
        BeginRun(std::move(planned->plan), directory, session_, interrupts_.drain);
    if (!run) return Discard(directory, run.error());
    bool untouched = false;
    const ExitCode code =
        RunProcess({flags_, console_, interrupts_, session_, *run->stored, *run->journal,
                    settings_.pace, run->s3_state.get(), &untouched});
    EndRun(*run, untouched);
    if (untouched) DiscardRun(directory);
    return code;
  }

 private:
  ExitCode Discard(const std::filesystem::path& directory, const Error& error) {
    DiscardRun(directory);
    return FailBeforeRun(console_, error);
  }

  ExitCode Tell(const PlannedLoad& planned, const std::filesystem::path& directory) {
    DiscardRun(directory);
    if (!settings_.notice.empty()) console_.Warn(settings_.notice);
    for (const std::string& line : PlanLines(planned, settings_)) console_.Print(line);
    LooseEvents events(console_);
    for (const batchload::TableLoad& table : planned.plan.tables) {
      Event event;
      event.kind = "table_planned";
      event.fields = {{"table", table.target.str()},
                      {"source", table.listed},
                      {"files", table.files},
                      {"bytes", table.bytes},
                      {"data_model", table.data_model_json}};
      if (table.rows) event.fields.emplace_back("rows", *table.rows);
      events.Tell(event);
    }
    Event event = RunEnded("dry_run", RunEnd{});
    event.fields.emplace_back("tables", std::uint64_t{planned.plan.tables.size()});
    event.fields.emplace_back("groups", std::uint64_t{planned.plan.groups.size()});
    events.Tell(event);
    return ExitCode::kDone;
  }

  const BatchLoadFlags& flags_;
  const BatchLoadSettings& settings_;
  Session& session_;
  Console& console_;
  const Interrupts& interrupts_;
};

}  // namespace

ExitCode RunNew(const BatchLoadFlags& flags, Console& console, const Interrupts& interrupts) {
  Result<BatchLoadSettings> settings = CheckFlags(flags);
  if (!settings) return FailBeforeRun(console, settings.error());
  Result<std::unique_ptr<Session>> opened = Session::Open(flags.session, kBatchLoadTool, console);
  if (!opened) return FailBeforeRun(console, opened.error());
  Session& session = **opened;
  Status ready = CheckRegion(settings->pace, session.region());
  if (ready) ready = NameDefaultBuckets(*settings, session, interrupts.drain);
  if (!ready) return FailBeforeRun(console, ready.error());
  const std::string run_id = run::MakeRunId(session.clock(), session.random());
  Result<std::filesystem::path> directory = MakeRunDirectory(flags, run_id);
  if (!directory) return FailBeforeRun(console, directory.error());
  return NewRun(flags, *settings, session, console, interrupts).Run(run_id, *directory);
}

ExitCode ResumeRun(const BatchLoadFlags& flags, Console& console, const Interrupts& interrupts) {
  Result<LoadPace> pace = CheckPace(flags.pace);
  if (!pace) return FailBeforeRun(console, pace.error());
  Result<ReopenedRun> reopened = ReopenRun(flags, console, interrupts.drain);
  if (!reopened) return FailBeforeRun(console, reopened.error());
  OpenRun& run = reopened->run;
  ExitCode code = ExitCode::kUsage;
  if (Status status = CheckRegion(*pace, reopened->session->region()); !status) {
    code = FailBeforeRun(console, status.error());
  } else {
    code = RunProcess({flags, console, interrupts, *reopened->session, *run.stored, *run.journal,
                       *pace, run.s3_state.get(), nullptr});
  }
  EndRun(run, false);
  return code;
}

ExitCode VerifyRun(const BatchLoadFlags& flags, Console& console, const Interrupts& interrupts) {
  Result<LoadPace> pace = CheckPace(flags.pace);
  if (!pace) return FailBeforeRun(console, pace.error());
  Result<batchload::Verify> verify = CheckVerify(flags.verify);
  if (!verify) return FailBeforeRun(console, verify.error());
  Result<ReopenedRun> reopened = ReopenRun(flags, console, interrupts.drain);
  if (!reopened) return FailBeforeRun(console, reopened.error());
  OpenRun& run = reopened->run;
  const ExitCode code = VerifyProcess({flags, console, interrupts, *reopened->session, *run.stored,
                                       *run.journal, *pace, run.s3_state.get(), nullptr},
                                      *verify);
  EndRun(run, false);
  return code;
}

}  // namespace tsm::apps
