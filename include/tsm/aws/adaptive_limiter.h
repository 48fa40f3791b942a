// The client-side rate limit of AWS's "adaptive" retry mode: a token bucket whose rate follows the
// service's throttling answers by a cubic curve. It starts limiting after the first throttle, and
// all threads of a session share it. Thread-safe; the clock outlives it.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
#pragma once

#include <chrono>
#include <mutex>
#include <stop_token>

#include "tsm/core/clock.h"

namespace tsm::aws {

class AdaptiveLimiter {
 public:
  explicit AdaptiveLimiter(const Clock& clock);

  // Waits for a token; false where it was stopped. At once before the first throttle.
  bool Acquire(std::stop_token stop);
  // What the attempt ended in.
  void Update(bool throttled);

  bool limiting() const;
  double rate() const;  // requests per second that tokens are given out at

 private:
  double Seconds() const;  // since the limiter was made
  void MeasureLocked(double now);
  void RefillLocked(double now);
  void SetRateLocked(double rate, double now);
  double CubicRateLocked(double now) const;

  const Clock& clock_;
  const std::chrono::steady_clock::time_point epoch_;
  mutable std::mutex mutex_;
  bool limiting_ = false;
  // The bucket: tokens are requests.
  double fill_rate_ = 0;
  double capacity_ = 0;
  double tokens_ = 0;
  double refilled_at_ = 0;
  // The rate of answers, smoothed over half seconds.
  double measured_rate_ = 0;
  double measured_until_ = 0;
  double answers_since_ = 0;
  // The curve: where it was throttled last.
  double throttled_rate_ = 0;
  double throttled_at_ = 0;
};

}  // namespace tsm::aws
