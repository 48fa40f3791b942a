// What a run has done so far, for the report and for `status`. Pure.
#pragma once

#include <string>

#include "tsm/run/run_report.h"
#include "tsm/unload/unload_state.h"

namespace tsm::unload {

// `state` as the report has it: "done", "failed", "interrupted", "running". `now`: how far a
// running attempt reaches.
run::RunReport ReportOf(const UnloadState& unload, const std::string& state, UnixNanos now);

}  // namespace tsm::unload
