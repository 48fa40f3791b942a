#include "ts_local/time_text.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace ts_local {
namespace {

constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::tm Utc(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm out{};
  ::gmtime_r(&seconds, &out);
  return out;
}

}  // namespace

std::string IsoTime(std::int64_t unix_ms) {
  const std::tm time = Utc(unix_ms);
  std::array<char, 80> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", time.tm_year + 1900,
                time.tm_mon + 1, time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec,
                static_cast<int>(unix_ms % 1000));
  return out.data();
}

// Not strftime: its names follow the locale.
std::string HttpTime(std::int64_t unix_ms) {
  const std::tm time = Utc(unix_ms);
  std::array<char, 80> out{};
  std::snprintf(out.data(), out.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays.at(static_cast<std::size_t>(time.tm_wday)), time.tm_mday,
                kMonths.at(static_cast<std::size_t>(time.tm_mon)), time.tm_year + 1900,
                time.tm_hour, time.tm_min, time.tm_sec);
  return out.data();
}

std::optional<std::int64_t> ParseHttpTime(std::string_view text) {
  std::tm time{};
  std::array<char, 4> month{};
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%*3s, %2d %3s %4d %2d:%2d:%2d GMT", &time.tm_mday, month.data(),
                  &time.tm_year, &time.tm_hour, &time.tm_min, &time.tm_sec) != 6) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (std::string_view(month.data()) != kMonths[i]) continue;
    time.tm_mon = static_cast<int>(i);
    time.tm_year -= 1900;
    return std::int64_t{::timegm(&time)} * 1000;
  }
  return std::nullopt;
}

}  // namespace ts_local
