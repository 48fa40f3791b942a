#include "ts_batchload/open_run.h"

#include <string>
#include <utility>
#include <vector>

#include "common/stored_runs.h"
#include "tsm/core/local_file.h"
#include "tsm/run/state_dir.h"

namespace tsm::apps {

namespace {

S3StatePlace PlaceOf(Session& session, const s3::BucketName& bucket, std::string prefix) {
  return {session.s3(), session.clock(), session.random(), bucket, std::move(prefix)};
}

S3StatePlace PlaceOf(Session& session, const batchload::LoadPlan& plan) {
  return PlaceOf(session, plan.StateBucket(), plan.StatePrefix());
}

Result<std::unique_ptr<Session>> OpenSession(const StoredLoad* stored, const BatchLoadFlags& flags,
                                             Console& console) {
  SessionOptions options = flags.session;
  if (options.client.region.empty() && stored != nullptr) {
    options.client.region = stored->plan.region;
  }
  return Session::Open(options, kBatchLoadTool, console);
}

// The memory in S3 goes before what this machine knows.
Status TakeOver(const S3StatePlace& place, const std::filesystem::path& directory, Console& console,
                std::stop_token stop, OpenRun& run) {
  Result<std::unique_ptr<S3State>> taken = S3State::TakeOver(place, directory, std::move(stop));
  if (!taken) return taken.error();
  run.s3_state = *std::move(taken);
  if (const auto& before = run.s3_state->taken_over_from()) {
    console.Info("the lock of " + before->Text() + ", which is gone, is taken over");
  }
  return Ok();
}

Status OpenJournal(const std::filesystem::path& directory, Session& session, OpenRun& run) {
  Result<std::unique_ptr<StoredLoad>> stored = ReadLoadPlan(directory);
  if (!stored) return stored.error();
  run.stored = *std::move(stored);
  if (session.region() != run.stored->plan.region) {
    return MakeError(
        ErrorKind::kInvalidInput,
        "--region: the run is of " + run.stored->plan.region + ", not " + session.region());
  }
  batchload::LoadState& state = *run.stored->state;
  Result<std::unique_ptr<Journal>> journal = ReopenJournal(
      directory, HeaderOf(run.stored->plan, run.stored->plan_text),
      [&state](const JournalEntry& entry) { return state.Apply(entry); }, session.clock());
  if (!journal) return journal.error();
  run.journal = *std::move(journal);
  return Ok();
}

// A run that this machine remembers.
Result<ReopenedRun> ReopenLocal(const std::filesystem::path& state_dir, const BatchLoadFlags& flags,
                                Console& console, std::stop_token stop) {
  Result<std::filesystem::path> directory = FindRun(state_dir, flags.run, kBatchLoadTool);
  if (!directory) return directory.error();
  Result<std::unique_ptr<StoredLoad>> known = ReadLoadPlan(*directory);
  if (!known) return known.error();
  ReopenedRun reopened;
  Result<std::unique_ptr<Session>> session = OpenSession(known->get(), flags, console);
  if (!session) return session.error();
  reopened.session = *std::move(session);
  Session& opened = *reopened.session;
  if ((*known)->plan.state_in_s3) {
    Status taken = TakeOver(PlaceOf(opened, (*known)->plan), *directory, console, std::move(stop),
                            reopened.run);
    if (!taken) return taken.error();
  }
  if (Status status = OpenJournal(*directory, opened, reopened.run); !status) {
    return status.error();
  }
  return reopened;
}

// A run of which this machine may know nothing.
Result<ReopenedRun> ReopenFromS3(const std::filesystem::path& state_dir,
                                 const BatchLoadFlags& flags, Console& console,
                                 std::stop_token stop) {
  Result<s3::S3Uri> uri = s3::S3Uri::Parse(flags.s3_uri);
  if (!uri) return uri.error().With("--s3_uri");
  Result<std::filesystem::path> directory = run::RunDirectory(state_dir, flags.run);
  if (!directory) return directory.error();
  ReopenedRun reopened;
  Result<std::unique_ptr<Session>> session = OpenSession(nullptr, flags, console);
  if (!session) return session.error();
  reopened.session = *std::move(session);
  Session& opened = *reopened.session;
  if (Status made = MakeDirectories(*directory); !made) return made.error();
  std::string prefix = uri->key.str();
  if (!prefix.ends_with('/')) prefix += '/';
  Status status = TakeOver(PlaceOf(opened, uri->bucket, std::move(prefix)), *directory, console,
                           std::move(stop), reopened.run);
  if (status) status = OpenJournal(*directory, opened, reopened.run);
  if (!status) return status.error();
  return reopened;
}

}  // namespace

Result<OpenRun> BeginRun(batchload::LoadPlan plan, const std::filesystem::path& directory,
                         Session& session, std::stop_token stop) {
  OpenRun run;
  run.stored = std::make_unique<StoredLoad>();
  StoredLoad& stored = *run.stored;
  stored.directory = directory;
  stored.plan_text = ToJson(plan);
  stored.plan = std::move(plan);
  stored.state = std::make_unique<batchload::LoadState>(stored.plan);
  Status written = run::WriteFileDurably(directory / kPlanFileName, stored.plan_text);
  if (!written) return written.error();
  const JournalHeader header = HeaderOf(stored.plan, stored.plan_text);
  Result<std::unique_ptr<Journal>> journal = Journal::Create(directory, header, session.clock());
  if (!journal) return journal.error();
  run.journal = *std::move(journal);
  if (!stored.plan.state_in_s3) return run;
  Result<std::unique_ptr<S3State>> state =
      S3State::Begin(PlaceOf(session, stored.plan), stored.plan_text, header, stop);
  if (!state) return state.error();
  run.s3_state = *std::move(state);
  std::vector<std::string> spools;
  for (const batchload::TableLoad& table : stored.plan.tables) spools.push_back(table.spool);
  if (Status put = run.s3_state->PutFiles(directory, spools, stop); !put) {
    EndRun(run, true);
    return put.error();
  }
  return run;
}

Result<ReopenedRun> ReopenRun(const BatchLoadFlags& flags, Console& console, std::stop_token stop) {
  Result<std::filesystem::path> state_dir = StateDir(flags.state_dir);
  if (!state_dir) return state_dir.error();
  return flags.state == "s3" ? ReopenFromS3(*state_dir, flags, console, std::move(stop))
                             : ReopenLocal(*state_dir, flags, console, std::move(stop));
}

// With no stop of its own: the run's may be why it ends.
void EndRun(OpenRun& run, bool untouched) {
  if (!run.s3_state) return;
  if (untouched) (void)run.s3_state->Discard(std::stop_token());
  run.s3_state->Release();
}

}  // namespace tsm::apps
