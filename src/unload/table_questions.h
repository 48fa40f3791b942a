// Asks the table's side questions (table_queries.h) with patience: what passes is asked again, what
// is too large for one answer is asked in halves.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/unload/table_queries.h"
#include "tsm/unload/unload_run.h"

namespace tsm::unload {

// Every row of a SELECT. `begin` is called before each try: rows of an earlier one that broke off
// count for nothing. Throttled and passing failures are tried again, up to a minute apart, until
// `give_up_after` is over.
Status AskRows(
    const UnloadServices& services, const std::string& sql, std::chrono::nanoseconds give_up_after,
    const std::function<void()>& begin,
    const std::function<Status(const timestream::QueryPage&, const timestream::Row&)>& row,
    std::stop_token stop);

// The proof's count of a range: rows by partition, and of each column how many have it.
struct TableCount {
  std::map<std::string, std::uint64_t, std::less<>> rows;  // by what `name` makes of the values
  std::map<std::string, std::uint64_t, std::less<>> non_null;
};
// `name`: of a partition by PartitionCount::values; several partitions may share one.
Result<TableCount> CountRange(
    const UnloadServices& services, const TableSelect& select, const TimeRange& range,
    const std::vector<std::string>& columns,
    const std::function<std::string(const std::vector<std::string>& values)>& name,
    std::chrono::nanoseconds give_up_after, std::stop_token stop);

}  // namespace tsm::unload
