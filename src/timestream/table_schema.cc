#include "tsm/timestream/table_schema.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tsm/timestream/schema_json.h"

namespace tsm::timestream {
namespace {

std::optional<ColumnRole> ParseRole(std::string_view text) {
  for (const ColumnRole role :
       {ColumnRole::kDimension, ColumnRole::kMeasureName, ColumnRole::kTimestamp,
        ColumnRole::kMeasureValue, ColumnRole::kMulti}) {
    if (Name(role) == text) return role;
  }
  return std::nullopt;
}

}  // namespace

bool TableSchema::Has(std::string_view name) const {
  return std::any_of(columns.begin(), columns.end(),
                     [name](const SchemaColumn& column) { return column.name == name; });
}

Result<TableSchema> DescribeSchema(QueryClient& query, const TableRef& table,
                                   std::stop_token stop) {
  const std::string where = "DESCRIBE " + table.str();
  Result<QueryPage> page = query.Collect(
      "DESCRIBE " + QuoteIdentifier(table.database) + "." + QuoteIdentifier(table.table), stop);
  if (!page) return std::move(page).error().With(where);
  const std::optional<std::size_t> name = page->ColumnIndex("Column");
  const std::optional<std::size_t> type = page->ColumnIndex("Type");
  const std::optional<std::size_t> role = page->ColumnIndex("Timestream attribute type");
  if (!name || !type || !role) {
    return MakeError(ErrorKind::kBadReply,
                     "the answer lacks Column, Type or Timestream attribute type")
        .With(where);
  }
  TableSchema schema;
  for (const Row& row : page->rows) {
    SchemaColumn column{.name = row[*name].value_or(""), .type = row[*type].value_or("")};
    const std::string role_text = row[*role].value_or("");
    const std::optional<ColumnRole> parsed = ParseRole(role_text);
    if (column.name.empty() || column.type.empty() || !parsed) {
      return MakeError(ErrorKind::kBadReply,
                       "column \"" + column.name + "\" has type \"" + column.type +
                           "\" and the unknown attribute type \"" + role_text + "\"")
          .With(where);
    }
    column.role = *parsed;
    schema.columns.push_back(std::move(column));
  }
  return schema;
}

}  // namespace tsm::timestream
