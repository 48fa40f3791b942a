#include "ts_local/sql_bind.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ts_local/sql_common_type.h"
#include "ts_local/sql_functions.h"

namespace ts_local {
namespace {

[[noreturn]] void RefuseOperator(SqlPosition at, const std::string& op, SqlType left,
                                 SqlType right) {
  throw SqlError(
      at, "'" + op + "' cannot be applied to " + SqlTypeName(left) + ", " + SqlTypeName(right));
}

}  // namespace

std::size_t FindColumn(const std::vector<ScopeColumn>& columns, const Expr& expr) {
  const auto find = [&columns](const std::string& name) {
    const auto found =
        std::find_if(columns.begin(), columns.end(),
                     [&name](const ScopeColumn& column) { return column.name == name; });
    return static_cast<std::size_t>(found - columns.begin());
  };
  const std::size_t exact = find(expr.text);
  if (exact != columns.size() || expr.quoted) return exact;
  const std::string lower = AsciiLower(expr.text);
  return lower == "time" || lower == "measure_name" ? find(lower) : exact;
}

ExprBinder::ExprBinder(const std::vector<ScopeColumn>& columns, std::int64_t now_ns, Hook hook)
    : columns_(columns), now_ns_(now_ns), hook_(std::move(hook)), used_(columns.size(), false) {}

BoundPtr ExprBinder::Bind(const Expr& expr) {
  if (hook_) {
    if (BoundPtr bound = hook_(expr)) return bound;
  }
  return BindNode(expr);
}

BoundPtr ExprBinder::BindCondition(const Expr& expr, const std::string& clause) {
  BoundPtr condition = Bind(expr);
  if (condition->type() == SqlType::kNull) return Convert(std::move(condition), SqlType::kBoolean);
  if (condition->type() != SqlType::kBoolean) {
    throw SqlError(expr.at, clause + " clause must evaluate to a boolean: actual type " +
                                SqlTypeName(condition->type()));
  }
  return condition;
}

BoundPtr ExprBinder::BindNode(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral:
      switch (expr.type) {
        case SqlType::kNull:
          return MakeConstant(SqlType::kNull, Cell());
        case SqlType::kBoolean:
          return MakeConstant(expr.type, Cell::Boolean(expr.integer != 0));
        case SqlType::kBigint:
          return MakeConstant(expr.type, Cell::Bigint(expr.integer));
        case SqlType::kDouble:
          return MakeConstant(expr.type, Cell::Double(expr.number));
        case SqlType::kVarchar:
          return MakeConstant(expr.type, Cell::Varchar(expr.text));
        case SqlType::kTimestamp:
          return MakeConstant(expr.type, Cell::Time(expr.integer));
        case SqlType::kInterval:
          return MakeConstant(expr.type, Cell::Interval(expr.integer));
      }
      break;
    case ExprKind::kColumn:
      return BindColumn(expr);
    case ExprKind::kOperator:
      return BindOperator(expr);
    case ExprKind::kCase:
      return BindCase(expr);
    case ExprKind::kCall:
      return BindCall(expr);
    case ExprKind::kCast: {
      BoundPtr operand = Bind(*expr.args[0]);
      if (!CanCast(operand->type(), expr.type)) {
        throw SqlError(expr.at, "Cannot cast " + SqlTypeName(operand->type()) + " to " +
                                    SqlTypeName(expr.type));
      }
      return Convert(std::move(operand), expr.type);
    }
  }
  throw SqlError(expr.at, "expression is not supported");
}

BoundPtr ExprBinder::BindColumn(const Expr& expr) {
  const std::size_t slot = FindColumn(columns_, expr);
  if (slot == columns_.size()) {
    throw SqlError(expr.at, "Column '" + expr.text + "' does not exist");
  }
  used_[slot] = true;
  return MakeSlot(columns_[slot].type, slot);
}

BoundPtr ExprBinder::BindBoolean(const Expr& expr, const std::string& op) {
  BoundPtr operand = Bind(expr);
  if (operand->type() == SqlType::kNull) return Convert(std::move(operand), SqlType::kBoolean);
  if (operand->type() != SqlType::kBoolean) {
    throw SqlError(expr.at, "Logical expression term of " + AsciiUpper(op) +
                                " must evaluate to a boolean: actual type " +
                                SqlTypeName(operand->type()));
  }
  return operand;
}

BoundPtr ExprBinder::BindVarchar(const Expr& expr, const std::string& op) {
  BoundPtr operand = Bind(expr);
  if (operand->type() == SqlType::kNull) return Convert(std::move(operand), SqlType::kVarchar);
  if (operand->type() != SqlType::kVarchar) {
    throw SqlError(expr.at, op + " takes varchar, not " + SqlTypeName(operand->type()));
  }
  return operand;
}

