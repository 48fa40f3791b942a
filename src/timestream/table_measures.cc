#include "tsm/timestream/table_measures.h"

#include <optional>
#include <utility>

#include "query_codec.h"
#include "tsm/core/text.h"

namespace tsm::timestream {
namespace {

Error BadMeasures(const std::string& what) { return MakeError(ErrorKind::kBadReply, what); }

// An array of rows (dimension_name, data_type). Their names stand only in the column's nested type,
// so that the two are read by place.
Result<std::vector<MeasureDimension>> ReadDimensions(const Cell& cell) {
  std::vector<MeasureDimension> dimensions;
  if (!cell) return dimensions;
  Result<std::vector<Row>> rows = DecodeArrayOfRows(*cell, 2);
  if (!rows) return std::move(rows).error();
  for (const Row& row : *rows) {
    if (!row[0] || row[0]->empty()) return BadMeasures("a dimension has no name");
    dimensions.push_back({.name = *row[0], .type = ToLowerAscii(row[1].value_or(""))});
  }
  return dimensions;
}

Result<std::vector<Measure>> ReadMeasures(const QueryPage& page) {
  const std::optional<std::size_t> name = page.ColumnIndex("measure_name");
  const std::optional<std::size_t> type = page.ColumnIndex("data_type");
  const std::optional<std::size_t> dimensions = page.ColumnIndex("dimensions");
  if (!name || !type || !dimensions) {
    return BadMeasures("the answer lacks measure_name, data_type or dimensions");
  }
  std::vector<Measure> measures;
  measures.reserve(page.rows.size());
  for (const Row& row : page.rows) {
    Measure measure{.name = row[*name].value_or(""),
                    .data_type = ToLowerAscii(row[*type].value_or("")),
                    .dimensions = {}};
    if (measure.name.empty() || measure.data_type.empty()) {
      return BadMeasures("measure \"" + measure.name + "\" has type \"" + measure.data_type + "\"");
    }
    Result<std::vector<MeasureDimension>> read = ReadDimensions(row[*dimensions]);
    if (!read) return std::move(read).error().With("dimensions of measure " + measure.name);
    measure.dimensions = *std::move(read);
    measures.push_back(std::move(measure));
  }
  return measures;
}

}  // namespace

Result<std::vector<Measure>> ShowMeasures(QueryClient& query, const TableRef& table,
                                          std::stop_token stop) {
  const std::string where = "SHOW MEASURES FROM " + table.str();
  Result<QueryPage> page = query.Collect(
      "SHOW MEASURES FROM " + QuoteIdentifier(table.database) + "." + QuoteIdentifier(table.table),
      std::move(stop));
  if (!page) return std::move(page).error().With(where);
  Result<std::vector<Measure>> measures = ReadMeasures(*page);
  if (!measures) return std::move(measures).error().With(where);
  return measures;
}

}  // namespace tsm::timestream
