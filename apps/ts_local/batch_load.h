// Batch-load tasks: created, queued, really executed by worker threads, persisted.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load.html
// Owns its threads and the task file; borrows the stores and the rules, which must outlive it.
// Thread-safe.
// A task that a stop or a crash of ts-local interrupts is PROGRESS_STOPPED after the next start and
// may be resumed; it then loads its files again from the first, which changes nothing twice.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ts_local/batch_load_limits.h"
#include "ts_local/message.h"
#include "ts_local/storage.h"
#include "ts_local/table_store.h"

namespace ts_local {

class FaultRules;

// Tasks that somebody else of the account runs: no file is read, no row written.
struct OtherTasks {
  std::string region = "us-east-1";
  std::string database = "other-database";  // neither it nor the table need exist
  std::string table = "other-table";
  std::size_t count = 1;
  double seconds = 3600;  // of the service
};

class BatchLoad {
 public:
  using NowNs = std::function<std::int64_t()>;  // Unix time in nanoseconds
  // `rules` for kTaskStep are struck at the start of each run; null for none.
  BatchLoad(TableStore& tables, Storage& storage, NowNs now, const BatchLoadLimits& limits = {},
            FaultRules* rules = nullptr);
  // As Stop, and waits until it is done.
  ~BatchLoad();
  BatchLoad(const BatchLoad&) = delete;
  BatchLoad& operator=(const BatchLoad&) = delete;

  // The four calls: request body to response body. Throw ApiError.
  nlohmann::json Create(const Caller& caller, const nlohmann::json& request);
  nlohmann::json Describe(const Caller& caller, const nlohmann::json& request) const;
  nlohmann::json List(const Caller& caller, const nlohmann::json& request) const;
  nlohmann::json Resume(const Caller& caller, const nlohmann::json& request);

  // Other people's tasks: active at once, whatever the quotas, SUCCEEDED when their time is over or
  // at EndOthers. Both return how many are active.
  std::size_t AddOthers(const OtherTasks& others);
  std::size_t EndOthers();
  std::size_t CountOthers() const;

  // Asks running tasks to stop between two batches of rows, and starts none any more. Returns at
  // once. Tasks that are created from now on wait for the next start.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts_local
