#include "tsm/aws/adaptive_limiter.h"

#include <algorithm>
#include <cmath>

namespace tsm::aws {

namespace {

// The SDKs' constants, the same in all of them.
constexpr double kMinFillRate = 0.5;
constexpr double kMinCapacity = 1;
constexpr double kSmoothing = 0.8;
constexpr double kBucketsPerSecond = 2;
constexpr double kBeta = 0.7;           // of the rate that was throttled is what remains
constexpr double kScale = 0.4;          // how steeply the curve rises
constexpr double kMaxOverMeasured = 2;  // times what is sent is what may be allowed

}  // namespace

AdaptiveLimiter::AdaptiveLimiter(const Clock& clock) : clock_(clock), epoch_(clock.Steady()) {
  SetRateLocked(1, 0);
}

double AdaptiveLimiter::Seconds() const {
  return std::chrono::duration<double>(clock_.Steady() - epoch_).count();
}

bool AdaptiveLimiter::Acquire(std::stop_token stop) {
  for (;;) {
    if (stop.stop_requested()) return false;
    double missing = 0;
    {
      const std::lock_guard lock(mutex_);
      if (!limiting_) return true;
      RefillLocked(Seconds());
      if (tokens_ >= 1) {
        tokens_ -= 1;
        return true;
      }
      missing = (1 - tokens_) / fill_rate_;
    }
    // Two seconds at most, for the fill rate is never below a half: a rate that rises meanwhile is
    // seen soon enough. Rounded up, so that the wait is not followed by another of a nanosecond.
    const auto wait = std::chrono::ceil<std::chrono::microseconds>(
        std::chrono::duration<double>(missing) + std::chrono::nanoseconds(1));
    if (!clock_.SleepFor(wait, stop)) return false;
  }
}

void AdaptiveLimiter::Update(bool throttled) {
  const std::lock_guard lock(mutex_);
  const double now = Seconds();
  MeasureLocked(now);
  double rate = 0;
  if (throttled) {
    throttled_rate_ = limiting_ ? std::min(measured_rate_, fill_rate_) : measured_rate_;
    throttled_at_ = now;
    limiting_ = true;
    rate = throttled_rate_ * kBeta;
  } else {
    rate = CubicRateLocked(now);
  }
  SetRateLocked(std::min(rate, kMaxOverMeasured * measured_rate_), now);
}

// Back at the rate that was throttled after `flat` seconds, slowly around it, faster beyond.
double AdaptiveLimiter::CubicRateLocked(double now) const {
  const double flat = std::cbrt(throttled_rate_ * (1 - kBeta) / kScale);
  return kScale * std::pow(now - throttled_at_ - flat, 3) + throttled_rate_;
}

void AdaptiveLimiter::MeasureLocked(double now) {
  const double bucket = std::floor(now * kBucketsPerSecond) / kBucketsPerSecond;
  ++answers_since_;
  if (bucket <= measured_until_) return;
  const double rate = answers_since_ / (bucket - measured_until_);
  measured_rate_ = rate * kSmoothing + measured_rate_ * (1 - kSmoothing);
  answers_since_ = 0;
  measured_until_ = bucket;
}

void AdaptiveLimiter::RefillLocked(double now) {
  tokens_ = std::min(capacity_, tokens_ + (now - refilled_at_) * fill_rate_);
  refilled_at_ = now;
}

// What was earned so far was earned at the old rate.
void AdaptiveLimiter::SetRateLocked(double rate, double now) {
  RefillLocked(now);
  fill_rate_ = std::max(rate, kMinFillRate);
  capacity_ = std::max(rate, kMinCapacity);  // what is above it is dropped by the next refill
}

bool AdaptiveLimiter::limiting() const {
  const std::lock_guard lock(mutex_);
  return limiting_;
}

double AdaptiveLimiter::rate() const {
  const std::lock_guard lock(mutex_);
  return fill_rate_;
}

}  // namespace tsm::aws
