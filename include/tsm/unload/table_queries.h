// The questions that an unload asks of its table beside UNLOAD itself, as SQL, and what their
// answers' rows mean. Pure; the callers run them and feed the pages. Columns are read by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/timestream/query_client.h"
#include "tsm/unload/slice_plan.h"
#include "tsm/unload/table_select.h"

namespace tsm::unload {

// SELECT min(time), max(time) within what the flags bound: the range where they leave it open.
std::string RangeSql(const TableSelect& select, const std::optional<UnixNanos>& from,
                     const std::optional<UnixNanos>& end);
// Nothing where no row is in the range. `end` is max + 1 ns.
Result<std::optional<TimeRange>> ParseRange(const timestream::QueryPage& page);

// One grouped count of rows per partition of SurveyUnit(select.partition).
std::string SurveySql(const TableSelect& select, const TimeRange& range);
Result<SurveyedPartition> ParseSurveyRow(PartitionUnit unit, const timestream::QueryPage& page,
                                         const timestream::Row& row);

// The distinct values of select.partitioned_by in the range, with rows.
std::string PartitionValuesSql(const TableSelect& select, const TimeRange& range);
// kInvalidInput names the column where a value is null or not ASCII: UNLOAD can't make a folder of
// it.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-best-practices.html
Status CheckPartitionValues(const TableSelect& select, const timestream::QueryPage& page,
                            const timestream::Row& row);

// The proof's count: one row per partition (of the calendar by SurveyUnit, and of partitioned_by),
// with the non-null count of each of `columns`.
struct PartitionCount {
  // As the folder names have it, one per partition column in their order: "2024-02-26", "Oslo".
  // Without a time partition the first is the day.
  std::vector<std::string> values;
  std::uint64_t rows = 0;
  std::vector<std::uint64_t> non_null;  // as `columns`
};
std::string CountSql(const TableSelect& select, const TimeRange& range,
                     const std::vector<std::string>& columns);
// `columns` without "time", which is never null, in as many questions as the service's limits of a
// statement and an answer ask for: one CountSql each, all of the same partitions. At least one,
// with no column where there is none to count.
std::vector<std::vector<std::string>> CountChunks(const TableSelect& select, const TimeRange& range,
                                                  const std::vector<std::string>& columns);
Result<PartitionCount> ParseCountRow(const TableSelect& select, std::size_t columns,
                                     const timestream::QueryPage& page, const timestream::Row& row);

}  // namespace tsm::unload
