// What ts-batchload tells on stdout: the end of a run and the commands to go on with. Pure.
#pragma once

#include <string>
#include <vector>

#include "ts_batchload/load_outcome.h"
#include "ts_batchload/options.h"
#include "tsm/batchload/load_plan.h"

namespace tsm::apps {

std::vector<std::string> SummaryLines(const LoadOutcome& outcome);

// The exact command that goes on with the run, with whatever flags of this one it needs.
// `retry_failed`: groups failed, and only with that flag are they loaded again.
std::string ResumeCommand(const BatchLoadFlags& flags, const batchload::LoadPlan& plan,
                          bool retry_failed);

}  // namespace tsm::apps
