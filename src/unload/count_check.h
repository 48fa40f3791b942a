// The table's own count held against what was unloaded, partition by partition (contracts 6). The
// comparison is pure; asking is patient, as one failure at the end of a long run must not spoil it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "run_context.h"

namespace tsm::unload {

struct CountDifference {
  std::string partition;  // as PartitionRows names it
  std::uint64_t unloaded = 0;
  std::uint64_t counted = 0;

  std::string str() const;  // "2024-02-26: 10 rows unloaded, the table now has 12"
};

struct CountReport {
  std::vector<CountDifference> changed;  // more rows now: the source changed after its slice
  std::vector<CountDifference> expired;  // fewer at the old end: retention
  std::vector<CountDifference> wrong;    // fewer anywhere else
  std::map<std::string, std::uint64_t, std::less<>> non_null;  // by column
};

// Timestream takes rows away by retention alone, the oldest first: fewer rows are expired where
// nothing older is left. `by_time`: partitions begin with their time, so that their order tells.
CountReport CompareCounts(const PartitionRows::Counts& unloaded,
                          const PartitionRows::Counts& counted, bool by_time);

// Counts a table whose slices are all done, and compares.
Result<CountReport> CheckCounts(RunContext& context, std::size_t table);

// The done slices that hold rows of this partition.
std::vector<SliceRef> SlicesOf(const RunContext& context, std::size_t table,
                               const std::string& partition);

}  // namespace tsm::unload
