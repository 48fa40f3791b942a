// One run of a batch-load task in time. The files are loaded at once by a worker; what Describe and
// List show of it follows the clock, so that a task may take the hours it would take at the
// service, and thousands of tasks need no thread. Pure; plain values.
#pragma once

#include <cstdint>
#include <optional>

#include "ts_local/batch_load_limits.h"
#include "ts_local/batch_load_run.h"
#include "ts_local/batch_task.h"

namespace ts_local {

struct BatchCourse {
  std::int64_t begin_ns = 0;            // before it the task shows CREATED or PENDING_RESUME
  BatchCounters from;                   // shown at the begin: what earlier runs came to
  BatchCounters live;                   // shown while the files are being loaded
  std::optional<BatchOutcome> outcome;  // of the loaded files, shown at end_ns
  std::int64_t end_ns = 0;
};

// A paced task is CREATED for so many service seconds.
inline constexpr double kCreatedSeconds = 1;

// How long a run takes that moved the counters so far, in service seconds.
double RunSeconds(const BatchLoadLimits& limits, const BatchCounters& from,
                  const BatchOutcome& outcome);

// What the counters show at `now_ns`, between the begin and the end.
BatchCounters CountersAt(const BatchCourse& course, std::int64_t now_ns);

}  // namespace ts_local
