// All that a program writes: notices and the progress line to stderr (one line that is redrawn on a
// terminal, a plain line now and then elsewhere, so that a shell that closes idle sessions sees
// life), results to stdout. The only user of spdlog. Thread-safe.
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

// Where a console writes; the defaults are a program's own.
struct ConsoleOptions {
  std::FILE* out = stdout;
  std::FILE* err = stderr;
  bool redraw = false;                   // the progress line is redrawn in place: err is a terminal
  std::chrono::seconds plain_every{30};  // elsewhere: at most one progress line in this time
  const Clock* clock = nullptr;          // the machine's where null; must outlive the console
};

class Console final : public ProgressSink {
 public:
  // On stdout and stderr. A talkative one shows plain progress lines every 5 s, not every 30.
  explicit Console(bool talkative);
  explicit Console(const ConsoleOptions& options);
  ~Console() override;

  void OnNotice(const Notice& notice) override;
  void OnProgress(const Progress& progress) override;

  // The error's text as a line of level error and, where there is advice, "hint: …" below it.
  void Fail(const Error& error);
  // Results, to stdout: kept until Finish.
  void Print(const std::string& line);
  // Ends the progress line, writes the results, flushes and closes stdout; called once, last. A
  // stdout that does not take them (full disk, closed pipe) is said in a line and turns success
  // into kEnvironment; a failure keeps its own code.
  ExitCode Finish(ExitCode code);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tsm::apps
