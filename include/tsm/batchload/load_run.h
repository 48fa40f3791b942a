// Runs the batch-load tasks of a plan: at most `slots` at a time, groups in order, each followed to
// its end and proven against its row count. One loop in the caller's thread; the service works in
// parallel, the program only asks. Blocks until all groups are done, failed, or a stop is
// requested.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/batchload/failure_notifier.h"
#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"
#include "tsm/timestream/batch_load_types.h"
#include "tsm/timestream/limits.h"
#include "tsm/timestream/write_client.h"

namespace tsm::batchload {

// What the original tool and this one call the reports' folder in the error bucket.
inline constexpr const char* kReportPrefix = "batch_load_errors";

// One group as the service is to load it.
struct LoadUnit {
  std::string prefix;  // key prefix in the source bucket, ends in '/'
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> rows;  // what RecordsProcessed must be; nothing: not proven
};

struct LoadOptions {
  timestream::TableRef table;
  s3::BucketName bucket;         // of the units
  s3::BucketName report_bucket;  // both in the table's region
  std::string report_prefix = kReportPrefix;
  std::string data_model_json;
  timestream::CsvConfiguration csv;
  int slots = timestream::kMaxActiveTasksPerTable;                    // tasks at a time
  std::chrono::nanoseconds poll_interval = std::chrono::seconds(10);  // per task
  std::chrono::nanoseconds create_interval = timestream::kCreateInterval;
  // After a refused create the wait starts here and doubles, jittered, to the maximum.
  std::chrono::nanoseconds create_backoff = std::chrono::seconds(2);
  std::chrono::nanoseconds max_create_backoff = std::chrono::minutes(1);
  // A stopped task is resumed after this wait, which doubles with each resume to the maximum: what
  // stopped it (active magnetic-store partitions) may take hours to clear.
  std::chrono::nanoseconds resume_backoff = std::chrono::minutes(1);
  std::chrono::nanoseconds max_resume_backoff = std::chrono::hours(1);
};

struct LoadParts {
  timestream::WriteClient& write;
  s3::S3Client& s3;
  const Clock& clock;
  Random& random;
  ProgressSink& sink;
  FailureNotifier& notifier;
};

struct LoadFailure {
  std::string prefix;
  std::string task_id;  // "" where none was created
  Error error;          // kProof where counts differ
};

struct RunningTask {
  std::string prefix;
  std::string task_id;
};

struct LoadSummary {
  std::size_t units = 0;
  std::size_t succeeded = 0;
  std::size_t created = 0;      // tasks
  std::size_t not_started = 0;  // left where the run ended early
  std::uint64_t processed = 0;  // records, over all tasks
  std::uint64_t ingested = 0;
  std::uint64_t bytes_metered = 0;
  std::chrono::nanoseconds duration{0};
  std::vector<LoadFailure> failures;
  // Tasks that go on in the service where the run ended before they did.
  std::vector<RunningTask> running;
  bool interrupted = false;
  // What ended the run for every group: credentials, permission.
  std::optional<Error> fatal;
};

LoadSummary RunLoad(const LoadOptions& options, const std::vector<LoadUnit>& units,
                    const LoadParts& parts, std::stop_token stop);

// Returns when no task is active on the table, telling which ones are waited for: two loads of one
// table disturb each other (AWS: throttling fails the task), and rows of a task that an earlier run
// left behind would arrive under the copies of this one. Errors of the first look are returned;
// later transient ones are waited out.
Status WaitForIdleTable(const timestream::TableRef& table, std::chrono::nanoseconds poll_interval,
                        const LoadParts& parts, std::stop_token stop);

}  // namespace tsm::batchload
