// Parts of SQL that every question about a table's rows has. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "tsm/core/clock.h"
#include "tsm/timestream/partition_unit.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::timestream {

// "database"."table".
std::string TableSql(const TableRef& table);

// date_format(time, '%Y-%m-%d'): a row's partition as its folder's name has it. Not for kNone.
std::string PartitionSql(PartitionUnit unit);

// "time >= '…' AND time < '…'", a part where one end is open, "" where both are.
std::string TimeSql(const std::optional<UnixNanos>& from, const std::optional<UnixNanos>& end);

}  // namespace tsm::timestream
