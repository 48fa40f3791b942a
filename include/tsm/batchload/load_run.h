// Runs the batch-load tasks of a plan: as many at a time as table, account and other people's tasks
// leave room for, groups in order as they get ready, each followed to its end and proven against
// its row count. One reconcile loop in the caller's thread; the service works in parallel, the
// program only asks. What was done before by this run, as its ledger knows it, is not done again:
// running tasks are attached, announced ones are looked for. Blocks until every group is done or
// has failed, or a stop is requested.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/batchload/failure_notifier.h"
#include "tsm/batchload/load_ledger.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"
#include "tsm/timestream/limits.h"
#include "tsm/timestream/write_client.h"

namespace tsm::batchload {

// Groups whose files are all there, from the copies to the load loop. Thread-safe.
class ReadyGroups {
 public:
  void Push(std::size_t group);
  void Close();  // no more will come: those that are missing failed to copy
  // All that came since the last call, in order.
  std::vector<std::size_t> Take();
  bool closed() const;  // and everything was taken

 private:
  mutable std::mutex mutex_;
  std::vector<std::size_t> groups_;
  bool closed_ = false;
};

// What the operator may change from one process of a run to the next.
struct LoadConduct {
  int table_slots = timestream::kMaxActiveTasksPerTable;
  int account_slots = timestream::kMaxActiveTasksPerAccount;
  // The longest time between two looks at a task; shorter ones follow from what tasks take.
  std::chrono::nanoseconds poll_interval = std::chrono::seconds(10);
  std::chrono::nanoseconds start_interval = timestream::kCreateInterval;
  std::chrono::nanoseconds describe_interval = timestream::kDescribeInterval;
  std::chrono::nanoseconds give_up_after = std::chrono::hours(24);
  // A stopped task is resumed after this wait, which doubles to the maximum.
  std::chrono::nanoseconds resume_backoff = std::chrono::minutes(10);
  std::chrono::nanoseconds max_resume_backoff = std::chrono::hours(1);
  int max_resumes = 20;  // without progress between them
  bool retry_failed = false;
  std::optional<std::int64_t> record_version;  // of --retry_failed
  std::string report_dir;                      // error reports are saved here; "" not
  std::function<Status()> tick;                // now and then: what keeps a lock alive; may be null
};

struct LoadServices {
  timestream::WriteClient& write;
  s3::S3Client& s3;  // reads the target bucket and the reports
  const Clock& clock;
  Random& random;
  ProgressSink& sink;
  FailureNotifier& notifier;
};

// The keys that a group's prefix must hold, in S3's order: ≤ 100 of them.
using GroupKeys = std::function<Result<std::vector<s3::ObjectKey>>(std::size_t group)>;

struct LoadInterrupts {
  std::stop_token drain;  // no new task is created; running ones are left to the service
  std::stop_token stop;
};

struct LoadRunResult {
  bool interrupted = false;
  // What ended the run for every group alike: credentials, permission, the journal, the canary.
  std::optional<Error> fatal;
  // `fatal` is the canary's failure: the run ends as one with a failed group does.
  bool canary_failed = false;
};

// Failures of groups stand in the ledger. Tasks go on in the service where the run ends early.
// Groups that are sealed and wait are taken from the ledger at the start, later ones from `ready`;
// whichever are pushed although they are loaded or have failed are passed over. Failed groups of
// which the service took no task are tried again without conduct.retry_failed: that costs nothing.
LoadRunResult RunLoad(const LoadPlan& plan, LoadLedger& ledger, const LoadConduct& conduct,
                      const LoadServices& services, ReadyGroups& ready, const GroupKeys& keys,
                      const LoadInterrupts& interrupts);

// The canary of a plan: the smallest of the first groups (contracts: it loads alone, and its
// counters must agree, before any other starts). Nothing where the plan has one group or wants
// none.
std::optional<std::size_t> CanaryOf(const LoadPlan& plan);

}  // namespace tsm::batchload
