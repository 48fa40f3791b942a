// What a run did, for whoever asks afterwards: plain data that the program fills when a run ends or
// pauses, as JSON for machines (`report.json`); report_page.h makes the page for people of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tsm/core/clock.h"

namespace tsm::run {

inline constexpr int kRunReportVersion = 1;
inline constexpr std::string_view kReportFileName = "report.json";

// One try at a unit.
struct ReportAttempt {
  UnixNanos begin = 0;
  std::optional<UnixNanos> end;  // nothing while it runs
  std::string outcome;           // "done", "failed", "replaced", "cancelled", "running"
  std::string note;              // why it ended so, QueryId; one line or ""
};

// What a run does one of after the other: a slice of a table, a load task.
struct ReportUnit {
  std::string lane;   // the table
  std::string label;  // the slice's id: unique in its lane
  std::string range;  // "2024-02-26 00:00 - 2024-02-27 00:00"
  std::string state;  // an attempt's outcome, or "pending" where there is none
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  std::vector<ReportAttempt> attempts;  // in the order in which they began
};

struct RunReport {
  std::string tool;  // "ts-unload"
  std::string tool_version;
  std::string run_id;
  std::string title;  // "sourcedb.myTable to s3://…"
  std::string state;  // "done", "failed", "interrupted", "running"
  UnixNanos started = 0;
  std::optional<UnixNanos> finished;
  UnixNanos written = 0;  // when the report was made: how far a running attempt has come
  std::string unit_name;  // what a unit is called, in the singular: "slice", "group"
  std::vector<std::pair<std::string, std::string>> facts;  // "Account", "123456789012"; in order
  std::vector<ReportUnit> units;
  std::vector<std::string> troubles;  // each a sentence that a person has to act on
  std::string next_command;           // a shell line, or "" where nothing is to be done
};

// Versioned, documented in README "Report". Times are UTC: "2024-02-26T17:24:38.270Z", null where
// there is none. Bytes that are not UTF-8 become U+FFFD.
std::string ToJson(const RunReport& report);
// The same in one line, without a newline.
std::string ToJsonLine(const RunReport& report);

}  // namespace tsm::run