BoundPtr ExprBinder::BindOperator(const Expr& expr) {
  const std::string& op = expr.text;
  if (op == "and" || op == "or") {
    BoundPtr left = BindBoolean(*expr.args[0], op);
    BoundPtr right = BindBoolean(*expr.args[1], op);
    const bool constant = IsConstant(left) && IsConstant(right);
    return Fold(op == "and" ? MakeAnd(std::move(left), std::move(right))
                            : MakeOr(std::move(left), std::move(right)),
                constant);
  }
  if (op == "not" || op == "is_null") {
    BoundPtr operand = op == "not" ? BindBoolean(*expr.args[0], op) : Bind(*expr.args[0]);
    const bool constant = IsConstant(operand);
    return Fold(op == "not" ? MakeNot(std::move(operand)) : MakeIsNull(std::move(operand)),
                constant);
  }
  if (op == "neg") {
    BoundPtr operand = Bind(*expr.args[0]);
    if (!IsNumber(operand->type()) && operand->type() != SqlType::kInterval) {
      throw SqlError(expr.at, "'-' cannot be applied to " + SqlTypeName(operand->type()));
    }
    const bool constant = IsConstant(operand);
    return Fold(MakeNegate(std::move(operand)), constant);
  }
  if (op == "in") return BindIn(expr);
  if (op == "like") return BindLike(expr);
  if (op == "||") {
    BoundPtr left = BindVarchar(*expr.args[0], "||");
    BoundPtr right = BindVarchar(*expr.args[1], "||");
    const bool constant = IsConstant(left) && IsConstant(right);
    return Fold(MakeConcat(std::move(left), std::move(right)), constant);
  }
  BoundPtr left = Bind(*expr.args[0]);
  BoundPtr right = Bind(*expr.args[1]);
  if (op == "+" || op == "-" || op == "*" || op == "/" || op == "%") {
    return BindArithmetic(expr, std::move(left), std::move(right));
  }
  const bool between = op == "between";
  const auto compare = [&expr](const std::string& by, BoundPtr a, BoundPtr b) {
    const SqlType type_a = a->type();
    const SqlType type_b = b->type();
    if (!Unify(expr.at, &a, &b)) RefuseOperator(expr.at, by, type_a, type_b);
    const bool constant = IsConstant(a) && IsConstant(b);
    return Fold(MakeCompare(by, std::move(a), std::move(b)), constant);
  };
  if (!between) return compare(op, std::move(left), std::move(right));
  BoundPtr low = compare(">=", std::move(left), std::move(right));
  BoundPtr high = compare("<=", Bind(*expr.args[0]), Bind(*expr.args[2]));
  const bool constant = IsConstant(low) && IsConstant(high);
  return Fold(MakeAnd(std::move(low), std::move(high)), constant);
}

BoundPtr ExprBinder::BindArithmetic(const Expr& expr, BoundPtr left, BoundPtr right) {
  const std::string& op = expr.text;
  const SqlType a = left->type();
  const SqlType b = right->type();
  SqlType type = SqlType::kNull;
  if (IsNumber(a) && IsNumber(b)) {
    type = a == b ? a : SqlType::kDouble;
    left = Convert(std::move(left), type);
    right = Convert(std::move(right), type);
  } else if (const auto moment = MomentType(op, a, b)) {
    type = *moment;
  } else if ((IsNumber(a) && b == SqlType::kNull) || (a == SqlType::kNull && IsNumber(b))) {
    type = a == SqlType::kNull ? b : a;
  } else {
    RefuseOperator(expr.at, op, a, b);
  }
  const bool constant = IsConstant(left) && IsConstant(right);
  return Fold(MakeArithmetic(op, type, std::move(left), std::move(right)), constant);
}

BoundPtr ExprBinder::BindIn(const Expr& expr) {
  BoundPtr operand = Bind(*expr.args[0]);
  std::vector<BoundPtr> options;
  for (std::size_t i = 1; i < expr.args.size(); ++i) {
    BoundPtr option = Bind(*expr.args[i]);
    const SqlType type = option->type();
    // The operand keeps its type, so that one value can be looked up among all: doubles in a list
    // for a bigint would need another.
    if (operand->type() == SqlType::kBigint && type == SqlType::kDouble) {
      operand = Convert(std::move(operand), SqlType::kDouble);
      for (BoundPtr& earlier : options) earlier = Convert(std::move(earlier), SqlType::kDouble);
    }
    if (!Unify(expr.args[i]->at, &operand, &option)) {
      RefuseOperator(expr.args[i]->at, "IN", operand->type(), type);
    }
    options.push_back(std::move(option));
  }
  return MakeIn(std::move(operand), std::move(options));
}

