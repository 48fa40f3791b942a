// judge_report: a run's report, read from report.json on stdin, as the library writes it.
// tests/interop/test_report_page.py runs it.
//
// usage: judge_report page|json
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "tsm/core/time_text.h"
#include "tsm/run/report_page.h"
#include "tsm/run/run_report.h"

namespace tsm {
namespace {

using Json = nlohmann::json;

UnixNanos TimeOf(const Json& text) {
  const Result<UnixNanos> time = ParseTimestamp(text.get<std::string>());
  if (!time) throw std::invalid_argument(time.error().Text());
  return *time;
}

std::optional<UnixNanos> TimeOrNothing(const Json& text) {
  return text.is_null() ? std::nullopt : std::optional(TimeOf(text));
}

run::ReportUnit UnitOf(const Json& in) {
  run::ReportUnit unit{in.at("lane"), in.at("label"), in.at("range"), in.at("state"),
                       in.at("rows"), in.at("bytes"), in.at("files"), {}};
  for (const Json& attempt : in.at("attempts")) {
    unit.attempts.push_back({TimeOf(attempt.at("begin")), TimeOrNothing(attempt.at("end")),
                             attempt.at("outcome"), attempt.at("note")});
  }
  return unit;
}

run::RunReport ReportOf(const Json& in) {
  run::RunReport report;
  report.tool = in.at("tool");
  report.tool_version = in.at("tool_version");
  report.run_id = in.at("run_id");
  report.title = in.at("title");
  report.state = in.at("state");
  report.started = TimeOf(in.at("started"));
  report.finished = TimeOrNothing(in.at("finished"));
  report.written = TimeOf(in.at("written"));
  report.unit_name = in.at("unit_name");
  for (const Json& fact : in.at("facts"))
    report.facts.emplace_back(fact.at("name"), fact.at("value"));
  for (const Json& unit : in.at("units")) report.units.push_back(UnitOf(unit));
  for (const Json& trouble : in.at("troubles")) report.troubles.push_back(trouble);
  report.next_command = in.at("next_command");
  return report;
}

int Run(const std::string& what) {
  try {
    const run::RunReport report = ReportOf(Json::parse(std::cin));
    if (what == "json") {
      std::cout << run::ToJson(report);
    } else {
      run::WriteReportPage(report, [](std::string_view piece) { std::cout << piece; });
    }
  } catch (const std::exception& error) {
    std::cerr << "judge_report: " << error.what() << '\n';
    return 2;
  }
  return std::cout.flush() ? 0 : 1;
}

}  // namespace
}  // namespace tsm

int main(int argc, char** argv) {
  const std::string what = argc == 2 ? argv[1] : "";
  if (what == "page" || what == "json") return tsm::Run(what);
  std::cerr << "usage: judge_report page|json\n";
  return 2;
}
