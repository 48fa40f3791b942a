// From the settings to the plan of a load: looks at the source, the data models, the targets and
// the buckets, and refuses whatever would lose rows or can't work. Everything that can refuse the
// run comes here, before its first change. Reads S3 and Timestream; writes the file spools into the
// run directory, nothing else.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "common/session.h"
#include "ts_batchload/settings.h"
#include "ts_batchload/table_model.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/batchload/target_resources.h"
#include "tsm/core/progress.h"
#include "tsm/core/result.h"

namespace tsm::apps {

struct PlannedLoad {
  batchload::LoadPlan plan;
  std::vector<TableModel> models;  // by table; empty with --copy_only
  batchload::ResourceWishes wishes;
  batchload::FoundResources found;
  std::vector<std::string> remarks;  // what the operator should know before it runs, a line each
};

// `settings` with all buckets named. `run_directory` exists.
Result<PlannedLoad> PlanLoad(const BatchLoadSettings& settings, const std::string& run_id,
                             const std::filesystem::path& run_directory, Session& session,
                             ProgressSink& sink, std::stop_token stop);

// Creates what was found missing.
Status CreateMissing(const PlannedLoad& planned, Session& session, ProgressSink& sink,
                     std::stop_token stop);

// --dry_run and `check`: sources, targets, models, groups, what would be created.
std::vector<std::string> PlanLines(const PlannedLoad& planned, const BatchLoadSettings& settings);

}  // namespace tsm::apps
