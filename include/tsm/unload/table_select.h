// What is selected of one table: the columns and aliases that every UNLOAD of it shares, decided
// once from the flags and the table's schema. Plain value; it stands in the plan of a run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/timestream/table_ref.h"
#include "tsm/timestream/table_schema.h"
#include "tsm/unload/unload_options.h"

namespace tsm::unload {

// A column and the name under which it (or something made of it) stands in the files.
struct AliasedColumn {
  std::string column;
  std::string alias;
  auto operator<=>(const AliasedColumn&) const = default;
};

struct TableSelect {
  timestream::TableRef table;
  std::vector<std::string> columns;        // chosen ones, in their order; empty: all (SELECT *)
  std::string time_alias = "nanoseconds";  // to_nanoseconds(time), the data model's TimeColumn
  // TIMESTAMP measures that are selected, each also as its epoch in nanoseconds: batch load takes
  // times as numbers only (facts on data models: that its TIMESTAMP measures follow the same rule
  // is not verified).
  std::vector<AliasedColumn> timestamps;
  PartitionUnit partition = PartitionUnit::kNone;
  std::string partition_alias = "partition_date";  // stands before partitioned_by
  // Copies, so that the columns stay in the files: UNLOAD leaves out those that it partitions by.
  std::vector<AliasedColumn> partitioned_by;
  std::string where;                  // an extra predicate, "" for none; already checked to be one
  std::vector<std::string> order_by;  // columns, as typed ("time", "city desc"); empty: no order

  // Everything after UNLOAD's FROM: " WHERE time >= '…' AND time < '…' AND (predicate)".
  std::string WhereSql(const std::optional<UnixNanos>& from,
                       const std::optional<UnixNanos>& end) const;
};

// kInvalidInput: a chosen, ordering or partition column that the table does not have (the nearest
// names are told), one named twice, no measure_name or no measure or no dimension among chosen ones
// (allowed and said by the caller: see Remarks), a measure chosen as partition of type double.
Result<TableSelect> MakeTableSelect(const UnloadOptions& options, const timestream::TableRef& table,
                                    const timestream::TableSchema& schema);

// What of this selection batch load can't make a table of (no dimension, no measure), one line
// each.
std::vector<std::string> SelectRemarks(const TableSelect& select,
                                       const timestream::TableSchema& schema);

// `wanted`, or `wanted_2`, `wanted_3`, ... : the first that no column has and `taken` has not.
// Compared without case, as SQL resolves names.
std::string FreeColumnName(const timestream::TableSchema& schema, std::string_view wanted,
                           const std::vector<std::string>& taken = {});

}  // namespace tsm::unload
