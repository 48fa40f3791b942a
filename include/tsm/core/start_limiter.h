// The pace of starts that a service counts per account: at most one per interval, whoever asks,
// slower after each throttling and back to the base after successes. Thread-safe; the clock
// outlives it. Waits are the clock's.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <stop_token>

#include "tsm/core/clock.h"

namespace tsm {

class StartLimiter {
 public:
  StartLimiter(const Clock& clock, std::chrono::nanoseconds interval);

  // Returns at this caller's turn; turns are an interval apart and given in the order of asking.
  // False where it was stopped: the turn then passes unused.
  bool Acquire(std::stop_token stop);

  // The service has throttled: the interval doubles, up to a minute or the base if that is longer.
  // Throttlings that come within one interval count as one: they tell of the same crowd.
  void SlowDown();
  // A start was taken: the interval shrinks by a quarter towards the base.
  void SpeedUp();

  std::chrono::nanoseconds interval() const;

 private:
  const Clock& clock_;
  const std::chrono::nanoseconds base_;
  mutable std::mutex mutex_;
  std::chrono::nanoseconds interval_;
  std::optional<std::chrono::steady_clock::time_point> next_;
  std::optional<std::chrono::steady_clock::time_point> slowed_;
};

}  // namespace tsm
