// A batch-load task and the file that keeps tasks over a restart (tasks.db beside the tables).
// BatchTaskStore is not thread-safe: BatchLoad calls it under its lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ts_local/batch_load_file.h"
#include "ts_local/sqlite_handle.h"

namespace ts_local {

// The values of BatchLoadStatus.
inline constexpr const char* kCreated = "CREATED";
inline constexpr const char* kInProgress = "IN_PROGRESS";
inline constexpr const char* kFailed = "FAILED";
inline constexpr const char* kSucceeded = "SUCCEEDED";
inline constexpr const char* kProgressStopped = "PROGRESS_STOPPED";
inline constexpr const char* kPendingResume = "PENDING_RESUME";

struct BatchTask {
  std::string id;        // 32 upper-case hexadecimal digits
  std::int64_t seq = 0;  // order of creation
  std::string region;
  std::string database;
  std::string table;
  std::string status = kCreated;
  std::int64_t version = 1;
  // The three configurations as DescribeBatchLoadTask shows them, in one JSON object.
  std::string configuration;
  std::string model;  // the data model itself (JSON), also where it was named by S3
  std::string client_token;
  std::string request;     // canonical text of the creating request, to know a token's second use
  std::string files_json;  // keys found at the start, a JSON array; "" before
  BatchCounters counters;
  std::string error;
  std::int64_t created_ms = 0;  // Unix time, as the two below
  std::int64_t updated_ms = 0;
  std::int64_t resumable_until_ms = 0;  // 0: not resumable

  bool Active() const {
    return status == kCreated || status == kInProgress || status == kPendingResume;
  }
};

class BatchTaskStore {
 public:
  explicit BatchTaskStore(const std::string& dir);
  std::vector<BatchTask> Load();  // in order of creation
  // Stores a new task and sets its seq.
  void Insert(BatchTask* task);
  // Stores what changes: status, files, counters, error, times.
  void Update(const BatchTask& task);

 private:
  Connection connection_;
};

}  // namespace ts_local
