// ts-unload: table -> CSV files in S3, proven. See --help and the README.
#include <cstdio>
#include <exception>

#include "common/console.h"
#include "common/session.h"
#include "common/signals.h"
#include "ts_unload/options.h"
#include "ts_unload/summary.h"
#include "tsm/core/version.h"
#include "tsm/unload/unload_run.h"

namespace tsm::apps {

namespace {

ExitCode Fail(Console& console, const Error& error) {
  console.Fail(error);
  return console.Finish(ExitCodeOf(error));
}

ExitCode Main(int argc, const char* const* argv) {
  UnloadFlags flags;
  if (const auto code = ParseUnloadFlags(argc, argv, flags)) return *code;
  const std::stop_token stop = StopOnSignals();
  Console console(flags.session.tells_requests());

  Result<unload::UnloadOptions> options = unload::UnloadOptions::Check(flags.input);
  if (!options) return Fail(console, options.error());
  auto session = Session::Open(flags.session, "ts-unload", console);
  if (!session) return Fail(console, session.error());
  Result<timestream::QueryClient*> query = (*session)->query();
  if (!query) return Fail(console, query.error());

  const unload::UnloadServices services{
      (*session)->s3(),     **query, (*session)->sts(),    (*session)->clock(),
      (*session)->random(), console, (*session)->region(), std::string(Version())};
  Result<unload::UnloadSummary> summary = unload::RunUnload(*options, services, stop);
  if (!summary) return Fail(console, summary.error());
  for (const std::string& line : SummaryLines(*summary)) console.Print(line);
  return console.Finish(ExitCode::kDone);
}

}  // namespace

}  // namespace tsm::apps

int main(int argc, char** argv) {
  try {
    return static_cast<int>(tsm::apps::Main(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ts-unload: error: unexpected: %s\n", error.what());
  } catch (...) {
    std::fputs("ts-unload: error: unexpected, of unknown kind\n", stderr);
  }
  return static_cast<int>(tsm::apps::ExitCode::kService);
}
