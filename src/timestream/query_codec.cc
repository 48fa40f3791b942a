#include "query_codec.h"

#include "json_codec.h"

namespace tsm::timestream {
namespace {

using nlohmann::json;

// Cells that are not scalar keep the service's own JSON, which names every inner type.
Result<Cell> DecodeCell(const json& datum) {
  if (!datum.is_object()) return BadReply("a cell of the result is no object");
  for (const auto& [kind, value] : datum.items()) {
    if (kind == "NullValue" && value.is_boolean() && value.get<bool>()) return Cell(std::nullopt);
    if (kind == "ScalarValue" && value.is_string()) return Cell(value.get<std::string>());
    if (kind == "ArrayValue" || kind == "RowValue" || kind == "TimeSeriesValue") {
      if (!value.is_null()) return Cell(value.dump());
    }
  }
  return BadReply("a cell of the result holds no value that this version knows");
}

Result<Row> DecodeRow(const json& row, std::size_t columns) {
  const json& data = Array(row, "Data");
  if (data.size() != columns) {
    return BadReply("a row has " + std::to_string(data.size()) + " cells for " +
                    std::to_string(columns) + " columns");
  }
  Row cells;
  cells.reserve(columns);
  for (const json& datum : data) {
    Result<Cell> cell = DecodeCell(datum);
    if (!cell) return std::move(cell).error();
    cells.push_back(*std::move(cell));
  }
  return cells;
}

}  // namespace

Result<std::string> EncodeQuery(const QueryRequest& request) {
  json body = {{"QueryString", request.sql}};
  if (!request.client_token.empty()) body["ClientToken"] = request.client_token;
  if (!request.next_token.empty()) body["NextToken"] = request.next_token;
  if (request.max_rows) body["MaxRows"] = *request.max_rows;
  return Encode(body);
}

Result<QueryPage> DecodeQueryPage(std::string_view body) {
  Result<json> reply = Decode(body);
  if (!reply) return std::move(reply).error();
  QueryPage page;
  page.query_id = Text(*reply, "QueryId");
  if (page.query_id.empty()) return BadReply("the reply carries no QueryId");
  if (!reply->contains("Rows") || !(*reply)["Rows"].is_array()) {
    return BadReply("the reply carries no Rows");
  }
  page.next_token = Text(*reply, "NextToken");
  for (const json& column : Array(*reply, "ColumnInfo")) {
    page.columns.push_back(
        {.name = Text(column, "Name"), .scalar_type = Text(Object(column, "Type"), "ScalarType")});
  }
  for (const json& row : Array(*reply, "Rows")) {
    Result<Row> decoded = DecodeRow(row, page.columns.size());
    if (!decoded) return std::move(decoded).error();
    page.rows.push_back(*std::move(decoded));
  }
  const json& status = Object(*reply, "QueryStatus");
  page.status.progress_percentage = Number(status, "ProgressPercentage");
  page.status.bytes_scanned = Integer(status, "CumulativeBytesScanned");
  page.status.bytes_metered = Integer(status, "CumulativeBytesMetered");
  return page;
}

Result<std::string> EncodeCancelQuery(const std::string& query_id) {
  return Encode(json{{"QueryId", query_id}});
}

Result<std::vector<Row>> DecodeArrayOfRows(std::string_view cell, std::size_t columns) {
  const json array = json::parse(cell, nullptr, /*allow_exceptions=*/false);
  if (!array.is_array()) return BadReply("a cell holds no array of rows");
  std::vector<Row> rows;
  rows.reserve(array.size());
  for (const json& element : array) {
    Result<Row> row = DecodeRow(Object(element, "RowValue"), columns);
    if (!row) return std::move(row).error();
    rows.push_back(*std::move(row));
  }
  return rows;
}

}  // namespace tsm::timestream
