// ts-unload: tables -> files in S3, proven, resumable. See --help and the README.
#include <malloc.h>

#include <cstdio>
#include <exception>

#include "common/console.h"
#include "common/signals.h"
#include "ts_unload/options.h"
#include "ts_unload/run_command.h"
#include "ts_unload/status_command.h"

namespace tsm::apps {

namespace {

ExitCode Run(const UnloadFlags& flags, Console& console, const Interrupts& interrupts) {
  switch (flags.command) {
    case UnloadFlags::Command::kRun:
      return RunNew(flags, console, interrupts);
    case UnloadFlags::Command::kResume:
      return ResumeRun(flags, console, interrupts);
    case UnloadFlags::Command::kStatus:
      return ShowStatus(flags, console);
    case UnloadFlags::Command::kList:
      return ListRuns(flags, console);
  }
  return ExitCode::kUsage;
}

ExitCode Main(int argc, const char* const* argv) {
  UnloadFlags flags;
  if (const auto code = ParseUnloadFlags(argc, argv, flags)) return *code;
  const Interrupts interrupts = WatchSignals();
  // The other two print one document, at their end.
  const bool streams = flags.json && (flags.command == UnloadFlags::Command::kRun ||
                                      flags.command == UnloadFlags::Command::kResume);
  Console console(flags.session.tells_requests(), streams ? Output::kJson : Output::kText);
  return console.Finish(Run(flags, console, interrupts));
}

}  // namespace

}  // namespace tsm::apps

int main(int argc, char** argv) {
  // One heap for all threads: with one each, memory that a thread gave back lies idle in its own
  // (38 MB instead of 28 for a million files by eight UNLOADs). Nothing here waits for the heap.
  mallopt(M_ARENA_MAX, 1);
  try {
    return static_cast<int>(tsm::apps::Main(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ts-unload: error: unexpected: %s\n", error.what());
  } catch (...) {
    std::fputs("ts-unload: error: unexpected, of unknown kind\n", stderr);
  }
  return static_cast<int>(tsm::apps::ExitCode::kService);
}
