#include "ts_unload/run_command.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "common/run_end.h"
#include "common/s3_state.h"
#include "common/session.h"
#include "common/stored_runs.h"
#include "ts_unload/model_files.h"
#include "ts_unload/run_events.h"
#include "ts_unload/stored_unload.h"
#include "ts_unload/summary.h"
#include "ts_unload/unload_process.h"
#include "tsm/run/state_dir.h"
#include "tsm/unload/plan_unload.h"

namespace tsm::apps {

namespace {

void TellPlan(const unload::PlannedUnload& planned, const unload::UnloadOptions& options,
              Console& console) {
  for (const std::string& line : PlanLines(planned, options)) console.Print(line);
  LooseEvents events(console);
  for (const Event& event : PlanEvents(planned)) events.Tell(event);
}

S3StatePlace PlaceOf(Session& session, const s3::S3Uri& root, const std::string& run_id) {
  unload::UnloadPlan plan;  // for the one rule of where the state lies
  plan.run_id = run_id;
  plan.root = root;
  return {session.s3(), session.clock(), session.random(), root.bucket, plan.StatePrefix()};
}

struct Clients {
  std::unique_ptr<Session> session;
  timestream::QueryClient* query = nullptr;
};

Result<Clients> OpenClients(const SessionOptions& options, ProgressSink& sink) {
  Clients clients;
  auto session = Session::Open(options, kUnloadTool, sink);
  if (!session) return session.error();
  clients.session = *std::move(session);
  Result<timestream::QueryClient*> query = clients.session->query();
  if (!query) return query.error();
  clients.query = *query;
  return clients;
}

Result<unload::PlannedUnload> MakePlan(const unload::UnloadOptions& options, Clients& clients,
                                       Console& console, std::stop_token stop) {
  timestream::WriteClient* write = nullptr;
  if (options.scope.tables.empty()) {
    Result<timestream::WriteClient*> client = clients.session->write();
    if (!client) return client.error();
    write = *client;
  }
  const unload::UnloadServices services = ServicesOf(*clients.session, *clients.query, console);
  return PlanUnload(options, services, write, run::MakeRunId(services.clock, services.random),
                    std::move(stop));
}

// Plan, journal and where asked the state in S3: from here on the run exists.
struct BegunRun {
  std::unique_ptr<StoredUnload> stored;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<S3State> s3_state;
};

Result<BegunRun> Begin(const unload::UnloadOptions& options, unload::UnloadPlan plan,
                       Session& session, std::stop_token stop) {
  Result<std::filesystem::path> state_dir = StateDir(options.state_dir);
  if (!state_dir) return state_dir.error();
  Result<std::filesystem::path> directory = run::RunDirectory(*state_dir, plan.run_id);
  if (!directory) return directory.error();
  BegunRun begun;
  begun.stored = std::make_unique<StoredUnload>();
  begun.stored->directory = *directory;
  begun.stored->plan_text = ToJson(plan);
  begun.stored->plan = std::move(plan);
  begun.stored->state = std::make_unique<unload::UnloadState>(begun.stored->plan);
  const JournalHeader header = HeaderOf(begun.stored->plan, begun.stored->plan_text);
  if (Status written = run::WriteFileDurably(*directory / kPlanFileName, begun.stored->plan_text);
      !written) {
    return written.error();
  }
  Result<std::unique_ptr<Journal>> journal = Journal::Create(*directory, header, session.clock());
  if (!journal) return journal.error();
  begun.journal = *std::move(journal);
  if (options.run.state == unload::StateStore::kS3) {
    Result<std::unique_ptr<S3State>> s3_state =
        S3State::Begin(PlaceOf(session, begun.stored->plan.root, begun.stored->plan.run_id),
                       begun.stored->plan_text, header, std::move(stop));
    if (!s3_state) {
      DiscardRun(*directory);
      return s3_state.error();
    }
    begun.s3_state = *std::move(s3_state);
  }
  return begun;
}

// The directory of the run to resume, and with --state s3 its state taken over from S3.
Result<std::filesystem::path> Locate(const UnloadFlags& flags,
                                     const unload::RunSettings& settings) {
  Result<std::filesystem::path> state_dir = StateDir(flags.input.state_dir);
  if (!state_dir) return state_dir.error();
  if (settings.state == unload::StateStore::kS3) return run::RunDirectory(*state_dir, flags.run);
  return FindRun(*state_dir, flags.run, kUnloadTool);
}

Result<std::unique_ptr<Journal>> Reopen(StoredUnload& stored, const Clock& clock) {
  return ReopenJournal(
      stored.directory, HeaderOf(stored.plan, stored.plan_text),
      [&](const JournalEntry& entry) { return stored.state->Apply(entry); }, clock);
}

}  // namespace

ExitCode RunNew(const UnloadFlags& flags, Console& console, const Interrupts& interrupts) {
  Result<unload::UnloadOptions> options = unload::UnloadOptions::Check(flags.input);
  if (!options) return FailBeforeRun(console, options.error());
  Result<Clients> clients = OpenClients(flags.session, console);
  if (!clients) return FailBeforeRun(console, clients.error());
  Result<unload::PlannedUnload> planned = MakePlan(*options, *clients, console, interrupts.drain);
  if (!planned) return FailBeforeRun(console, planned.error());
  if (Status written = WriteDataModel(planned->plan, console); !written) {
    return FailBeforeRun(console, written.error());
  }
  if (options->dry_run) {
    TellPlan(*planned, *options, console);
    return ExitCode::kDone;
  }
  for (const std::string& remark : planned->remarks) console.Warn(remark);

  Result<BegunRun> begun =
      Begin(*options, std::move(planned->plan), *clients->session, interrupts.drain);
  if (!begun) return FailBeforeRun(console, begun.error());
  const std::filesystem::path directory = begun->stored->directory;
  bool untouched = false;
  const ExitCode code =
      RunProcess({flags, console, interrupts, *clients->session, *clients->query, *begun->stored,
                  *begun->journal, std::move(begun->s3_state), options->run, &untouched});
  if (untouched) DiscardRun(directory);
  return code;
}

ExitCode ResumeRun(const UnloadFlags& flags, Console& console, const Interrupts& interrupts) {
  Result<unload::RunSettings> settings = CheckRunSettings(flags.input);
  if (!settings) return FailBeforeRun(console, settings.error());
  Result<std::filesystem::path> directory = Locate(flags, *settings);
  if (!directory) return FailBeforeRun(console, directory.error());

  SessionOptions session_options = flags.session;
  std::optional<s3::S3Uri> root;
  if (settings->state == unload::StateStore::kS3) {
    Result<s3::S3Uri> uri = s3::S3Uri::Parse(flags.input.s3_uri);
    if (!uri) return FailBeforeRun(console, uri.error());
    root = *std::move(uri);
  } else {
    Result<std::unique_ptr<StoredUnload>> known = ReadPlan(*directory);
    if (!known) return FailBeforeRun(console, known.error());
    if (session_options.client.region.empty()) {
      session_options.client.region = (*known)->plan.region;
    }
    if ((*known)->plan.state == unload::StateStore::kS3) root = (*known)->plan.root;
  }
  Result<Clients> clients = OpenClients(session_options, console);
  if (!clients) return FailBeforeRun(console, clients.error());

  std::unique_ptr<S3State> s3_state;
  if (root) {
    const std::string run_id = directory->filename().string();
    Result<std::unique_ptr<S3State>> taken =
        S3State::TakeOver(PlaceOf(*clients->session, *root, run_id), *directory, interrupts.drain);
    if (!taken) return FailBeforeRun(console, taken.error());
    s3_state = *std::move(taken);
    if (const auto& before = s3_state->taken_over_from()) {
      console.Info("the lock of " + before->Text() + ", which is gone, is taken over");
    }
  }
  Result<std::unique_ptr<StoredUnload>> stored = ReadPlan(*directory);
  if (!stored) return FailBeforeRun(console, stored.error());
  if (clients->session->region() != (*stored)->plan.region) {
    return FailBeforeRun(console, MakeError(ErrorKind::kInvalidInput,
                                            "--region: the run is of " + (*stored)->plan.region +
                                                ", not " + clients->session->region()));
  }
  Result<std::unique_ptr<Journal>> journal = Reopen(**stored, clients->session->clock());
  if (!journal) return FailBeforeRun(console, journal.error());
  return RunProcess({flags, console, interrupts, *clients->session, *clients->query, **stored,
                     **journal, std::move(s3_state), *settings, nullptr});
}

}  // namespace tsm::apps
