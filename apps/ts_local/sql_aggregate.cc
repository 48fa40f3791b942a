#include "ts_local/sql_aggregate.h"

#include <array>
#include <utility>

namespace ts_local {
namespace {

struct Named {
  std::string_view name;
  AggregateKind kind;
};
constexpr std::array<Named, 7> kAggregates{{{"count", AggregateKind::kCount},
                                            {"count_if", AggregateKind::kCountIf},
                                            {"sum", AggregateKind::kSum},
                                            {"avg", AggregateKind::kAvg},
                                            {"min", AggregateKind::kMin},
                                            {"max", AggregateKind::kMax},
                                            // Exact here: an estimate would only be less true.
                                            {"approx_distinct", AggregateKind::kCount}}};

SqlType ResultType(AggregateKind kind, SqlType argument) {
  switch (kind) {
    case AggregateKind::kCount:
    case AggregateKind::kCountIf:
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
  if (spec.kind == AggregateKind::kCountIf && type != SqlType::kBoolean && type != SqlType::kNull) {
    throw SqlError(call.at, "Unexpected parameters (" + SqlTypeName(type) + ") for function " +
                                call.text + ". Expected: boolean");
  }
  spec.result = ResultType(spec.kind, type);
  return spec;
}

AggregateState::Extra& AggregateState::extra() {
  if (!extra_) extra_ = std::make_unique<Extra>();
  return *extra_;
}

bool AggregateState::SeenBefore(const Cell& value) {
  std::string key;
  AppendCellKey(value, &key);
  return !extra().seen.insert(std::move(key)).second;
}

void AggregateState::Add(const AggregateSpec& spec, const Cell& value) {
  if (!spec.argument) {
    ++count_;
    return;
  }
  if (value.is_null() || (spec.distinct && SeenBefore(value))) return;
  switch (spec.kind) {
    case AggregateKind::kCount:
      ++count_;
      return;
    case AggregateKind::kCountIf:
      if (value.boolean()) ++count_;
      return;
    case AggregateKind::kMin:
      return KeepExtreme(true, value);
    case AggregateKind::kMax:
      return KeepExtreme(false, value);
    case AggregateKind::kAvg:
      ++count_;
      return AddUp(value.type() == SqlType::kDouble
                       ? value
                       : Cell::Double(static_cast<double>(value.integer())));
    case AggregateKind::kSum:
      ++count_;
      return AddUp(value);
  }
}

void AggregateState::AddUp(const Cell& value) {
  if (value_.is_null()) {
    value_ = value;
  } else if (value.type() == SqlType::kDouble) {
    value_ = Cell::Double(value_.number() + value.number());
  } else {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(value_.integer(), value.integer(), &sum)) {
      throw ExecutionError("bigint addition overflow: sum of " + std::to_string(count_) +
                           " values");
    }
    value_ = Cell::Bigint(sum);
  }
}

void AggregateState::KeepExtreme(bool smaller, const Cell& value) {
  if (!value_.is_null()) {
    const int order = CompareCells(value, value_);
    if (smaller ? order >= 0 : order <= 0) return;
  }
  value_ = value;
  if (value.type() != SqlType::kVarchar) return;
  std::string& text = extra().text;
  text.assign(value.text());
  value_ = Cell::Varchar(text);
}

Cell AggregateState::Result(const AggregateSpec& spec) const {
  switch (spec.kind) {
    case AggregateKind::kCount:
    case AggregateKind::kCountIf:
      return Cell::Bigint(count_);
    case AggregateKind::kAvg:
      return count_ == 0 ? Cell() : Cell::Double(value_.number() / static_cast<double>(count_));
    default:
      return value_;
  }
}

}  // namespace ts_local
