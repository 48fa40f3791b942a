#include "tsm/unload/unload_ledger.h"

#include <array>
#include <charconv>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::unload {

namespace {

// The shortest that reads back as the same number, whatever the locale.
std::string Decimal(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

void AddHalf(JournalEntry& entry, const std::string& side, const UnloadSlice& half) {
  entry.fields[side + "partitions"] = std::to_string(half.partitions);
  if (half.rows) entry.fields[side + "rows"] = std::to_string(*half.rows);
  if (half.bytes) entry.fields[side + "bytes"] = std::to_string(*half.bytes);
}

}  // namespace

UnloadLedger::UnloadLedger(UnloadState state, Journal& journal, Mirror mirror)
    : state_(std::move(state)), journal_(journal), mirror_(std::move(mirror)) {}

SliceState UnloadLedger::Slice(const SliceRef& ref) const {
  const std::lock_guard lock(mutex_);
  return state_.table(ref.table).slices.at(ref.slice);
}

UnloadTotals UnloadLedger::Totals() const {
  const std::lock_guard lock(mutex_);
  return state_.Totals();
}

void UnloadLedger::Look(const std::function<void(const UnloadState&)>& look) const {
  const std::lock_guard lock(mutex_);
  look(state_);
}

JournalEntry UnloadLedger::Entry(const SliceRef& ref, std::string kind) const {
  JournalEntry entry;
  entry.kind = std::move(kind);
  entry.fields["table"] = JournalName(state_.plan().tables[ref.table].table());
  if (!ref.slice.empty()) entry.fields["slice"] = ref.slice;
  return entry;
}

// An entry that does not fit is not written: a journal that has one could never be replayed. What
// the journal has is true even where the mirror then fails: a resume would see it too. Nobody who
// looks at the state waits for disk or mirror.
Status UnloadLedger::Write(JournalEntry entry, Durability durability) {
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

Status UnloadLedger::StartAttempt(const SliceRef& ref, const Attempt& attempt,
                                  const std::string& sql) {
  JournalEntry entry = Entry(ref, "attempt");
  entry.fields["attempt"] = attempt.id;
  entry.fields["to"] = attempt.to.str();
  entry.fields["flat"] = attempt.flat ? "true" : "false";
  entry.fields["client_token"] = attempt.client_token;
  entry.fields["sql"] = sql;
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status UnloadLedger::TookQuery(const SliceRef& ref, const std::string& attempt,
                               const std::string& query_id) {
  JournalEntry entry = Entry(ref, "query");
  entry.fields["attempt"] = attempt;
  entry.fields["query_id"] = query_id;
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status UnloadLedger::SawPage(const SliceRef& ref, const std::string& attempt,
                             const std::string& next_token, double percent,
                             std::uint64_t bytes_scanned) {
  JournalEntry entry = Entry(ref, "page");
  entry.fields["attempt"] = attempt;
  entry.fields["next_token"] = next_token;
  entry.fields["percent"] = Decimal(percent);
  entry.fields["scanned"] = std::to_string(bytes_scanned);
  return Write(std::move(entry), Durability::kGrouped);
}

Status UnloadLedger::FinishSlice(const SliceRef& ref, const SliceDone& done) {
  JournalEntry entry = Entry(ref, "done");
  entry.fields["attempt"] = done.attempt;
  entry.fields["query_id"] = done.query_id;
  entry.fields["manifest"] = done.manifest_uri;
  entry.fields["rows"] = std::to_string(done.rows);
  entry.fields["bytes"] = std::to_string(done.bytes);
  entry.fields["files"] = std::to_string(done.files);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status UnloadLedger::FailAttempt(const SliceRef& ref, const std::string& attempt,
                                 const std::string& note) {
  JournalEntry entry = Entry(ref, "failed");
  entry.fields["attempt"] = attempt;
  entry.fields["note"] = OneLine(note);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status UnloadLedger::ReplaceAttempt(const SliceRef& ref, const std::string& attempt,
                                    const std::string& note) {
  JournalEntry entry = Entry(ref, "replaced");
  entry.fields["attempt"] = attempt;
  entry.fields["note"] = OneLine(note);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status UnloadLedger::CleanedAttempt(const SliceRef& ref, const std::string& attempt) {
  JournalEntry entry = Entry(ref, "cleaned");
  entry.fields["attempt"] = attempt;
  return Write(std::move(entry), Durability::kGrouped);
}

Status UnloadLedger::SplitSlice(const SliceRef& ref, const UnloadSlice& left,
                                const UnloadSlice& right, const std::string& reason) {
  JournalEntry entry = Entry(ref, "split");
  entry.fields["cut"] = std::to_string(right.from);
  entry.fields["note"] = OneLine(reason);
  AddHalf(entry, "left_", left);
  AddHalf(entry, "right_", right);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status UnloadLedger::FailSlice(const SliceRef& ref, const std::string& why, bool proof) {
  JournalEntry entry = Entry(ref, "slice_failed");
  entry.fields["proof"] = proof ? "true" : "false";
  entry.fields["note"] = OneLine(why);
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status UnloadLedger::RetrySlice(const SliceRef& ref) {
  return Write(Entry(ref, "retry"), Durability::kBeforeEffect);
}

Status UnloadLedger::RedoSlice(const SliceRef& ref) {
  JournalEntry entry = Entry(ref, "redo");
  entry.fields["note"] = "the source changed after it";
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status UnloadLedger::CountedTable(
    std::size_t table, const std::string& verified,
    const std::map<std::string, std::uint64_t, std::less<>>& non_null) {
  JournalEntry entry = Entry({table, ""}, "counted");
  entry.fields["verified"] = verified;
  for (const auto& [column, count] : non_null) {
    entry.fields["column " + column] = std::to_string(count);
  }
  return Write(std::move(entry), Durability::kBeforeEffect);
}

Status UnloadLedger::CloseTable(std::size_t table) {
  return Write(Entry({table, ""}, "closed"), Durability::kBeforeEffect);
}

}  // namespace tsm::unload
