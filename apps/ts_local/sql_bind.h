// Turns a parsed expression into one that can be evaluated: resolves names against the columns in
// scope, checks and unifies types, folds constants. A binder belongs to one query being prepared.
// Every refusal is a ValidationException with line and column.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ts_local/sql_ast.h"
#include "ts_local/sql_eval.h"

namespace ts_local {

struct ScopeColumn {
  std::string name;
  SqlType type = SqlType::kVarchar;
};

class ExprBinder {
 public:
  // Asked first for every expression; an answer that is not null is used as it is. Grouped queries
  // hand out the slots of their keys and aggregates this way.
  using Hook = std::function<BoundPtr(const Expr&)>;

  // `now_ns` is what now() and ago() count from. `columns` must outlive the binder.
  ExprBinder(const std::vector<ScopeColumn>& columns, std::int64_t now_ns, Hook hook = {});

  BoundPtr Bind(const Expr& expr);
  // The same, and the type must be boolean; `clause` is "WHERE" or "HAVING".
  BoundPtr BindCondition(const Expr& expr, const std::string& clause);
  // Slots that bound expressions read, by index of `columns`.
  const std::vector<bool>& used() const { return used_; }

 private:
  BoundPtr BindNode(const Expr& expr);
  BoundPtr BindColumn(const Expr& expr);
  BoundPtr BindOperator(const Expr& expr);
  BoundPtr BindArithmetic(const Expr& expr, BoundPtr left, BoundPtr right);
  BoundPtr BindIn(const Expr& expr);
  BoundPtr BindLike(const Expr& expr);
  BoundPtr BindCase(const Expr& expr);
  BoundPtr BindCall(const Expr& expr);
  BoundPtr BindCoalesce(const Expr& expr);
  BoundPtr BindBoolean(const Expr& expr, const std::string& op);
  BoundPtr BindVarchar(const Expr& expr, const std::string& op);

  const std::vector<ScopeColumn>& columns_;
  std::int64_t now_ns_;
  Hook hook_;
  std::vector<bool> used_;
};

// Index of the column that `expr` (a kColumn) names, or columns.size(). Names are case-sensitive;
// only the two that every table has, time and measure_name, are found unquoted in any case.
std::size_t FindColumn(const std::vector<ScopeColumn>& columns, const Expr& expr);

}  // namespace ts_local
