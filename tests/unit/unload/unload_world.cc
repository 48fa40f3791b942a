#include "unload/unload_world.h"

#include <algorithm>
#include <set>

#include "tsm/core/text.h"
#include "tsm/run/manifest.h"
#include "tsm/run/state_dir.h"

namespace tsm::test {

using unload::UnloadPlan;
using unload::UnloadSummary;

void NoticeSink::OnNotice(const Notice& notice) {
  const std::lock_guard lock(mutex_);
  notices_.push_back(notice.text);
}

void NoticeSink::OnProgress(const Progress&) {}

void NoticeSink::OnEvent(const Event& event) {
  const std::lock_guard lock(mutex_);
  ++events_[std::string(event.kind)];
}

std::vector<std::string> NoticeSink::Notices() const {
  const std::lock_guard lock(mutex_);
  return notices_;
}

bool NoticeSink::Told(const std::string& part) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(notices_.begin(), notices_.end(), [&](const std::string& notice) {
    return notice.find(part) != std::string::npos;
  });
}

std::size_t NoticeSink::CountEvents(std::string_view kind) const {
  const std::lock_guard lock(mutex_);
  const auto found = events_.find(kind);
  return found == events_.end() ? 0 : found->second;
}

UnloadWorld::UnloadWorld(std::uint64_t seed) : seed_(seed) {
  input.database = "db";
  input.table = "t";
  input.partition = "day";
  input.s3_uri = "s3://bkt/unload";
}

UnloadProcess& UnloadWorld::NewProcess() {
  process_ = std::make_unique<UnloadProcess>(service, clock, seed_++);
  process_->transport.before = before;
  process_->transport.after = after;
  process_->transport.call_time = call_time;
  return *process_;
}

Result<UnloadPlan> UnloadWorld::TryPlan() {
  Result<unload::UnloadOptions> options = unload::UnloadOptions::Check(input);
  if (!options) return options.error();
  UnloadClients& clients = NewProcess().clients;
  const unload::UnloadServices services = clients.Services();
  Result<unload::PlannedUnload> planned =
      unload::PlanUnload(*options, services, &clients.write(),
                         run::MakeRunId(services.clock, services.random), std::stop_token());
  if (!planned) return planned.error();
  if (adjust_plan) adjust_plan(planned->plan);
  return std::move(planned->plan);
}

const UnloadPlan& UnloadWorld::Plan() {
  Result<UnloadPlan> plan = TryPlan();
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().Text());
  plan_ = plan ? *std::move(plan) : UnloadPlan();
  return *plan_;
}

Result<UnloadSummary> UnloadWorld::Run() {
  if (!plan_) Plan();
  unload::UnloadState state(*plan_);
  const JournalHeader header{"ts-unload", plan_->run_id, plan_->run_id, plan_->Title(), 0};
  Result<std::unique_ptr<Journal>> journal =
      std::filesystem::exists(run_dir() / kJournalFileName)
          ? Journal::Open(
                run_dir(), header, [&](const JournalEntry& entry) { return state.Apply(entry); },
                clock, disk_)
          : Journal::Create(run_dir(), header, clock, disk_);
  if (!journal) return journal.error();
  unload::UnloadLedger ledger(std::move(state), **journal);
  unload::UnloadConduct conduct;
  Result<unload::RunSettings> settings = unload::CheckRunSettings(input);
  if (!settings) return settings.error();
  conduct.settings = *settings;
  conduct.redo_changed = input.redo_changed;
  conduct.tick = tick;
  UnloadClients& clients = NewProcess().clients;
  const unload::UnloadServices services = clients.Services();
  return unload::RunUnload(*plan_, ledger, conduct, services, interrupts);
}

run::RunRecord UnloadWorld::Record(std::size_t table) {
  const s3::S3Uri uri = plan_->RecordUri(plan_->tables[table]);
  const auto body = service.Body(uri.bucket.str(), uri.key.str());
  EXPECT_TRUE(body) << uri.str();
  Result<run::RunRecord> record = run::ParseRunRecord(body.value_or(""));
  EXPECT_TRUE(record) << (record ? "" : record.error().Text());
  return record ? *std::move(record) : run::RunRecord();
}

