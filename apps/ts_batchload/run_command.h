// `ts-batchload …`, `check`, `resume RUN` and `verify RUN`: from the flags to the exit code.
#pragma once

#include "common/console.h"
#include "common/exit_code.h"
#include "common/signals.h"
#include "ts_batchload/options.h"

namespace tsm::apps {

// All print to the console and leave Finish to the caller. RunNew also for `check` and --dry_run,
// which end with the plan.
ExitCode RunNew(const BatchLoadFlags& flags, Console& console, const Interrupts& interrupts);
ExitCode ResumeRun(const BatchLoadFlags& flags, Console& console, const Interrupts& interrupts);
ExitCode VerifyRun(const BatchLoadFlags& flags, Console& console, const Interrupts& interrupts);

}  // namespace tsm::apps
