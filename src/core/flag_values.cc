#include "tsm/core/flag_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tsm/core/text.h"

namespace tsm {

namespace {

constexpr std::size_t kShownBytes = 80;

struct Unit {
  char letter;
  double seconds;
};
constexpr Unit kUnits[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}};

std::chrono::nanoseconds ToNanos(double seconds) {
  return std::chrono::nanoseconds(std::llround(seconds * 1e9));
}

}  // namespace

Error InvalidFlag(std::string_view flag, const std::string& message) {
  return MakeError(ErrorKind::kInvalidInput, "--" + std::string(flag) + ": " + message);
}

Error InvalidValue(std::string_view flag, std::string_view value, const std::string& message) {
  return InvalidFlag(flag, "'" + OneLine(value, kShownBytes) + "' " + message);
}

std::optional<double> ParseDecimal(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  if (!plain || text.starts_with('.') || text.ends_with('.')) return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (code != std::errc{} || rest != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

Result<std::vector<std::string>> ParseList(std::string_view flag, std::string_view text) {
  std::vector<std::string> names;
  for (const std::string_view part : Split(text, ',')) {
    std::string name(TrimAscii(part));
    if (name.empty()) {
      return InvalidValue(flag, text, "holds an empty name; names are separated by one comma each");
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return InvalidValue(flag, text, "names " + OneLine(name, kShownBytes) + " twice");
    }
    names.push_back(std::move(name));
  }
  return names;
}

Result<std::uint64_t> ParseCount(std::string_view flag, std::string_view text, std::uint64_t least,
                                 std::uint64_t most, const std::string& why) {
  const std::optional<std::int64_t> value = ParseInt64(text);
  if (!value || *value < 0 || static_cast<std::uint64_t>(*value) < least ||
      static_cast<std::uint64_t>(*value) > most) {
    return InvalidValue(
        flag, text,
        "is not a number from " + std::to_string(least) + " to " + std::to_string(most) + why);
  }
  return static_cast<std::uint64_t>(*value);
}

Result<std::uint64_t> ParseSize(std::string_view flag, std::string_view text, std::uint64_t least,
                                std::uint64_t most, const std::string& why) {
  const std::string lower = ToLowerAscii(TrimAscii(text));
  const bool gigabytes = lower.ends_with("gb");
  std::optional<double> amount;
  if (gigabytes || lower.ends_with("mb")) {
    amount = ParseDecimal(TrimAscii(std::string_view(lower).substr(0, lower.size() - 2)));
  }
  const double bytes = amount.value_or(0) * (gigabytes ? 1e9 : 1e6);
  if (!amount || bytes < static_cast<double>(least) || bytes > static_cast<double>(most)) {
    return InvalidValue(flag, text, why);
  }
  return static_cast<std::uint64_t>(std::llround(bytes));
}

Result<std::chrono::nanoseconds> ParseSeconds(std::string_view flag, std::string_view text,
                                              std::chrono::seconds most) {
  const std::optional<double> seconds = ParseDecimal(TrimAscii(text));
  if (seconds && *seconds <= static_cast<double>(most.count())) {
    const std::chrono::nanoseconds value = ToNanos(*seconds);
    if (value.count() > 0) return value;
  }
  return InvalidValue(flag, text,
                      "is not a number of seconds above 0 and up to " +
                          WithThousands(static_cast<std::uint64_t>(most.count())) +
                          "; decimals are allowed");
}

Result<std::chrono::nanoseconds> ParseDuration(std::string_view flag, std::string_view text,
                                               std::chrono::seconds most) {
  const std::string_view trimmed = TrimAscii(text);
  const auto* const unit = std::find_if(
      std::begin(kUnits), std::end(kUnits),
      [&trimmed](const Unit& known) { return !trimmed.empty() && known.letter == trimmed.back(); });
  if (unit != std::end(kUnits)) {
    const std::optional<double> amount = ParseDecimal(trimmed.substr(0, trimmed.size() - 1));
    const double seconds = amount.value_or(0) * unit->seconds;
    if (amount && seconds <= static_cast<double>(most.count()) && ToNanos(seconds).count() > 0) {
      return ToNanos(seconds);
    }
  }
  return InvalidValue(flag, text,
                      "is not a duration above 0 and up to " +
                          std::to_string(most.count() / 86'400) + "d, such as 30s, 90m, 24h or 7d");
}

Result<double> ParsePrice(std::string_view flag, std::string_view text) {
  const std::optional<double> price = ParseDecimal(TrimAscii(text));
  if (price) return *price;
  return InvalidValue(flag, text, "is not a price in USD: a number of 0 or more, such as 0.01");
}

std::optional<std::string> WhyNoPredicate(std::string_view text) {
  if (TrimAscii(text).empty()) return "is blank";
  char quote = 0;  // the quote that is open; a doubled one closes and opens again
  std::size_t open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
      continue;
    }
    const std::string_view pair = text.substr(i, 2);
    if (pair == "--" || pair == "/*" || pair == "*/") {
      return "holds the comment mark " + std::string(pair);
    }
    if (c == ';') return "holds a ';': one predicate is expected, not statements";
    if (c == '\'' || c == '"') quote = c;
    if (c == '(') ++open;
    if (c == ')' && open-- == 0) return "closes a parenthesis that it does not open";
  }
  if (quote != 0) return std::string("leaves a ") + quote + " open";
  if (open != 0) return "leaves a parenthesis open";
  return std::nullopt;
}

}  // namespace tsm
