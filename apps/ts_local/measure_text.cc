#include "ts_local/measure_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <system_error>

namespace ts_local {
namespace {

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  return number;
}

std::int64_t NanosPer(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return 1'000'000'000;
    case TimeUnit::kMilliseconds:
      return 1'000'000;
    case TimeUnit::kMicroseconds:
      return 1'000;
    case TimeUnit::kNanoseconds:
      break;
  }
  return 1;
}

bool EqualsNoCase(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

}  // namespace

std::optional<TimeUnit> ParseTimeUnit(std::string_view text) {
  if (text == "SECONDS") return TimeUnit::kSeconds;
  if (text == "MILLISECONDS") return TimeUnit::kMilliseconds;
  if (text == "MICROSECONDS") return TimeUnit::kMicroseconds;
  if (text == "NANOSECONDS") return TimeUnit::kNanoseconds;
  return std::nullopt;
}

std::optional<ScalarType> ParseScalarType(std::string_view text) {
  if (text == "DOUBLE") return ScalarType::kDouble;
  if (text == "BIGINT") return ScalarType::kBigint;
  if (text == "VARCHAR") return ScalarType::kVarchar;
  if (text == "BOOLEAN") return ScalarType::kBoolean;
  if (text == "TIMESTAMP") return ScalarType::kTimestamp;
  return std::nullopt;
}

std::optional<std::int64_t> ParseEpoch(std::string_view text, TimeUnit unit) {
  const auto number = ParseNumber<std::int64_t>(text);
  const std::int64_t scale = NanosPer(unit);
  if (!number || *number < 0 || *number > std::numeric_limits<std::int64_t>::max() / scale) {
    return std::nullopt;
  }
  return *number * scale;
}

std::optional<Value> ParseMeasure(ScalarType type, std::string_view text, TimeUnit unit) {
  switch (type) {
    case ScalarType::kVarchar:
      return Value(std::string(text));
    case ScalarType::kDouble: {
      const auto number = ParseNumber<double>(text);
      if (!number || !std::isfinite(*number)) return std::nullopt;
      return Value(*number);
    }
    case ScalarType::kBigint: {
      const auto number = ParseNumber<std::int64_t>(text);
      if (!number) return std::nullopt;
      return Value(*number);
    }
    case ScalarType::kBoolean:
      if (EqualsNoCase(text, "true")) return Value(true);
      if (EqualsNoCase(text, "false")) return Value(false);
      return std::nullopt;
    case ScalarType::kTimestamp: {
      const auto ns = ParseEpoch(text, unit);
      if (!ns) return std::nullopt;
      return Value(Timestamp{*ns});
    }
  }
  return std::nullopt;
}

}  // namespace ts_local
