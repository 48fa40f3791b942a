// The Timestream Write API in JSON 1.0: databases, tables, WriteRecords and the batch-load calls.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_Operations_Amazon_Timestream_Write.html
// Owns the batch loader with its threads; borrows both stores, which must outlive it. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ts_local/batch_load.h"
#include "ts_local/message.h"
#include "ts_local/storage.h"
#include "ts_local/table_store.h"

namespace ts_local {

class WriteService {
 public:
  // Nanoseconds since the Unix epoch.
  using NowNs = std::function<std::int64_t()>;
  WriteService(TableStore& tables, Storage& storage, NowNs now, const BatchLoadLimits& limits = {},
               FaultRules* rules = nullptr);
  ~WriteService();
  WriteService(const WriteService&) = delete;
  WriteService& operator=(const WriteService&) = delete;

  BatchLoad& batch_load();

  // Answers one call with its JSON body. Throws ApiError (ValidationException,
  // ResourceNotFoundException, ConflictException, RejectedRecordsException, ...).
  std::string Handle(const Caller& caller, const std::string& operation,
                     const std::string& json_body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts_local
