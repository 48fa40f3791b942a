// From what was asked to a plan: which tables there are, what they look like, where their time
// begins and ends, how it is cut into slices. Asks the services and changes nothing.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/unload/unload_options.h"
#include "tsm/unload/unload_plan.h"
#include "tsm/unload/unload_run.h"

namespace tsm::unload {

struct PlannedUnload {
  UnloadPlan plan;
  std::vector<std::string> remarks;  // what the operator should know before it runs
  std::uint64_t queries = 0;         // asked for the plan, beside DESCRIBE and SHOW
};

// `write` lists databases and tables; needed only where the scope does not name its tables.
// kNotFound: a table that is not there, or a scope that selects none. kInvalidInput: a column that
// a table does not have, a partition value that UNLOAD can't make a folder of, a default bucket's
// name that is not possible.
Result<PlannedUnload> PlanUnload(const UnloadOptions& options, const UnloadServices& services,
                                 timestream::WriteClient* write, const std::string& run_id,
                                 std::stop_token stop);

// About how many bytes of CSV a row makes, by the types of the columns alone: what --target_size
// reckons with.
std::uint64_t EstimateRowBytes(const TablePlan& table);

}  // namespace tsm::unload
