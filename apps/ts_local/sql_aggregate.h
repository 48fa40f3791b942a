// count, count_if, sum, avg, min, max and approx_distinct: what one of them is in a query
// (AggregateSpec) and what it has seen so far for one group (AggregateState). A state belongs to
// one running query.
// https://docs.aws.amazon.com/timestream/latest/developerguide/aggregate-functions.html
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "ts_local/sql_bind.h"

namespace ts_local {

enum class AggregateKind { kCount, kCountIf, kSum, kAvg, kMin, kMax };

struct AggregateSpec {
  AggregateKind kind = AggregateKind::kCount;
  bool distinct = false;
  BoundPtr argument;  // null for count(*)
  SqlType result = SqlType::kBigint;
};

bool IsAggregate(std::string_view function);  // lower case

// Checks arguments and types; `source` binds the argument against the table's columns.
AggregateSpec BindAggregate(const Expr& call, ExprBinder* source);

// Small, for a query may have a thousand of them in each of its groups.
class AggregateState {
 public:
  // `value` is the argument for one row (anything for count(*)). A bigint sum that overflows is a
  // QueryExecutionException.
  void Add(const AggregateSpec& spec, const Cell& value);
  // Valid while the state lives.
  Cell Result(const AggregateSpec& spec) const;

 private:
  // What few aggregates need.
  struct Extra {
    std::string text;  // the extreme of a text
    std::unordered_set<std::string> seen;
  };
  Extra& extra();
  bool SeenBefore(const Cell& value);
  void AddUp(const Cell& value);
  void KeepExtreme(bool smaller, const Cell& value);

  std::int64_t count_ = 0;
  Cell value_;  // the sum or the extreme so far; a text points into extra_
  std::unique_ptr<Extra> extra_;
};

}  // namespace ts_local
