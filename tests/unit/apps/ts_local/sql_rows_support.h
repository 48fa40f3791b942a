// A table in memory for the SQL tests: a schema, rows, and a query run over them with every row
// rendered as text ("a|b", null as "NULL"). No store, no thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts_local/sql_exec.h"
#include "ts_local/table_store.h"

namespace ts_local::testing_support {

struct MemoryRow {
  std::vector<std::optional<std::string>> dimensions;
  std::string measure_name;
  std::int64_t time_ns = 0;
  std::vector<Value> measures;
};

struct MemoryTable {
  TableSchema schema;
  std::vector<MemoryRow> rows;
  mutable std::int64_t visited = 0;  // rows that a scan handed out

  ScanFunction Scan() const;
  // Without reading a row: `visited` stays.
  BoundsFunction Bounds() const;
};

// 2026-03-21 00:00:00 UTC; what now() says in the tests.
inline constexpr std::int64_t kNow = 1'774'051'200'000'000'000;

// Dimensions city and device; measures temperature DOUBLE, samples BIGINT, ok BOOLEAN, note
// VARCHAR, seen TIMESTAMP; six rows on two days before kNow.
MemoryTable SensorTable();

std::vector<std::string> RunSql(const MemoryTable& table, std::string_view sql);
// The message of the ApiError that preparing or running throws; "" where it does neither.
std::string SqlFailure(const MemoryTable& table, std::string_view sql);

}  // namespace ts_local::testing_support
