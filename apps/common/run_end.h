// How a process of either program left its run, as --json tells it in its last line, `run_ended`.
// Pure.
#pragma once

#include <string>

#include "common/console.h"
#include "common/exit_code.h"
#include "tsm/core/error.h"
#include "tsm/core/progress.h"

namespace tsm::apps {

struct RunEnd {
  ExitCode code = ExitCode::kDone;
  std::string report;  // the page's path; "" where there is none
  std::string next;    // the command for what comes next, or ""
  std::string resume;  // the command that goes on with the run, or "" where nothing is open
};

// `run_ended` without the places of `end`, to be filled with the program's own fields.
Event RunEnded(const std::string& outcome, const RunEnd& end);
void AddPlaces(const RunEnd& end, Event& event);
// `run_ended` of a process that an error ended.
Event FailureEvent(const Error& error, const RunEnd& end);

// An event with --json, in order, where there is no run yet.
class LooseEvents {
 public:
  explicit LooseEvents(Console& console) : console_(console) {}
  void Tell(const Event& event);

 private:
  Console& console_;
  std::uint64_t sequence_ = 0;
};

// Tells an error that came before there was a run.
ExitCode FailBeforeRun(Console& console, const Error& error);

// The last line is the command and nothing else: it can be copied, or run by a script.
void PrintResume(Console& console, const std::string& resume);

}  // namespace tsm::apps
