#include "ts_local/sql_aggregate.h"

#include <array>
#include <utility>

namespace ts_local {
namespace {

struct Named {
  std::string_view name;
  AggregateKind kind;
};
constexpr std::array<Named, 6> kAggregates{{{"count", AggregateKind::kCount},
                                            {"sum", AggregateKind::kSum},
                                            {"avg", AggregateKind::kAvg},
                                            {"min", AggregateKind::kMin},
                                            {"max", AggregateKind::kMax},
                                            // Exact here: an estimate would only be less true.
                                            {"approx_distinct", AggregateKind::kCount}}};

SqlType ResultType(AggregateKind kind, SqlType argument) {
  switch (kind) {
    case AggregateKind::kCount:
      return SqlType::kBigint;
    case AggregateKind::kAvg:
      return SqlType::kDouble;
    default:
      return argument;
  }
}

}  // namespace

bool IsAggregate(std::string_view function) {
  for (const Named& named : kAggregates) {
    if (named.name == function) return true;
  }
  return false;
}

AggregateSpec BindAggregate(const Expr& call, ExprBinder* source) {
  AggregateSpec spec;
  for (const Named& named : kAggregates) {
    if (named.name == call.text) spec.kind = named.kind;
  }
  if (call.star) {
    if (call.text != "count") throw SqlError(call.at, call.text + "(*) is not supported");
    return spec;
  }
  if (call.args.empty() && call.text == "count") return spec;  // count() is count(*) in Trino
  if (call.args.size() != 1) {
    throw SqlError(call.at, "Unexpected parameters for function " + call.text + ": it takes one");
  }
  spec.distinct = call.distinct || call.text == "approx_distinct";
  spec.argument = source->Bind(*call.args[0]);
  const SqlType type = spec.argument->type();
  const bool sums = spec.kind == AggregateKind::kSum || spec.kind == AggregateKind::kAvg;
  if (sums && type != SqlType::kBigint && type != SqlType::kDouble) {
    throw SqlError(call.at, "Unexpected parameters (" + SqlTypeName(type) + ") for function " +
                                call.text + ". Expected: bigint or double");
  }
  spec.result = ResultType(spec.kind, type);
  return spec;
}

void AggregateState::Add(const AggregateSpec& spec, const Cell& value) {
  if (!spec.argument) {
    ++count_;
    return;
  }
  if (value.is_null()) return;
  if (spec.distinct) {
    if (!seen_) seen_ = std::make_unique<std::unordered_set<std::string>>();
    std::string key;
    AppendCellKey(value, &key);
    if (!seen_->insert(std::move(key)).second) return;
  }
  ++count_;
  switch (spec.kind) {
    case AggregateKind::kCount:
      return;
    case AggregateKind::kMin:
      return KeepExtreme(true, value);
    case AggregateKind::kMax:
      return KeepExtreme(false, value);
    case AggregateKind::kAvg:
      double_sum_ +=
          value.type() == SqlType::kDouble ? value.number() : static_cast<double>(value.integer());
      return;
    case AggregateKind::kSum:
      if (value.type() == SqlType::kDouble) {
        double_sum_ += value.number();
      } else if (__builtin_add_overflow(bigint_sum_, value.integer(), &bigint_sum_)) {
        throw ExecutionError("bigint addition overflow: sum of " + std::to_string(count_) +
                             " values");
      }
      return;
  }
}

void AggregateState::KeepExtreme(bool smaller, const Cell& value) {
  if (!extreme_.is_null()) {
    const bool is_text = value.type() == SqlType::kVarchar;
    const int order = CompareCells(value, is_text ? Cell::Varchar(extreme_text_) : extreme_);
    if (smaller ? order >= 0 : order <= 0) return;
  }
  extreme_ = value;
  if (value.type() == SqlType::kVarchar) extreme_text_.assign(value.text());
}

Cell AggregateState::Result(const AggregateSpec& spec) const {
  switch (spec.kind) {
    case AggregateKind::kCount:
      return Cell::Bigint(count_);
    case AggregateKind::kMin:
    case AggregateKind::kMax:
      return extreme_.type() == SqlType::kVarchar ? Cell::Varchar(extreme_text_) : extreme_;
    case AggregateKind::kAvg:
      return count_ == 0 ? Cell() : Cell::Double(double_sum_ / static_cast<double>(count_));
    case AggregateKind::kSum:
      if (count_ == 0) return {};
      return spec.result == SqlType::kDouble ? Cell::Double(double_sum_)
                                             : Cell::Bigint(bigint_sum_);
  }
  return {};
}

}  // namespace ts_local
