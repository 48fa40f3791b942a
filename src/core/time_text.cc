#include "tsm/core/time_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <optional>

#include "tsm/core/text.h"

namespace tsm {

namespace {

constexpr UnixNanos kNanosPerSecond = 1'000'000'000;

// Reads a text from the front; every reader gives nothing where the text is of another shape.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }

  bool Take(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool Take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  // Index of the name that stands next.
  template <std::size_t Count>
  std::optional<unsigned> OneOf(const std::array<std::string_view, Count>& names) {
    for (unsigned i = 0; i < Count; ++i) {
      if (Take(names[i])) return i;
    }
    return std::nullopt;
  }

  std::optional<unsigned> Digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    unsigned value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

  // One to nine digits after the point, as nanoseconds.
  std::optional<UnixNanos> Fraction() {
    UnixNanos nanos = 0;
    UnixNanos weight = kNanosPerSecond;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      weight /= 10;
      if (weight == 0) return std::nullopt;
      nanos += weight * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    if (weight == kNanosPerSecond) return std::nullopt;
    return nanos;
  }

 private:
  std::string_view rest_;
};

struct TimeOfDay {
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  UnixNanos nanos = 0;
};

Error Refused(std::string_view text, std::string_view why) {
  return MakeError(ErrorKind::kInvalidInput,
                   "'" + OneLine(text, 60) + "' is not a timestamp: " + std::string(why));
}

constexpr std::string_view kShape = "expected YYYY-MM-DD[ hh:mm[:ss[.fffffffff]]], UTC";

// What follows the date, up to the end of the text or a closing Z.
std::optional<TimeOfDay> ReadTimeOfDay(Cursor& cursor) {
  TimeOfDay time;
  if (!cursor.Take(' ') && !cursor.Take('T')) return time;
  const auto hour = cursor.Digits(2);
  if (!hour || !cursor.Take(':')) return std::nullopt;
  const auto minute = cursor.Digits(2);
  if (!minute) return std::nullopt;
  time.hour = *hour;
  time.minute = *minute;
  if (!cursor.Take(':')) return time;
  const auto second = cursor.Digits(2);
  if (!second) return std::nullopt;
  time.second = *second;
  if (!cursor.Take('.')) return time;
  const auto fraction = cursor.Fraction();
  if (!fraction) return std::nullopt;
  time.nanos = *fraction;
  return time;
}

// All three, with `between` between them.
std::optional<TimeOfDay> ReadHourMinuteSecond(Cursor& cursor, std::string_view between) {
  const auto hour = cursor.Digits(2);
  const auto minute = hour && cursor.Take(between) ? cursor.Digits(2) : std::nullopt;
  const auto second = minute && cursor.Take(between) ? cursor.Digits(2) : std::nullopt;
  if (!second) return std::nullopt;
  return TimeOfDay{*hour, *minute, *second, 0};
}

std::optional<std::chrono::system_clock::time_point> Moment(unsigned year, unsigned month,
                                                            unsigned day, const TimeOfDay& time) {
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day));
  // A system_clock counts nanoseconds in 64 bits: 2261 is the last whole year that fits.
  if (!date.ok() || year < 1970 || year > 2261) return std::nullopt;
  if (time.hour > 23 || time.minute > 59 || time.second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(time.hour) +
         std::chrono::minutes(time.minute) + std::chrono::seconds(time.second);
}

unsigned WeekdayOf(std::chrono::system_clock::time_point time) {
  return std::chrono::weekday(std::chrono::floor<std::chrono::days>(time)).c_encoding();
}

// Calendar fields of a UTC instant.
struct Fields {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  long hour = 0;
  long minute = 0;
  long second = 0;
};

Fields FieldsOf(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<long>(clock.hours().count()),
          static_cast<long>(clock.minutes().count()),
          static_cast<long>(clock.seconds().count())};
}

template <typename... Values>
std::string Print(const char* format, Values... values) {
  std::string text(64, '\0');
  const int size = std::snprintf(text.data(), text.size(), format, values...);
  text.resize(static_cast<std::size_t>(std::max(size, 0)));
  return text;
}

}  // namespace

