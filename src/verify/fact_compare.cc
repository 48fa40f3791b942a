#include "fact_compare.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace tsm::verify {

namespace {

std::optional<double> NumberIn(const Facts& facts, std::string_view aggregate) {
  const auto found = facts.find(aggregate);
  if (found == facts.end()) return std::nullopt;
  const std::string& text = found->second;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data(), end, value);
  if (rest != end || code != std::errc{}) return std::nullopt;
  return value;
}

bool Same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// Each sum is off by at most (n - 1) * u * (the sum of the values' amounts), u = 2^-53, in whatever
// order it was added up (Higham, Accuracy and Stability of Numerical Algorithms, 4.2); two of them
// differ by at most twice that. A sum of values of one sign is its own sum of amounts.
Comparison CompareSums(const Facts& source, const Facts& target, double a, double b) {
  if (Same(a, b)) return Comparison::kEqual;
  double count = 0;
  double least = std::numeric_limits<double>::infinity();
  double greatest = -least;
  for (const Facts* facts : {&source, &target}) {
    const auto n = NumberIn(*facts, "count");
    const auto min = NumberIn(*facts, "min");
    const auto max = NumberIn(*facts, "max");
    if (!n || !min || !max) return Comparison::kDifferent;
    count = std::max(count, *n);
    least = std::min(least, *min);
    greatest = std::max(greatest, *max);
  }
  const double amount = std::max(std::abs(least), std::abs(greatest));
  if (!std::isfinite(amount))
    return Comparison::kDifferent;  // the sum of such is no matter of order
  if (!std::isfinite(count * amount)) return Comparison::kUndecidable;
  const bool one_sign = least >= 0 || greatest <= 0;
  const double amounts = one_sign ? std::max(std::abs(a), std::abs(b)) : count * amount;
  const double bound = count * std::numeric_limits<double>::epsilon() * amounts;
  return std::abs(a - b) <= bound ? Comparison::kEqual : Comparison::kDifferent;
}

}  // namespace

Comparison Compare(std::string_view type, std::string_view aggregate, const Facts& source,
                   const Facts& target) {
  const auto was = source.find(aggregate);
  const auto is = target.find(aggregate);
  const bool had = was != source.end();
  const bool has = is != target.end();
  if (!had || !has) return had == has ? Comparison::kEqual : Comparison::kDifferent;
  if (was->second == is->second) return Comparison::kEqual;
  if (type != "double" || aggregate == "count") return Comparison::kDifferent;
  // One number may be written in several ways: 16.0, 1.6E1.
  const std::optional<double> a = NumberIn(source, aggregate);
  const std::optional<double> b = NumberIn(target, aggregate);
  if (!a || !b) return Comparison::kDifferent;
  if (aggregate == "sum") return CompareSums(source, target, *a, *b);
  return Same(*a, *b) ? Comparison::kEqual : Comparison::kDifferent;
}

}  // namespace tsm::verify
