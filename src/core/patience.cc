#include "tsm/core/patience.h"

#include <algorithm>
#include <utility>

namespace tsm {

namespace {

constexpr std::chrono::nanoseconds kFirstWait = std::chrono::seconds(2);
constexpr std::chrono::nanoseconds kLongestWait = std::chrono::minutes(1);

}  // namespace

bool MayPass(const Error& error) {
  return error.kind == ErrorKind::kThrottled || error.kind == ErrorKind::kTransient ||
         error.kind == ErrorKind::kQuotaExceeded;
}

Status TryPatiently(const Patience& patience, const std::function<Status()>& attempt,
                    std::stop_token stop) {
  const auto started = patience.clock.Steady();
  std::chrono::nanoseconds wait = kFirstWait;
  for (;;) {
    Status tried = attempt();
    if (tried || !MayPass(tried.error())) return tried;
    if (patience.clock.Steady() - started + wait > patience.give_up_after) return tried;
    patience.sink.Warn("asking again in a while: " + tried.error().Text());
    if (!patience.clock.SleepFor(wait, stop)) {
      return MakeError(ErrorKind::kCancelled, "stopped while waiting to ask again");
    }
    if (patience.tick) {
      if (Status kept = patience.tick(); !kept) return kept;
    }
    wait = std::min(wait * 2, kLongestWait);
  }
}

}  // namespace tsm
