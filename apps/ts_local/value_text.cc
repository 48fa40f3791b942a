#include "ts_local/value_text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace ts_local {
namespace {

void AppendPadded(std::int64_t number, int width, std::string* out) {
  std::array<char, 20> digits{};
  int at = width;
  while (at > 0) {
    --at;
    digits[static_cast<std::size_t>(at)] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  out->append(digits.data(), static_cast<std::size_t>(width));
}

// Reads `min` to `max` digits at the start of `text` and drops them.
bool TakeDigits(std::string_view* text, std::size_t min, std::size_t max, int* number) {
  std::size_t used = 0;
  int value = 0;
  while (used < max && used < text->size() && (*text)[used] >= '0' && (*text)[used] <= '9') {
    value = value * 10 + ((*text)[used] - '0');
    ++used;
  }
  if (used < min) return false;
  text->remove_prefix(used);
  *number = value;
  return true;
}

bool TakeChar(std::string_view* text, char expected) {
  if (text->empty() || text->front() != expected) return false;
  text->remove_prefix(1);
  return true;
}

// `.f` with one to nine digits, padded to nanoseconds.
bool TakeFraction(std::string_view* text, std::int64_t* nanosecond) {
  if (text->empty() || text->size() > 9) return false;
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    value *= 10;
    if (i >= text->size()) continue;
    const char digit = (*text)[i];
    if (digit < '0' || digit > '9') return false;
    value += digit - '0';
  }
  text->remove_prefix(text->size());
  *nanosecond = value;
  return true;
}

bool TakeClock(std::string_view* text, CivilTime* time) {
  if (!TakeDigits(text, 1, 2, &time->hour) || !TakeChar(text, ':') ||
      !TakeDigits(text, 1, 2, &time->minute)) {
    return false;
  }
  if (text->empty()) return true;
  if (!TakeChar(text, ':') || !TakeDigits(text, 1, 2, &time->second)) return false;
  if (text->empty()) return true;
  return TakeChar(text, '.') && TakeFraction(text, &time->nanosecond);
}

}  // namespace

std::int64_t DaysFromCivil(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

CivilTime ToCivil(std::int64_t ns) {
  std::int64_t days = ns / kNsPerDay;
  std::int64_t rest = ns % kNsPerDay;
  if (rest < 0) {
    rest += kNsPerDay;
    --days;
  }
  const std::chrono::sys_days day{std::chrono::days{days}};
  const std::chrono::year_month_day date{day};
  CivilTime civil;
  civil.year = static_cast<int>(date.year());
  civil.month = static_cast<int>(static_cast<unsigned>(date.month()));
  civil.day = static_cast<int>(static_cast<unsigned>(date.day()));
  civil.nanosecond = rest % kNsPerSecond;
  const auto seconds = static_cast<int>(rest / kNsPerSecond);
  civil.hour = seconds / 3600;
  civil.minute = seconds / 60 % 60;
  civil.second = seconds % 60;
  civil.weekday = static_cast<int>(std::chrono::weekday{day}.c_encoding());
  civil.day_of_year = static_cast<int>(days - DaysFromCivil(civil.year, 1, 1)) + 1;
  return civil;
}

void AppendTimestamp(std::int64_t ns, std::string* out) {
  const CivilTime civil = ToCivil(ns);
  AppendPadded(civil.year, 4, out);
  out->push_back('-');
  AppendPadded(civil.month, 2, out);
  out->push_back('-');
  AppendPadded(civil.day, 2, out);
  out->push_back(' ');
  AppendPadded(civil.hour, 2, out);
  out->push_back(':');
  AppendPadded(civil.minute, 2, out);
  out->push_back(':');
  AppendPadded(civil.second, 2, out);
  out->push_back('.');
  AppendPadded(civil.nanosecond, 9, out);
}

void AppendBigint(std::int64_t number, std::string* out) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  out->append(text.data(), end.ptr);
}

