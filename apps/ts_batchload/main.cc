// ts-batchload: loads what ts-unload wrote to S3 into a Timestream table. Flags, session, pipeline,
// summary, exit code.
#include <exception>
#include <memory>

#include "common/console.h"
#include "common/session.h"
#include "common/signals.h"
#include "ts_batchload/options.h"
#include "ts_batchload/pipeline.h"
#include "ts_batchload/settings.h"

namespace tsm::apps {
namespace {

Result<BatchLoadOutcome> Load(const BatchLoadFlags& flags, Console& console, std::stop_token stop) {
  Result<BatchLoadSettings> settings = CheckFlags(flags);
  if (!settings) return settings.error();
  Result<std::unique_ptr<Session>> opened = Session::Open(flags.session, "ts-batchload", console);
  if (!opened) return opened.error();
  Session& session = **opened;
  if (Status status = CheckRegion(*settings, session.region()); !status) return status.error();
  std::string account;
  if (NeedsAccount(*settings)) {
    Result<sts::CallerIdentity> identity = session.sts().GetCallerIdentity(stop);
    if (!identity) return identity.error().With("naming the default buckets");
    account = identity->account;
  }
  if (Status status = NameBuckets(*settings, account, session.region()); !status) {
    return status.error();
  }
  Result<timestream::WriteClient*> write = session.write();
  if (!write) return write.error();
  const BatchLoadServices services{session.s3(),    session.source_s3(), **write, session.sns(),
                                   session.clock(), session.random(),    console, session.region()};
  return RunPipeline(*settings, services, stop);
}

ExitCode Run(const BatchLoadFlags& flags, std::stop_token stop) {
  Console console(flags.session.tells_requests());
  ExitCode code = ExitCode::kService;
  try {
    Result<BatchLoadOutcome> outcome = Load(flags, console, stop);
    if (outcome) {
      if (outcome->fatal) console.Fail(*outcome->fatal);
      for (const std::string& line : SummaryLines(*outcome)) console.Print(line);
      code = CodeOf(*outcome);
    } else {
      console.Fail(outcome.error());
      code = ExitCodeOf(outcome.error());
    }
  } catch (const std::exception& failure) {
    console.Fail(MakeError(ErrorKind::kService, std::string("unexpected: ") + failure.what()));
  }
  return console.Finish(code);
}

}  // namespace
}  // namespace tsm::apps

int main(int argc, char** argv) {
  tsm::apps::BatchLoadFlags flags;
  if (const auto code = tsm::apps::ParseBatchLoadFlags(argc, argv, flags)) {
    return static_cast<int>(*code);
  }
  return static_cast<int>(tsm::apps::Run(flags, tsm::apps::StopOnSignals()));
}
