// Bound expressions: names resolved to slots, types known, constants folded. A node is immutable
// once built and may be evaluated by several threads, each with an EvalContext of its own. Failures
// while evaluating (division by zero, overflow, a bad cast) are ApiError QueryExecutionException,
// as the service reports what it meets in the data.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ts_local/api_error.h"
#include "ts_local/sql_ast.h"
#include "ts_local/sql_cell.h"

namespace ts_local {

// The row at hand: `cells[slot]`, and room for the text that evaluation makes.
struct EvalContext {
  const Cell* cells = nullptr;
  Scratch* scratch = nullptr;
};

// Half open, nanoseconds: from <= time < to.
struct TimeRange {
  std::int64_t from = 0;
  std::int64_t to = std::numeric_limits<std::int64_t>::max();
};

class BoundExpr {
 public:
  explicit BoundExpr(SqlType type) : type_(type) {}
  virtual ~BoundExpr() = default;
  BoundExpr(const BoundExpr&) = delete;
  BoundExpr& operator=(const BoundExpr&) = delete;

  SqlType type() const { return type_; }
  virtual Cell Eval(const EvalContext& context) const = 0;
  // The value where it is the same for every row.
  virtual std::optional<Cell> Constant() const { return std::nullopt; }
  virtual std::optional<std::size_t> Slot() const { return std::nullopt; }
  // Narrows `range` to the times of slot `time` for which this condition can be true.
  virtual void Narrow(std::size_t /*time*/, TimeRange* /*range*/) const {}
  // True where the range that Narrow leaves is all that this condition says.
  virtual bool IsTimeRange(std::size_t /*time*/) const { return false; }

 private:
  SqlType type_;
};

using BoundPtr = std::unique_ptr<BoundExpr>;

// The refusal of a query that fails on its data.
ApiError ExecutionError(const std::string& message);

// "bigint", "timestamp", ... for messages.
std::string SqlTypeName(SqlType type);

BoundPtr MakeConstant(SqlType type, const Cell& value);  // text is copied
BoundPtr MakeSlot(SqlType type, std::size_t slot);
BoundPtr MakeAnd(BoundPtr left, BoundPtr right);
BoundPtr MakeOr(BoundPtr left, BoundPtr right);
BoundPtr MakeNot(BoundPtr operand);
BoundPtr MakeIsNull(BoundPtr operand);
// `op`: = <> < <= > >=; both sides of one type.
BoundPtr MakeCompare(const std::string& op, BoundPtr left, BoundPtr right);
// `op`: + - * / %; operand types as MakeArithmetic's caller checked them: both bigint, both double,
// timestamp and interval, two intervals, or two timestamps (minus).
BoundPtr MakeArithmetic(const std::string& op, SqlType type, BoundPtr left, BoundPtr right);
BoundPtr MakeNegate(BoundPtr operand);
BoundPtr MakeConcat(BoundPtr left, BoundPtr right);
// `options` are of the operand's type; constants are looked up in a hash set.
BoundPtr MakeIn(BoundPtr operand, std::vector<BoundPtr> options);
BoundPtr MakeLike(BoundPtr text, BoundPtr pattern, std::string escape);
BoundPtr MakeCoalesce(SqlType type, std::vector<BoundPtr> options);
// `parts`: when, then, ..., else (always present here).
BoundPtr MakeCase(SqlType type, std::vector<BoundPtr> parts);
// Bigint to double, anything to varchar, text to anything; throws nothing itself. Eval refuses text
// that is no such value.
BoundPtr MakeCast(SqlType type, BoundPtr operand);

// True where LIKE's `pattern` (% and _, UTF-8) matches the whole of `text`. `escape` is "" or one
// character. Case-sensitive.
bool LikeMatches(std::string_view text, std::string_view pattern, std::string_view escape);

}  // namespace ts_local
