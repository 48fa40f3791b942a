// `ts-batchload status RUN` and `ts-batchload list`: what the state directory tells, from any
// shell, while a run goes on or after it. No request is made, no lock taken.
#pragma once

#include "common/console.h"
#include "common/exit_code.h"
#include "ts_batchload/options.h"

namespace tsm::apps {

ExitCode ShowStatus(const BatchLoadFlags& flags, Console& console);
ExitCode ListRuns(const BatchLoadFlags& flags, Console& console);

}  // namespace tsm::apps