Result<UnixNanos> ParseTimestamp(std::string_view text) {
  Cursor cursor(text);
  const auto year = cursor.Digits(4);
  const bool first_dash = year && cursor.Take('-');
  const auto month = first_dash ? cursor.Digits(2) : std::nullopt;
  const bool second_dash = month && cursor.Take('-');
  const auto day = second_dash ? cursor.Digits(2) : std::nullopt;
  if (!day) return Refused(text, kShape);
  const auto time = ReadTimeOfDay(cursor);
  if (!time) return Refused(text, kShape);
  cursor.Take('Z');
  if (!cursor.AtEnd()) return Refused(text, kShape);

  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day));
  if (!date.ok()) return Refused(text, "the calendar has no such day");
  if (time->hour > 23 || time->minute > 59 || time->second > 59) {
    return Refused(text, "the day has no such time");
  }
  const std::int64_t seconds =
      std::int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * 86'400 +
      std::int64_t{time->hour} * 3600 + std::int64_t{time->minute} * 60 + time->second;
  if (seconds < 0) return Refused(text, "before 1970-01-01, the first moment Timestream knows");
  constexpr UnixNanos kMax = std::numeric_limits<UnixNanos>::max();
  if (seconds > kMax / kNanosPerSecond ||
      (seconds == kMax / kNanosPerSecond && time->nanos > kMax % kNanosPerSecond)) {
    return Refused(text, "after 2262-04-11 23:47:16.854775807, the last moment 64 bits hold");
  }
  return seconds * kNanosPerSecond + time->nanos;
}

std::optional<std::chrono::system_clock::time_point> ParseAmzDate(std::string_view text) {
  Cursor cursor(text);
  const auto year = cursor.Digits(4);
  const auto month = cursor.Digits(2);
  const auto day = cursor.Digits(2);
  if (!year || !month || !day || !cursor.Take('T')) return std::nullopt;
  const auto time = ReadHourMinuteSecond(cursor, "");
  if (!time || !cursor.Take('Z') || !cursor.AtEnd()) return std::nullopt;
  return Moment(*year, *month, *day, *time);
}

std::optional<std::chrono::system_clock::time_point> ParseHttpDate(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                            "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  Cursor cursor(text);
  const auto weekday = cursor.OneOf(kDays);
  const auto day = weekday && cursor.Take(", ") ? cursor.Digits(2) : std::nullopt;
  const auto month = day && cursor.Take(' ') ? cursor.OneOf(kMonths) : std::nullopt;
  const auto year = month && cursor.Take(' ') ? cursor.Digits(4) : std::nullopt;
  if (!year || !cursor.Take(' ')) return std::nullopt;
  const auto time = ReadHourMinuteSecond(cursor, ":");
  if (!time || !cursor.Take(" GMT") || !cursor.AtEnd()) return std::nullopt;
  const auto moment = Moment(*year, *month + 1, *day, *time);
  if (!moment || WeekdayOf(*moment) != *weekday) return std::nullopt;
  return moment;
}

std::string FormatTimestamp(UnixNanos time) {
  const std::chrono::sys_time<std::chrono::nanoseconds> instant{std::chrono::nanoseconds(time)};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  const Fields f = FieldsOf(seconds);
  // Not as a difference of both: the second in which 64 bits begin began before them.
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  const std::int64_t nanos = (time % kPerSecond + kPerSecond) % kPerSecond;
  return Print("%04d-%02u-%02u %02ld:%02ld:%02ld.%09lld", f.year, f.month, f.day, f.hour, f.minute,
               f.second, static_cast<long long>(nanos));
}

std::string FormatAmzDate(std::chrono::system_clock::time_point time) {
  const Fields f = FieldsOf(std::chrono::floor<std::chrono::seconds>(time));
  return Print("%04d%02u%02uT%02ld%02ld%02ldZ", f.year, f.month, f.day, f.hour, f.minute, f.second);
}

std::string FormatIso8601(std::chrono::system_clock::time_point time) {
  const Fields f = FieldsOf(std::chrono::floor<std::chrono::seconds>(time));
  return Print("%04d-%02u-%02uT%02ld:%02ld:%02ldZ", f.year, f.month, f.day, f.hour, f.minute,
               f.second);
}

std::string FormatDuration(std::chrono::nanoseconds duration) {
  // Rounded to the last unit shown before the shape is chosen, so that 59.96 s is "1 min 00 s".
  const auto rounded = [&](std::int64_t unit) {
    return (std::max<std::int64_t>(duration.count(), 0) + unit / 2) / unit;
  };
  const std::int64_t millis = rounded(1'000'000);
  if (millis < 1000) return Print("%lld ms", static_cast<long long>(millis));
  const std::int64_t tenths = rounded(100'000'000);
  if (tenths < 600) {
    return Print("%lld.%lld s", static_cast<long long>(tenths / 10),
                 static_cast<long long>(tenths % 10));
  }
  const std::int64_t seconds = rounded(kNanosPerSecond);
  if (seconds < 3600) {
    return Print("%lld min %02lld s", static_cast<long long>(seconds / 60),
                 static_cast<long long>(seconds % 60));
  }
  const std::int64_t minutes = rounded(60 * kNanosPerSecond);
  return Print("%lld h %02lld min", static_cast<long long>(minutes / 60),
               static_cast<long long>(minutes % 60));
}

}  // namespace tsm
