#include "ts_local/sql_ast.h"

#include "ts_local/value_text.h"

namespace ts_local {

std::string CanonicalText(const Expr& expr) {
  // Kind, type and text of the node, then its arguments: unambiguous, never shown to anyone.
  std::string text = std::to_string(static_cast<int>(expr.kind)) + ":" +
                     std::to_string(static_cast<int>(expr.type)) + ":";
  text += std::to_string(expr.text.size()) + ":" + expr.text;
  if (expr.kind == ExprKind::kLiteral) {
    text += ":" + std::to_string(expr.integer) + ":";
    AppendDouble(expr.number, &text);
  }
  if (expr.distinct) text += ":distinct";
  if (expr.star) text += ":*";
  if (expr.has_else) text += ":else";
  text += "(";
  for (const ExprPtr& argument : expr.args) text += CanonicalText(*argument) + ",";
  return text + ")";
}

}  // namespace ts_local
