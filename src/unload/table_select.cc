#include "tsm/unload/table_select.h"

#include <algorithm>
#include <set>

#include "select_sql.h"
#include "tsm/core/nearest_name.h"
#include "tsm/core/text.h"
#include "tsm/s3/s3_client.h"
#include "tsm/timestream/limits.h"
#include "tsm/timestream/partition_calendar.h"
#include "tsm/timestream/query_sql.h"
#include "tsm/unload/unload_statement.h"

namespace tsm::unload {

using timestream::ColumnRole;
using timestream::SchemaColumn;
using timestream::TableSchema;

namespace {

constexpr std::size_t kShownBytes = 80;
constexpr std::size_t kToldNames = 3;
// As batch load's SourceColumn has it at most.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_MultiMeasureAttributeMapping.html
constexpr std::size_t kMaxColumnBytes = 256;

std::vector<std::string> NearestColumns(const TableSchema& schema, const std::string& wanted) {
  std::vector<std::string> names;
  for (const SchemaColumn& column : schema.columns) names.push_back(column.name);
  names = NearestNames(names, wanted, kToldNames);
  for (std::string& name : names) name = OneLine(name, kShownBytes);
  return names;
}

Error Invalid(std::string_view flag, const std::string& message) {
  return MakeError(ErrorKind::kInvalidInput, "--" + std::string(flag) + ": " + message);
}

const SchemaColumn* Find(const TableSchema& schema, std::string_view name) {
  const auto found =
      std::find_if(schema.columns.begin(), schema.columns.end(),
                   [&name](const SchemaColumn& column) { return column.name == name; });
  return found == schema.columns.end() ? nullptr : &*found;
}

Error NoSuchColumn(std::string_view flag, const std::string& name, const TableSelect& select,
                   const TableSchema& schema) {
  return Invalid(flag, select.table.str() + " has no column '" + OneLine(name, kShownBytes) +
                           "'; the nearest are " + Join(NearestColumns(schema, name), ", ") +
                           " (case counts)");
}

Error Twice(std::string_view flag, const std::string& name) {
  return Invalid(flag, "column '" + OneLine(name, kShownBytes) + "' stands twice");
}

Status CheckColumns(const TableSelect& select, const TableSchema& schema) {
  std::set<std::string> seen;
  for (const std::string& name : select.columns) {
    if (Find(schema, name) == nullptr) return NoSuchColumn("columns", name, select, schema);
    if (!seen.insert(name).second) return Twice("columns", name);
  }
  seen.clear();
  for (const std::string& item : select.order_by) {
    const std::string name = SplitOrder(item).first;
    if (Find(schema, name) == nullptr) return NoSuchColumn("order_by", name, select, schema);
    if (!seen.insert(name).second) return Twice("order_by", name);
  }
  return Ok();
}

// "partition_city": it stands in every key, so other characters than those of S3's safe ones that
// batch load's prefixes take too become '_'.
std::string PartitionAlias(const std::string& column) {
  std::string alias = "partition_";
  for (const char c : column) {
    const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
    alias += safe ? c : '_';
  }
  return alias;
}

Result<std::vector<AliasedColumn>> PartitionColumns(const std::vector<std::string>& names,
                                                    const TableSelect& select,
                                                    const TableSchema& schema,
                                                    std::vector<std::string>& taken) {
  std::vector<AliasedColumn> partitions;
  std::set<std::string> seen;
  for (const std::string& name : names) {
    const SchemaColumn* column = Find(schema, name);
    if (column == nullptr) return NoSuchColumn("partitioned_by", name, select, schema);
    if (!seen.insert(name).second) return Twice("partitioned_by", name);
    if (column->role == ColumnRole::kTimestamp || column->type == "timestamp" ||
        column->type == "double") {
      return Invalid("partitioned_by",
                     "column '" + OneLine(name, kShownBytes) + "' is of type " + column->type +
                         (column->role == ColumnRole::kTimestamp
                              ? "; --partition hour, day, month or year splits by time"
                              : ", which makes no folders; choose a column of few values"));
    }
    partitions.push_back({name, FreeColumnName(schema, PartitionAlias(name), taken)});
    taken.push_back(partitions.back().alias);
  }
  return partitions;
}

// The TIMESTAMP measures that are selected.
std::vector<AliasedColumn> Timestamps(const TableSelect& select, const TableSchema& schema,
                                      std::vector<std::string>& taken) {
  std::vector<AliasedColumn> timestamps;
  for (const SchemaColumn& column : schema.columns) {
    const bool measure =
        column.role == ColumnRole::kMulti || column.role == ColumnRole::kMeasureValue;
    const bool chosen = select.columns.empty() ||
                        std::find(select.columns.begin(), select.columns.end(), column.name) !=
                            select.columns.end();
    if (!measure || column.type != "timestamp" || !chosen) continue;
    std::string wanted = column.name + "_nanoseconds";
    // Room for "_2" and so on.
    if (wanted.size() > kMaxColumnBytes - 8) wanted = "timestamp_nanoseconds";
    timestamps.push_back({column.name, FreeColumnName(schema, wanted, taken)});
    taken.push_back(timestamps.back().alias);
  }
  return timestamps;
}

// As long as any UNLOAD of this selection can be.
std::size_t LongestStatement(const TableSelect& select, const UnloadFormat& format) {
  UnloadStatement statement;
  statement.select = select;
  statement.from = kLastMoment;
  statement.end = kLastMoment;
  statement.format = format;
  statement.destination.key = s3::ObjectKey(std::string(s3::kMaxKeyBytes, 'k'));
  constexpr std::size_t kLongestBucket = 63;
  return statement.ToSql().size() + kLongestBucket;
}

}  // namespace

std::string TableSelect::WhereSql(const std::optional<UnixNanos>& from,
                                  const std::optional<UnixNanos>& end) const {
  std::string sql = timestream::TimeSql(from, end);
  if (!where.empty()) sql += (sql.empty() ? "(" : " AND (") + where + ")";
  return sql.empty() ? "" : " WHERE " + sql;
}

Result<TableSelect> MakeTableSelect(const UnloadOptions& options, const timestream::TableRef& table,
                                    const TableSchema& schema) {
  TableSelect select;
  select.table = table;
  select.columns = options.columns;
  select.partition = options.partition;
  select.where = options.where;
  select.order_by = options.order_by;
  if (Status columns = CheckColumns(select, schema); !columns) return columns.error();

  std::vector<std::string> taken;
  select.time_alias = FreeColumnName(schema, select.time_alias, taken);
  taken.push_back(select.time_alias);
  select.timestamps = Timestamps(select, schema, taken);
  if (select.partition != PartitionUnit::kNone) {
    select.partition_alias = FreeColumnName(schema, select.partition_alias, taken);
    taken.push_back(select.partition_alias);
  }
  Result<std::vector<AliasedColumn>> partitions =
      PartitionColumns(options.partitioned_by, select, schema, taken);
  if (!partitions) return partitions.error();
  select.partitioned_by = *std::move(partitions);

  const std::size_t bytes = LongestStatement(select, options.format);
  if (bytes > timestream::kMaxQueryBytes) {
    return MakeError(ErrorKind::kInvalidInput,
                     "an UNLOAD of " + table.str() + " may have " + WithThousands(bytes) +
                         " bytes; Timestream takes " + WithThousands(timestream::kMaxQueryBytes) +
                         ": choose fewer --columns or a shorter --where");
  }
  return select;
}

std::vector<std::string> SelectRemarks(const TableSelect& select, const TableSchema& schema) {
  if (select.columns.empty()) return {};
  const std::set<std::string> chosen(select.columns.begin(), select.columns.end());
  bool dimension = false;
  bool measure = false;
  std::vector<std::string> dropped;  // of what tells rows apart
  for (const SchemaColumn& column : schema.columns) {
    const bool is_chosen = chosen.contains(column.name);
    switch (column.role) {
      case ColumnRole::kDimension:
      case ColumnRole::kMeasureName:
        dimension |= is_chosen && column.role == ColumnRole::kDimension;
        if (!is_chosen) dropped.push_back(OneLine(column.name, kShownBytes));
        break;
      case ColumnRole::kMeasureValue:
      case ColumnRole::kMulti:
        measure |= is_chosen;
        break;
      case ColumnRole::kTimestamp:
        break;
    }
  }
  std::vector<std::string> remarks;
  if (!dimension) {
    remarks.emplace_back(
        "--columns holds no dimension: batch load needs one, so these files can't be loaded into "
        "Timestream again");
  }
  if (!measure) {
    remarks.emplace_back(
        "--columns holds no measure: batch load needs one, so these files can't be loaded into "
        "Timestream again");
  }
  if (!dropped.empty()) {
    remarks.push_back("--columns leaves out " + Join(dropped, ", ") +
                      ": rows that differ in nothing else become one row when they are loaded");
  }
  return remarks;
}

std::string FreeColumnName(const TableSchema& schema, std::string_view wanted,
                           const std::vector<std::string>& taken) {
  const auto is_taken = [&](const std::string& name) {
    const std::string lower = ToLowerAscii(name);
    return std::any_of(schema.columns.begin(), schema.columns.end(),
                       [&](const SchemaColumn& c) { return ToLowerAscii(c.name) == lower; }) ||
           std::any_of(taken.begin(), taken.end(),
                       [&](const std::string& t) { return ToLowerAscii(t) == lower; });
  };
  std::string name(wanted);
  for (int suffix = 2; is_taken(name); ++suffix) {
    name = std::string(wanted) + "_" + std::to_string(suffix);
  }
  return name;
}

}  // namespace tsm::unload
