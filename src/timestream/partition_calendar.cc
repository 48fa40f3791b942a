#include "tsm/timestream/partition_calendar.h"

#include <chrono>

#include "tsm/core/time_text.h"

namespace tsm::timestream {

namespace {

using std::chrono::floor;
using std::chrono::nanoseconds;
using std::chrono::sys_days;
using std::chrono::sys_time;
using std::chrono::year_month_day;

constexpr std::int64_t kNanosPerHour = 3'600'000'000'000;
constexpr std::int64_t kHoursPerDay = 24;

// Of the instant "…", how much names the partition.
constexpr std::size_t kDayText = 10;
constexpr std::size_t kMonthText = 7;
constexpr std::size_t kYearText = 4;

std::int64_t FloorDivide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

UnixNanos FromHours(std::int64_t hours) {
  if (hours > kLastMoment / kNanosPerHour) return kLastMoment;
  if (hours < kFirstMoment / kNanosPerHour) return kFirstMoment;
  return hours * kNanosPerHour;
}

// The first moment of a month; months are counted from January 1970. Years far outside of what
// FromHours holds are cut first, for the calendar's own type ends at 32,767.
UnixNanos FromMonths(std::int64_t months) {
  constexpr std::int64_t kFar = 12 * 1000;
  if (months > kFar) return kLastMoment;
  if (months < -kFar) return kFirstMoment;
  const std::int64_t years = FloorDivide(months, 12);
  const year_month_day first(std::chrono::year(static_cast<int>(1970 + years)),
                             std::chrono::month(static_cast<unsigned>(months - years * 12 + 1)),
                             std::chrono::day(1));
  return FromHours(std::int64_t{sys_days(first).time_since_epoch().count()} * kHoursPerDay);
}

year_month_day DateOf(UnixNanos time) {
  return {floor<std::chrono::days>(sys_time<nanoseconds>(nanoseconds(time)))};
}

}  // namespace

std::int64_t PartitionNumber(PartitionUnit unit, UnixNanos time) {
  switch (unit) {
    case PartitionUnit::kNone:
      return 0;
    case PartitionUnit::kHour:
      return FloorDivide(time, kNanosPerHour);
    case PartitionUnit::kDay:
      return FloorDivide(time, kNanosPerHour * kHoursPerDay);
    case PartitionUnit::kMonth: {
      const year_month_day date = DateOf(time);
      return (std::int64_t{static_cast<int>(date.year())} - 1970) * 12 +
             static_cast<unsigned>(date.month()) - 1;
    }
    case PartitionUnit::kYear:
      return static_cast<int>(DateOf(time).year()) - 1970;
  }
  return 0;
}

UnixNanos PartitionBegin(PartitionUnit unit, std::int64_t number) {
  // Beyond any hour of 64 bits; keeps the products below from overflowing.
  constexpr std::int64_t kFar = kLastMoment / kNanosPerHour + 1;
  if (number > kFar) return kLastMoment;
  if (number < -kFar) return kFirstMoment;
  switch (unit) {
    case PartitionUnit::kNone:
      return number > 0 ? kLastMoment : kFirstMoment;
    case PartitionUnit::kHour:
      return FromHours(number);
    case PartitionUnit::kDay:
      return FromHours(number * kHoursPerDay);
    case PartitionUnit::kMonth:
      return FromMonths(number);
    case PartitionUnit::kYear:
      return FromMonths(number * 12);
  }
  return kLastMoment;
}

UnixNanos PartitionStart(PartitionUnit unit, UnixNanos time) {
  return PartitionBegin(unit, PartitionNumber(unit, time));
}

UnixNanos NextPartition(PartitionUnit unit, UnixNanos time) {
  return PartitionBegin(unit, PartitionNumber(unit, time) + 1);
}

std::uint64_t CountPartitions(PartitionUnit unit, UnixNanos from, UnixNanos end) {
  if (from >= end) return 0;
  return static_cast<std::uint64_t>(PartitionNumber(unit, end - 1) - PartitionNumber(unit, from)) +
         1;
}

std::string_view PartitionDateFormat(PartitionUnit unit) {
  switch (unit) {
    case PartitionUnit::kNone:
      return "";
    case PartitionUnit::kHour:
      return "%Y-%m-%d-%H";
    case PartitionUnit::kDay:
      return "%Y-%m-%d";
    case PartitionUnit::kMonth:
      return "%Y-%m";
    case PartitionUnit::kYear:
      return "%Y";
  }
  return "";
}

std::string PartitionText(PartitionUnit unit, UnixNanos time) {
  const std::string text = FormatTimestamp(time);  // "2024-02-26 17:24:38.270000000"
  switch (unit) {
    case PartitionUnit::kNone:
      return "";
    case PartitionUnit::kHour:
      return text.substr(0, kDayText) + "-" + text.substr(kDayText + 1, 2);
    case PartitionUnit::kDay:
      return text.substr(0, kDayText);
    case PartitionUnit::kMonth:
      return text.substr(0, kMonthText);
    case PartitionUnit::kYear:
      return text.substr(0, kYearText);
  }
  return "";
}

std::optional<UnixNanos> ParsePartitionText(PartitionUnit unit, std::string_view text) {
  std::string moment(text);
  switch (unit) {
    case PartitionUnit::kNone:
      return std::nullopt;
    case PartitionUnit::kHour:
      if (moment.size() != kDayText + 3) return std::nullopt;
      moment[kDayText] = moment[kDayText] == '-' ? ' ' : '?';
      moment += ":00";
      break;
    case PartitionUnit::kDay:
      if (moment.size() != kDayText) return std::nullopt;
      break;
    case PartitionUnit::kMonth:
      if (moment.size() != kMonthText) return std::nullopt;
      moment += "-01";
      break;
    case PartitionUnit::kYear:
      if (moment.size() != kYearText) return std::nullopt;
      moment += "-01-01";
      break;
  }
  const Result<UnixNanos> time = ParseTimestamp(moment);
  if (!time) return std::nullopt;
  return *time;
}

}  // namespace tsm::timestream
