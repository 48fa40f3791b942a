// An unload after its plan: bucket and policy, the claim on the destinations, every slice as an
// UNLOAD of its own, several at once and as often as it takes, the proof, the records. Whatever was
// done before by this run, as its ledger knows it, is not done again. One call per process; its
// progress goes to the sink.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"
#include "tsm/sts/sts_client.h"
#include "tsm/timestream/query_client.h"
#include "tsm/timestream/write_client.h"
#include "tsm/unload/unload_ledger.h"
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
  std::string region;        // of the tables, and so of the bucket
  std::string tool_version;  // for plan and record
};

// How a run may be ended early.
struct UnloadInterrupts {
  std::stop_token drain;  // nothing new is started, running queries are followed to their end
  std::stop_token stop;   // running queries are cancelled
};

// What the operator may change from one process of a run to the next, and what this one needs.
struct UnloadConduct {
  RunSettings settings;
  bool redo_changed = false;  // slices whose source has changed since are unloaded again
  // Called now and then from any thread, at least at each page: what keeps a lock alive. An error
  // ends the run.
  std::function<Status()> tick;
};

enum class UnloadOutcome {
  kDone,         // every table closed
  kSomeFailed,   // slices gave up; resumable
  kProofFailed,  // counts differ; each place was named
  kInterrupted,  // resumable
};

struct TableSummary {
  timestream::TableRef table;
  s3::S3Uri destination;
  s3::S3Uri record;
  std::string manifest_uri;  // of a table of one slice; "" otherwise
  std::optional<TimeRange> range;
  std::uint64_t slices = 0;
  std::uint64_t attempts = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  bool closed = false;
  bool source_changed = false;  // since its slices: a resume with redo_changed unloads them again
  std::string verified;         // as TableState has it
  std::vector<std::string> remarks;   // what the operator should know: expired partitions, …
  std::vector<std::string> failures;  // a line per slice that failed or differs
};

struct UnloadSummary {
  UnloadOutcome outcome = UnloadOutcome::kDone;
  std::vector<TableSummary> tables;
  std::chrono::nanoseconds elapsed{0};  // of this process
};

// Errors beside the services' own: kNotFound (bucket), kInvalidInput (bucket in another region),
// kInTheWay (data files at a destination that no record vouches for; they were named to the sink;
// nothing was started), kLocalIo (the journal), kAccessDenied and kValidation as the service gives
// them. Such an error ends the run at once; queries under way go on in the service and are adopted
// by a resume.
Result<UnloadSummary> RunUnload(const UnloadPlan& plan, UnloadLedger& ledger,
                                const UnloadConduct& conduct, const UnloadServices& services,
                                const UnloadInterrupts& interrupts);

}  // namespace tsm::unload
