// The questions of content_queries.h and their answers.
#include "tsm/run/content_queries.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "tsm/core/text.h"
#include "tsm/timestream/limits.h"
#include "tsm/timestream/query_cells.h"
#include "tsm/timestream/query_sql.h"

namespace tsm::run {

using timestream::BadCell;
using timestream::PartitionUnit;
using timestream::QuoteIdentifier;

namespace {

// A row of an answer ends at 1 MB ("max page response size has been exceeded"): a hundred columns
// with a smallest and a greatest text of 2,048 bytes each stay well below.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html
constexpr std::size_t kMaxContentColumns = 100;

// What an aggregate's value must be.
enum class FactKind { kCount, kInteger, kNumber, kText };

// `sql` has '$' where the column stands.
struct Aggregate {
  std::string_view name;
  std::string_view sql;
  FactKind kind;
};

constexpr Aggregate kCount{"count", "count($)", FactKind::kCount};
constexpr Aggregate kMin{"min", "min($)", FactKind::kText};
constexpr Aggregate kMax{"max", "max($)", FactKind::kText};
// The four sums below hold for 2,000,000,000 rows of any value; 2^32 = 4,294,967,296 makes two
// halves of a bigint that are both below 2^32.
constexpr Aggregate kLength{"length", "sum(length($))", FactKind::kCount};
constexpr Aggregate kQuotient{"quotient", "sum($ / 4294967296)", FactKind::kInteger};
constexpr Aggregate kRemainder{"remainder", "sum($ % 4294967296)", FactKind::kInteger};
constexpr Aggregate kSeconds{"seconds", "sum(to_nanoseconds($) / 1000000000)", FactKind::kInteger};
constexpr Aggregate kNanos{"nanos", "sum(to_nanoseconds($) % 1000000000)", FactKind::kInteger};
constexpr Aggregate kSum{"sum", "sum($)", FactKind::kNumber};
constexpr Aggregate kTrue{"true", "count(CASE WHEN $ THEN 1 END)", FactKind::kCount};

// Of a boolean the two counts say all; a type that is not known is counted only.
std::vector<Aggregate> AggregatesOf(std::string_view type) {
  if (type == "varchar") return {kCount, kMin, kMax, kLength};
  if (type == "bigint") return {kCount, kMin, kMax, kQuotient, kRemainder};
  if (type == "double") return {kCount, kMin, kMax, kSum};
  if (type == "timestamp") return {kCount, kMin, kMax, kSeconds, kNanos};
  if (type == "boolean") return {kCount, kTrue};
  return {kCount};
}

// "c7_min".
std::string FactName(std::size_t column, const Aggregate& aggregate) {
  return "c" + std::to_string(column) + "_" + std::string(aggregate.name);
}

std::string ColumnSql(const ContentColumn& column, std::size_t index) {
  std::string sql;
  for (const Aggregate& aggregate : AggregatesOf(column.type)) {
    const std::size_t place = aggregate.sql.find('$');
    sql += ", ";
    sql += aggregate.sql.substr(0, place);
    sql += QuoteIdentifier(column.name);
    sql += aggregate.sql.substr(place + 1);
    sql += " AS " + QuoteIdentifier(FactName(index, aggregate));
  }
  return sql;
}

bool IsNumber(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data(), end, value);
  // A sum that is out of range still reads as a number.
  return rest == end && (code == std::errc{} || code == std::errc::result_out_of_range);
}

bool Fits(FactKind kind, const std::string& text) {
  switch (kind) {
    case FactKind::kCount:
      return ParseInt64(text).value_or(-1) >= 0;
    case FactKind::kInteger:
      return ParseInt64(text).has_value();
    case FactKind::kNumber:
      return IsNumber(text);
    case FactKind::kText:
      return true;
  }
  return false;
}

}  // namespace

std::string ContentSql(const ContentScope& scope, const std::vector<ContentColumn>& columns) {
  const PartitionUnit unit = scope.unit == PartitionUnit::kNone ? PartitionUnit::kDay : scope.unit;
  std::string sql = "SELECT " + timestream::PartitionSql(unit) + " AS \"p0\"";
  sql += ", count(*) AS \"rows\"";
  for (std::size_t i = 0; i < columns.size(); ++i) sql += ColumnSql(columns[i], i);
  return sql + " FROM " + timestream::TableSql(scope.table) + scope.where +
         " GROUP BY 1 ORDER BY 1";
}

std::vector<std::vector<ContentColumn>> ContentChunks(const ContentScope& scope,
                                                      const std::vector<ContentColumn>& columns) {
  const std::size_t room = timestream::kMaxQueryBytes -
                           std::min(timestream::kMaxQueryBytes, ContentSql(scope, {}).size());
  std::vector<std::vector<ContentColumn>> chunks(1);
  std::size_t used = 0;
  for (const ContentColumn& column : columns) {
    const std::size_t bytes = ColumnSql(column, kMaxContentColumns).size();
    const bool full = chunks.back().size() == kMaxContentColumns || used + bytes > room;
    if (full && !chunks.back().empty()) {
      chunks.emplace_back();
      used = 0;
    }
    chunks.back().push_back(column);
    used += bytes;
  }
  return chunks;
}

Result<PartitionContent> ParseContentRow(const std::vector<ContentColumn>& columns,
                                         const timestream::QueryPage& page,
                                         const timestream::Row& row) {
  PartitionContent content;
  Result<std::string> partition = timestream::ReadText(page, row, "p0");
  if (!partition) return partition.error();
  content.partition = *std::move(partition);
  Result<std::uint64_t> rows = timestream::ReadCount(page, row, "rows");
  if (!rows) return rows.error();
  content.rows = *rows;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (const Aggregate& aggregate : AggregatesOf(columns[i].type)) {
      const std::string name = FactName(i, aggregate);
      Result<timestream::Cell> value = timestream::ReadCell(page, row, name);
      if (!value) return value.error();
      if (!value->has_value()) {
        if (aggregate.name == kCount.name) return BadCell(name, "is null");
        continue;
      }
      if (!Fits(aggregate.kind, **value)) {
        return BadCell(name, "holds '" + OneLine(**value, 60) + "', which is no " +
                                 (aggregate.kind == FactKind::kCount ? "count" : "number"));
      }
      content.facts.push_back({columns[i].name, std::string(aggregate.name), **value});
    }
  }
  return content;
}

}  // namespace tsm::run
