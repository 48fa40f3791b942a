// The retry rules of AWS's SDKs as of November 2026 ("standard" mode, 2026 contract): attempts,
// delays and the quota bucket that stops retry storms. Pure but for the bucket, which is
// thread-safe and shared by a client's threads.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "tsm/core/error.h"

namespace tsm::aws {

struct RetryPolicy {
  int max_attempts = 3;
  std::chrono::milliseconds transient_base{50};
  std::chrono::milliseconds throttling_base{1000};
  std::chrono::milliseconds cap{20'000};
};

// Whether a call may be repeated when it is not known whether the service carried it out.
enum class Idempotency {
  kSafe,    // reads, puts of the same bytes, calls with a ClientToken
  kUnsafe,  // Publish: repeated only when the service surely refused it (throttled)
};

bool IsRetryable(const Error& error, Idempotency idempotency);

// Full jitter: unit * min(base * 2^(attempt-1), cap); attempt counts from 1. A server's hint
// (x-amz-retry-after) is clamped to [t, t + 5 s].
std::chrono::milliseconds RetryDelay(const RetryPolicy& policy, const Error& error, int attempt,
                                     double unit, std::optional<std::chrono::milliseconds> hint);

// 500 tokens; a transient retry takes 14, a throttling one 5; a success gives the last cost back.
class RetryQuota {
 public:
  bool TryAcquire(const Error& error, int* cost);
  void Release(int cost);  // cost 0: success without a retry gives 1 back

 private:
  static constexpr int kCapacity = 500;
  std::mutex mutex_;
  int tokens_ = kCapacity;
};

}  // namespace tsm::aws
