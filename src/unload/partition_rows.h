// How many rows the unloaded files hold per partition, summed over manifests: what the table's own
// count is held against. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/run/manifest.h"
#include "tsm/unload/unload_ledger.h"
#include "tsm/unload/unload_plan.h"

namespace tsm::unload {

class PartitionRows {
 public:
  // By the folders' values joined with '/', "2024-02-26/Oslo"; by the number of the planned slice
  // where the files lie in no folders, "0001".
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;

  explicit PartitionRows(const UnloadPlan& plan);

  // The manifest of a done slice's attempt. Adding a slice again replaces nothing and adds nothing.
  void Add(const SliceRef& ref, const Attempt& attempt, const run::Manifest& manifest);
  // A table's counts are no longer good: its slices are to be added anew.
  void Forget(std::size_t table);
  bool Has(const SliceRef& ref) const;
  // Only once no slice of this table is being worked on any more: nothing may be added meanwhile.
  const Counts& Of(std::size_t table) const { return counts_[table]; }

 private:
  const UnloadPlan& plan_;
  mutable std::mutex mutex_;
  std::set<SliceRef> seen_;
  std::vector<Counts> counts_;
};

// The values of "partition_date=2024-02-26/partition_city=Oslo/file.csv", joined: the part of a
// key behind results/. "" where there is no folder.
std::string PartitionValues(std::string_view key_behind_results);

// "0007" of "0007ab": the planned slice that a piece comes from.
std::string PlannedSlice(std::string_view slice);

}  // namespace tsm::unload
