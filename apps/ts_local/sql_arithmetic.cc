// The computing half of sql_eval.h: + - * / %, negation, || and CAST.
#include <cmath>
#include <utility>

#include "ts_local/sql_eval.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

// What the service's errors call each operator.
std::string OverflowName(char op) {
  switch (op) {
    case '+':
      return "addition";
    case '-':
      return "subtraction";
    case '*':
      return "multiplication";
    default:
      return "division";
  }
}

std::int64_t Compute(char op, std::int64_t left, std::int64_t right) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case '+':
      overflow = __builtin_add_overflow(left, right, &result);
      break;
    case '-':
      overflow = __builtin_sub_overflow(left, right, &result);
      break;
    case '*':
      overflow = __builtin_mul_overflow(left, right, &result);
      break;
    default:
      if (right == 0) throw ExecutionError("Division by zero");
      if (right == -1) {  // the one quotient that does not fit
        overflow = op == '/' && __builtin_sub_overflow(std::int64_t{0}, left, &result);
      } else {
        result = op == '/' ? left / right : left % right;
      }
  }
  if (overflow) {
    throw ExecutionError("bigint " + OverflowName(op) + " overflow: " + std::to_string(left) + " " +
                         op + " " + std::to_string(right));
  }
  return result;
}

double Compute(char op, double left, double right) {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    default:
      return std::fmod(left, right);
  }
}

class ArithmeticExpr final : public BoundExpr {
 public:
  ArithmeticExpr(char op, SqlType type, BoundPtr left, BoundPtr right)
      : BoundExpr(type), op_(op), left_(std::move(left)), right_(std::move(right)) {}

  Cell Eval(const EvalContext& context) const override {
    const Cell left = left_->Eval(context);
    const Cell right = right_->Eval(context);
    if (left.is_null() || right.is_null()) return {};
    switch (type()) {
      case SqlType::kDouble:
        return Cell::Double(Compute(op_, left.number(), right.number()));
      case SqlType::kBigint:
        return Cell::Bigint(Compute(op_, left.integer(), right.integer()));
      case SqlType::kInterval:
        return Cell::Interval(Compute(op_, left.integer(), right.integer()));
      default: {
        const std::int64_t ns = Compute(op_, left.integer(), right.integer());
        if (ns < 0) throw ExecutionError("Timestamps before 1970-01-01 are not supported");
        return Cell::Time(ns);
      }
    }
  }

 private:
  char op_;
  BoundPtr left_;
  BoundPtr right_;
};

class NegateExpr final : public BoundExpr {
 public:
  explicit NegateExpr(BoundPtr operand)
      : BoundExpr(operand->type()), operand_(std::move(operand)) {}
  Cell Eval(const EvalContext& context) const override {
    const Cell value = operand_->Eval(context);
    if (value.is_null()) return value;
    if (value.type() == SqlType::kDouble) return Cell::Double(-value.number());
    const std::int64_t negated = Compute('-', std::int64_t{0}, value.integer());
    return value.type() == SqlType::kBigint ? Cell::Bigint(negated) : Cell::Interval(negated);
  }

 private:
  BoundPtr operand_;
};

class ConcatExpr final : public BoundExpr {
 public:
  ConcatExpr(BoundPtr left, BoundPtr right)
      : BoundExpr(SqlType::kVarchar), left_(std::move(left)), right_(std::move(right)) {}
  Cell Eval(const EvalContext& context) const override {
    const Cell left = left_->Eval(context);
    const Cell right = right_->Eval(context);
    if (left.is_null() || right.is_null()) return {};
    std::string& text = context.scratch->New();
    text.append(left.text());
    text.append(right.text());
    return Cell::Varchar(text);
  }

 private:
  BoundPtr left_;
  BoundPtr right_;
};

[[noreturn]] void RefuseCast(const Cell& value, SqlType type) {
  std::string text;
  AppendCellText(value, &text);
  if (type == SqlType::kTimestamp) {
    throw ExecutionError("Value cannot be cast to timestamp: " + text);
  }
  throw ExecutionError("Cannot cast '" + text + "' to " + SqlTypeName(type));
}

Cell CastToBigint(const Cell& value) {
  if (value.type() == SqlType::kBoolean) return Cell::Bigint(value.integer());
  if (value.type() == SqlType::kDouble) {
    // Half away from zero, as Trino rounds. 2^63 is exact as a double, so the bounds are safe.
    const double rounded = std::round(value.number());
    if (!(rounded >= -9223372036854775808.0 && rounded < 9223372036854775808.0)) {
      RefuseCast(value, SqlType::kBigint);
    }
    return Cell::Bigint(static_cast<std::int64_t>(rounded));
  }
  const auto number = ParseBigint(value.text());
  if (!number) RefuseCast(value, SqlType::kBigint);
  return Cell::Bigint(*number);
}

Cell CastToDouble(const Cell& value) {
  if (value.type() == SqlType::kBigint || value.type() == SqlType::kBoolean) {
    return Cell::Double(static_cast<double>(value.integer()));
  }
  const auto number = ParseDouble(value.text());
  if (!number) RefuseCast(value, SqlType::kDouble);
  return Cell::Double(*number);
}

Cell CastToBoolean(const Cell& value) {
  if (value.type() == SqlType::kBigint) return Cell::Boolean(value.integer() != 0);
  if (value.type() == SqlType::kDouble) return Cell::Boolean(value.number() != 0);
  const std::string text = AsciiLower(value.text());
  if (text == "true" || text == "t" || text == "1") return Cell::Boolean(true);
  if (text == "false" || text == "f" || text == "0") return Cell::Boolean(false);
  RefuseCast(value, SqlType::kBoolean);
}

class CastExpr final : public BoundExpr {
 public:
  CastExpr(SqlType type, BoundPtr operand) : BoundExpr(type), operand_(std::move(operand)) {}

  Cell Eval(const EvalContext& context) const override {
    const Cell value = operand_->Eval(context);
    if (value.is_null() || value.type() == type()) return value;
    switch (type()) {
      case SqlType::kVarchar: {
        std::string& text = context.scratch->New();
        AppendCellText(value, &text);
        return Cell::Varchar(text);
      }
      case SqlType::kBigint:
        return CastToBigint(value);
      case SqlType::kDouble:
        return CastToDouble(value);
      case SqlType::kBoolean:
        return CastToBoolean(value);
      case SqlType::kTimestamp: {
        const auto ns = ParseTimestamp(value.text());
        if (!ns) RefuseCast(value, SqlType::kTimestamp);
        return Cell::Time(*ns);
      }
      default:
        return {};  // a null literal given the type of its surroundings
    }
  }

 private:
  BoundPtr operand_;
};

}  // namespace

BoundPtr MakeArithmetic(const std::string& op, SqlType type, BoundPtr left, BoundPtr right) {
  return std::make_unique<ArithmeticExpr>(op.front(), type, std::move(left), std::move(right));
}
BoundPtr MakeNegate(BoundPtr operand) { return std::make_unique<NegateExpr>(std::move(operand)); }
BoundPtr MakeConcat(BoundPtr left, BoundPtr right) {
  return std::make_unique<ConcatExpr>(std::move(left), std::move(right));
}
BoundPtr MakeCast(SqlType type, BoundPtr operand) {
  return std::make_unique<CastExpr>(type, std::move(operand));
}

}  // namespace ts_local
