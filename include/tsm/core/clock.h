// Time as a dependency: everything that reads the hour or waits goes through a Clock, so that tests
// run hours in microseconds. Thread-safe; owned by the composition root and outlives its users.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace tsm {

// Nanoseconds since the Unix epoch, UTC: Timestream's own resolution.
using UnixNanos = std::int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock: what signatures and records carry. May jump.
  virtual std::chrono::system_clock::time_point Now() const = 0;
  // Monotonic: what waits and durations are measured with.
  virtual std::chrono::steady_clock::time_point Steady() const = 0;
  // Sleeps until `duration` is over or `stop` is requested. False where it was stopped.
  virtual bool SleepFor(std::chrono::nanoseconds duration, std::stop_token stop) const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  std::chrono::system_clock::time_point Now() const override;
  std::chrono::steady_clock::time_point Steady() const override;
  bool SleepFor(std::chrono::nanoseconds duration, std::stop_token stop) const override;
};

}  // namespace tsm
