#include "ts_local/sql_eval.h"

#include <cmath>
#include <functional>
#include <unordered_set>
#include <utility>

#include "ts_local/sql_lexer.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

class ConstantExpr final : public BoundExpr {
 public:
  ConstantExpr(SqlType type, const Cell& value) : BoundExpr(type), value_(value) {
    if (value.type() != SqlType::kVarchar) return;
    text_ = std::string(value.text());
    value_ = Cell::Varchar(text_);
  }
  Cell Eval(const EvalContext&) const override { return value_; }
  std::optional<Cell> Constant() const override { return value_; }

 private:
  std::string text_;
  Cell value_;
};

class SlotExpr final : public BoundExpr {
 public:
  SlotExpr(SqlType type, std::size_t slot) : BoundExpr(type), slot_(slot) {}
  Cell Eval(const EvalContext& context) const override { return context.cells[slot_]; }
  std::optional<std::size_t> Slot() const override { return slot_; }

 private:
  std::size_t slot_;
};

// AND and OR in SQL's three-valued logic: `decisive_` is the value that settles the outcome.
class LogicExpr final : public BoundExpr {
 public:
  LogicExpr(bool decisive, BoundPtr left, BoundPtr right)
      : BoundExpr(SqlType::kBoolean),
        decisive_(decisive),
        left_(std::move(left)),
        right_(std::move(right)) {}
  Cell Eval(const EvalContext& context) const override {
    const Cell left = left_->Eval(context);
    if (!left.is_null() && left.boolean() == decisive_) return left;
    const Cell right = right_->Eval(context);
    if (!right.is_null() && right.boolean() == decisive_) return right;
    return left.is_null() ? left : right;
  }
  void Narrow(std::size_t time, TimeRange* range) const override {
    if (decisive_) return;  // OR promises nothing about either side
    left_->Narrow(time, range);
    right_->Narrow(time, range);
  }
  bool IsTimeRange(std::size_t time) const override {
    return !decisive_ && left_->IsTimeRange(time) && right_->IsTimeRange(time);
  }

 private:
  bool decisive_;
  BoundPtr left_;
  BoundPtr right_;
};

class NotExpr final : public BoundExpr {
 public:
  explicit NotExpr(BoundPtr operand) : BoundExpr(SqlType::kBoolean), operand_(std::move(operand)) {}
  Cell Eval(const EvalContext& context) const override {
    const Cell value = operand_->Eval(context);
    return value.is_null() ? value : Cell::Boolean(!value.boolean());
  }

 private:
  BoundPtr operand_;
};

class IsNullExpr final : public BoundExpr {
 public:
  explicit IsNullExpr(BoundPtr operand)
      : BoundExpr(SqlType::kBoolean), operand_(std::move(operand)) {}
  Cell Eval(const EvalContext& context) const override {
    return Cell::Boolean(operand_->Eval(context).is_null());
  }

 private:
  BoundPtr operand_;
};

enum class Order { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

Order OrderOf(const std::string& op) {
  if (op == "=") return Order::kEqual;
  if (op == "<>") return Order::kNotEqual;
  if (op == "<") return Order::kLess;
  if (op == "<=") return Order::kLessEqual;
  return op == ">" ? Order::kGreater : Order::kGreaterEqual;
}

Order Mirrored(Order order) {
  switch (order) {
    case Order::kLess:
      return Order::kGreater;
    case Order::kLessEqual:
      return Order::kGreaterEqual;
    case Order::kGreater:
      return Order::kLess;
    case Order::kGreaterEqual:
      return Order::kLessEqual;
    default:
      return order;
  }
}

class CompareExpr final : public BoundExpr {
 public:
  CompareExpr(Order order, BoundPtr left, BoundPtr right)
      : BoundExpr(SqlType::kBoolean),
        order_(order),
        left_(std::move(left)),
        right_(std::move(right)) {}

  Cell Eval(const EvalContext& context) const override {
    const Cell left = left_->Eval(context);
    const Cell right = right_->Eval(context);
    if (left.is_null() || right.is_null()) return {};
    if (left.type() == SqlType::kDouble &&
        (std::isnan(left.number()) || std::isnan(right.number()))) {
      return Cell::Boolean(order_ == Order::kNotEqual);
    }
    return Cell::Boolean(Holds(CompareCells(left, right)));
  }

