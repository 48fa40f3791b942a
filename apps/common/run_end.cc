#include "common/run_end.h"

#include "tsm/run/event_log.h"

namespace tsm::apps {

Event RunEnded(const std::string& outcome, const RunEnd& end) {
  Event event;
  event.kind = "run_ended";
  event.fields = {{"outcome", outcome}, {"exit_code", static_cast<std::uint64_t>(end.code)}};
  return event;
}

void AddPlaces(const RunEnd& end, Event& event) {
  if (!end.report.empty()) event.fields.emplace_back("report", end.report);
  if (!end.next.empty()) event.fields.emplace_back("next_command", end.next);
  if (!end.resume.empty()) event.fields.emplace_back("resume_command", end.resume);
}

Event FailureEvent(const Error& error, const RunEnd& end) {
  Event event = RunEnded(error.kind == ErrorKind::kCancelled ? "interrupted" : "failed", end);
  event.fields.emplace_back("error", error.Text());
  AddPlaces(end, event);
  return event;
}

void LooseEvents::Tell(const Event& event) {
  console_.PrintNow(run::ToJsonLine(event, "", ++sequence_, SystemClock().Now()));
}

ExitCode FailBeforeRun(Console& console, const Error& error) {
  console.Fail(error);
  RunEnd end;
  end.code = ExitCodeOf(error);
  LooseEvents(console).Tell(FailureEvent(error, end));
  return end.code;
}

void PrintResume(Console& console, const std::string& resume) {
  console.Print("resume    with this command:");
  console.Print(resume);
}

}  // namespace tsm::apps
