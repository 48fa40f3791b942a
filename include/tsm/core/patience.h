// Tries again what failed for a passing reason, long after a client's own retries have given up.
// The parts are the caller's and outlive the call; as thread-safe as they are.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/result.h"

namespace tsm {

// Throttled, passing and quota failures.
bool MayPass(const Error& error);

struct Patience {
  const Clock& clock;
  ProgressSink& sink;            // is warned before each wait
  std::function<Status()> tick;  // after each wait: what keeps a lock alive; may be null
  std::chrono::nanoseconds give_up_after = std::chrono::hours(24);
};

// Attempts again, 2 seconds to a minute apart, while failures may pass and `give_up_after` is not
// over: then the last one is the answer. kCancelled at a stop; an error of `tick` ends it too.
Status TryPatiently(const Patience& patience, const std::function<Status()>& attempt,
                    std::stop_token stop);

}  // namespace tsm
