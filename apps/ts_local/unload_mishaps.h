// What goes wrong inside the service while it executes an UNLOAD, on demand (--fail, see FaultRule;
// --memory_partitions), and what is then left in S3 beside the partial files. Pure but for the
// rules, which are borrowed; thread-safe as they are.
// https://docs.aws.amazon.com/timestream/latest/developerguide/troubleshoot-export-unload.html
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ts_local/api_error.h"
#include "ts_local/storage.h"

namespace ts_local {

class FaultRules;

// Begins a multipart upload of `key`, gives it one part of `bytes`, and leaves it so: "incomplete
// multipart uploads may remain" after a query that failed.
using LeaveUnfinished = std::function<void(const StoragePlace& place, const std::string& key,
                                           const StoredAs& as, std::string_view bytes)>;

struct UnloadMishaps {
  std::size_t memory_partitions = 0;  // more do not fit into memory; 0: all that are allowed do
  FaultRules* rules = nullptr;        // null: none
  LeaveUnfinished leave_unfinished;   // empty: nothing is left unfinished
};

// The error with which this UNLOAD's execution is to end (rules for kUnloadStep).
std::optional<ApiError> NextUnloadFailure(FaultRules* rules);

// What S3 answers to the start of one more data file (rules for kUnloadWriteStep); an error of
// S3's.
std::optional<ApiError> NextWriteFailure(FaultRules* rules);

// How an UNLOAD fails on what S3 answered to a write: QueryExecutionException where S3 throttles,
// else as AsTimestream.
ApiError AsUnloadFailure(const ApiError& of_s3);

}  // namespace ts_local
