#include "ts_local/sql_common_type.h"

#include <utility>

#include "ts_local/value_text.h"

namespace ts_local {
namespace {

// A string literal beside a timestamp is read as a timestamp of any precision: compared as text, a
// shorter literal would sort before the equal instant.
BoundPtr LiteralAsTimestamp(SqlPosition at, BoundPtr literal) {
  const std::string text(literal->Constant()->text());
  const auto ns = ParseTimestamp(text);
  if (!ns) throw SqlError(at, "Value cannot be cast to timestamp: " + text);
  return MakeConstant(SqlType::kTimestamp, Cell::Time(*ns));
}

}  // namespace

BoundPtr Fold(BoundPtr expr, bool constant) {
  if (!constant || expr->Constant()) return expr;
  Scratch scratch;
  const Cell value = expr->Eval({nullptr, &scratch});
  return MakeConstant(expr->type(), value);
}

bool IsConstant(const BoundPtr& expr) { return expr->Constant().has_value(); }

bool IsNumber(SqlType type) { return type == SqlType::kBigint || type == SqlType::kDouble; }

BoundPtr Convert(BoundPtr expr, SqlType type) {
  if (expr->type() == type) return expr;
  const bool constant = IsConstant(expr);
  return Fold(MakeCast(type, std::move(expr)), constant);
}

bool Unify(SqlPosition at, BoundPtr* left, BoundPtr* right) {
  const SqlType a = (*left)->type();
  const SqlType b = (*right)->type();
  if (a == b) return true;
  if (a == SqlType::kNull) {
    *left = Convert(std::move(*left), b);
  } else if (b == SqlType::kNull) {
    *right = Convert(std::move(*right), a);
  } else if (IsNumber(a) && IsNumber(b)) {
    *left = Convert(std::move(*left), SqlType::kDouble);
    *right = Convert(std::move(*right), SqlType::kDouble);
  } else if (a == SqlType::kTimestamp && b == SqlType::kVarchar && IsConstant(*right)) {
    *right = LiteralAsTimestamp(at, std::move(*right));
  } else if (b == SqlType::kTimestamp && a == SqlType::kVarchar && IsConstant(*left)) {
    *left = LiteralAsTimestamp(at, std::move(*left));
  } else {
    return false;
  }
  return true;
}

SqlType UnifyAll(SqlPosition at, const std::string& what, const std::vector<BoundPtr*>& parts) {
  SqlType type = SqlType::kNull;
  for (const BoundPtr* part : parts) {
    const SqlType other = (*part)->type();
    if (type == SqlType::kNull || (type == SqlType::kBigint && other == SqlType::kDouble)) {
      if (other != SqlType::kNull) type = other;
      continue;
    }
    const bool fits = other == type || other == SqlType::kNull ||
                      (other == SqlType::kBigint && type == SqlType::kDouble);
    if (!fits) {
      throw SqlError(at, "All " + what + " must be the same type: " + SqlTypeName(type) + ", " +
                             SqlTypeName(other));
    }
  }
  for (BoundPtr* part : parts) *part = Convert(std::move(*part), type);
  return type;
}

std::optional<SqlType> MomentType(const std::string& op, SqlType a, SqlType b) {
  if (op != "+" && op != "-") return std::nullopt;
  const auto of = [a, b](SqlType left, SqlType right) { return a == left && b == right; };
  if (of(SqlType::kInterval, SqlType::kInterval)) return SqlType::kInterval;
  if (of(SqlType::kTimestamp, SqlType::kInterval)) return SqlType::kTimestamp;
  if (op == "+") {
    if (of(SqlType::kInterval, SqlType::kTimestamp)) return SqlType::kTimestamp;
  } else if (of(SqlType::kTimestamp, SqlType::kTimestamp)) {
    return SqlType::kInterval;
  }
  return std::nullopt;
}

bool CanCast(SqlType from, SqlType to) {
  if (from == to || from == SqlType::kNull || to == SqlType::kVarchar) return true;
  if (from == SqlType::kVarchar) return true;
  const auto plain = [](SqlType type) { return IsNumber(type) || type == SqlType::kBoolean; };
  return plain(from) && plain(to);
}

}  // namespace ts_local
