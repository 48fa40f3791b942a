// One run of a batch-load task from listing to report. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ts_local/batch_load_file.h"
#include "ts_local/batch_load_report.h"
#include "ts_local/batch_load_request.h"
#include "ts_local/batch_task.h"
#include "ts_local/storage.h"
#include "ts_local/table_store.h"

namespace ts_local {

// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html
inline constexpr std::size_t kMaxBatchFiles = 100;
inline constexpr std::uint64_t kMaxBatchBytes = 100ULL << 30U;
inline constexpr std::uint64_t kMaxBatchFileBytes = 5ULL << 30U;

struct BatchOutcome {
  bool interrupted = false;  // ended by `progress`: what follows is of no use
  std::string status;        // kSucceeded, kFailed or kProgressStopped
  std::string error;         // ErrorMessage, also of a stopped task
  BatchCounters counters;
  std::int64_t total_bytes = 0;  // of all files
};

// What is to happen to one run.
struct BatchRunRules {
  // How the run ends at `share` of its bytes; kGoOn: it does not.
  enum class Mishap { kGoOn, kStop, kFail };
  Mishap mishap = Mishap::kGoOn;
  // Absent: half of what an earlier run has left over.
  std::optional<double> share;
  MagneticPartitions* partitions = nullptr;     // null: as many as the rows need
  std::int64_t source = TableStore::kNoSource;  // of the rows
  std::function<std::int64_t()> now_ns;         // Unix time
};

class BatchLoadRun {
 public:
  // Called after each batch of rows with the counters so far; false interrupts the run.
  using Progress = std::function<bool(const BatchCounters&)>;

  // `task.counters` are what an earlier, stopped run came to.
  BatchLoadRun(TableStore& tables, Storage& storage, const BatchTask& task,
               const BatchRunRules& rules);

  // The files of the task, as its prefix lists them now. A reason where the task cannot run.
  std::string ListFiles(std::vector<std::string>* keys) const;
  BatchOutcome Load(const std::vector<std::string>& keys, const Progress& progress);

 private:
  StoragePlace Source() const { return {task_.region, plan_.source_bucket}; }
  std::int64_t TotalBytes(const std::vector<std::string>& keys) const;
  void SetBounds();
  BatchLoadFile::End LoadFiles(const std::vector<std::string>& keys, const Progress& progress);
  // Loads one file. What is wrong with it goes to the report.
  BatchLoadFile::End LoadFile(BatchLoadFile* loader, const std::string& key,
                              const Progress& progress);
  // Why the run ended before its files did: the task's ErrorMessage.
  std::string StopReason() const;
  BatchOutcome Outcome(const char* status, std::string error) const;
  std::string WriteReport();

  TableStore& tables_;
  Storage& storage_;
  const BatchTask task_;
  const BatchPlan plan_;
  const BatchRunRules rules_;
  BatchLoadFile::Bounds bounds_;
  std::int64_t total_bytes_ = 0;
  BatchCounters counters_;
  BatchLoadReport report_;
};

}  // namespace ts_local
