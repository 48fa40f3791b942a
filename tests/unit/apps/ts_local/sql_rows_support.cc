#include "apps/ts_local/sql_rows_support.h"

#include <algorithm>

#include "ts_local/sql_parser.h"
#include "ts_local/value_text.h"

namespace ts_local::testing_support {
namespace {

constexpr std::int64_t kHour = 3'600 * kNsPerSecond;

SelectQuery Prepare(const MemoryTable& table, std::string_view sql) {
  const Statement statement = ParseStatement(sql);
  const auto& select = std::get<SelectStatement>(statement);
  return SelectQuery(select, select.from ? &table.schema : nullptr, kNow);
}

}  // namespace

ScanFunction MemoryTable::Scan() const {
  return
      [this](std::int64_t from, std::int64_t to, const std::function<bool(const RowView&)>& visit) {
        for (const MemoryRow& row : rows) {
          if (row.time_ns < from || row.time_ns >= to) continue;
          ++visited;
          if (!visit({row.dimensions, row.measure_name, row.time_ns, row.measures})) return;
        }
      };
}

BoundsFunction MemoryTable::Bounds() const {
  return [this](std::int64_t from, std::int64_t to) {
    std::optional<TimeBounds> bounds;
    for (const MemoryRow& row : rows) {
      if (row.time_ns < from || row.time_ns >= to) continue;
      if (!bounds) bounds = TimeBounds{row.time_ns, row.time_ns};
      bounds->min_ns = std::min(bounds->min_ns, row.time_ns);
      bounds->max_ns = std::max(bounds->max_ns, row.time_ns);
    }
    return bounds;
  };
}

MemoryTable SensorTable() {
  MemoryTable table;
  table.schema.dimensions = {"city", "device"};
  table.schema.measures = {{"temperature", ScalarType::kDouble, true},
                           {"samples", ScalarType::kBigint, true},
                           {"ok", ScalarType::kBoolean, true},
                           {"note", ScalarType::kVarchar, true},
                           {"seen", ScalarType::kTimestamp, true},
                           {"measure_value::double", ScalarType::kDouble, false}};
  const std::int64_t base = kNow - 2 * kNsPerDay;
  const Value null;
  table.rows = {
      {{"Zürich", "a"}, "climate", base + 1, {0.132, std::int64_t{3}, true, "x,y", null, null}},
      {{"Oslo", "a"}, "climate", base + kHour, {-4.5, std::int64_t{5}, false, null, null, null}},
      {{"Oslo", "b"},
       "climate",
       base + 2 * kHour,
       {1e10, std::int64_t{7}, true, "it's", null, null}},
      {{"Zürich", "b"},
       "climate",
       base + kNsPerDay,
       {null, std::int64_t{-2}, null, "x%", null, null}},
      {{"Oslo", std::nullopt},
       "power",
       base + kNsPerDay + kHour,
       {null, null, null, null, Timestamp{kNow}, 2.5}},
      {{"Oslo", std::nullopt},
       "power",
       base + kNsPerDay + 2 * kHour,
       {null, null, null, null, null, 7.0}},
  };
  return table;
}

std::vector<std::string> RunSql(const MemoryTable& table, std::string_view sql) {
  const SelectQuery query = Prepare(table, sql);
  std::vector<std::string> rows;
  RunControl control;
  query.Run({table.Scan(), table.Bounds()}, &control, [&](const Cell* row) {
    std::string text;
    for (std::size_t i = 0; i < query.columns().size(); ++i) {
      if (i > 0) text += "|";
      if (row[i].is_null()) text += "NULL";
      AppendCellText(row[i], &text);
    }
    rows.push_back(std::move(text));
    return true;
  });
  return rows;
}

std::string SqlFailure(const MemoryTable& table, std::string_view sql) {
  try {
    RunSql(table, sql);
  } catch (const ApiError& error) {
    return error.code() + ": " + error.what();
  }
  return {};
}

}  // namespace ts_local::testing_support
