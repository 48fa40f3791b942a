// What --json tells beside the run's own events: as the last lines of every process how its tables
// and the run ended. Kinds and fields are documented in README "Events". Pure.
#pragma once

#include <vector>

#include "common/run_end.h"
#include "ts_batchload/load_outcome.h"
#include "tsm/core/progress.h"

namespace tsm::apps {

// `table_ended` for each table with a `trouble` for each remark and failure, then `run_ended`.
std::vector<Event> EndEvents(const LoadOutcome& outcome, const RunEnd& end);

}  // namespace tsm::apps
