// One process's part in a run: the journal is open, the clients are there; runs it, writes the
// report, tells the end. Shared by a new run and a resumed one.
#pragma once

#include <memory>

#include "common/console.h"
#include "common/exit_code.h"
#include "common/s3_state.h"
#include "common/session.h"
#include "common/signals.h"
#include "ts_unload/options.h"
#include "ts_unload/stored_unload.h"
#include "tsm/unload/unload_run.h"

namespace tsm::apps {

struct UnloadProcess {
  const UnloadFlags& flags;
  Console& console;
  const Interrupts& interrupts;
  Session& session;
  timestream::QueryClient& query;
  StoredUnload& stored;  // what is known when it begins; its state is moved from
  Journal& journal;
  std::unique_ptr<S3State> s3_state;  // null without --state s3
  unload::RunSettings settings;
  // Set to true where no UNLOAD was ever announced and the run has ended in an error: nothing of it
  // is to be kept. Null where it is a resume: what others know of stays.
  bool* untouched = nullptr;
};

// What a run is given to work with; `sink` is told.
unload::UnloadServices ServicesOf(Session& session, timestream::QueryClient& query,
                                  ProgressSink& sink);

ExitCode RunProcess(UnloadProcess process);

}  // namespace tsm::apps
