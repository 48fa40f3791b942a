#include "tsm/unload/unload_state.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/unload/unload_proof.h"

namespace tsm::unload {

namespace {

constexpr std::string_view kColumn = "column ";

Error Unfit(const JournalEntry& entry, const std::string& why) {
  const std::string which =
      entry.sequence == 0 ? "a new entry" : "entry " + std::to_string(entry.sequence);
  return MakeError(ErrorKind::kBadReply, which + " (" + OneLine(entry.kind, 40) + ") " + why);
}

std::optional<std::uint64_t> OptionalCountOf(const JournalEntry& entry, std::string_view name) {
  const auto number = ParseInt64(entry.Field(name));
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::uint64_t CountOf(const JournalEntry& entry, std::string_view name) {
  return OptionalCountOf(entry, name).value_or(0);
}

double NumberOf(const JournalEntry& entry, std::string_view name) {
  const std::string_view text = entry.Field(name);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string FolderOf(const s3::S3Uri& uri) { return uri.key.empty() ? "" : uri.key.str() + "/"; }

// What is deleted of an attempt follows from where it lies: no damaged entry may move it.
Status CheckStart(const JournalEntry& entry, const TablePlan& table, const SliceState& slice) {
  if (slice.state != SliceState::State::kPending || slice.open() != nullptr) {
    return Unfit(entry, "starts a slice that is not waiting");
  }
  const std::string_view id = entry.Field("attempt");
  if (id.empty() || slice.Find(id) != nullptr) return Unfit(entry, "has no attempt of its own");
  const std::string_view flat = entry.Field("flat");
  if (flat != "true" && flat != "false") return Unfit(entry, "does not say whether it is flat");
  s3::S3Uri to = table.destination;
  if (flat == "false") {
    to.key = s3::ObjectKey(table.results_prefix() + AttemptFolder(slice.slice.Id(), id));
  }
  if (entry.Field("to") != to.str()) return Unfit(entry, "has another destination than its slice");
  return Ok();
}

Status CheckSplit(const JournalEntry& entry, const SliceState& slice) {
  const auto cut = ParseInt64(entry.Field("cut"));
  if (slice.state == SliceState::State::kPending && slice.open() == nullptr && cut &&
      *cut > slice.slice.from && *cut < slice.slice.end) {
    return Ok();
  }
  return Unfit(entry, "does not split its slice");
}

Status CheckAttemptEntry(const JournalEntry& entry, const SliceState& slice) {
  const Attempt* attempt = slice.Find(entry.Field("attempt"));
  if (attempt == nullptr) return Unfit(entry, "names an attempt that was never announced");
  if (entry.kind == "cleaned") {
    if (attempt->state == Attempt::State::kFailed || attempt->state == Attempt::State::kReplaced) {
      return Ok();
    }
    return Unfit(entry, "cleans an attempt that counts");
  }
  if (attempt->state != Attempt::State::kOpen) return Unfit(entry, "goes on after the attempt");
  if (entry.kind != "done") return Ok();
  if (slice.state != SliceState::State::kPending) {
    return Unfit(entry, "finishes a slice that is not waiting");
  }
  for (const char* name : {"rows", "bytes", "files"}) {
    if (!OptionalCountOf(entry, name)) return Unfit(entry, std::string("has no count of ") + name);
  }
  return Ok();
}

Status CheckCounted(const JournalEntry& entry) {
  for (const auto& [name, value] : entry.fields) {
    if (name.starts_with(kColumn) && !OptionalCountOf(entry, name)) {
      return Unfit(entry, "has no count of the " + OneLine(name, 100));
    }
  }
  return Ok();
}

void Start(const JournalEntry& entry, SliceState& slice) {
  Attempt attempt;
  attempt.id = std::string(entry.Field("attempt"));
  attempt.to = s3::S3Uri::Parse(entry.Field("to")).value();
  attempt.flat = entry.Field("flat") == "true";
  attempt.client_token = std::string(entry.Field("client_token"));
  attempt.started = entry.time;
  slice.attempts.push_back(std::move(attempt));
}

void End(Attempt& attempt, Attempt::State state, const JournalEntry& entry) {
  attempt.state = state;
  attempt.ended = entry.time;
  attempt.note = std::string(entry.Field("note"));
}

void Finish(const JournalEntry& entry, SliceState& slice, Attempt& attempt) {
  End(attempt, Attempt::State::kDone, entry);
  // Of one whose manifest was found although the answer to its first call got lost.
  if (attempt.query_id.empty()) attempt.query_id = std::string(entry.Field("query_id"));
  slice.state = SliceState::State::kDone;
  slice.done = {attempt.id,
                std::string(entry.Field("query_id")),
                std::string(entry.Field("manifest")),
                CountOf(entry, "rows"),
                CountOf(entry, "bytes"),
                CountOf(entry, "files")};
}

void SeePage(const JournalEntry& entry, Attempt& attempt) {
  attempt.next_token = std::string(entry.Field("next_token"));
  attempt.next_token_at = entry.time;
  attempt.percent = NumberOf(entry, "percent");
  attempt.bytes_scanned = CountOf(entry, "scanned");
}

void ApplyToAttempt(const JournalEntry& entry, SliceState& slice) {
  Attempt& attempt = *slice.Find(entry.Field("attempt"));
  if (entry.kind == "cleaned") {
    attempt.cleaned = true;
  } else if (entry.kind == "query") {
    attempt.query_id = std::string(entry.Field("query_id"));
  } else if (entry.kind == "page") {
    SeePage(entry, attempt);
  } else if (entry.kind == "done") {
    Finish(entry, slice, attempt);
  } else if (entry.kind == "failed") {
    End(attempt, Attempt::State::kFailed, entry);
  } else {
    End(attempt, Attempt::State::kReplaced, entry);
  }
}

void FailSlice(const JournalEntry& entry, SliceState& slice) {
  slice.state = SliceState::State::kFailed;
  slice.failure = std::string(entry.Field("note"));
  slice.failed_proof = entry.Field("proof") == "true";
}

void Retry(SliceState& slice) {
  slice.state = SliceState::State::kPending;
  slice.failure.clear();
  slice.failed_proof = false;
  slice.forgiven = slice.attempts.size();
}

void Redo(const JournalEntry& entry, TableState& table, SliceState& slice) {
  End(*slice.Find(slice.done.attempt), Attempt::State::kReplaced, entry);
  slice.state = SliceState::State::kPending;
  slice.done = SliceDone();
  slice.forgiven = slice.attempts.size();
  table.closed = false;
  table.verified.clear();
  table.non_null.clear();
}

// Only the cut is taken from the journal: halves cover the slice whatever else an entry may say.
void Split(const JournalEntry& entry, TableState& table, SliceState& slice) {
  const UnixNanos cut = *ParseInt64(entry.Field("cut"));
  slice.state = SliceState::State::kSplit;
  slice.failure = std::string(entry.Field("note"));
  const UnloadSlice whole = slice.slice;
  for (const bool left : {true, false}) {
    const std::string side = left ? "left_" : "right_";
    SliceState half;
    half.slice.number = whole.number;
    half.slice.part = whole.part + (left ? "a" : "b");
    half.slice.from = left ? whole.from : cut;
    half.slice.end = left ? cut : whole.end;
    half.slice.partitions = CountOf(entry, side + "partitions");
    half.slice.rows = OptionalCountOf(entry, side + "rows");
    half.slice.bytes = OptionalCountOf(entry, side + "bytes");
    const std::string id = half.slice.Id();
    table.slices.emplace(id, std::move(half));
  }
}

void Count(const JournalEntry& entry, TableState& table) {
  table.verified = std::string(entry.Field("verified"));
  table.non_null.clear();
  for (const auto& [name, value] : entry.fields) {
    if (!name.starts_with(kColumn)) continue;
    table.non_null[name.substr(kColumn.size())] = CountOf(entry, name);
  }
}

// Kinds that go on with an attempt.
constexpr std::array<std::string_view, 6> kOfAttempt = {"query",  "page",     "done",
                                                        "failed", "replaced", "cleaned"};

}  // namespace

std::string Attempt::folder() const { return FolderOf(to); }
std::string Attempt::results_prefix() const { return folder() + "results/"; }

const Attempt* SliceState::open() const {
  if (attempts.empty() || attempts.back().state != Attempt::State::kOpen) return nullptr;
  return &attempts.back();
}

Attempt* SliceState::Find(std::string_view attempt_id) {
  for (Attempt& attempt : attempts) {
    if (attempt.id == attempt_id) return &attempt;
  }
  return nullptr;
}

const Attempt* SliceState::Find(std::string_view attempt_id) const {
  return const_cast<SliceState*>(this)->Find(attempt_id);
}

bool BySliceId::operator()(std::string_view a, std::string_view b) const {
  const auto digits = [](std::string_view id) {
    return std::min(id.find_first_not_of("0123456789"), id.size());
  };
  const std::size_t a_digits = digits(a);
  const std::size_t b_digits = digits(b);
  return a_digits != b_digits ? a_digits < b_digits : a < b;
}

std::string JournalName(const timestream::TableRef& table) {
  return table.database + "/" + table.table;
}

UnloadState::UnloadState(const UnloadPlan& plan) : plan_(&plan) {
  for (const TablePlan& table : plan.tables) {
    index_.emplace(JournalName(table.table()), tables_.size());
    TableState& state = tables_.emplace_back();
    for (const UnloadSlice& slice : table.slices) {
      SliceState waiting;
      waiting.slice = slice;
      state.slices.emplace(slice.Id(), std::move(waiting));
    }
  }
}

Status UnloadState::Check(const JournalEntry& entry) const {
  const auto index = index_.find(entry.Field("table"));
  if (index == index_.end()) {
    return Unfit(entry, "names the table '" + OneLine(entry.Field("table"), 100) +
                            "', which is not in the plan");
  }
  if (entry.kind == "counted") return CheckCounted(entry);
  if (entry.kind == "closed") {
    if (IsComplete(index->second)) return Ok();
    return Unfit(entry, "closes a table with slices that are not done");
  }
  const TableState& table = tables_[index->second];
  const auto slice = table.slices.find(entry.Field("slice"));
  if (slice == table.slices.end()) {
    return Unfit(entry, "names the slice '" + OneLine(entry.Field("slice"), 60) +
                            "', which the table does not have");
  }
  return CheckSliceEntry(entry, plan_->tables[index->second], slice->second);
}

Status UnloadState::CheckSliceEntry(const JournalEntry& entry, const TablePlan& table,
                                    const SliceState& slice) {
  using State = SliceState::State;
  if (entry.kind == "attempt") return CheckStart(entry, table, slice);
  if (entry.kind == "split") return CheckSplit(entry, slice);
  if (entry.kind == "slice_failed") {
    if (slice.state == State::kPending) return Ok();
    return Unfit(entry, "gives up a slice that is not waiting");
  }
  if (entry.kind == "retry") {
    if (slice.state == State::kFailed) return Ok();
    return Unfit(entry, "retries a slice that has not failed");
  }
  if (entry.kind == "redo") {
    if (slice.state == State::kDone) return Ok();
    return Unfit(entry, "undoes a slice that is not done");
  }
  if (std::find(kOfAttempt.begin(), kOfAttempt.end(), entry.kind) == kOfAttempt.end()) {
    return Unfit(entry, "is of a kind that this program does not know");
  }
  return CheckAttemptEntry(entry, slice);
}

Status UnloadState::Apply(const JournalEntry& entry) {
  if (Status fits = Check(entry); !fits) return fits;
  TableState& table = tables_[index_.find(entry.Field("table"))->second];
  if (entry.kind == "counted") return Count(entry, table), Ok();
  if (entry.kind == "closed") return table.closed = true, Ok();
  SliceState& slice = table.slices.find(entry.Field("slice"))->second;
  if (entry.kind == "attempt") {
    Start(entry, slice);
  } else if (entry.kind == "split") {
    Split(entry, table, slice);
  } else if (entry.kind == "slice_failed") {
    FailSlice(entry, slice);
  } else if (entry.kind == "retry") {
    Retry(slice);
  } else if (entry.kind == "redo") {
    Redo(entry, table, slice);
  } else {
    ApplyToAttempt(entry, slice);
  }
  return Ok();
}

UnloadTotals UnloadState::Totals() const {
  UnloadTotals totals;
  for (const TableState& table : tables_) {
    for (const auto& [id, slice] : table.slices) {
      totals.attempts += slice.attempts.size();
      if (slice.state == SliceState::State::kSplit) continue;
      ++totals.slices;
      if (slice.state == SliceState::State::kFailed) ++totals.failed;
      if (slice.state == SliceState::State::kPending && slice.open() != nullptr) ++totals.running;
      if (slice.state != SliceState::State::kDone) continue;
      ++totals.done;
      totals.rows += slice.done.rows;
      totals.bytes += slice.done.bytes;
      totals.files += slice.done.files;
    }
  }
  return totals;
}

bool UnloadState::IsComplete(std::size_t table) const {
  const auto& slices = tables_[table].slices;
  return std::all_of(slices.begin(), slices.end(), [](const auto& entry) {
    const SliceState::State state = entry.second.state;
    return state == SliceState::State::kDone || state == SliceState::State::kSplit;
  });
}

}  // namespace tsm::unload
