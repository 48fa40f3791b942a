#include "batchload/load_world.h"

#include <algorithm>
#include <cstdio>

namespace tsm::test {

using batchload::LoadGroup;
using batchload::LoadRunResult;
using batchload::LoadState;

bool LoadSink::Told(const std::string& part) const { return CountTold(part) > 0; }

std::size_t LoadSink::CountTold(const std::string& part) const {
  return static_cast<std::size_t>(std::count_if(
      notices.begin(), notices.end(),
      [&](const std::string& notice) { return notice.find(part) != std::string::npos; }));
}

LoadWorld::LoadWorld(std::uint64_t seed) : seed_(seed) {
  plan.run_id = "RUN1";
  plan.tool_version = "9.9.9";
  plan.region = "eu-west-1";
  plan.created = Now();
  plan.target_bucket = plan.source_bucket = *s3::BucketName::Parse("bkt");
  plan.report_bucket = plan.target_bucket;
  plan.canary = false;
  conduct.report_dir = (dir_.path() / "reports").string();
  AddTable("t");
}

UnixNanos LoadWorld::Now() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock.Now().time_since_epoch())
      .count();
}

void LoadWorld::AddTable(const std::string& name) {
  batchload::TableLoad table;
  table.target = {"db", name};
  table.data_model_json = R"({"TimeColumn":"time"})";
  plan.tables.push_back(table);
}

void LoadWorld::AddGroup(std::uint64_t megabytes, std::uint64_t rows, std::uint32_t files,
                         std::size_t table) {
  LoadGroup group;
  char id[16];
  std::snprintf(id, sizeof id, "g%04zu", plan.groups.size() + 1);
  group.id = id;
  group.table = table;
  group.prefix = "unload/results/p=" + group.id + "/";
  group.label = "p=" + group.id;
  group.files = files;
  group.bytes = megabytes * 1'000'000 * files;
  group.rows = rows * files;
  for (std::uint32_t i = 0; i < files; ++i) {
    service.Put(group.prefix + std::to_string(i) + ".csv", {megabytes * 1'000'000, rows, ""});
  }
  plan.tables[table].files += files;
  plan.tables[table].bytes += group.bytes;
  plan.groups.push_back(std::move(group));
}

LoadRunResult LoadWorld::Run() {
  LoadState state(plan);
  const JournalHeader header{"ts-batchload", plan.run_id, plan.run_id, plan.Title(), 0};
  Result<std::unique_ptr<Journal>> journal =
      std::filesystem::exists(run_dir() / kJournalFileName)
          ? Journal::Open(
                run_dir(), header, [&](const JournalEntry& entry) { return state.Apply(entry); },
                clock, disk_)
          : Journal::Create(run_dir(), header, clock, disk_);
  LoadRunResult result;
  if (!journal) {
    result.fatal = journal.error();
    return result;
  }
  batchload::LoadLedger ledger(std::move(state), **journal);
  sink_ = std::make_unique<LoadSink>();
  clients_ = std::make_unique<LoadClients>(service, clock, *sink_, seed_++);
  clients_->transport.before = before;
  clients_->transport.after = after;
  clients_->transport.call_time = call_time;
  batchload::ReadyGroups ready;
  batchload::LoadConduct conducted = conduct;
  if (copies) {
    conducted.tick = [&] {
      copies(ledger, ready);
      return conduct.tick ? conduct.tick() : Ok();
    };
  } else {
    ready.Close();
  }
  const batchload::GroupKeys keys = [&](std::size_t group) -> Result<std::vector<s3::ObjectKey>> {
    std::vector<s3::ObjectKey> all;
    for (std::uint32_t i = 0; i < plan.groups[group].files; ++i) {
      all.emplace_back(plan.groups[group].prefix + std::to_string(i) + ".csv");
    }
    return all;
  };
  result =
      batchload::RunLoad(plan, ledger, conducted, clients_->Services(), ready, keys, interrupts);
  ledger.Look([&](const LoadState& now) { state_ = std::make_unique<LoadState>(now); });
  return result;
}

batchload::GroupState LoadWorld::Group(std::size_t group) const { return state_->group(group); }

std::string WhyNotLoaded(const LoadWorld& world, const LoadRunResult& result) {
  if (result.fatal) return result.fatal->Text();
  if (result.interrupted) return "interrupted";
  std::string why;
  for (std::size_t i = 0; i < world.plan.groups.size(); ++i) {
    const batchload::GroupState& group = world.state().group(i);
    if (group.state != batchload::GroupState::State::kDone) {
      why += world.plan.groups[i].id + ": " + group.failure + "\n";
    }
  }
  return why;
}

}  // namespace tsm::test
