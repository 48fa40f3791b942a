// The batch-load tasks of ts-local in memory and on disk, each at its place in time: what the calls
// show, what is active, what may run next. Not thread-safe: BatchLoad calls it under its lock.
// Times are Unix time in nanoseconds, and whoever calls says which it is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ts_local/batch_course.h"
#include "ts_local/batch_load_limits.h"
#include "ts_local/batch_task.h"

namespace ts_local {

class BatchTaskList {
 public:
  // A task and the run that it is in.
  struct Entry {
    BatchTask task;
    std::optional<BatchCourse> course;
    std::int64_t not_before_ns = 0;  // when the next run begins; 0: when it comes to it
  };
  using Entries = std::map<std::string, Entry>;  // by id

  // Loads the tasks of `dir`. Those that were running are stopped.
  BatchTaskList(const std::string& dir, const BatchLoadLimits& limits, std::int64_t now_ns);

  // Ids of the tasks that wait for a run, oldest first; for the start.
  std::vector<std::string> Waiting() const;

  // All tasks as they are at `now_ns`.
  const Entries& At(std::int64_t now_ns);
  // The task as it is at `now_ns`; null where there is none. Entries stay where they are.
  Entry* Find(const std::string& id, std::int64_t now_ns);

  // Stores a new task under a new id, to run now.
  Entry& Add(BatchTask task, std::int64_t now_ns);
  // Stores a task that no run is for: in progress until `end_ns`, then SUCCEEDED.
  void AddOther(BatchTask task, std::int64_t now_ns, std::int64_t end_ns);

  // The course of a task's run: its files are being loaded, are loaded; or the task waits again.
  void Begin(Entry* entry, std::int64_t now_ns);
  void ShowLive(Entry* entry, const BatchCounters& counters, std::int64_t now_ns);
  void End(Entry* entry, BatchOutcome outcome, std::int64_t now_ns);
  void Resume(Entry* entry, std::int64_t now_ns);
  void SetFiles(Entry* entry, const std::string& files_json);

  // Throws ServiceQuotaExceededException where the table or the account has as many active tasks as
  // it may.
  void CheckQuota(const BatchTask& wanted, std::int64_t now_ns);

  // Whether somebody else runs the task (AddOther).
  static bool IsOther(const BatchTask& task) { return task.model.empty(); }

 private:
  void Advance(Entry* entry, std::int64_t now_ns);
  void Finish(Entry* entry);
  void Stop(BatchTask* task, std::int64_t at_ns) const;
  void Save(BatchTask* task, std::int64_t at_ns);

  const BatchLoadLimits limits_;
  BatchTaskStore store_;
  Entries entries_;
};

}  // namespace ts_local