namespace {

class Auditor {
 public:
  Auditor(UnloadWorld& world, std::size_t table)
      : world_(world), table_(world.plan().tables[table]), record_(world.Record(table)) {}

  std::vector<std::string> Audit() {
    if (record_.state != run::RunState::kDone) Say("the record is not done");
    CheckSlices();
    CheckRows();
    const std::string bucket = table_.destination.bucket.str();
    for (const std::string& key : world_.service.Keys(bucket, table_.results_prefix())) {
      if (!run::IsDataFile(key) || key.find("foreign") != std::string::npos) continue;
      if (named_.count("s3://" + bucket + "/" + key) == 0) Say("nobody names " + key);
    }
    if (world_.service.CountUploads(bucket) > 0) Say("multipart uploads are left");
    return std::move(found_);
  }

 private:
  void Say(std::string what) { found_.push_back(std::move(what)); }

  // Slices cover the range without gap or overlap; each has a manifest whose files are there.
  void CheckSlices() {
    UnixNanos end = table_.range ? table_.range->from : 0;
    std::set<std::string> manifests;
    for (const run::RecordSlice& slice : record_.slices) {
      if (slice.from != end) Say("slice " + slice.id + " does not follow the one before");
      end = slice.end;
      if (slice.manifest_uri.empty()) {
        if (slice.rows > 0) Say("slice " + slice.id + " has no manifest");
        continue;
      }
      if (!manifests.insert(slice.manifest_uri).second) Say(slice.manifest_uri + " stands twice");
      CheckManifest(slice);
    }
    if (table_.range && end != table_.range->end) Say("the slices do not reach the range's end");
  }

  void CheckManifest(const run::RecordSlice& slice) {
    const Result<s3::S3Uri> uri = s3::S3Uri::Parse(slice.manifest_uri);
    const auto body = world_.service.Body(uri->bucket.str(), uri->key.str());
    if (!body) return Say("no manifest at " + slice.manifest_uri);
    const Result<run::Manifest> manifest = run::ParseManifest(*body);
    if (!manifest) return Say(slice.manifest_uri + ": " + manifest.error().Text());
    if (manifest->total_rows != slice.rows) Say("slice " + slice.id + ": rows of its manifest");
    if (manifest->total_bytes != slice.bytes) Say("slice " + slice.id + ": bytes of its manifest");
    if (manifest->files.size() != slice.files) Say("slice " + slice.id + ": its files");
    rows_ += manifest->total_rows;
    world_.service.With([&](FakeUnloadService::World& world) {
      for (const run::ManifestFile& file : manifest->files) {
        if (!named_.insert(file.uri.str()).second) Say(file.uri.str() + " is named twice");
        const auto size = world.buckets[file.uri.bucket.str()].SizeOf(file.uri.key.str());
        if (size != file.bytes) Say(file.uri.str() + " is not there as its manifest has it");
      }
    });
  }

  void CheckRows() {
    std::uint64_t expected = 0;
    if (table_.range) {
      world_.service.With([&](FakeUnloadService::World& world) {
        expected = world.tables.at(table_.table()).CountRows(*table_.range);
      });
    }
    if (rows_ != expected) {
      Say("the table has " + std::to_string(expected) + " rows, the manifests " +
          std::to_string(rows_));
    }
    if (record_.rows != rows_) Say("the record has " + std::to_string(record_.rows) + " rows");
  }

  UnloadWorld& world_;
  const unload::TablePlan& table_;
  const run::RunRecord record_;
  std::set<std::string> named_;
  std::uint64_t rows_ = 0;
  std::vector<std::string> found_;
};

}  // namespace

std::string WhyNotDone(const Result<UnloadSummary>& summary) {
  if (!summary) return summary.error().Text();
  if (summary->outcome == unload::UnloadOutcome::kDone) return "";
  std::string text = "outcome " + std::to_string(static_cast<int>(summary->outcome));
  for (const unload::TableSummary& table : summary->tables) {
    for (const std::string& line : table.failures) text += "\n" + line;
  }
  return text;
}

std::vector<std::string> Contradictions(UnloadWorld& world, std::size_t table) {
  return Auditor(world, table).Audit();
}

}  // namespace tsm::test
