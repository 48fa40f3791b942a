// Rows that outlive the scan that made them: kept for ORDER BY, DISTINCT and GROUP BY. One
// allocation per row. RowSink orders, limits and passes on what a query produces; it belongs to one
// run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "ts_local/sql_cell.h"

namespace ts_local {

// `count` cells and their text in one block.
class PackedRow {
 public:
  PackedRow() = default;
  PackedRow(const Cell* cells, std::size_t count);
  const Cell* cells() const { return cells_; }

 private:
  std::unique_ptr<std::byte[]> block_;
  const Cell* cells_ = nullptr;
};

struct SortKey {
  std::size_t column = 0;  // of the row, hidden columns included
  bool descending = false;
  bool nulls_first = false;
};

// False: no more rows wanted.
using RowFunction = std::function<bool(const Cell*)>;

// The tail of every query: DISTINCT, ORDER BY, LIMIT, in this order. Without ORDER BY rows stream
// through; with ORDER BY and LIMIT only the best `limit` rows are kept.
class RowSink {
 public:
  struct Shape {
    std::size_t columns = 0;  // all cells of a row: the visible ones, then hidden sort keys
    std::size_t visible = 0;
    bool distinct = false;
    std::vector<SortKey> order;
    std::optional<std::int64_t> limit;
  };
  RowSink(Shape shape, RowFunction out);

  // False once nothing more is wanted.
  bool Add(const Cell* row);
  // Passes on what was held back for sorting.
  void Finish();

 private:
  bool Before(const Cell* a, const Cell* b) const;
  bool Pass(const Cell* row);

  Shape shape_;
  RowFunction out_;
  std::int64_t passed_ = 0;
  std::string key_;
  std::unordered_set<std::string> seen_;
  std::vector<PackedRow> held_;  // a heap with the worst row on top where `limit` is set
};

}  // namespace ts_local
