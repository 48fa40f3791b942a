// One run of a batch-load task from listing to report. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
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
  bool stopped = false;  // ended by `progress`, not by its files
  bool succeeded = false;
  std::string error;  // ErrorMessage of a FAILED task
  BatchCounters counters;
};

class BatchLoadRun {
 public:
  // Called after each batch of rows with the counters so far; false stops the run.
  using Progress = std::function<bool(const BatchCounters&)>;

  BatchLoadRun(TableStore& tables, Storage& storage, const BatchTask& task);

  // The files of the task, as its prefix lists them now. A reason where the task cannot run.
  std::string ListFiles(std::vector<std::string>* keys) const;
  BatchOutcome Load(const std::vector<std::string>& keys, const Progress& progress);

 private:
  StoragePlace Source() const { return {task_.region, plan_.source_bucket}; }
  // Loads one file; false where `progress` stopped it. What is wrong with it goes to the report.
  bool LoadFile(BatchLoadFile* loader, const std::string& key, const Progress& progress);
  std::string WriteReport();

  TableStore& tables_;
  Storage& storage_;
  const BatchTask task_;
  const BatchPlan plan_;
  BatchCounters counters_;
  BatchLoadReport report_;
};

}  // namespace ts_local
