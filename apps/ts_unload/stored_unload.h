// Runs of ts-unload as they lie in the state directory: found, read, made. Nothing here makes a
// request.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "common/stored_runs.h"
#include "tsm/core/journal.h"
#include "tsm/core/result.h"
#include "tsm/unload/unload_plan.h"
#include "tsm/unload/unload_state.h"

namespace tsm::apps {

inline constexpr const char* kUnloadTool = "ts-unload";

// A plan and what has become of it; the state refers to the plan, so neither is copied.
struct StoredUnload {
  std::filesystem::path directory;
  std::string plan_text;
  unload::UnloadPlan plan;
  std::unique_ptr<unload::UnloadState> state;
};

JournalHeader HeaderOf(const unload::UnloadPlan& plan, const std::string& plan_text);

// The plan of a run directory, with a state in which nothing has happened yet.
Result<std::unique_ptr<StoredUnload>> ReadPlan(const std::filesystem::path& directory);
// And what the journal tells, without taking its lock. Here and above: a file that is damaged, or
// of another version of the program, is kLocalIo.
Result<std::unique_ptr<StoredUnload>> ReadUnload(const std::filesystem::path& directory);

}  // namespace tsm::apps
