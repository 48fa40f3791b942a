// What a run of ts-batchload has done so far, for the report and for `status`. Pure.
#pragma once

#include <string>

#include "tsm/batchload/load_state.h"
#include "tsm/run/run_report.h"

namespace tsm::batchload {

// A unit is a group; its attempts are its copy, where it was copied, and its tasks. `state` as the
// report has it: "done", "failed", "interrupted", "running". `now`: how far what runs reaches.
run::RunReport ReportOf(const LoadState& load, const std::string& state, UnixNanos now);

}  // namespace tsm::batchload
