// Copies objects from bucket to bucket inside S3, one CopyObject each, many at once, and proves by
// one listing that all arrived. options -> plan (pure) -> run -> summary. A file that can't be
// copied fails its group; the others go on. Blocks; its threads end before it returns. The plan
// holds every file of the run in memory, about 400 bytes each.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"

namespace tsm::copy {

struct CopyOptions {
  s3::BucketName source_bucket;
  s3::BucketName target_bucket;
  std::string target_prefix;     // goes before the whole source key, as the original tool has it
  std::size_t concurrency = 64;  // calls at once
};

struct CopySource {
  s3::ObjectKey key;
  std::uint64_t size = 0;
  std::string etag;
  std::size_t group = 0;  // the caller's number; failures come back with it
};

struct CopyTask {
  CopySource source;
  s3::ObjectKey target;
};

struct CopyPlan {
  std::vector<CopyTask> tasks;  // by target key, S3's order
  std::uint64_t bytes = 0;
};

// kInvalidInput where a file is over one request's limit or a target key over S3's.
Result<CopyPlan> PlanCopy(const CopyOptions& options, std::vector<CopySource> sources);

// The objects below the folders that the plan fills which the plan does not write: a batch load of
// the folder would read them too. At most `limit` keys, and how many there are in all. `folders`
// are key prefixes, sorted, none a prefix of another.
struct ForeignObjects {
  std::vector<std::string> keys;
  std::size_t count = 0;
};
Result<ForeignObjects> FindForeign(s3::S3Client& s3, const CopyOptions& options,
                                   const CopyPlan& plan, const std::vector<std::string>& folders,
                                   std::size_t limit, std::stop_token stop);

struct CopyFailure {
  std::size_t group = 0;
  s3::ObjectKey source;
  Error error;
};

struct CopySummary {
  std::uint64_t files = 0;  // copied and proven
  std::uint64_t bytes = 0;
  std::vector<CopyFailure> failures;  // by target key
  std::chrono::nanoseconds duration{0};
  bool interrupted = false;
  // What would have failed every further copy alike (credentials): the run ended with it.
  std::optional<Error> fatal;
};

// Each copy is pinned to the ETag that was listed: a source that changed since then fails
// (PreconditionFailed). Error only where the proving listing itself could not be made.
Result<CopySummary> RunCopy(s3::S3Client& s3, const CopyOptions& options, const CopyPlan& plan,
                            const Clock& clock, ProgressSink& sink, std::stop_token stop);

}  // namespace tsm::copy