  void Narrow(std::size_t time, TimeRange* range) const override {
    if (left_->Slot() == time) {
      if (const auto value = right_->Constant()) Narrow(order_, *value, range);
    } else if (right_->Slot() == time) {
      if (const auto value = left_->Constant()) Narrow(Mirrored(order_), *value, range);
    }
  }
  bool IsTimeRange(std::size_t time) const override {
    if (order_ == Order::kNotEqual) return false;
    return (left_->Slot() == time && right_->Constant()) ||
           (right_->Slot() == time && left_->Constant());
  }

 private:
  bool Holds(int comparison) const {
    switch (order_) {
      case Order::kEqual:
        return comparison == 0;
      case Order::kNotEqual:
        return comparison != 0;
      case Order::kLess:
        return comparison < 0;
      case Order::kLessEqual:
        return comparison <= 0;
      case Order::kGreater:
        return comparison > 0;
      case Order::kGreaterEqual:
        return comparison >= 0;
    }
    return false;
  }

  static void Narrow(Order order, const Cell& bound, TimeRange* range) {
    if (bound.is_null()) {
      range->to = range->from;  // a comparison with null is never true
      return;
    }
    const std::int64_t at = bound.integer();
    const std::int64_t after = at == std::numeric_limits<std::int64_t>::max() ? at : at + 1;
    if (order == Order::kGreater || order == Order::kGreaterEqual || order == Order::kEqual) {
      range->from = std::max(range->from, order == Order::kGreater ? after : at);
    }
    if (order == Order::kLess || order == Order::kLessEqual || order == Order::kEqual) {
      range->to = std::min(range->to, order == Order::kLess ? at : after);
    }
  }

  Order order_;
  BoundPtr left_;
  BoundPtr right_;
};

class InExpr final : public BoundExpr {
 public:
  InExpr(BoundPtr operand, std::vector<BoundPtr> options)
      : BoundExpr(SqlType::kBoolean), operand_(std::move(operand)) {
    for (BoundPtr& option : options) {
      const auto constant = option->Constant();
      if (!constant) {
        others_.push_back(std::move(option));
      } else if (constant->is_null()) {
        has_null_ = true;
      } else {
        std::string key;
        AppendCellKey(*constant, &key);
        constants_.insert(std::move(key));
      }
    }
  }

  Cell Eval(const EvalContext& context) const override {
    const Cell value = operand_->Eval(context);
    if (value.is_null()) return {};
    std::string& key = context.scratch->New();
    AppendCellKey(value, &key);
    if (constants_.count(key) != 0) return Cell::Boolean(true);
    bool unknown = has_null_;
    for (const BoundPtr& other : others_) {
      const Cell option = other->Eval(context);
      if (option.is_null()) {
        unknown = true;
      } else if (CompareCells(value, option) == 0) {
        return Cell::Boolean(true);
      }
    }
    return unknown ? Cell() : Cell::Boolean(false);
  }

 private:
  BoundPtr operand_;
  std::unordered_set<std::string> constants_;
  std::vector<BoundPtr> others_;
  bool has_null_ = false;
};

class LikeExpr final : public BoundExpr {
 public:
  LikeExpr(BoundPtr text, BoundPtr pattern, std::string escape)
      : BoundExpr(SqlType::kBoolean),
        text_(std::move(text)),
        pattern_(std::move(pattern)),
        escape_(std::move(escape)) {}
  Cell Eval(const EvalContext& context) const override {
    const Cell text = text_->Eval(context);
    const Cell pattern = pattern_->Eval(context);
    if (text.is_null() || pattern.is_null()) return {};
    return Cell::Boolean(LikeMatches(text.text(), pattern.text(), escape_));
  }

 private:
  BoundPtr text_;
  BoundPtr pattern_;
  std::string escape_;
};

class CoalesceExpr final : public BoundExpr {
 public:
  CoalesceExpr(SqlType type, std::vector<BoundPtr> options)
      : BoundExpr(type), options_(std::move(options)) {}
  Cell Eval(const EvalContext& context) const override {
    for (const BoundPtr& option : options_) {
      const Cell value = option->Eval(context);
      if (!value.is_null()) return value;
    }
    return {};
  }

