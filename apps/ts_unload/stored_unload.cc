#include "ts_unload/stored_unload.h"

#include <utility>

#include "tsm/aws/environment.h"
#include "tsm/aws/signer.h"
#include "tsm/core/text.h"
#include "tsm/run/state_dir.h"

namespace tsm::apps {

namespace {

// A survey of a million partitions and ten thousand slices are far below it.
constexpr std::size_t kMaxPlanBytes = std::size_t{256} << 20U;

// What answered is this machine's disk, not a service.
Error OfLocalFile(Error error) {
  if (error.kind == ErrorKind::kBadReply) error.kind = ErrorKind::kLocalIo;
  return error;
}

}  // namespace

Result<std::filesystem::path> StateDir(const std::string& flag) {
  if (!flag.empty()) return std::filesystem::path(flag);
  return run::DefaultStateDir(aws::Environment::OfProcess());
}

Result<std::filesystem::path> FindRun(const std::filesystem::path& state_dir,
                                      const std::string& name) {
  Result<std::vector<run::StoredRun>> runs = run::ListRuns(state_dir);
  if (!runs) return runs.error();
  std::vector<const run::StoredRun*> matches;
  for (const run::StoredRun& stored : *runs) {
    if (stored.header && stored.header->tool != kUnloadTool) continue;
    if (stored.run_id == name) return stored.directory;
    if (name == "last" || stored.run_id.starts_with(name)) matches.push_back(&stored);
  }
  if (matches.empty()) {
    return MakeError(ErrorKind::kNotFound, "no run " + OneLine(name, 120) + " in " +
                                               state_dir.string() +
                                               "; ts-unload list shows the runs there");
  }
  // Newest first.
  if (name == "last" || matches.size() == 1) return matches.front()->directory;
  return MakeError(ErrorKind::kInvalidInput, std::to_string(matches.size()) + " runs begin with " +
                                                 OneLine(name, 120) + ", among them " +
                                                 matches[0]->run_id + " and " + matches[1]->run_id);
}

JournalHeader HeaderOf(const unload::UnloadPlan& plan, const std::string& plan_text) {
  JournalHeader header;
  header.tool = kUnloadTool;
  header.run_id = plan.run_id;
  header.fingerprint = aws::Sha256Hex(plan_text);
  header.plan = plan.Title();
  return header;
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
