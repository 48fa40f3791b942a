#include "ts_local/sql_date_format.h"

#include <array>

#include "ts_local/sql_eval.h"
#include "ts_local/sql_lexer.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};

void AppendNumber(std::int64_t number, std::size_t width, std::string* out) {
  std::string digits = std::to_string(number);
  if (digits.size() < width) out->append(width - digits.size(), '0');
  out->append(digits);
}

int Hour12(const CivilTime& time) { return time.hour % 12 == 0 ? 12 : time.hour % 12; }

// Week of the ISO year, 1 to 53, Monday first.
int IsoWeek(const CivilTime& time) {
  const int monday_based = (time.weekday + 6) % 7;
  // The year that a week belongs to is that of its Thursday.
  const std::int64_t thursday = DaysFromCivil(time.year, time.month, time.day) - monday_based + 3;
  return (ToCivil(thursday * kNsPerDay).day_of_year - 1) / 7 + 1;
}

void AppendSpecifier(char specifier, const CivilTime& time, std::string* out);

void AppendClock(const CivilTime& time, bool twelve, std::string* out) {
  AppendSpecifier(twelve ? 'h' : 'H', time, out);
  out->push_back(':');
  AppendNumber(time.minute, 2, out);
  out->push_back(':');
  AppendNumber(time.second, 2, out);
  if (twelve) out->append(time.hour < 12 ? " AM" : " PM");
}

void AppendSpecifier(char specifier, const CivilTime& time, std::string* out) {
  switch (specifier) {
    case 'a':
      return void(out->append(kWeekdays[static_cast<std::size_t>(time.weekday)].substr(0, 3)));
    case 'W':
      return void(out->append(kWeekdays[static_cast<std::size_t>(time.weekday)]));
    case 'b':
      return void(out->append(kMonths[static_cast<std::size_t>(time.month - 1)].substr(0, 3)));
    case 'M':
      return void(out->append(kMonths[static_cast<std::size_t>(time.month - 1)]));
    case 'c':
      return AppendNumber(time.month, 1, out);
    case 'm':
      return AppendNumber(time.month, 2, out);
    case 'd':
      return AppendNumber(time.day, 2, out);
    case 'e':
      return AppendNumber(time.day, 1, out);
    case 'f':
      return AppendNumber(time.nanosecond / 1'000, 6, out);
    case 'H':
      return AppendNumber(time.hour, 2, out);
    case 'h':
    case 'I':
      return AppendNumber(Hour12(time), 2, out);
    case 'i':
      return AppendNumber(time.minute, 2, out);
    case 'j':
      return AppendNumber(time.day_of_year, 3, out);
    case 'k':
      return AppendNumber(time.hour, 1, out);
    case 'l':
      return AppendNumber(Hour12(time), 1, out);
    case 'p':
      return void(out->append(time.hour < 12 ? "AM" : "PM"));
    case 'r':
      return AppendClock(time, true, out);
    case 'T':
      return AppendClock(time, false, out);
    case 'S':
    case 's':
      return AppendNumber(time.second, 2, out);
    case 'v':
      return AppendNumber(IsoWeek(time), 2, out);
    case 'Y':
      return AppendNumber(time.year, 4, out);
    case 'y':
      return AppendNumber(time.year % 100, 2, out);
    case '%':
      return out->push_back('%');
    default:
      throw ExecutionError(std::string("date_format: %") + specifier + " is not supported");
  }
}

}  // namespace

void AppendDateFormat(std::int64_t ns, std::string_view format, std::string* out) {
  const CivilTime time = ToCivil(ns);
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '%' && i + 1 < format.size()) {
      AppendSpecifier(format[++i], time, out);
    } else {
      out->push_back(format[i]);
    }
  }
}

std::int64_t TruncateTime(std::string_view unit, std::int64_t ns) {
  const std::string name = AsciiLower(unit);
  if (name == "second") return ns - ns % kNsPerSecond;
  if (name == "minute") return ns - ns % (60 * kNsPerSecond);
  if (name == "hour") return ns - ns % (3'600 * kNsPerSecond);
  if (name == "day") return ns - ns % kNsPerDay;
  const CivilTime time = ToCivil(ns);
  if (name == "month") return DaysFromCivil(time.year, time.month, 1) * kNsPerDay;
  if (name == "quarter") {
    return DaysFromCivil(time.year, (time.month - 1) / 3 * 3 + 1, 1) * kNsPerDay;
  }
  if (name == "year") return DaysFromCivil(time.year, 1, 1) * kNsPerDay;
  if (name != "week") throw ExecutionError("'" + name + "' is not a valid Timestamp field");
  const std::int64_t monday = ns / kNsPerDay - (time.weekday + 6) % 7;
  if (monday < 0) throw ExecutionError("Timestamps before 1970-01-01 are not supported");
  return monday * kNsPerDay;
}

}  // namespace ts_local
