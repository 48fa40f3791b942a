#include "tsm/batchload/load_ledger.h"

#include <utility>

#include "load_entry.h"
#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

// The differences that a table's state keeps.
constexpr std::size_t kMaxDifferences = 100;

std::string Padded(std::size_t number) {
  std::string text = std::to_string(number);
  return std::string(text.size() < 4 ? 4 - text.size() : 0, '0') + text;
}

const char* Text(bool value) { return value ? "true" : "false"; }

}  // namespace

LoadLedger::LoadLedger(LoadState state, Journal& journal, Mirror mirror)
    : state_(std::move(state)), journal_(journal), mirror_(std::move(mirror)) {}

GroupState LoadLedger::Group(std::size_t group) const {
  const std::lock_guard lock(mutex_);
  return state_.group(group);
}

LoadTotals LoadLedger::Totals() const {
  const std::lock_guard lock(mutex_);
  return state_.Totals();
}

void LoadLedger::Look(const std::function<void(const LoadState&)>& look) const {
  const std::lock_guard lock(mutex_);
  look(state_);
}

bool LoadLedger::IsCopied(std::size_t group, std::uint32_t ordinal) const {
  const std::lock_guard lock(mutex_);
  const GroupState& state = state_.group(group);
  return state.sealed.has_value() || state.copied.contains(ordinal);
}

JournalEntry LoadLedger::OfGroup(std::size_t group, std::string kind) const {
  JournalEntry entry;
  entry.kind = std::move(kind);
  entry.fields["group"] = state_.plan().groups[group].id;
  return entry;
}

JournalEntry LoadLedger::OfTable(std::size_t table, std::string kind) const {
  JournalEntry entry;
  entry.kind = std::move(kind);
  entry.fields["table"] = JournalName(state_.plan(), table);
  return entry;
}

// An entry that does not fit is not written: a journal that has one could never be replayed. What
// the journal has is true even where the mirror then fails: a resume would see it too. Nobody who
// looks at the state waits for disk or mirror.
Status LoadLedger::Write(JournalEntry entry, Durability durability) {
  const std::lock_guard in_order(writing_);
  {
    const std::lock_guard lock(mutex_);
    if (Status fits = state_.Check(entry); !fits) return fits;
  }
  const Result<JournalEntry> written = journal_.Append(std::move(entry), durability);
  if (!written) return written.error();
  {
    const std::lock_guard lock(mutex_);
    if (Status applied = state_.Apply(*written); !applied) return applied;
  }
  return mirror_ ? mirror_(*written) : Ok();
}

Status LoadLedger::Copied(std::size_t group, std::uint32_t ordinal, const CopiedEntry& copied) {
  JournalEntry entry = OfGroup(group, "copied");
  entry.fields["ordinal"] = std::to_string(ordinal);
  entry.fields["objects"] = std::to_string(copied.objects);
  entry.fields["bytes"] = std::to_string(copied.bytes);
  if (copied.rows) entry.fields["rows"] = std::to_string(*copied.rows);
  return Write(std::move(entry), Durability::kGrouped);
}

Status LoadLedger::UploadStarted(const s3::ObjectKey& key, const std::string& upload_id) {
  JournalEntry entry{"upload", {{"key", key.str()}, {"upload_id", upload_id}}, 0, 0};
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::UploadEnded(const s3::ObjectKey& key, const std::string& upload_id) {
  JournalEntry entry{"upload_over", {{"key", key.str()}, {"upload_id", upload_id}}, 0, 0};
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::CopyFailed(std::size_t group, const std::string& why) {
  JournalEntry entry = OfGroup(group, "copy_failed");
  entry.fields["note"] = OneLine(why);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::SealGroup(std::size_t group, const SealedGroup& sealed,
                             const std::vector<std::uint64_t>& inflated_objects,
                             const std::vector<std::uint64_t>& inflated_bytes) {
  JournalEntry entry = OfGroup(group, "sealed");
  entry.fields["objects"] = std::to_string(sealed.objects);
  entry.fields["bytes"] = std::to_string(sealed.bytes);
  if (sealed.rows) entry.fields["rows"] = std::to_string(*sealed.rows);
  entry.fields["inflated"] = NumbersText(inflated_objects);
  entry.fields["inflated_bytes"] = NumbersText(inflated_bytes);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::AnnounceTask(std::size_t group, const std::string& client_token,
                                std::int64_t record_version) {
  JournalEntry entry = OfGroup(group, "task");
  entry.fields["client_token"] = client_token;
  entry.fields["record_version"] = std::to_string(record_version);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::TookTask(std::size_t group, const std::string& task_id) {
  JournalEntry entry = OfGroup(group, "task_created");
  entry.fields["task"] = task_id;
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::LostTask(std::size_t group, const std::string& why) {
  JournalEntry entry = OfGroup(group, "task_lost");
  entry.fields["note"] = OneLine(why);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::SawTask(std::size_t group, timestream::TaskStatus status,
                           const timestream::ProgressReport& progress) {
  JournalEntry entry = OfGroup(group, "task_status");
  entry.fields["status"] = timestream::Name(status);
  PutProgress(progress, entry);
  return Write(std::move(entry), Durability::kGrouped);
}

Status LoadLedger::AnnounceResume(std::size_t group) {
  return Write(OfGroup(group, "resume"), Durability::kBeforeEffect);
}

Status LoadLedger::FinishGroup(std::size_t group, const timestream::ProgressReport& progress,
                               std::uint64_t rejected) {
  JournalEntry entry = OfGroup(group, "group_done");
  PutProgress(progress, entry);
  entry.fields["rejected"] = std::to_string(rejected);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::FailGroup(std::size_t group, const timestream::ProgressReport& progress,
                             const std::string& why, bool proof, std::uint64_t rejected,
                             const std::string& report_uri) {
  JournalEntry entry = OfGroup(group, "group_failed");
  PutProgress(progress, entry);
  entry.fields["note"] = OneLine(why, 2000);
  entry.fields["proof"] = Text(proof);
  entry.fields["rejected"] = std::to_string(rejected);
  entry.fields["report"] = report_uri;
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::RetryGroup(std::size_t group, std::optional<std::int64_t> record_version) {
  JournalEntry entry = OfGroup(group, "retry");
  if (record_version) entry.fields["record_version"] = std::to_string(*record_version);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::PassCanary() {
  return Write(JournalEntry{"canary_passed", {}, 0, 0}, Durability::kBeforeEffect);
}

Status LoadLedger::CountedBefore(std::size_t table, std::uint64_t rows) {
  JournalEntry entry = OfTable(table, "counted_before");
  entry.fields["rows"] = std::to_string(rows);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::ProvedTable(std::size_t table, const std::string& verified,
                               const std::vector<std::string>& differences) {
  JournalEntry entry = OfTable(table, "proved");
  entry.fields["verified"] = verified;
  for (std::size_t i = 0; i < differences.size() && i < kMaxDifferences; ++i) {
    entry.fields["difference " + Padded(i)] = OneLine(differences[i]);
  }
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status LoadLedger::CloseTable(std::size_t table) {
  return Write(OfTable(table, "table_closed"), Durability::kBeforeEffect);
}

}  // namespace tsm::batchload
