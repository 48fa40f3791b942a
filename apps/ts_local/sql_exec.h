// One SELECT, prepared against a table's schema and run over a scan of its rows. Prepared once and
// immutable; Run may be called from any thread. Knows no store: rows come from a function, so that
// everything here is tested on plain values.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ts_local/sql_aggregate.h"
#include "ts_local/sql_ast.h"
#include "ts_local/sql_bind.h"
#include "ts_local/sql_rows.h"
#include "ts_local/table_store.h"

namespace ts_local {

struct OutputColumn {
  std::string name;  // "_col0" and so on where the query gives none, as the service does
  ScalarType type = ScalarType::kVarchar;
  bool aliased = false;
  bool of_table = false;  // a column as the table has it, not computed
};

// Shared between the thread that runs a query and those that watch or stop it.
struct RunControl {
  std::atomic<bool> cancelled{false};
  std::atomic<std::int64_t> rows_scanned{0};
  std::atomic<std::int64_t> bytes_scanned{0};
};

// Hands every row with from_ns <= time < to_ns to `visit` until that returns false.
using ScanFunction = std::function<void(std::int64_t from_ns, std::int64_t to_ns,
                                        const std::function<bool(const RowView&)>& visit)>;
// The least and the greatest time with from_ns <= time < to_ns; nothing where no row has one.
using BoundsFunction =
    std::function<std::optional<TimeBounds>(std::int64_t from_ns, std::int64_t to_ns)>;

// Where the rows come from. Without `bounds` min(time) and max(time) are found by scanning.
struct RowSource {
  ScanFunction scan;
  BoundsFunction bounds = {};
};

class SelectQuery {
 public:
  // `schema` is null for a SELECT without FROM. Throws ApiError ValidationException with the place.
  SelectQuery(const SelectStatement& statement, const TableSchema* schema, std::int64_t now_ns);

  const std::vector<OutputColumn>& columns() const { return columns_; }
  // What of the table can match, as far as the WHERE clause tells.
  TimeRange range() const { return range_; }

  // Calls `out` with one cell per column for each row, until it returns false. Returns early where
  // `control` is cancelled. Throws ApiError QueryExecutionException for what the data make
  // impossible, and for groups that need more than about a gigabyte of memory.
  void Run(const RowSource& rows, RunControl* control, const RowFunction& out) const;

 private:
  void BuildScope(const TableSchema* schema);
  void BindItems(const SelectStatement& statement, ExprBinder* binder);
  void BindOrder(const SelectStatement& statement, ExprBinder* binder);
  void BindGrouping(const SelectStatement& statement, ExprBinder* source, std::int64_t now_ns);
  BoundPtr GroupedSlot(const Expr& expr, ExprBinder* source);
  const Expr& GroupExpr(const SelectStatement& statement, const Expr& expr) const;
  void AddColumn(const SelectItem& item, SqlType type);

  std::int64_t LoadRow(const RowView& row, std::vector<Cell>* cells) const;
  void ScanRows(const ScanFunction& scan, RunControl* control,
                const std::function<bool(const EvalContext&)>& each) const;
  struct Group;
  bool AsksForTimeBounds() const;
  std::vector<Group> BoundsOf(const BoundsFunction& bounds) const;
  std::vector<Group> Collect(const ScanFunction& scan, RunControl* control) const;
  void PassGroups(const std::vector<Group>& groups, RunControl* control, RowSink* sink) const;

  bool has_table_ = false;
  std::size_t dimensions_ = 0;  // slots: dimensions, measure_name, time, measures
  std::vector<ScopeColumn> scope_;
  std::vector<std::size_t> used_slots_;
  BoundPtr where_;
  TimeRange range_;
  bool range_is_all_ = false;  // the WHERE clause says no more than range_

  bool grouped_ = false;
  std::vector<BoundPtr> keys_;
  std::vector<std::string> key_texts_;  // canonical, by key
  std::vector<AggregateSpec> aggregates_;
  std::vector<std::string> aggregate_texts_;
  BoundPtr having_;

  std::vector<OutputColumn> columns_;
  std::vector<std::string> item_texts_;  // canonical, by output column
  std::vector<BoundPtr> outputs_;        // visible columns, then hidden sort keys
  RowSink::Shape shape_;
};

}  // namespace ts_local
