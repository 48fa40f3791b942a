// What a process of ts-batchload came to, put together from the ledger's state and from what the
// parts of the run say: its counts, its failures, its exit code. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/exit_code.h"
#include "ts_batchload/copy_part.h"
#include "tsm/batchload/load_state.h"
#include "tsm/core/error.h"

namespace tsm::apps {

struct TableOutcome {
  timestream::TableRef target;
  std::string source;  // "s3://bucket/prefix", or the table that was unloaded
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> rows;  // that must arrive; nothing: loaded without proof
  std::uint64_t groups = 0;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t failed_tasks = 0;  // of them, after a task that is charged

  std::uint64_t processed = 0;
  std::uint64_t ingested = 0;
  std::uint64_t rejected = 0;
  std::uint64_t copied = 0;  // groups that are complete in the target bucket
  bool done_whole = false;   // loaded and proven, or with --copy_only copied and proven
  std::string verified;
  std::vector<std::string> remarks;
  std::vector<std::string> failures;  // a line per group that failed or difference found
};

struct LoadOutcome {
  std::string run_id;
  std::string region;
  bool load = true;
  std::vector<TableOutcome> tables;
  std::optional<CopyResult> copies;
  std::uint64_t tasks = 0;
  std::uint64_t bytes_metered = 0;
  std::vector<std::string> running;  // tasks that go on in the service, a line each
  std::chrono::nanoseconds elapsed{0};
  bool interrupted = false;
  bool broken_proof = false;
  std::optional<Error> fatal;  // ended the run for every group
};

// The counts are the state's; of this process only, and so nothing where it is looked at from
// outside: what copies came to.
LoadOutcome OutcomeOf(const batchload::LoadState& state, const std::optional<CopyResult>& copies);

// 130 where interrupted, else the code of what ended the run, else 4 where a proof differs, 1 where
// a group failed or is not finished, 0.
ExitCode CodeOf(const LoadOutcome& outcome);
// "done", "failed", "interrupted".
std::string StateName(const LoadOutcome& outcome);

}  // namespace tsm::apps
