// What a run of ts-batchload came to: its counts, its failures, its exit code and the lines that
// tell it. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/exit_code.h"
#include "tsm/batchload/load_run.h"
#include "tsm/core/error.h"

namespace tsm::apps {

struct BatchLoadOutcome {
  std::string source;  // "s3://bucket/prefix"
  std::string table;   // "database.table in region"
  std::size_t groups = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> rows;  // by the manifests; nothing: loaded without proof

  bool copied = false;  // a copy was asked for and made
  std::uint64_t copied_files = 0;
  std::uint64_t copied_bytes = 0;
  std::chrono::nanoseconds copy_time{0};

  batchload::LoadSummary load;
  std::vector<batchload::LoadFailure> failures;  // of copies and loads, one per group
  bool interrupted = false;
  std::optional<Error> fatal;  // ended the run for every group
};

// 130 where interrupted, else the code of what ended the run, else 4 where a proof differs, 1 where
// a group failed, 0.
ExitCode CodeOf(const BatchLoadOutcome& outcome);

// The summary for stdout, failures last.
std::vector<std::string> SummaryLines(const BatchLoadOutcome& outcome);

}  // namespace tsm::apps
