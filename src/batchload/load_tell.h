// What a running load tells its sink: progress, notices for people and events for machines. For the
// loop's thread; what it refers to outlives it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tsm/batchload/load_ledger.h"
#include "tsm/core/clock.h"
#include "tsm/core/progress.h"

namespace tsm::batchload {

// Of the tasks that run now, beside what the ledger has.
struct LiveProgress {
  std::size_t running = 0;
  std::size_t queued = 0;       // ready, but not begun
  double bytes = 0;             // of the running tasks' groups, as far as they have come
  std::int64_t fresh_rows = 0;  // ingested since the ledger's last entry
};

class LoadTell {
 public:
  LoadTell(const LoadPlan& plan, const LoadLedger& ledger, const Clock& clock, ProgressSink& sink);

  // "g0001 (partition_date=2024-02-26)", with the table before it where there are several.
  std::string Name(std::size_t group) const;

  // `found`: the answer to its create got lost, and a listing has it.
  void TaskCreated(std::size_t group, const std::string& task, bool found);
  void TaskSeen(std::size_t group, const std::string& task, const std::string& status,
                const timestream::ProgressReport& progress);
  void TaskStopped(std::size_t group, const std::string& task, std::chrono::nanoseconds wait);
  void TaskResumed(std::size_t group, const std::string& task);
  void GroupDone(std::size_t group, const std::string& task,
                 const timestream::ProgressReport& progress, std::uint64_t rejected);
  void GroupFailed(std::size_t group, const std::string& task, const std::string& why,
                   const std::string& report_uri);
  // Others' tasks keep groups of the table waiting; told on change. Empty: no longer.
  void Waiting(std::size_t table, const std::string& where, const std::vector<std::string>& tasks);

  // At most every 200 ms, and where asked in any case.
  void Update(const LiveProgress& live, bool in_any_case = false);

  ProgressSink& sink() const { return sink_; }

 private:
  Event OfTask(std::string_view kind, std::size_t group, const std::string& task) const;

  const LoadPlan& plan_;
  const LoadLedger& ledger_;
  const Clock& clock_;
  ProgressSink& sink_;
  const std::chrono::steady_clock::time_point started_;
  std::optional<std::chrono::steady_clock::time_point> told_;
  std::optional<double> bytes_at_start_;  // done by a process before this one
  std::uint64_t all_bytes_ = 0;
  std::vector<std::vector<std::string>> waiting_;  // by table
};

}  // namespace tsm::batchload
