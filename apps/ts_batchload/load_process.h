// One process's part in a run: the journal is open, the clients are there; copies and loads side by
// side, proves, writes the report, tells the end. Shared by a new run and a resumed one.
#pragma once

#include "common/console.h"
#include "common/exit_code.h"
#include "common/s3_state.h"
#include "common/session.h"
#include "common/signals.h"
#include "ts_batchload/options.h"
#include "ts_batchload/settings.h"
#include "ts_batchload/stored_load.h"
#include "tsm/core/journal.h"

namespace tsm::apps {

struct LoadProcess {
  const BatchLoadFlags& flags;
  Console& console;
  const Interrupts& interrupts;
  Session& session;
  StoredLoad& stored;  // what is known when it begins; its state is moved from
  Journal& journal;
  const LoadPace& pace;
  S3State* s3_state = nullptr;  // null without --state s3
  // Set to true where nothing was begun and the run has ended in an error: nothing of it is to be
  // kept. Null where it is a resume.
  bool* untouched = nullptr;
};

ExitCode RunProcess(const LoadProcess& process);

// `verify RUN`: the proof alone.
ExitCode VerifyProcess(const LoadProcess& process, batchload::Verify verify);

}  // namespace tsm::apps
