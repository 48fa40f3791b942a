// A run that this process holds: its plan, its journal (and so its lock), with --state s3 its
// memory in S3. Begun anew, or opened again to be gone on with.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>

#include "common/console.h"
#include "common/s3_state.h"
#include "common/session.h"
#include "ts_batchload/options.h"
#include "ts_batchload/stored_load.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/core/journal.h"
#include "tsm/core/result.h"

namespace tsm::apps {

struct OpenRun {
  std::unique_ptr<StoredLoad> stored;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<S3State> s3_state;  // null without --state s3
};

// Writes plan and journal: from here on the run exists. The spools lie in the directory already.
Result<OpenRun> BeginRun(batchload::LoadPlan plan, const std::filesystem::path& directory,
                         Session& session, std::stop_token stop);

struct ReopenedRun {
  std::unique_ptr<Session> session;  // outlives `run`
  OpenRun run;
};

// The run that the flags name, its journal replayed; with --state s3 from S3, whatever this machine
// knew of it. kInTheWay where another process has it; kInvalidInput: of another region.
Result<ReopenedRun> ReopenRun(const BatchLoadFlags& flags, Console& console, std::stop_token stop);

// Sets the run's lock in S3 free. `untouched`: nothing came of the run, so its memory there is
// litter.
void EndRun(OpenRun& run, bool untouched);

}  // namespace tsm::apps
