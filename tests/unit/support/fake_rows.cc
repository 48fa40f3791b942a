#include "support/fake_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/timestream/partition_calendar.h"

namespace tsm::test {

namespace {

using nlohmann::json;
using Cell = std::optional<std::string>;
using Values = std::vector<std::string>;  // of a column in a group, without nulls

Error NotUnderstood(std::string_view text) {
  return MakeError(ErrorKind::kValidation, "the fake does not understand: " + OneLine(text, 200));
}

std::string NumberText(double value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

double Number(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

bool Less(const std::string& type, const std::string& a, const std::string& b) {
  if (type == "double") return Number(a) < Number(b);
  if (type == "bigint") return *ParseInt64(a) < *ParseInt64(b);
  return a < b;
}

std::string SumOf(const Values& values, const std::function<std::int64_t(const std::string&)>& of) {
  std::int64_t sum = 0;
  for (const std::string& value : values) sum += of(value);
  return std::to_string(sum);
}

Cell SumCell(const SqlItem& item, const std::string& type, const Values& values) {
  if (values.empty()) return std::nullopt;
  const std::string quoted = timestream::QuoteIdentifier(item.column);
  if (item.text == "sum(length(" + quoted + "))") {
    return SumOf(values, [](const auto& v) { return static_cast<std::int64_t>(v.size()); });
  }
  const bool divides =
      item.text.ends_with(" / 4294967296)") || item.text.ends_with("/ 1000000000)");
  if (type == "bigint") {
    constexpr std::int64_t kBy = 4'294'967'296;
    return SumOf(values, [&](const auto& v) {
      return divides ? *ParseInt64(v) / kBy : *ParseInt64(v) % kBy;
    });
  }
  if (type == "timestamp") {
    constexpr std::int64_t kBy = 1'000'000'000;
    return SumOf(values, [&](const auto& v) {
      return divides ? *ParseTimestamp(v) / kBy : *ParseTimestamp(v) % kBy;
    });
  }
  double sum = 0;
  for (const std::string& value : values) sum += Number(value);
  return NumberText(sum);
}

Cell AggregateCell(const SqlItem& item, const std::string& type, const Values& values) {
  if (item.text.starts_with("count(CASE")) {
    return std::to_string(std::count(values.begin(), values.end(), "true"));
  }
  if (item.text.starts_with("count(")) return std::to_string(values.size());
  if (item.text.starts_with("sum(")) return SumCell(item, type, values);
  if (values.empty()) return std::nullopt;
  const auto less = [&](const auto& a, const auto& b) { return Less(type, a, b); };
  return item.text.starts_with("min(") ? *std::min_element(values.begin(), values.end(), less)
                                       : *std::max_element(values.begin(), values.end(), less);
}

// A search for the place of a time, as PlacesSql writes it.
struct Search {
  std::int64_t place = 0;  // of a leaf
  UnixNanos moment = 0;
  std::unique_ptr<Search> before;
  std::unique_ptr<Search> behind;

  std::int64_t PlaceOf(UnixNanos time) const {
    if (!before) return place;
    return (time < moment ? before : behind)->PlaceOf(time);
  }
};

// What was read of `sql` is taken away.
Result<std::unique_ptr<Search>> TakeSearch(std::string_view& sql) {
  const auto take = [&](std::string_view word) {
    if (!sql.starts_with(word)) return false;
    sql.remove_prefix(word.size());
    return true;
  };
  auto search = std::make_unique<Search>();
  if (!take("CASE WHEN time < '")) {
    const std::size_t digits = std::min(sql.find_first_not_of("0123456789"), sql.size());
    const auto place = ParseInt64(sql.substr(0, digits));
    if (!place) return NotUnderstood(sql);
    sql.remove_prefix(digits);
    search->place = *place;
    return search;
  }
  const std::size_t quote = sql.find('\'');
  const Result<UnixNanos> moment = ParseTimestamp(sql.substr(0, quote));
  if (!moment) return moment.error();
  search->moment = *moment;
  sql.remove_prefix(quote);
  if (!take("' THEN ")) return NotUnderstood(sql);
  Result<std::unique_ptr<Search>> before = TakeSearch(sql);
  if (!before) return before;
  if (!take(" ELSE ")) return NotUnderstood(sql);
  Result<std::unique_ptr<Search>> behind = TakeSearch(sql);
  if (!behind) return behind;
  if (!take(" END")) return NotUnderstood(sql);
  search->before = *std::move(before);
  search->behind = *std::move(behind);
  return search;
}

json RowJson(const std::vector<Cell>& cells) {
  json data = json::array();
  for (const Cell& cell : cells) {
    data.push_back(cell ? json{{"ScalarValue", *cell}} : json{{"NullValue", true}});
  }
  return {{"Data", data}};
}

std::string PageText(const std::vector<std::string>& names,
                     const std::vector<std::vector<Cell>>& rows) {
  json columns = json::array();
  for (const std::string& name : names) {
    columns.push_back({{"Name", name}, {"Type", {{"ScalarType", "VARCHAR"}}}});
  }
  json data = json::array();
  for (const auto& cells : rows) data.push_back(RowJson(cells));
  return json{{"QueryId", "Q1"},
              {"ColumnInfo", columns},
              {"Rows", data},
              {"QueryStatus", {{"ProgressPercentage", 100.0}}}}
      .dump();
}

Cell CellOf(const SqlItem& item, const FakeRows& table, const std::string& group,
            const std::vector<const FakeRow*>& rows) {
  if (item.kind == SqlItem::Kind::kPartition) return group;
  if (item.kind == SqlItem::Kind::kCountRows) return std::to_string(rows.size());
  std::string type;
  for (const timestream::SchemaColumn& column : table.columns) {
    if (column.name == item.column) type = column.type;
  }
  Values values;
  for (const FakeRow* row : rows) {
    const auto found = row->values.find(item.column);
    if (item.column == "time") {
      values.push_back(FormatTimestamp(row->time));
    } else if (found != row->values.end()) {
      values.push_back(found->second);
    }
  }
  return AggregateCell(item, type, values);
}

// As DESCRIBE writes it.
std::string RoleText(timestream::ColumnRole role) {
  switch (role) {
    case timestream::ColumnRole::kDimension:
      return "DIMENSION";
    case timestream::ColumnRole::kMeasureName:
      return "MEASURE_NAME";
    case timestream::ColumnRole::kTimestamp:
      return "TIMESTAMP";
    case timestream::ColumnRole::kMeasureValue:
      return "MEASURE_VALUE";
    case timestream::ColumnRole::kMulti:
      return "MULTI";
  }
  return "";
}

FakeAnswer Reply(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.body = std::move(body);
  return {std::move(response), "", {}};
}

}  // namespace

FakeAnswer FakeRowsService::Take(const http::Request& request, UnixNanos now) {
  if (!CallOf(request).name.starts_with("Query ")) return behind.Take(request, now);
  const std::string sql = CallOf(request).subject;
  const Result<std::string> page = Answer(sql, now);
  const std::lock_guard lock(mutex_);
  if (sql.starts_with("SELECT")) asked_.push_back(sql);
  if (page) return Reply(200, *page);
  return Reply(400, json{{"__type", "com.amazonaws.timestream#ValidationException"},
                         {"message", page.error().message}}
                        .dump());
}

FakeAnswer FakeRowsService::Again(const std::string& held, UnixNanos now) {
  return behind.Again(held, now);
}

std::vector<std::string> FakeRowsService::Asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

Result<std::string> FakeRowsService::Answer(const std::string& sql, UnixNanos now) const {
  return sql.starts_with("DESCRIBE") ? Describe(sql) : Select(sql, now);
}

Result<std::string> FakeRowsService::Describe(const std::string& sql) const {
  const auto ref = ParseTable(sql, "DESCRIBE ");
  if (!ref) return ref.error();
  const auto table = tables.find(*ref);
  if (table == tables.end()) {
    return MakeError(ErrorKind::kValidation, "The table " + ref->table + " doesn't exist.");
  }
  std::vector<std::vector<Cell>> rows;
  for (const timestream::SchemaColumn& column : table->second.columns) {
    rows.push_back({column.name, column.type, RoleText(column.role)});
  }
  return PageText({"Column", "Type", "Timestream attribute type"}, rows);
}

Result<std::string> FakeRowsService::Select(const std::string& sql, UnixNanos now) const {
  // The search for a place is read here, the rest as any other statement.
  constexpr std::string_view kSelect = "SELECT ";
  constexpr std::string_view kPlace = " AS \"place\", ";
  const std::size_t mark = sql.find(kPlace);
  const bool by_place = mark != std::string::npos;
  const auto select =
      ParseSelect(by_place ? std::string(kSelect) + sql.substr(mark + kPlace.size()) : sql);
  if (!select) return select.error();
  const auto table = tables.find(select->table);
  if (table == tables.end()) return NotUnderstood(sql);
  std::unique_ptr<Search> search;
  if (by_place) {
    std::string_view text(sql.data() + kSelect.size(), mark - kSelect.size());
    auto taken = TakeSearch(text);
    if (!taken) return taken.error();
    if (!text.empty()) return NotUnderstood(text);
    search = *std::move(taken);
  }
  std::map<std::string, std::vector<const FakeRow*>> groups;
  if (!select->grouped) groups[""];
  for (const FakeRow& row : table->second.rows) {
    if (row.seen_from > now) continue;
    if (row.time < select->range.from || row.time >= select->range.end) continue;
    std::string group;
    if (search) {
      group = std::to_string(search->PlaceOf(row.time));
    } else if (select->items[0].kind == SqlItem::Kind::kPartition) {
      group = timestream::PartitionText(select->items[0].unit, row.time);
    }
    groups[group].push_back(&row);
  }
  std::vector<std::string> names;
  if (by_place) names.emplace_back("place");
  for (const SqlItem& item : select->items) names.push_back(item.name);
  std::vector<std::vector<Cell>> rows;
  for (const auto& [group, members] : groups) {
    std::vector<Cell> cells;
    if (by_place) cells.emplace_back(group);
    for (const SqlItem& item : select->items) {
      cells.push_back(CellOf(item, table->second, group, members));
    }
    rows.push_back(std::move(cells));
  }
  return PageText(names, rows);
}

}  // namespace tsm::test
