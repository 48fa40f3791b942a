// What ts-unload tells on stdout: the plan of a dry run, the end of a run, and the commands to go
// on with. Pure.
#pragma once

#include <string>
#include <vector>

#include "ts_unload/options.h"
#include "tsm/unload/plan_unload.h"
#include "tsm/unload/unload_run.h"

namespace tsm::apps {

// --dry-run: slices, SQL, numbers, costs.
std::vector<std::string> PlanLines(const unload::PlannedUnload& planned,
                                   const unload::UnloadOptions& options);

std::vector<std::string> SummaryLines(const unload::UnloadSummary& summary,
                                      const unload::UnloadPlan& plan);

// The exact command that goes on with the run, with whatever flags of this one it needs.
std::string ResumeCommand(const UnloadFlags& flags, const unload::UnloadPlan& plan);
// The ts-batchload command for what was unloaded, all tables of it; words in capitals are for the
// operator to fill in. "" where there is nothing to load, or nothing that can be loaded.
std::string NextCommand(const UnloadFlags& flags, const unload::UnloadPlan& plan,
                        const unload::UnloadSummary& summary);

}  // namespace tsm::apps
