// Divides the sorted files of one table into groups and writes them to the table's spool in the
// order of their targets. For one thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "load_groups.h"
#include "load_places.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/core/result.h"
#include "tsm/core/sorted_spool.h"

namespace tsm::batchload {

struct TableSpool {
  const GroupRules& rules;
  const std::filesystem::path& directory;
  TableLoad& table;  // spool names the file; rows tells whether groups have any; gets target_prefix
  std::size_t index;  // of the table

  // Adds the table's groups in run order: by slice, by partition, by prefix. `places` is shown
  // every file. kInvalidInput: two files would become one, or a key is too long; others as
  // DraftGroups'.
  Status Write(SortedSpool& files, std::vector<LoadGroup>& groups, PlaceCounter& places);

 private:
  Status SortByTarget(SortedSpool& files, const std::vector<GroupDraft>& drafts,
                      const std::vector<std::size_t>& numbers, PlaceCounter& places,
                      SortedSpool& targets) const;
  Status WriteSpool(SortedSpool& targets, std::vector<LoadGroup>& groups) const;
  Status CheckTarget(const FoundFile& file, const s3::ObjectKey& target) const;
};

}  // namespace tsm::batchload
