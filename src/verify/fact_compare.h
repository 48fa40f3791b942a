// Whether an aggregate of a column is the same in two tables. Pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tsm::verify {

// The aggregates of one column and partition, by their names ("count", "sum", …); a null one is
// absent.
using Facts = std::map<std::string, std::string, std::less<>>;

enum class Comparison {
  kEqual,
  kDifferent,
  kUndecidable,  // a sum whose value depends on the order of its additions
};

// `type`: the column's, in both tables.
Comparison Compare(std::string_view type, std::string_view aggregate, const Facts& source,
                   const Facts& target);

}  // namespace tsm::verify
