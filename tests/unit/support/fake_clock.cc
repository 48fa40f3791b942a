#include "support/fake_clock.h"

namespace tsm::test {

namespace {

std::chrono::system_clock::duration ForWallClock(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::system_clock::duration>(duration);
}

}  // namespace

std::chrono::system_clock::time_point FakeClock::Now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::chrono::steady_clock::time_point FakeClock::Steady() const {
  const std::lock_guard lock(mutex_);
  return steady_;
}

bool FakeClock::SleepFor(std::chrono::nanoseconds duration, std::stop_token stop) const {
  if (stop.stop_requested()) return false;
  const std::lock_guard lock(mutex_);
  now_ += ForWallClock(duration);
  steady_ += duration;
  sleeps_.push_back(duration);
  return true;
}

void FakeClock::Advance(std::chrono::nanoseconds duration) {
  const std::lock_guard lock(mutex_);
  now_ += ForWallClock(duration);
  steady_ += duration;
}

std::vector<std::chrono::nanoseconds> FakeClock::sleeps() const {
  const std::lock_guard lock(mutex_);
  return sleeps_;
}

}  // namespace tsm::test
