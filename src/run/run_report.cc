#include "tsm/run/run_report.h"

#include <nlohmann/json.hpp>

#include "iso_time.h"

namespace tsm::run {

namespace {

using nlohmann::ordered_json;

ordered_json TimeOrNull(const std::optional<UnixNanos>& time) {
  return time ? ordered_json(IsoMilliseconds(*time)) : ordered_json(nullptr);
}

ordered_json JsonOf(const ReportAttempt& attempt) {
  return {{"begin", IsoMilliseconds(attempt.begin)},
          {"end", TimeOrNull(attempt.end)},
          {"outcome", attempt.outcome},
          {"note", attempt.note}};
}

ordered_json JsonOf(const ReportUnit& unit) {
  ordered_json attempts = ordered_json::array();
  for (const ReportAttempt& attempt : unit.attempts) attempts.push_back(JsonOf(attempt));
  return {{"lane", unit.lane},   {"label", unit.label}, {"range", unit.range},
          {"state", unit.state}, {"rows", unit.rows},   {"bytes", unit.bytes},
          {"files", unit.files}, {"attempts", attempts}};
}

ordered_json JsonOf(const RunReport& report) {
  ordered_json facts = ordered_json::array();
  for (const auto& [name, value] : report.facts) {
    facts.push_back({{"name", name}, {"value", value}});
  }
  ordered_json units = ordered_json::array();
  for (const ReportUnit& unit : report.units) units.push_back(JsonOf(unit));
  return {{"schema_version", kRunReportVersion},
          {"tool", report.tool},
          {"tool_version", report.tool_version},
          {"run_id", report.run_id},
          {"title", report.title},
          {"state", report.state},
          {"started", IsoMilliseconds(report.started)},
          {"finished", TimeOrNull(report.finished)},
          {"written", IsoMilliseconds(report.written)},
          {"unit_name", report.unit_name},
          {"facts", facts},
          {"units", units},
          {"troubles", report.troubles},
          {"next_command", report.next_command}};
}

}  // namespace

std::string ToJson(const RunReport& report) {
  return JsonOf(report).dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string ToJsonLine(const RunReport& report) {
  return JsonOf(report).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace tsm::run
