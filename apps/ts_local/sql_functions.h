// The scalar functions of ts-local's SQL, one table of name, argument types, result and code.
// All return null for a null argument. Immutable, shared between threads.
// https://docs.aws.amazon.com/timestream/latest/developerguide/scalar-functions.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ts_local/sql_eval.h"

namespace ts_local {

struct ScalarFunction {
  std::string_view name;  // lower case
  std::vector<SqlType> parameters;
  SqlType result = SqlType::kNull;
  Cell (*run)(const Cell* arguments, const EvalContext& context) = nullptr;
};

// Null where no function has that name. now, ago, coalesce, concat and the aggregates are not here:
// the binder knows them.
const ScalarFunction* FindScalarFunction(std::string_view name);

// Arguments already of the parameters' types.
BoundPtr MakeScalarCall(const ScalarFunction& function, std::vector<BoundPtr> arguments);

}  // namespace ts_local
