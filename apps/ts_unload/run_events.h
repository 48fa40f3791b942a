// What --json tells beside the run's own events: the plan of a dry run, and as the last line of
// every process how it ended. Kinds and fields are documented in README "Events". Pure.
#pragma once

#include <string>
#include <vector>

#include "common/run_end.h"
#include "tsm/core/progress.h"
#include "tsm/unload/plan_unload.h"
#include "tsm/unload/unload_run.h"

namespace tsm::apps {

// `table_ended` for each table with a `trouble` for each remark and failure, then `run_ended`.
std::vector<Event> EndEvents(const unload::UnloadSummary& summary, const RunEnd& end);

// `table_planned` and its `slice_planned` for each table, then `run_ended`.
std::vector<Event> PlanEvents(const unload::PlannedUnload& planned);

}  // namespace tsm::apps
