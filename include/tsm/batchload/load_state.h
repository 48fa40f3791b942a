// What has become of a load plan so far: per group its copies, its tasks and its outcome, put
// together from the journal's entries and from nothing else, so that a run in its course and a
// resume after kill -9 know the same. Per file it holds something only while a group is being
// copied. Not thread-safe (see load_ledger.h). Refers to the plan, which outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/batchload/load_plan.h"
#include "tsm/core/journal.h"
#include "tsm/core/result.h"
#include "tsm/timestream/batch_load_types.h"

namespace tsm::batchload {

// A batch-load task that was announced, whether or not the service ever took it.
struct TaskAttempt {
  enum class State { kIntent, kRunning, kSucceeded, kFailed, kLost };

  std::string client_token;
  UnixNanos announced = 0;
  std::int64_t record_version = 0;  // 0: not sent
  std::string task_id;              // "" until the service took it
  UnixNanos created = 0;
  timestream::TaskStatus status = timestream::TaskStatus::kCreated;  // as last journaled
  timestream::ProgressReport progress;
  int resumes = 0;  // without progress since the last one that moved
  State state = State::kIntent;
  UnixNanos ended = 0;
  std::string note;        // why it failed
  std::string report_uri;  // of the service's error report
};

// What a group's copies have become, once all are there.
struct SealedGroup {
  std::uint32_t objects = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> rows;  // inflated: counted; else the plan's
};

// A file of a group that was copied while the group is not sealed.
struct CopiedEntry {
  std::uint32_t objects = 1;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> rows;
};

struct GroupState {
  enum class State { kPending, kLoading, kDone, kFailed };

  std::map<std::uint32_t, CopiedEntry> copied;  // by ordinal; emptied when sealed
  std::uint64_t copied_bytes = 0;               // their sum
                                                // Of an inflated group that is sealed, by ordinal:
                                                // to how many objects, and of how many bytes
  // together, each file was inflated. What its prefix must hold.
  std::vector<std::uint64_t> inflated_objects;
  std::vector<std::uint64_t> inflated_bytes;
  std::optional<SealedGroup> sealed;  // without copy: from the beginning
  std::string copy_failure;           // "" or why the last copy of it failed
  UnixNanos copy_begun = 0;           // when its first file was copied; 0: not yet
  UnixNanos copy_ended = 0;           // when it was sealed
  State state = State::kPending;
  std::vector<TaskAttempt> tasks;  // in order; only the last may be open
  std::string failure;             // with kFailed
  bool failed_proof = false;       // with kFailed: counters that differ from the plan's
  // Rows that the last task's report explains as not ingested.
  std::uint64_t rejected = 0;
  // Of the next task, by the last retry; 0: as the plan has it.
  std::int64_t record_version = 0;

  const TaskAttempt* open() const;  // intent or running
};

struct OpenUpload {
  s3::ObjectKey key;
  std::string upload_id;
};

struct LoadTotals {
  std::uint64_t groups = 0;
  std::uint64_t sealed = 0;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t loading = 0;
  std::uint64_t copy_failed = 0;  // groups whose last copy failed
  std::uint64_t tasks = 0;        // that were announced
  std::uint64_t files_copied = 0;
  std::uint64_t bytes_copied = 0;
  std::uint64_t processed = 0;  // over the groups' last tasks
  std::uint64_t ingested = 0;
  std::uint64_t rejected = 0;
  std::uint64_t bytes_metered = 0;  // over all tasks
  std::uint64_t bytes_done = 0;     // of the groups that are done
};

struct TableLoadState {
  std::optional<std::uint64_t> rows_before;  // in the target's range before the first task
  std::string verified;                      // "equal", "not asked", "differs", …; "" not yet
  std::vector<std::string> differences;      // of the last proof, the first hundred
  bool closed = false;                       // done and proven
};

// What the journal calls a table of the plan: "database/table". Names may have dots, so with one
// between them two tables could share a name. A target that the plan has twice is told apart by
// "#2", which no name has.
std::string JournalName(const LoadPlan& plan, std::size_t table);

class LoadState {
 public:
  explicit LoadState(const LoadPlan& plan);

  // Whether an entry fits what came before it: kBadReply says why it does not, with its sequence.
  Status Check(const JournalEntry& entry) const;
  // One entry in its order; nothing changes where Check refuses it.
  Status Apply(const JournalEntry& entry);

  const LoadPlan& plan() const { return *plan_; }
  const std::vector<GroupState>& groups() const { return groups_; }
  const GroupState& group(std::size_t index) const { return groups_[index]; }
  const std::vector<TableLoadState>& tables() const { return tables_; }
  const std::vector<OpenUpload>& uploads() const { return uploads_; }
  bool canary_passed() const { return canary_passed_; }
  const LoadTotals& Totals() const { return totals_; }
  // Every group of the table is loaded (or, where the plan only copies, copied).
  bool IsComplete(std::size_t table) const;
  // Whether a task of any group has this id.
  bool IsOwn(std::string_view task_id) const { return task_ids_.contains(task_id); }

 private:
  Status CheckGroupEntry(const JournalEntry& entry, std::size_t group) const;
  Status CheckTableEntry(const JournalEntry& entry) const;
  void ApplyToGroup(const JournalEntry& entry, std::size_t group);
  void ApplyToTable(const JournalEntry& entry);
  void ApplyUpload(const JournalEntry& entry);
  bool HasUpload(const JournalEntry& entry) const;

  const LoadPlan* plan_;
  std::map<std::string, std::size_t, std::less<>> index_;         // by group id
  std::map<std::string, std::size_t, std::less<>> tables_index_;  // by JournalName
  std::set<std::string, std::less<>> task_ids_;
  LoadTotals totals_;
  std::vector<GroupState> groups_;
  std::vector<TableLoadState> tables_;
  std::vector<OpenUpload> uploads_;
  bool canary_passed_ = false;
};

}  // namespace tsm::batchload
