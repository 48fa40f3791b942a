// The journal of an unload and the state that it makes, kept together: each fact is written (and
// where asked mirrored) before it counts. Thread-safe. Refers to plan and journal, which outlive
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "tsm/core/journal.h"
#include "tsm/core/result.h"
#include "tsm/unload/unload_state.h"

namespace tsm::unload {

// A slice of a table of the plan.
struct SliceRef {
  std::size_t table = 0;
  std::string slice;  // UnloadSlice::Id()
  auto operator<=>(const SliceRef&) const = default;
};

class UnloadLedger {
 public:
  // Puts an entry where another machine finds it; null: nowhere. Called once the journal has it, in
  // the journal's order and one at a time, before the verb that wrote it returns. Its failure is
  // that verb's: the effect must not follow, though journal and state keep the entry.
  using Mirror = std::function<Status(const JournalEntry& entry)>;

  UnloadLedger(UnloadState state, Journal& journal, Mirror mirror = nullptr);

  // Copies, so that no lock is held while they are used.
  SliceState Slice(const SliceRef& ref) const;
  UnloadTotals Totals() const;
  // Looks at the whole state under the lock: short work only.
  void Look(const std::function<void(const UnloadState&)>& look) const;

  // Before the first Query call of an attempt: on the disk when it returns.
  Status StartAttempt(const SliceRef& ref, const Attempt& attempt, const std::string& sql);
  Status TookQuery(const SliceRef& ref, const std::string& attempt, const std::string& query_id);
  Status SawPage(const SliceRef& ref, const std::string& attempt, const std::string& next_token,
                 double percent, std::uint64_t bytes_scanned);
  Status FinishSlice(const SliceRef& ref, const SliceDone& done);
  Status FailAttempt(const SliceRef& ref, const std::string& attempt, const std::string& note);
  Status ReplaceAttempt(const SliceRef& ref, const std::string& attempt, const std::string& note);
  Status CleanedAttempt(const SliceRef& ref, const std::string& attempt);
  Status SplitSlice(const SliceRef& ref, const UnloadSlice& left, const UnloadSlice& right,
                    const std::string& reason);
  // `proof`: what was unloaded is not what its manifest says.
  Status FailSlice(const SliceRef& ref, const std::string& why, bool proof);
  Status RetrySlice(const SliceRef& ref);  // a failed slice is pending again
  Status RedoSlice(const SliceRef& ref);   // a done one too: its attempt is replaced
  Status CountedTable(std::size_t table, const std::string& verified,
                      const std::map<std::string, std::uint64_t, std::less<>>& non_null);
  Status CloseTable(std::size_t table);

  // Of the journal: call now and then while waiting for long.
  Status FlushIfDue() { return journal_.FlushIfDue(); }

 private:
  Status Write(JournalEntry entry, Durability durability);
  JournalEntry Entry(const SliceRef& ref, std::string kind) const;

  std::mutex writing_;        // one entry at a time, from its check to its mirror; before mutex_
  mutable std::mutex mutex_;  // guards state_
  UnloadState state_;
  Journal& journal_;
  Mirror mirror_;
};

}  // namespace tsm::unload