void AppendDouble(double number, std::string* out) {
  if (std::isnan(number)) {
    out->append("NaN");
    return;
  }
  if (std::signbit(number)) {
    out->push_back('-');
    number = -number;
  }
  if (std::isinf(number)) {
    out->append("Infinity");
    return;
  }
  if (number == 0) {
    out->append("0.0");
    return;
  }
  // The shortest digits that read back to the same double, laid out by Java's rule: plain between
  // 10^-3 and 10^7, else one digit, a point and an exponent.
  std::array<char, 40> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific);
  const std::string_view all(text.data(), static_cast<std::size_t>(end.ptr - text.data()));
  const std::size_t e = all.find('e');
  const int exponent = std::atoi(all.data() + e + 1);
  std::string digits(1, all[0]);
  if (e > 2) digits.append(all.substr(2, e - 2));
  const int count = static_cast<int>(digits.size());
  if (exponent >= 7 || exponent < -3) {
    out->push_back(digits[0]);
    out->push_back('.');
    out->append(count > 1 ? std::string_view(digits).substr(1) : std::string_view("0"));
    out->push_back('E');
    AppendBigint(exponent, out);
  } else if (exponent < 0) {
    out->append("0.");
    out->append(static_cast<std::size_t>(-exponent) - 1, '0');
    out->append(digits);
  } else if (count <= exponent + 1) {
    out->append(digits);
    out->append(static_cast<std::size_t>(exponent) + 1 - static_cast<std::size_t>(count), '0');
    out->append(".0");
  } else {
    const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
    out->append(digits, 0, whole);
    out->push_back('.');
    out->append(digits, whole, std::string::npos);
  }
}

void AppendValue(const Value& value, std::string* out) {
  if (const bool* boolean = std::get_if<bool>(&value)) {
    out->append(*boolean ? "true" : "false");
  } else if (const auto* bigint = std::get_if<std::int64_t>(&value)) {
    AppendBigint(*bigint, out);
  } else if (const double* number = std::get_if<double>(&value)) {
    AppendDouble(*number, out);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    out->append(*text);
  } else if (const auto* time = std::get_if<Timestamp>(&value)) {
    AppendTimestamp(time->ns, out);
  }
}

std::string ValueText(const Value& value) {
  std::string text;
  AppendValue(value, &text);
  return text;
}

std::optional<std::int64_t> ParseTimestamp(std::string_view text) {
  CivilTime time;
  if (!TakeDigits(&text, 4, 4, &time.year) || !TakeChar(&text, '-') ||
      !TakeDigits(&text, 1, 2, &time.month) || !TakeChar(&text, '-') ||
      !TakeDigits(&text, 1, 2, &time.day)) {
    return std::nullopt;
  }
  if (!text.empty() && (!TakeChar(&text, ' ') || !TakeClock(&text, &time))) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{time.year},
                                         std::chrono::month{static_cast<unsigned>(time.month)},
                                         std::chrono::day{static_cast<unsigned>(time.day)}};
  if (!text.empty() || !date.ok() || time.year < 1970) return std::nullopt;
  if (time.hour > 23 || time.minute > 59 || time.second > 59) return std::nullopt;
  const std::int64_t seconds = DaysFromCivil(time.year, time.month, time.day) * 86'400 +
                               time.hour * 3'600 + time.minute * 60 + time.second;
  std::int64_t ns = 0;
  if (__builtin_mul_overflow(seconds, kNsPerSecond, &ns) ||
      __builtin_add_overflow(ns, time.nanosecond, &ns)) {
    return std::nullopt;
  }
  return ns;
}

std::optional<std::int64_t> ParseBigint(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  std::int64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc{} || end.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity" || text == "+Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  const bool plus = !text.empty() && text.front() == '+';
  if (plus) text.remove_prefix(1);
  // from_chars also reads "inf", "nan" and their kin, which Timestream does not.
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos ||
      (plus && text.front() == '-')) {
    return std::nullopt;
  }
  double number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ptr != text.data() + text.size()) return std::nullopt;
  if (end.ec == std::errc::result_out_of_range) {
    // Java reads a number too large as Infinity and one too small as zero; strtod does the same.
    return std::strtod(std::string(text).c_str(), nullptr);
  }
  if (end.ec != std::errc{}) return std::nullopt;
  return number;
}

std::string_view TypeName(ScalarType type) {
  switch (type) {
    case ScalarType::kVarchar:
      return "varchar";
    case ScalarType::kDouble:
      return "double";
    case ScalarType::kBigint:
      return "bigint";
    case ScalarType::kBoolean:
      return "boolean";
    case ScalarType::kTimestamp:
      return "timestamp";
  }
  return "unknown";
}

std::string_view ScalarTypeName(ScalarType type) {
  switch (type) {
    case ScalarType::kVarchar:
      return "VARCHAR";
    case ScalarType::kDouble:
      return "DOUBLE";
    case ScalarType::kBigint:
      return "BIGINT";
    case ScalarType::kBoolean:
      return "BOOLEAN";
    case ScalarType::kTimestamp:
      return "TIMESTAMP";
  }
  return "UNKNOWN";
}

}  // namespace ts_local
