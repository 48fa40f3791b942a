// Which types meet in SQL: what is converted so that two sides, or many results, have one type, and
// what may be cast to what. Constants are folded. No state; refusals are SqlErrors with their
// place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ts_local/sql_ast.h"
#include "ts_local/sql_eval.h"

namespace ts_local {

// Evaluates an expression without columns once and for all, where `constant` says it is one.
BoundPtr Fold(BoundPtr expr, bool constant);
bool IsConstant(const BoundPtr& expr);
bool IsNumber(SqlType type);
bool CanCast(SqlType from, SqlType to);
BoundPtr Convert(BoundPtr expr, SqlType type);

// Gives both one type, or returns false.
bool Unify(SqlPosition at, BoundPtr* left, BoundPtr* right);
// The one type of all `parts`, converting each; `what` names the place in the refusal.
SqlType UnifyAll(SqlPosition at, const std::string& what, const std::vector<BoundPtr*>& parts);
// The type of `a op b` with timestamps and intervals; nothing where that has no meaning.
std::optional<SqlType> MomentType(const std::string& op, SqlType a, SqlType b);

}  // namespace ts_local
