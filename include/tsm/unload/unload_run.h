// An unload from the first call to the proof: who am I, table, bucket and its policy, plan, run
// record, UNLOAD, manifest against objects, record again, a last look for strangers. Never starts
// where data or another run's record lies, and never calls a result good that it has not held
// against its manifest. One run per call; its progress goes to the sink.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"
#include "tsm/sts/sts_client.h"
#include "tsm/timestream/query_client.h"
#include "tsm/unload/unload_options.h"
#include "tsm/unload/unload_plan.h"

namespace tsm::unload {

// What a run works with; all of it outlives the run.
struct UnloadServices {
  s3::S3Client& s3;
  timestream::QueryClient& query;
  sts::StsClient& sts;
  const Clock& clock;
  Random& random;
  ProgressSink& progress;
  std::string region;        // of the table, and so of the bucket
  std::string tool_version;  // for the run record
};

struct UnloadSummary {
  UnloadPlan plan;
  std::string account;
  std::string region;
  std::string query_id;
  std::string manifest_uri;  // "" where the service wrote none because there were no rows
  std::uint64_t rows = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t partitions = 0;  // folders with files; 0 where not partitioned
  std::chrono::nanoseconds elapsed{0};
};

// Errors beside the services' own: kNotFound (table, bucket), kInvalidInput (bucket in another
// region, name not possible), kInTheWay (data files or another run's record at the destination;
// they were named to the sink), kProof (each difference was named to the sink), kCancelled (`stop`:
// the query was cancelled where its id was known). What a failed run leaves behind is told to the
// sink.
Result<UnloadSummary> RunUnload(const UnloadOptions& options, const UnloadServices& services,
                                std::stop_token stop);

}  // namespace tsm::unload
