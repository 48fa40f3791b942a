// ts-batchload: files in S3 -> tables, proven, resumable. See --help and the README.
#include <malloc.h>

#include <cstdio>
#include <exception>

#include "common/console.h"
#include "common/signals.h"
#include "ts_batchload/options.h"
#include "ts_batchload/run_command.h"
#include "ts_batchload/status_command.h"

namespace tsm::apps {

namespace {

using Command = BatchLoadFlags::Command;

ExitCode Run(const BatchLoadFlags& flags, Console& console, const Interrupts& interrupts) {
  switch (flags.command) {
    case Command::kRun:
    case Command::kCheck:
      return RunNew(flags, console, interrupts);
    case Command::kResume:
      return ResumeRun(flags, console, interrupts);
    case Command::kVerify:
      return VerifyRun(flags, console, interrupts);
    case Command::kStatus:
      return ShowStatus(flags, console);
    case Command::kList:
      return ListRuns(flags, console);
  }
  return ExitCode::kUsage;
}

ExitCode Main(int argc, const char* const* argv) {
  BatchLoadFlags flags;
  if (const auto code = ParseBatchLoadFlags(argc, argv, flags)) return *code;
  const Interrupts interrupts = WatchSignals();
  // The other two print one document, at their end.
  const bool streams =
      flags.json && flags.command != Command::kStatus && flags.command != Command::kList;
  Console console(flags.session.tells_requests(), streams ? Output::kJson : Output::kText);
  return console.Finish(Run(flags, console, interrupts));
}

}  // namespace

}  // namespace tsm::apps

int main(int argc, char** argv) {
  // One heap for all threads: with one each, memory that a thread gave back lies idle in its own.
  mallopt(M_ARENA_MAX, 1);
  try {
    return static_cast<int>(tsm::apps::Main(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ts-batchload: error: unexpected: %s\n", error.what());
  } catch (...) {
    std::fputs("ts-batchload: error: unexpected, of unknown kind\n", stderr);
  }
  return static_cast<int>(tsm::apps::ExitCode::kService);
}
