// --data_model_out: the data model by which ts-batchload makes the table of what was unloaded.
#pragma once

#include "tsm/core/progress.h"
#include "tsm/core/result.h"
#include "tsm/unload/unload_plan.h"

namespace tsm::apps {

// Writes it where the plan names a file; what is lost or not certain is told to the sink. A table
// that holds nothing to map gets none, and a warning.
Status WriteDataModel(const unload::UnloadPlan& plan, ProgressSink& sink);

}  // namespace tsm::apps
