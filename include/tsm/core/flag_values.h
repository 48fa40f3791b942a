// Values of the programs' flags, as typed, to typed ones. Pure functions. Every refusal is
// kInvalidInput, names the flag and the value, and says what the flag takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"

namespace tsm {

// "--flag: message".
Error InvalidFlag(std::string_view flag, const std::string& message);
// "--flag: 'value' message".
Error InvalidValue(std::string_view flag, std::string_view value, const std::string& message);

// Digits with at most one '.' between them, such as "60", "0.5"; no sign, no exponent.
std::optional<double> ParseDecimal(std::string_view text);

// "a, b" -> a and b, blanks around them cut. An empty name and one that stands twice are refused.
Result<std::vector<std::string>> ParseList(std::string_view flag, std::string_view text);

Result<std::uint64_t> ParseCount(std::string_view flag, std::string_view text, std::uint64_t least,
                                 std::uint64_t most, const std::string& why);

// "X[MB|GB]" in any case, decimals allowed, a MB being 1,000,000 bytes: how the service reckons is
// not documented, and with 1,048,576 the bounds of UNLOAD hold all the more.
Result<std::uint64_t> ParseSize(std::string_view flag, std::string_view text, std::uint64_t least,
                                std::uint64_t most, const std::string& why);

// Seconds with decimals, more than 0.
Result<std::chrono::nanoseconds> ParseSeconds(std::string_view flag, std::string_view text,
                                              std::chrono::seconds most);

// "30s", "90m", "24h", "7d", decimals allowed, more than 0.
Result<std::chrono::nanoseconds> ParseDuration(std::string_view flag, std::string_view text,
                                               std::chrono::seconds most);

// USD, 0 or more.
Result<double> ParsePrice(std::string_view flag, std::string_view text);

// Nothing where `text` is one predicate that can stand in parentheses, else why it can't: a quote
// or a parenthesis that does not close, one that closes too early (it would end the parentheses
// around it), a ';', or a comment, whose end would hide what follows.
std::optional<std::string> WhyNoPredicate(std::string_view text);

}  // namespace tsm
