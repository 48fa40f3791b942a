// A run's report as one HTML file that needs nothing but itself: no network, no script to be read
// (sorting and searching are extras), light and dark, to be printed or mailed. Every text of the
// report is foreign text and is escaped. Pure.
#pragma once

#include <functional>
#include <string_view>

#include "tsm/run/run_report.h"

namespace tsm::run {

inline constexpr std::string_view kReportPageFileName = "report.html";

// Calls `out` with the page piece by piece, a unit at a time, so that thousands of units make no
// large string.
void WriteReportPage(const RunReport& report, const std::function<void(std::string_view)>& out);

}  // namespace tsm::run
