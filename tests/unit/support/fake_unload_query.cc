// The Timestream half of fake_unload_service.h.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/fake_unload_service.h"
#include "tsm/core/time_text.h"
#include "tsm/timestream/schema_json.h"

namespace tsm::test {

namespace {

using nlohmann::json;
using timestream::PartitionUnit;
using Cell = std::optional<std::string>;

FakeAnswer Reply(const json& body) {
  http::Response response;
  response.status = 200;
  response.body = body.dump();
  return {std::move(response), "", {}};
}

FakeAnswer Refuse(const ServiceRefusal& refusal) {
  http::Response response;
  response.status = refusal.status;
  response.body =
      json{{"__type", "com.amazonaws.timestream#" + refusal.code}, {"message", refusal.message}}
          .dump();
  return {std::move(response), "", {}};
}

FakeAnswer Invalid(const std::string& message) {
  return Refuse({400, "ValidationException", message});
}

json ColumnJson(const std::string& name, const std::string& type = "VARCHAR") {
  return {{"Name", name}, {"Type", {{"ScalarType", type}}}};
}

std::string RowJson(const std::vector<Cell>& cells) {
  json data = json::array();
  for (const Cell& cell : cells) {
    if (cell) {
      data.push_back({{"ScalarValue", *cell}});
    } else {
      data.push_back({{"NullValue", true}});
    }
  }
  return json{{"Data", data}}.dump();
}

std::string ColumnsJson(const std::vector<std::string>& names) {
  json columns = json::array();
  for (const std::string& name : names) columns.push_back(ColumnJson(name));
  return columns.dump();
}

json StatusJson(double percent) {
  return {{"ProgressPercentage", percent},
          {"CumulativeBytesScanned", 1000},
          {"CumulativeBytesMetered", 10'000'000}};
}

// Any aggregate of a column's content: it depends on the counts alone, and adds up where sums do.
Cell Aggregate(const SqlItem& item, const FakeColumn& column, std::uint64_t non_null) {
  const std::string& text = item.text;
  if (text.starts_with("count(CASE")) return std::to_string(non_null / 2);
  if (non_null == 0) return std::nullopt;
  if (text.starts_with("sum(length(")) return std::to_string(non_null * 4);
  if (text.starts_with("sum(")) {
    return text.find(" / ") != std::string::npos ? "0" : std::to_string(non_null);
  }
  if (column.type == "timestamp") return "2024-01-01 00:00:00.000000000";
  if (column.type != "varchar") return text.starts_with("min(") ? "0" : "1";
  const auto& values = column.values;
  if (values.empty()) return "";
  return text.starts_with("min(") ? values.front() : values.back();
}

// A SELECT's answer; kValidation names what the table does not have.
class Selection {
 public:
  Selection(const SqlSelect& select, const FakeTable& table) : select_(select), table_(table) {}

  Result<std::vector<std::string>> Rows() {
    if (Status known = ReadItems(); !known) return known.error();
    std::vector<std::string> rows;
    if (!select_.grouped) {
      rows.push_back(RowJson(EndsOf()));
      return rows;
    }
    for (const FakeGroup& group : table_.Group(select_.range, grouping_, counted_)) {
      rows.push_back(RowJson(CellsOf(group)));
    }
    return rows;
  }

 private:
  Status ReadItems() {
    for (const SqlItem& item : select_.items) {
      if (item.kind == SqlItem::Kind::kPartition) grouping_.unit = item.unit;
      if (item.column.empty()) continue;
      const FakeColumn* column = table_.Find(item.column);
      if (column == nullptr) {
        return MakeError(ErrorKind::kValidation, "Column '" + item.column + "' does not exist");
      }
      (item.kind == SqlItem::Kind::kColumn ? grouping_.columns : counted_).push_back(column);
    }
    return Ok();
  }

  std::vector<Cell> EndsOf() const {
    const auto ends = table_.Ends(select_.range);
    std::vector<Cell> cells;
    for (const SqlItem& item : select_.items) {
      if (item.kind == SqlItem::Kind::kCountRows) {
        cells.emplace_back(std::to_string(table_.CountRows(select_.range)));
      } else if (!ends) {
        cells.emplace_back(std::nullopt);
      } else {
        cells.emplace_back(
            FormatTimestamp(item.kind == SqlItem::Kind::kMinTime ? ends->first : ends->second));
      }
    }
    return cells;
  }

  std::vector<Cell> CellsOf(const FakeGroup& group) const {
    std::vector<Cell> cells;
    std::size_t value = 0;
    std::size_t count = 0;
    for (const SqlItem& item : select_.items) {
      switch (item.kind) {
        case SqlItem::Kind::kPartition:
          cells.emplace_back(timestream::PartitionText(item.unit, group.start));
          break;
        case SqlItem::Kind::kCountRows:
          cells.emplace_back(std::to_string(group.rows));
          break;
        case SqlItem::Kind::kCountColumn:
          cells.emplace_back(std::to_string(group.non_null[count++]));
          break;
        case SqlItem::Kind::kColumn:
          cells.emplace_back(grouping_.columns[value]->values[group.values[value]]);
          ++value;
          break;
        default:
          cells.push_back(Aggregate(item, *counted_[count], group.non_null[count]));
          ++count;
      }
    }
    return cells;
  }

