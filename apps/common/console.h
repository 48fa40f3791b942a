// All that a program writes: notices and the progress line to stderr (one line that is redrawn on a
// terminal, a plain line now and then elsewhere, so that a shell that closes idle sessions sees
// life), results to stdout: sentences at the end, or lines of JSON as things happen. The only user
// of spdlog. Thread-safe.
#pragma once

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "common/exit_code.h"
#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/result.h"

namespace tsm::apps {

// What stdout is for: a person who reads the results, or a program that reads events (--json).
enum class Output { kText, kJson };

// Where a console writes; the defaults are a program's own.
struct ConsoleOptions {
  std::FILE* out = stdout;
  std::FILE* err = stderr;
  Output output = Output::kText;
  bool redraw = false;                   // the progress line is redrawn in place: err is a terminal
  std::chrono::seconds plain_every{30};  // elsewhere: at most one progress line in this time
  const Clock* clock = nullptr;          // the machine's where null; must outlive the console
};

class Console final : public ProgressSink {
 public:
  // On stdout and stderr. A talkative one shows plain progress lines every 5 s, not every 30.
  explicit Console(bool talkative, Output output = Output::kText);
  explicit Console(const ConsoleOptions& options);
  ~Console() override;

  void OnNotice(const Notice& notice) override;
  void OnProgress(const Progress& progress) override;

  // The error's text as a line of level error and, where there is advice, "hint: …" below it.
  void Fail(const Error& error);
  // Results, to stdout: kept until Finish. With kJson they go to stderr, for stdout has only
  // events.
  void Print(const std::string& line);
  // With kJson: a line of events.jsonl, to stdout at once and flushed (run::EventLog's echo). With
  // kText: nothing. A stdout that does not take it is said once, here; the run goes on.
  void PrintNow(const std::string& line);
  // Ends the progress line, writes the results, flushes and closes stdout; called once, last. A
  // stdout that does not take them, or did not take an event (full disk, closed pipe), is said in a
  // line and turns success into kEnvironment; a failure keeps its own code.
  ExitCode Finish(ExitCode code);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tsm::apps
