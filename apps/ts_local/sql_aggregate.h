// count, sum, avg, min, max and approx_distinct: what one of them is in a query (AggregateSpec) and
// what it has seen so far for one group (AggregateState). A state belongs to one running query.
// https://docs.aws.amazon.com/timestream/latest/developerguide/aggregate-functions.html
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "ts_local/sql_bind.h"

namespace ts_local {

enum class AggregateKind { kCount, kSum, kAvg, kMin, kMax };

struct AggregateSpec {
  AggregateKind kind = AggregateKind::kCount;
  bool distinct = false;
  BoundPtr argument;  // null for count(*)
  SqlType result = SqlType::kBigint;
};

bool IsAggregate(std::string_view function);  // lower case

// Checks arguments and types; `source` binds the argument against the table's columns.
AggregateSpec BindAggregate(const Expr& call, ExprBinder* source);

class AggregateState {
 public:
  // `value` is the argument for one row (anything for count(*)). A bigint sum that overflows is a
  // QueryExecutionException.
  void Add(const AggregateSpec& spec, const Cell& value);
  // Valid while the state lives.
  Cell Result(const AggregateSpec& spec) const;

 private:
  void KeepExtreme(bool smaller, const Cell& value);

  std::int64_t count_ = 0;
  std::int64_t bigint_sum_ = 0;
  double double_sum_ = 0;
  Cell extreme_;  // of text only the type counts; the text itself is below
  std::string extreme_text_;
  std::unique_ptr<std::unordered_set<std::string>> seen_;
};

}  // namespace ts_local
