// What the service does not let an UNLOAD do: start too often, run too long, or need too much
// memory (see unload_mishaps.h); and how long an UNLOAD takes here, so that its progress can be
// watched. Times are the service's: --time_scale of them pass in one real second.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-limits.html
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "ts_local/query_run.h"

namespace ts_local {

struct UnloadLimits {
  double time_scale = 1;                // service seconds in one real second
  double starts_per_second = 0;         // per region and service second; 0: as many as there are
  double seconds = 0;                   // service seconds that each takes, few rows or many
  double seconds_per_million_rows = 0;  // service seconds that its rows take besides
  double timeout_seconds = 3600;        // service seconds
};

// Whether an UNLOAD takes the time it is told to, instead of the time it really needs.
bool IsPaced(const UnloadLimits& limits);

// Counts the starts. Thread-safe.
class UnloadGate {
 public:
  explicit UnloadGate(const UnloadLimits& limits) : limits_(limits) {}
  // Call before each start. Throws ApiError ThrottlingException, and the start does not count,
  // where the last one of the region is too near. A tenth too early passes: a client that keeps to
  // the rate must not fail because the network hurried one call.
  void Start(const std::string& region);

 private:
  const UnloadLimits limits_;
  std::mutex mutex_;
  std::map<std::string, std::chrono::steady_clock::time_point> last_;  // by region
};

// The course of one UNLOAD. Used by the query's thread.
class UnloadPace {
 public:
  // `total_rows` is what a paced UNLOAD will write; unused otherwise. `run` must outlive the pace.
  UnloadPace(const UnloadLimits& limits, QueryRun* run, std::int64_t total_rows);

  // One more row is about to be written: waits for its time. False once the query is cancelled.
  // Throws ApiError QueryExecutionException when the time allowed is over. A paced UNLOAD's time is
  // by rows alone, so that the row it ends at is the same on every machine.
  bool Row();
  // No more rows: waits for what is left of the time, which without rows is all of it.
  void End();

 private:
  // The service second in which `rows` rows are written.
  double DueAfter(std::int64_t rows) const;
  // False once the query is cancelled.
  bool WaitFor(double due);
  const UnloadLimits limits_;
  QueryRun* run_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::int64_t total_rows_;
  std::int64_t rows_ = 0;
};

}  // namespace ts_local
