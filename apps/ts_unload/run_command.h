// `ts-unload …` and `ts-unload resume RUN`: from the flags to the exit code.
#pragma once

#include "common/console.h"
#include "common/exit_code.h"
#include "common/signals.h"
#include "ts_unload/options.h"

namespace tsm::apps {

// Both print to the console and leave Finish to the caller.
ExitCode RunNew(const UnloadFlags& flags, Console& console, const Interrupts& interrupts);
ExitCode ResumeRun(const UnloadFlags& flags, Console& console, const Interrupts& interrupts);

}  // namespace tsm::apps
