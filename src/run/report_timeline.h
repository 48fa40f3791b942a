// When each attempt of a run ran, as it is drawn: per lane as few rows as what ran at once, so that
// a thousand units make a picture as high as three. Positions are shares of the whole span. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tsm/run/run_report.h"

namespace tsm::run {

struct TimelineBar {
  std::size_t unit = 0;     // index into RunReport::units
  std::size_t attempt = 0;  // index into its attempts
  double left = 0;          // 0 to 1
  double width = 0;
};

struct TimelineLane {
  std::string name;
  std::vector<std::vector<TimelineBar>> tracks;  // bars of a track do not overlap
};

struct TimelineTick {
  double left = 0;
  std::string text;  // "17:30", with the day where the span has more than one
};

struct Timeline {
  std::vector<TimelineLane> lanes;  // in the order of the units; those with an attempt
  std::vector<TimelineTick> ticks;
};

Timeline TimelineOf(const RunReport& report);

// "2024-02-26 17:24:38".
std::string SecondsText(UnixNanos time);
// Until when an attempt without an end has run, as far as the report knows.
UnixNanos EndOf(const RunReport& report);

}  // namespace tsm::run
