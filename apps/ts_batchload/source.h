// Finds what is to be loaded and proves that it is whole: lists the data files, groups them, reads
// the manifests of the UNLOADs that wrote them. Reads only.
#pragma once

#include <stop_token>

#include "ts_batchload/services.h"
#include "ts_batchload/settings.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/core/result.h"

namespace tsm::apps {

// The groups with the manifests' row counts. kInvalidInput where there is nothing to load or batch
// load can't take it; kInTheWay, naming the files, where a manifest is missing or differs. With
// --verify none the findings are a warning and no row count is set.
Result<batchload::LoadPlan> FindSource(const BatchLoadSettings& settings,
                                       const BatchLoadServices& services, std::stop_token stop);

}  // namespace tsm::apps
