// The whole run after the flags: look around, find and prove the source, create what is missing,
// copy, load, prove. Where the rooms copy and batchload meet. Everything that can refuse the run
// comes before the first change.
#pragma once

#include <stop_token>

#include "ts_batchload/outcome.h"
#include "ts_batchload/services.h"
#include "ts_batchload/settings.h"
#include "tsm/core/result.h"

namespace tsm::apps {

// `settings` with all buckets named. An Error where the run ended before its first copy or task.
Result<BatchLoadOutcome> RunPipeline(const BatchLoadSettings& settings,
                                     const BatchLoadServices& services, std::stop_token stop);

}  // namespace tsm::apps
