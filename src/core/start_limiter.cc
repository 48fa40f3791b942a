#include "tsm/core/start_limiter.h"

#include <algorithm>

namespace tsm {

namespace {

constexpr std::chrono::nanoseconds kSlowest = std::chrono::minutes(1);
// What throttling makes of no interval at all, which doubling would leave as it is.
constexpr std::chrono::nanoseconds kFirst = std::chrono::milliseconds(100);

}  // namespace

StartLimiter::StartLimiter(const Clock& clock, std::chrono::nanoseconds interval)
    : clock_(clock), base_(interval), interval_(interval) {}

bool StartLimiter::Acquire(std::stop_token stop) {
  std::chrono::nanoseconds wait{0};
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.Steady();
    const auto turn = next_ ? std::max(*next_, now) : now;
    next_ = turn + interval_;
    wait = turn - now;
  }
  if (wait.count() <= 0) return !stop.stop_requested();
  return clock_.SleepFor(wait, std::move(stop));
}

void StartLimiter::SlowDown() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.Steady();
  if (slowed_ && now - *slowed_ < interval_) return;
  slowed_ = now;
  interval_ = std::min(interval_.count() == 0 ? kFirst : interval_ * 2, std::max(kSlowest, base_));
  next_ = std::max(next_.value_or(now), now + interval_);
}

void StartLimiter::SpeedUp() {
  const std::lock_guard lock(mutex_);
  interval_ = std::max(base_, interval_ - interval_ / 4);
}

std::chrono::nanoseconds StartLimiter::interval() const {
  const std::lock_guard lock(mutex_);
  return interval_;
}

}  // namespace tsm
