#include "ts_batchload/stored_load.h"

#include <utility>

#include "ts_batchload/options.h"
#include "tsm/run/state_dir.h"

namespace tsm::apps {

JournalHeader HeaderOf(const batchload::LoadPlan& plan, const std::string& plan_text) {
  return HeaderOf(kBatchLoadTool, plan.run_id, plan_text, plan.Title());
}

Result<std::unique_ptr<StoredLoad>> ReadLoadPlan(const std::filesystem::path& directory) {
  auto stored = std::make_unique<StoredLoad>();
  stored->directory = directory;
  Result<std::string> text = run::ReadWholeFile(directory / kPlanFileName, kMaxPlanBytes);
  if (!text) return text.error();
  stored->plan_text = *std::move(text);
  Result<batchload::LoadPlan> plan = batchload::ParseLoadPlan(stored->plan_text);
  if (!plan) return OfLocalFile(plan.error()).With((directory / kPlanFileName).string());
  stored->plan = *std::move(plan);
  stored->state = std::make_unique<batchload::LoadState>(stored->plan);
  return stored;
}

Result<std::unique_ptr<StoredLoad>> ReadLoad(const std::filesystem::path& directory) {
  Result<std::unique_ptr<StoredLoad>> stored = ReadLoadPlan(directory);
  if (!stored) return stored;
  batchload::LoadState& state = *(*stored)->state;
  Result<JournalHeader> header =
      Journal::Read(directory, [&](const JournalEntry& entry) { return state.Apply(entry); });
  if (!header) return OfLocalFile(header.error());
  return stored;
}

}  // namespace tsm::apps