 private:
  std::vector<BoundPtr> options_;
};

class CaseExpr final : public BoundExpr {
 public:
  CaseExpr(SqlType type, std::vector<BoundPtr> parts) : BoundExpr(type), parts_(std::move(parts)) {}
  Cell Eval(const EvalContext& context) const override {
    for (std::size_t i = 0; i + 1 < parts_.size(); i += 2) {
      const Cell when = parts_[i]->Eval(context);
      if (!when.is_null() && when.boolean()) return parts_[i + 1]->Eval(context);
    }
    return parts_.back()->Eval(context);
  }

 private:
  std::vector<BoundPtr> parts_;
};

// The UTF-8 character at the start of `text`; one byte where it is malformed.
std::string_view FirstCharacter(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return text.substr(0, size);
}

}  // namespace

bool LikeMatches(std::string_view text, std::string_view pattern, std::string_view escape) {
  // Where the last % stood, to resume from: greedy matching with one step back is enough for LIKE.
  std::string_view resume_pattern;
  std::string_view resume_text;
  bool can_resume = false;
  while (true) {
    if (!pattern.empty()) {
      std::string_view character = FirstCharacter(pattern);
      const bool escaped = !escape.empty() && character == escape && pattern.size() > escape.size();
      if (escaped) character = FirstCharacter(pattern.substr(escape.size()));
      const std::size_t consumed = character.size() + (escaped ? escape.size() : 0);
      if (!escaped && character == "%") {
        pattern.remove_prefix(1);
        resume_pattern = pattern;
        resume_text = text;
        can_resume = true;
        continue;
      }
      if (!text.empty()) {
        const std::string_view actual = FirstCharacter(text);
        if ((!escaped && character == "_") || character == actual) {
          pattern.remove_prefix(consumed);
          text.remove_prefix(actual.size());
          continue;
        }
      }
    } else if (text.empty()) {
      return true;
    }
    if (!can_resume || resume_text.empty()) return false;
    resume_text.remove_prefix(FirstCharacter(resume_text).size());
    pattern = resume_pattern;
    text = resume_text;
  }
}

ApiError ExecutionError(const std::string& message) {
  return ApiError(400, "QueryExecutionException", message);
}

std::string SqlTypeName(SqlType type) {
  switch (type) {
    case SqlType::kNull:
      return "unknown";
    case SqlType::kBoolean:
      return "boolean";
    case SqlType::kBigint:
      return "bigint";
    case SqlType::kDouble:
      return "double";
    case SqlType::kVarchar:
      return "varchar";
    case SqlType::kTimestamp:
      return "timestamp";
    case SqlType::kInterval:
      return "interval day to second";
  }
  return "unknown";
}

BoundPtr MakeConstant(SqlType type, const Cell& value) {
  return std::make_unique<ConstantExpr>(type, value);
}
BoundPtr MakeSlot(SqlType type, std::size_t slot) { return std::make_unique<SlotExpr>(type, slot); }
BoundPtr MakeAnd(BoundPtr left, BoundPtr right) {
  return std::make_unique<LogicExpr>(false, std::move(left), std::move(right));
}
BoundPtr MakeOr(BoundPtr left, BoundPtr right) {
  return std::make_unique<LogicExpr>(true, std::move(left), std::move(right));
}
BoundPtr MakeNot(BoundPtr operand) { return std::make_unique<NotExpr>(std::move(operand)); }
BoundPtr MakeIsNull(BoundPtr operand) { return std::make_unique<IsNullExpr>(std::move(operand)); }
BoundPtr MakeCompare(const std::string& op, BoundPtr left, BoundPtr right) {
  return std::make_unique<CompareExpr>(OrderOf(op), std::move(left), std::move(right));
}
BoundPtr MakeIn(BoundPtr operand, std::vector<BoundPtr> options) {
  return std::make_unique<InExpr>(std::move(operand), std::move(options));
}
BoundPtr MakeLike(BoundPtr text, BoundPtr pattern, std::string escape) {
  return std::make_unique<LikeExpr>(std::move(text), std::move(pattern), std::move(escape));
}
BoundPtr MakeCoalesce(SqlType type, std::vector<BoundPtr> options) {
  return std::make_unique<CoalesceExpr>(type, std::move(options));
}
BoundPtr MakeCase(SqlType type, std::vector<BoundPtr> parts) {
  return std::make_unique<CaseExpr>(type, std::move(parts));
}

}  // namespace ts_local
