// What an unload will cost, as --dry-run tells it: what is known, what is assumed, and which flag
// sets each assumed price. Pure; plain values.
// https://aws.amazon.com/timestream/pricing/
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tsm/unload/unload_options.h"

namespace tsm::unload {

struct CostQuestion {
  std::uint64_t unloads = 0;
  std::uint64_t side_queries = 0;      // range, survey, counts: all that is asked beside UNLOAD
  std::optional<std::uint64_t> rows;   // nothing: not known, for no survey was made
  std::optional<std::uint64_t> bytes;  // of the files without compression, estimated
  std::uint64_t partitions = 0;        // folders, over all UNLOADs
  PriceAssumptions prices;
  bool compressed = false;  // gzip: the files will be smaller than `bytes`
};

// One line each, to be shown as they are; the first says that these are estimates.
std::vector<std::string> EstimateLines(const CostQuestion& question);

}  // namespace tsm::unload
