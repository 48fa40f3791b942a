// The files of a plan as copies and checks ask for them, read from the tables' spools.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tsm/batchload/load_plan.h"
#include "tsm/batchload/load_state.h"
#include "tsm/copy/copy_run.h"
#include "tsm/run/file_spool.h"

namespace tsm::apps {

// Every file of a table's groups that `wanted` takes, in the order of the spool.
class SpoolFeed final : public copy::FileFeed {
 public:
  using Wanted = std::function<bool(std::size_t group)>;

  static Result<std::unique_ptr<SpoolFeed>> Open(const std::filesystem::path& directory,
                                                 const batchload::TableLoad& table, Wanted wanted);

  Result<std::optional<run::SpooledFile>> Next() override;

 private:
  SpoolFeed(std::unique_ptr<run::FileSpoolReader> reader, Wanted wanted)
      : reader_(std::move(reader)), wanted_(std::move(wanted)) {}

  std::unique_ptr<run::FileSpoolReader> reader_;
  Wanted wanted_;
};

// The keys that a sealed group's prefix must hold, in S3's order: those of its files, or of gzip
// those of the objects that they were inflated to.
Result<std::vector<s3::ObjectKey>> KeysOfGroup(const std::filesystem::path& directory,
                                               const batchload::LoadPlan& plan, std::size_t group,
                                               const batchload::GroupState& state);

// The prefixes of those of a table's groups that `wanted` marks, sorted.
std::vector<std::string> PrefixesOf(const batchload::LoadPlan& plan, std::size_t table,
                                    const std::vector<bool>& wanted);

}  // namespace tsm::apps
