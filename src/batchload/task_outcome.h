// What an ended task's counters say, held against the rows that it had to load. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tsm/batchload/error_report.h"
#include "tsm/timestream/batch_load_types.h"

namespace tsm::batchload {

struct TaskVerdict {
  bool done = false;
  bool proof = false;          // not done because the counters contradict what had to be loaded
  std::uint64_t rejected = 0;  // rows that the report explains as not ingested
  std::string why;             // with !done; with done what is to be told, or ""
};

// Whether the report of a task that SUCCEEDED is needed: not every record processed was ingested.
bool NeedsReport(const timestream::ProgressReport& progress);

// `rows`: of the task's files, nothing where they are not known. `rejected`: of its report, nothing
// where there is none. Lines may be more than rows, for a value may have line breaks.
TaskVerdict JudgeSucceeded(const timestream::ProgressReport& progress,
                           const std::optional<std::uint64_t>& rows,
                           const std::optional<RejectedRows>& rejected);
TaskVerdict JudgeFailed(const timestream::BatchLoadTask& task,
                        const std::optional<std::uint64_t>& rows,
                        const std::optional<RejectedRows>& rejected);

// "10 records processed, 8 ingested, …".
std::string CountersText(const timestream::ProgressReport& progress);

}  // namespace tsm::batchload