  const SqlSelect& select_;
  const FakeTable& table_;
  FakeGrouping grouping_;
  std::vector<const FakeColumn*> counted_;
};

std::vector<std::string> DescribeRows(const FakeTable& table) {
  std::vector<std::string> rows;
  for (const FakeColumn& column : table.columns) {
    rows.push_back(RowJson({column.name, column.type, std::string(timestream::Name(column.role))}));
  }
  return rows;
}

std::vector<std::string> MeasureRows(const FakeTable& table) {
  std::vector<std::string> rows;
  for (const timestream::Measure& measure : table.measures) {
    json dimensions = json::array();
    for (const timestream::MeasureDimension& dimension : measure.dimensions) {
      dimensions.push_back({{"RowValue",
                             {{"Data", json::array({{{"ScalarValue", dimension.name}},
                                                    {{"ScalarValue", dimension.type}}})}}}});
    }
    rows.push_back(json{{"Data", json::array({{{"ScalarValue", measure.name}},
                                              {{"ScalarValue", measure.data_type}},
                                              {{"ArrayValue", dimensions}}})}}
                       .dump());
  }
  return rows;
}

}  // namespace

FakeAnswer FakeUnloadService::AnswerTimestream(const http::Request& request, UnixNanos now) {
  const std::string target(http::FindHeader(request.headers, "x-amz-target"));
  const std::string operation = target.substr(target.find('.') + 1);
  if (operation == "Query") return AnswerQuery(request.body, now);
  if (operation != "CancelQuery") return AnswerWrite(operation, request.body);
  const std::string query_id = json::parse(request.body).value("QueryId", "");
  if (world_.unloads.Cancel(query_id, now)) return Reply({{"CancellationMessage", "cancelled"}});
  return Invalid("The query is not running: " + query_id);
}

FakeAnswer FakeUnloadService::AnswerQuery(const std::string& text, UnixNanos now) {
  const json body = json::parse(text);
  const std::string sql = body.value("QueryString", "");
  const std::string next_token = body.value("NextToken", "");
  if (FakeUnloads::IsNextToken(next_token)) {
    const FakeUnloads::Taken taken = world_.unloads.UsePage(next_token, sql, now);
    return taken.execution == nullptr ? Refuse(taken.refusal) : HoldOrAnswer(*taken.execution, now);
  }
  if (!next_token.empty()) {
    const std::string query_id = next_token.substr(0, next_token.find('-'));
    const auto query = side_queries_.find(query_id);
    if (query == side_queries_.end() || query->second.sql != sql ||
        next_token != query_id + "-" + std::to_string(query->second.page)) {
      return Invalid("Invalid pagination token");
    }
    return SidePage(query_id);
  }
  if (sql.starts_with("UNLOAD ")) return FirstUnloadCall(sql, body.value("ClientToken", ""), now);
  return FirstSideCall(sql);
}

FakeAnswer FakeUnloadService::FirstUnloadCall(const std::string& sql,
                                              const std::string& client_token, UnixNanos now) {
  const Result<SqlUnload> parsed = ParseUnload(sql);
  if (!parsed) return Invalid(parsed.error().message);
  const auto table = world_.tables.find(parsed->select.table);
  if (table == world_.tables.end()) {
    return Invalid("The table does not exist: " + parsed->select.table.str());
  }
  const FakeUnloads::Taken taken =
      world_.unloads.Start(sql, *parsed, table->second, client_token, now);
  return taken.execution == nullptr ? Refuse(taken.refusal) : HoldOrAnswer(*taken.execution, now);
}

FakeAnswer FakeUnloadService::HoldOrAnswer(FakeExecution& execution, UnixNanos now) {
  const std::chrono::nanoseconds left(execution.ends - now);
  if (execution.state == FakeExecution::State::kRunning && left.count() > 0) {
    return {{}, execution.query_id, std::min(left, world_.unloads.rules.page_hold)};
  }
  return AnswerPage(execution, now);
}

FakeAnswer FakeUnloadService::Again(const std::string& held, UnixNanos now) {
  const std::lock_guard lock(mutex_);
  world_.unloads.Settle(now);
  FakeExecution* execution = world_.unloads.Find(held);
  return execution == nullptr ? Invalid("no such query") : AnswerPage(*execution, now);
}

FakeAnswer FakeUnloadService::AnswerPage(FakeExecution& execution, UnixNanos now) {
  switch (execution.state) {
    case FakeExecution::State::kDone:
      return UnloadRow(execution);
    case FakeExecution::State::kFailed:
      return Refuse({400, "QueryExecutionException", execution.fate.failure});
    case FakeExecution::State::kCancelled:
      return Refuse({409, "ConflictException", "Unable to poll results for a cancelled query"});
    case FakeExecution::State::kRunning:
      break;
  }
  const double share = static_cast<double>(now - execution.started) /
                       static_cast<double>(execution.ends - execution.started);
  return Reply({{"QueryId", execution.query_id},
                {"NextToken", FakeUnloads::NextToken(execution, now)},
                {"Rows", json::array()},
                {"ColumnInfo", json::array()},
                {"QueryStatus", StatusJson(100 * share)}});
}

// In another order than the documentation's: columns are read by name.
FakeAnswer FakeUnloadService::UnloadRow(const FakeExecution& execution) const {
  const std::uint64_t rows = execution.start.rows + execution.fate.wrong_rows;
  const std::string at = "s3://" + execution.bucket + "/";
  std::string manifest = at + execution.result->manifest_key();
  std::string metadata = at + execution.result->metadata_key();
  if (execution.start.rows == 0 && !world_.unloads.rules.manifest_of_nothing) {
    manifest.clear();
    metadata.clear();
  }
  json answer = {
      {"QueryId", execution.query_id},
      {"QueryStatus", StatusJson(100)},
      {"ColumnInfo", json::array({ColumnJson("manifestFile"), ColumnJson("rows", "BIGINT"),
                                  ColumnJson("metadataFile")})}};
  answer["Rows"] = json::array({json::parse(RowJson({manifest, std::to_string(rows), metadata}))});
  return Reply(answer);
}

FakeAnswer FakeUnloadService::FirstSideCall(const std::string& sql) {
  SideQuery query;
  query.sql = sql;
  Result<timestream::TableRef> ref = timestream::TableRef{};
  std::optional<SqlSelect> select;
  if (sql.starts_with("SELECT ")) {
    Result<SqlSelect> parsed = ParseSelect(sql);
    if (!parsed) return Invalid(parsed.error().message);
    select = *std::move(parsed);
    ref = select->table;
  } else {
    ref = ParseTable(sql, sql.starts_with("DESCRIBE ") ? "DESCRIBE " : "SHOW MEASURES FROM ");
  }
  if (!ref) return Invalid(ref.error().message);
  const auto table = world_.tables.find(*ref);
  if (table == world_.tables.end()) return Invalid("The table does not exist: " + ref->str());
  if (select) {
    Result<std::vector<std::string>> rows = Selection(*select, table->second).Rows();
    if (!rows) return Invalid(rows.error().message);
    query.rows = *std::move(rows);
    std::vector<std::string> names;
    for (const SqlItem& item : select->items) names.push_back(item.name);
    query.columns = ColumnsJson(names);
  } else if (sql.starts_with("DESCRIBE ")) {
    query.rows = DescribeRows(table->second);
    query.columns = ColumnsJson({"Column", "Type", "Timestream attribute type"});
  } else {
    query.rows = MeasureRows(table->second);
    query.columns = ColumnsJson({"measure_name", "data_type", "dimensions"});
  }
  const std::string query_id = "SIDE" + std::to_string(++side_count_);
  side_queries_[query_id] = std::move(query);
  return SidePage(query_id);
}

FakeAnswer FakeUnloadService::SidePage(const std::string& query_id) {
  SideQuery& query = side_queries_.at(query_id);
  const bool hold_back = query.page == 0 && world_.empty_first_page;
  const std::size_t end =
      hold_back ? 0 : std::min(query.rows.size(), query.next + world_.rows_per_page);
  std::string rows;
  for (std::size_t i = query.next; i < end; ++i) rows += (rows.empty() ? "" : ",") + query.rows[i];
  query.next = std::max(query.next, end);
  ++query.page;
  const bool last = !hold_back && query.next == query.rows.size();
  http::Response response;
  response.status = 200;
  response.body = "{\"QueryId\":\"" + query_id + "\",\"Rows\":[" + rows +
                  "],\"ColumnInfo\":" + query.columns +
                  ",\"QueryStatus\":" + StatusJson(last ? 100 : 50).dump();
  if (!last) {
    response.body += ",\"NextToken\":\"" + query_id + "-" + std::to_string(query.page) + "\"";
  }
  response.body += "}";
  if (last) side_queries_.erase(query_id);
  return {std::move(response), "", {}};
}

FakeAnswer FakeUnloadService::AnswerWrite(const std::string& operation, const std::string& body) {
  if (operation == "ListDatabases") {
    json databases = json::array();
    for (const auto& [ref, table] : world_.tables) {
      if (databases.empty() || databases.back()["DatabaseName"] != ref.database) {
        databases.push_back({{"DatabaseName", ref.database}});
      }
    }
    return Reply({{"Databases", databases}});
  }
  if (operation == "ListTables") {
    const std::string database = json::parse(body).value("DatabaseName", "");
    json tables = json::array();
    for (const auto& [ref, table] : world_.tables) {
      if (ref.database != database) continue;
      tables.push_back({{"DatabaseName", database}, {"TableName", ref.table}});
    }
    return Reply({{"Tables", tables}});
  }
  return Refuse({404, "UnknownOperationException", operation});
}

}  // namespace tsm::test
