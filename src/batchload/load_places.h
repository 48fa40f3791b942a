// How many rows must be found between which moments of the target: by the partitions of the files'
// folders, or by the slices of the record. Memory grows with partitions and groups. For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "found_file.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/run/run_record.h"
#include "tsm/timestream/partition_unit.h"

namespace tsm::batchload {

// "2024-02-26", "2024-02-26 17:24:38": no more of the moment than it takes.
std::string ShortTime(UnixNanos time);
// "2024-02-01 to 2024-03-01".
std::string SliceLabel(const run::RecordSlice& slice);

class PlaceCounter {
 public:
  // `record` may be null, and outlives this.
  explicit PlaceCounter(const run::RunRecord* record);

  // Index in LoadPlan::groups.
  void Add(const FoundFile& file, std::size_t group);

  // In the order of time, not overlapping; empty where files tell no time or no rows. Without a
  // record all folders must be partitions of one unit.
  std::vector<LoadPlace> Finish();

 private:
  struct Tally {
    std::uint64_t rows = 0;
    std::vector<std::size_t> groups;
  };

  std::vector<LoadPlace> ByPartition(timestream::PartitionUnit unit);
  std::vector<LoadPlace> BySlice();

  const run::RunRecord* record_;
  timestream::PartitionUnit unit_;
  std::string alias_ = "partition_date";
  bool known_ = true;  // every file so far tells time and rows
  std::map<std::string, Tally, std::less<>> by_partition_;
  std::map<std::uint32_t, Tally> by_slice_;
};

}  // namespace tsm::batchload
