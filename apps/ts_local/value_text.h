// Values as Timestream prints and reads them: timestamps `YYYY-MM-DD hh:mm:ss.nnnnnnnnn` in UTC,
// doubles as Java's Double.toString writes them (`0.132`, `1.0E10`), booleans `true` and `false`.
// Pure functions, no state. All times are nanoseconds since the Unix epoch; times before 1970 do
// not exist in Timestream:
// https://docs.aws.amazon.com/timestream/latest/developerguide/date-time-functions.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ts_local/table_store.h"

namespace ts_local {

void AppendTimestamp(std::int64_t ns, std::string* out);
void AppendDouble(double number, std::string* out);
void AppendBigint(std::int64_t number, std::string* out);

// `value` as text; null appends nothing.
void AppendValue(const Value& value, std::string* out);
std::string ValueText(const Value& value);

// Nanoseconds of `YYYY-MM-DD[ hh:mm[:ss[.f]]]`, one to nine digits of fraction; empty where the
// text is no such time, lies before 1970 or beyond the 64-bit range (year 2262).
std::optional<std::int64_t> ParseTimestamp(std::string_view text);
// Whole text, no blanks, in range.
std::optional<std::int64_t> ParseBigint(std::string_view text);
// Whole text as decimal or with exponent, also `NaN` and `Infinity`.
std::optional<double> ParseDouble(std::string_view text);

// "varchar", "double", ... as DESCRIBE prints them.
std::string_view TypeName(ScalarType type);
// "VARCHAR", "DOUBLE", ... as the Query API's ScalarType.
std::string_view ScalarTypeName(ScalarType type);

// A UTC moment taken apart.
struct CivilTime {
  int year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;    // 1 to 31
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t nanosecond = 0;
  int weekday = 4;      // 0 is Sunday
  int day_of_year = 1;  // 1 to 366
};
CivilTime ToCivil(std::int64_t ns);
// Days since the epoch of a date of the Gregorian calendar; the date must exist.
std::int64_t DaysFromCivil(int year, int month, int day);

inline constexpr std::int64_t kNsPerSecond = 1'000'000'000;
inline constexpr std::int64_t kNsPerDay = 86'400 * kNsPerSecond;

}  // namespace ts_local
