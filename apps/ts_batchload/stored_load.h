// Runs of ts-batchload as they lie in the state directory: read and made. Nothing here makes a
// request.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "common/stored_runs.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/batchload/load_state.h"
#include "tsm/core/journal.h"
#include "tsm/core/result.h"

namespace tsm::apps {

// A plan and what has become of it; the state refers to the plan, so neither is copied.
struct StoredLoad {
  std::filesystem::path directory;
  std::string plan_text;
  batchload::LoadPlan plan;
  std::unique_ptr<batchload::LoadState> state;
};

JournalHeader HeaderOf(const batchload::LoadPlan& plan, const std::string& plan_text);

// The plan of a run directory, with a state in which nothing has happened yet.
Result<std::unique_ptr<StoredLoad>> ReadLoadPlan(const std::filesystem::path& directory);
// And what the journal tells, without taking its lock. Here and above: a file that is damaged, or
// of another version of the program, is kLocalIo.
Result<std::unique_ptr<StoredLoad>> ReadLoad(const std::filesystem::path& directory);

}  // namespace tsm::apps