BoundPtr ExprBinder::BindLike(const Expr& expr) {
  BoundPtr text = BindVarchar(*expr.args[0], "LIKE");
  BoundPtr pattern = BindVarchar(*expr.args[1], "LIKE");
  std::string escape;
  if (expr.args.size() > 2) {
    const Expr& character = *expr.args[2];
    const bool literal =
        character.kind == ExprKind::kLiteral && character.type == SqlType::kVarchar;
    if (!literal || character.text.size() != 1) {
      throw SqlError(character.at, "Escape string must be a single character");
    }
    escape = character.text;
  }
  return MakeLike(std::move(text), std::move(pattern), std::move(escape));
}

BoundPtr ExprBinder::BindCase(const Expr& expr) {
  std::vector<BoundPtr> parts;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    const bool when = i % 2 == 0 && !(expr.has_else && i + 1 == expr.args.size());
    parts.push_back(when ? BindBoolean(*expr.args[i], "CASE") : Bind(*expr.args[i]));
  }
  if (!expr.has_else) parts.push_back(MakeConstant(SqlType::kNull, Cell()));
  std::vector<BoundPtr*> results;
  for (std::size_t i = 1; i < parts.size(); i += 2) results.push_back(&parts[i]);
  results.push_back(&parts.back());
  const SqlType type = UnifyAll(expr.at, "CASE results", results);
  return MakeCase(type, std::move(parts));
}

BoundPtr ExprBinder::BindCoalesce(const Expr& expr) {
  if (expr.args.size() < 2) throw SqlError(expr.at, "coalesce takes at least two arguments");
  std::vector<BoundPtr> options;
  options.reserve(expr.args.size());
  for (const ExprPtr& argument : expr.args) options.push_back(Bind(*argument));
  std::vector<BoundPtr*> all;
  all.reserve(options.size());
  for (BoundPtr& option : options) all.push_back(&option);
  const SqlType type = UnifyAll(expr.at, "COALESCE operands", all);
  return MakeCoalesce(type, std::move(options));
}

BoundPtr ExprBinder::BindCall(const Expr& expr) {
  const std::string& name = expr.text;
  if (expr.distinct || expr.star) {
    throw SqlError(expr.at, name + " is not an aggregate function that may stand here");
  }
  if (name == "coalesce") return BindCoalesce(expr);
  if (name == "now" && expr.args.empty()) {
    return MakeConstant(SqlType::kTimestamp, Cell::Time(now_ns_));
  }
  if (name == "ago" && expr.args.size() == 1) {
    BoundPtr interval = Bind(*expr.args[0]);
    if (interval->type() != SqlType::kInterval) {
      throw SqlError(expr.at, "ago takes an interval such as 1h");
    }
    const bool constant = IsConstant(interval);
    return Fold(
        MakeArithmetic("-", SqlType::kTimestamp,
                       MakeConstant(SqlType::kTimestamp, Cell::Time(now_ns_)), std::move(interval)),
        constant);
  }
  if (name == "concat" && expr.args.size() >= 2) {
    BoundPtr all = BindVarchar(*expr.args[0], name);
    for (std::size_t i = 1; i < expr.args.size(); ++i) {
      all = MakeConcat(std::move(all), BindVarchar(*expr.args[i], name));
    }
    return all;
  }
  const ScalarFunction* function = FindScalarFunction(name);
  if (function == nullptr) throw SqlError(expr.at, "Function '" + name + "' not registered");
  std::vector<BoundPtr> arguments;
  bool constant = true;
  bool fits = expr.args.size() == function->parameters.size();
  std::string given;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    arguments.push_back(Bind(*expr.args[i]));
    given += (i == 0 ? "" : ", ") + SqlTypeName(arguments.back()->type());
    if (!fits) continue;
    const SqlType wanted = function->parameters[i];
    const SqlType type = arguments.back()->type();
    fits = type == wanted || type == SqlType::kNull;
    if (fits) arguments.back() = Convert(std::move(arguments.back()), wanted);
    constant = constant && IsConstant(arguments.back());
  }
  if (!fits) {
    std::string wanted;
    for (const SqlType type : function->parameters) {
      wanted += (wanted.empty() ? "" : ", ") + SqlTypeName(type);
    }
    throw SqlError(expr.at, "Unexpected parameters (" + given + ") for function " + name +
                                ". Expected: " + name + "(" + wanted + ")");
  }
  return Fold(MakeScalarCall(*function, std::move(arguments)), constant);
}

}  // namespace ts_local
