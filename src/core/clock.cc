#include "tsm/core/clock.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace tsm {

std::chrono::system_clock::time_point SystemClock::Now() const {
  return std::chrono::system_clock::now();
}

std::chrono::steady_clock::time_point SystemClock::Steady() const {
  return std::chrono::steady_clock::now();
}

bool SystemClock::SleepFor(std::chrono::nanoseconds duration, std::stop_token stop) const {
  // now + duration must not overflow inside wait_for.
  constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24 * 365);
  std::mutex mutex;
  std::condition_variable_any never;  // only the stop token or the time ends the wait
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, std::min(duration, kLongest), [] { return false; });
  return !stop.stop_requested();
}

}  // namespace tsm
