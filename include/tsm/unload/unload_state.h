// What has become of a plan so far: per slice its attempts and its outcome, put together from the
// journal's entries and from nothing else, so that a run in its course and a resume after kill -9
// know the same. Not thread-safe (see unload_ledger.h). Refers to the plan, which outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/journal.h"
#include "tsm/core/result.h"
#include "tsm/s3/names.h"
#include "tsm/unload/slice_plan.h"
#include "tsm/unload/unload_plan.h"

namespace tsm::unload {

// One UNLOAD that was announced, whether or not the service ever took it.
struct Attempt {
  enum class State { kOpen, kDone, kFailed, kReplaced };

  std::string id;     // random, stands in its prefix
  s3::S3Uri to;       // UNLOAD's TO; no trailing '/'
  bool flat = false;  // TO is the destination itself: what lies there need not be this attempt's
  std::string client_token;
  UnixNanos started = 0;  // when it was announced
  std::string query_id;   // "" until the first page
  std::string next_token;
  UnixNanos next_token_at = 0;
  double percent = 0;
  std::uint64_t bytes_scanned = 0;
  State state = State::kOpen;
  UnixNanos ended = 0;
  std::string note;      // why it failed or was replaced
  bool cleaned = false;  // its leftovers are gone

  std::string folder() const;          // of `to`: "" or ends in '/'
  std::string results_prefix() const;  // "<folder>results/"
};

struct SliceDone {
  std::string attempt;
  std::string query_id;
  std::string manifest_uri;  // "" where the service wrote none for no rows
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
};

struct SliceState {
  enum class State { kPending, kDone, kSplit, kFailed };

  UnloadSlice slice;
  State state = State::kPending;
  std::vector<Attempt> attempts;  // in order; only the last may be open
  SliceDone done;                 // with kDone
  std::string failure;            // with kFailed
  bool failed_proof = false;      // with kFailed: what was unloaded is not what its manifest says
  std::size_t forgiven = 0;       // attempts before the last retry

  const Attempt* open() const;
  Attempt* Find(std::string_view attempt_id);
  const Attempt* Find(std::string_view attempt_id) const;
};

// "0002" before "0002a" before "0003" before "10000": the order of time.
struct BySliceId {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};

struct TableState {
  std::map<std::string, SliceState, BySliceId> slices;         // by Id()
  std::map<std::string, std::uint64_t, std::less<>> non_null;  // by column, once counted
  bool closed = false;                                         // the record vouches for it
  std::string verified;  // how the proof ended: "equal", "expired", "not asked"; "" not yet
};

// Sums over what is done.
struct UnloadTotals {
  std::uint64_t slices = 0;  // leaves: split ones do not count
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t running = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  std::uint64_t attempts = 0;
};

// What the journal calls a table: "database/table". Names may have dots, so with one between them
// two tables could share a name.
std::string JournalName(const timestream::TableRef& table);

class UnloadState {
 public:
  explicit UnloadState(const UnloadPlan& plan);

  // Whether an entry fits what came before it: kBadReply says why it does not, with its sequence.
  Status Check(const JournalEntry& entry) const;
  // One entry in its order; nothing changes where Check refuses it.
  Status Apply(const JournalEntry& entry);

  const UnloadPlan& plan() const { return *plan_; }
  const std::vector<TableState>& tables() const { return tables_; }
  TableState& table(std::size_t index) { return tables_[index]; }
  const TableState& table(std::size_t index) const { return tables_[index]; }
  UnloadTotals Totals() const;
  // Every leaf is done.
  bool IsComplete(std::size_t table) const;

 private:
  static Status CheckSliceEntry(const JournalEntry& entry, const TablePlan& table,
                                const SliceState& slice);

  const UnloadPlan* plan_;
  std::map<std::string, std::size_t, std::less<>> index_;  // by JournalName
  std::vector<TableState> tables_;
};

}  // namespace tsm::unload
