// What --json tells beside the run's own events: the plan of a dry run, and as the last line of
// every process how it ended. Kinds and fields are documented in README "Events". Pure.
#pragma once

#include <string>
#include <vector>

#include "common/exit_code.h"
#include "tsm/core/error.h"
#include "tsm/core/progress.h"
#include "tsm/unload/plan_unload.h"
#include "tsm/unload/unload_run.h"

namespace tsm::apps {

// Where a process leaves its run.
struct RunEnd {
  ExitCode code = ExitCode::kDone;
  std::string report;  // the page's path; "" where there is none
  std::string next;    // the command that loads what was unloaded, or ""
  std::string resume;  // the command that goes on with the run, or "" where nothing is open
};

// `table_ended` for each table with a `trouble` for each remark and failure, then `run_ended`.
std::vector<Event> EndEvents(const unload::UnloadSummary& summary, const RunEnd& end);
// `run_ended` of a process that an error ended.
Event FailureEvent(const Error& error, const RunEnd& end);

// `table_planned` and its `slice_planned` for each table, then `run_ended`.
std::vector<Event> PlanEvents(const unload::PlannedUnload& planned);

}  // namespace tsm::apps
