#include "tsm/unload/table_queries.h"

#include <algorithm>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/timestream/limits.h"
#include "tsm/timestream/partition_calendar.h"
#include "tsm/timestream/query_cells.h"
#include "tsm/timestream/query_sql.h"

namespace tsm::unload {

using timestream::BadCell;
using timestream::QueryPage;
using timestream::QuoteIdentifier;
using timestream::ReadCell;
using timestream::ReadCount;
using timestream::ReadText;
using timestream::Row;

namespace {

// A result's metadata ends at 100 KB, which a thousand columns might pass.
// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html
constexpr std::size_t kMaxCountColumns = 500;

// Names of our own in the answers: short, and no column's.
constexpr std::string_view kFirst = "first";
constexpr std::string_view kLast = "last";
constexpr std::string_view kRows = "rows";

// "p0" the time's partition, "p1", "p2", … those by columns.
std::string PartitionName(std::size_t index) { return "p" + std::to_string(index); }
std::string CountName(std::size_t index) { return "n" + std::to_string(index); }

std::string As(std::string_view name) { return " AS " + QuoteIdentifier(name); }

std::string FromSql(const TableSelect& select, const TimeRange& range) {
  return " FROM " + timestream::TableSql(select.table) + select.WhereSql(range.from, range.end);
}

// " GROUP BY 1, 2": by place, for an alias can't be grouped by.
std::string GroupSql(std::size_t columns) {
  std::string sql = " GROUP BY 1";
  for (std::size_t i = 2; i <= columns; ++i) sql += ", " + std::to_string(i);
  return sql;
}

std::string CountItem(const std::string& column, std::size_t index) {
  return ", count(" + QuoteIdentifier(column) + ")" + As(CountName(index));
}

Result<UnixNanos> ReadTime(std::string_view name, const std::string& text) {
  Result<UnixNanos> time = ParseTimestamp(text);
  if (!time) return BadCell(name, "holds no time: " + time.error().message);
  return time;
}

bool IsGraphicAscii(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

std::string RangeSql(const TableSelect& select, const std::optional<UnixNanos>& from,
                     const std::optional<UnixNanos>& end) {
  return "SELECT min(time)" + As(kFirst) + ", max(time)" + As(kLast) + " FROM " +
         timestream::TableSql(select.table) + select.WhereSql(from, end);
}

Result<std::optional<TimeRange>> ParseRange(const QueryPage& page) {
  if (page.rows.size() != 1) {
    return MakeError(ErrorKind::kBadReply, "the answer to min(time), max(time) has " +
                                               std::to_string(page.rows.size()) +
                                               " rows instead of one");
  }
  Result<timestream::Cell> first = ReadCell(page, page.rows[0], kFirst);
  if (!first) return first.error();
  Result<timestream::Cell> last = ReadCell(page, page.rows[0], kLast);
  if (!last) return last.error();
  if (!first->has_value() && !last->has_value()) return std::optional<TimeRange>();
  if (!first->has_value()) return BadCell(kFirst, "is null beside a last time");
  if (!last->has_value()) return BadCell(kLast, "is null beside a first time");
  Result<UnixNanos> from = ReadTime(kFirst, **first);
  if (!from) return from.error();
  Result<UnixNanos> max = ReadTime(kLast, **last);
  if (!max) return max.error();
  if (*max < *from) return BadCell(kLast, "is before the first time");
  if (*max == kLastMoment) return BadCell(kLast, "holds a time after which none can be told");
  return std::optional<TimeRange>(TimeRange{*from, *max + 1});
}

std::string SurveySql(const TableSelect& select, const TimeRange& range) {
  return "SELECT " + timestream::PartitionSql(SurveyUnit(select.partition)) + As(PartitionName(0)) +
         ", count(*)" + As(kRows) + FromSql(select, range) + " GROUP BY 1 ORDER BY 1";
}

Result<SurveyedPartition> ParseSurveyRow(PartitionUnit unit, const QueryPage& page,
                                         const Row& row) {
  Result<std::string> text = ReadText(page, row, PartitionName(0));
  if (!text) return text.error();
  const std::optional<UnixNanos> start = ParsePartitionText(SurveyUnit(unit), *text);
  if (!start) {
    return BadCell(PartitionName(0), "holds '" + OneLine(*text, 60) + "', which is no " +
                                         std::string(Name(SurveyUnit(unit))));
  }
  Result<std::uint64_t> rows = ReadCount(page, row, kRows);
  if (!rows) return rows.error();
  return SurveyedPartition{*start, *rows};
}

std::string PartitionValuesSql(const TableSelect& select, const TimeRange& range) {
  std::string sql = "SELECT ";
  for (std::size_t i = 0; i < select.partitioned_by.size(); ++i) {
    sql += QuoteIdentifier(select.partitioned_by[i].column) + As(PartitionName(i + 1)) + ", ";
  }
  return sql + "count(*)" + As(kRows) + FromSql(select, range) +
         GroupSql(select.partitioned_by.size());
}

Status CheckPartitionValues(const TableSelect& select, const QueryPage& page, const Row& row) {
  for (std::size_t i = 0; i < select.partitioned_by.size(); ++i) {
    Result<timestream::Cell> value = ReadCell(page, row, PartitionName(i + 1));
    if (!value) return value.error();
    const std::string column = "column '" + OneLine(select.partitioned_by[i].column, 80) + "' ";
    std::string why;
    if (!value->has_value()) {
      why = "is null in some rows";
    } else if ((*value)->empty()) {
      why = "is the empty text in some rows";
    } else if (!IsGraphicAscii(**value)) {
      why = "holds '" + OneLine(**value, 80) + "', which is not plain ASCII";
    }
    if (why.empty()) continue;
    return MakeError(ErrorKind::kInvalidInput,
                     "--partitioned_by: " + column + why +
                         ", and UNLOAD can make no folder of that; partition by another column, or "
                         "leave such rows out with --where");
  }
  return Ok();
}

std::string CountSql(const TableSelect& select, const TimeRange& range,
                     const std::vector<std::string>& columns) {
  std::string sql =
      "SELECT " + timestream::PartitionSql(SurveyUnit(select.partition)) + As(PartitionName(0));
  for (std::size_t i = 0; i < select.partitioned_by.size(); ++i) {
    sql += ", " + QuoteIdentifier(select.partitioned_by[i].column) + As(PartitionName(i + 1));
  }
  sql += ", count(*)" + As(kRows);
  for (std::size_t i = 0; i < columns.size(); ++i) sql += CountItem(columns[i], i);
  return sql + FromSql(select, range) + GroupSql(1 + select.partitioned_by.size());
}

std::vector<std::vector<std::string>> CountChunks(const TableSelect& select, const TimeRange& range,
                                                  const std::vector<std::string>& columns) {
  const std::size_t room = timestream::kMaxQueryBytes -
                           std::min(timestream::kMaxQueryBytes, CountSql(select, range, {}).size());
  std::vector<std::vector<std::string>> chunks(1);
  std::size_t used = 0;
  for (const std::string& column : columns) {
    if (column == "time") continue;
    const std::size_t bytes = CountItem(column, kMaxCountColumns).size();
    const bool full = chunks.back().size() == kMaxCountColumns || used + bytes > room;
    if (full && !chunks.back().empty()) {
      chunks.emplace_back();
      used = 0;
    }
    chunks.back().push_back(column);
    used += bytes;
  }
  return chunks;
}

Result<PartitionCount> ParseCountRow(const TableSelect& select, std::size_t columns,
                                     const QueryPage& page, const Row& row) {
  const PartitionUnit unit = SurveyUnit(select.partition);
  PartitionCount count;
  Result<std::string> time = ReadText(page, row, PartitionName(0));
  if (!time) return time.error();
  if (!ParsePartitionText(unit, *time)) {
    return BadCell(PartitionName(0),
                   "holds '" + OneLine(*time, 60) + "', which is no " + std::string(Name(unit)));
  }
  count.values.push_back(*std::move(time));
  for (std::size_t i = 0; i < select.partitioned_by.size(); ++i) {
    Result<timestream::Cell> value = ReadCell(page, row, PartitionName(i + 1));
    if (!value) return value.error();
    count.values.push_back(value->value_or(""));
  }
  Result<std::uint64_t> rows = ReadCount(page, row, kRows);
  if (!rows) return rows.error();
  count.rows = *rows;
  for (std::size_t i = 0; i < columns; ++i) {
    Result<std::uint64_t> non_null = ReadCount(page, row, CountName(i));
    if (!non_null) return non_null.error();
    if (*non_null > count.rows) return BadCell(CountName(i), "counts more values than rows");
    count.non_null.push_back(*non_null);
  }
  return count;
}

}  // namespace tsm::unload
