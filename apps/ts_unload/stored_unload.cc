#include "ts_unload/stored_unload.h"

#include <utility>

#include "tsm/run/state_dir.h"

namespace tsm::apps {

JournalHeader HeaderOf(const unload::UnloadPlan& plan, const std::string& plan_text) {
  return HeaderOf(kUnloadTool, plan.run_id, plan_text, plan.Title());
}

Result<std::unique_ptr<StoredUnload>> ReadPlan(const std::filesystem::path& directory) {
  auto stored = std::make_unique<StoredUnload>();
  stored->directory = directory;
  Result<std::string> text = run::ReadWholeFile(directory / kPlanFileName, kMaxPlanBytes);
  if (!text) return text.error();
  stored->plan_text = *std::move(text);
  Result<unload::UnloadPlan> plan = unload::ParseUnloadPlan(stored->plan_text);
  if (!plan) return OfLocalFile(plan.error()).With((directory / kPlanFileName).string());
  stored->plan = *std::move(plan);
  stored->state = std::make_unique<unload::UnloadState>(stored->plan);
  return stored;
}

Result<std::unique_ptr<StoredUnload>> ReadUnload(const std::filesystem::path& directory) {
  Result<std::unique_ptr<StoredUnload>> stored = ReadPlan(directory);
  if (!stored) return stored;
  unload::UnloadState& state = *(*stored)->state;
  Result<JournalHeader> header =
      Journal::Read(directory, [&](const JournalEntry& entry) { return state.Apply(entry); });
  if (!header) return OfLocalFile(header.error());
  return stored;
}

}  // namespace tsm::apps
