// A clock for tests: sleeping moves it at once and is written down, so hours pass in microseconds.
// Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <stop_token>
#include <vector>

#include "tsm/core/clock.h"

namespace tsm::test {

class FakeClock final : public Clock {
 public:
  // 2024-02-26T17:24:38Z unless another start is given.
  explicit FakeClock(std::chrono::system_clock::time_point start =
                         std::chrono::system_clock::time_point(std::chrono::seconds(1'708'968'278)))
      : now_(start) {}

  std::chrono::system_clock::time_point Now() const override;
  std::chrono::steady_clock::time_point Steady() const override;
  // Where `stop` is already requested nothing passes and nothing is recorded.
  bool SleepFor(std::chrono::nanoseconds duration, std::stop_token stop) const override;

  // Time passes without a sleep: what a slow call would do.
  void Advance(std::chrono::nanoseconds duration);
  // Every sleep so far, in order.
  std::vector<std::chrono::nanoseconds> sleeps() const;

 private:
  mutable std::mutex mutex_;
  mutable std::chrono::system_clock::time_point now_;
  mutable std::chrono::steady_clock::time_point steady_{};
  mutable std::vector<std::chrono::nanoseconds> sleeps_;
};

}  // namespace tsm::test
