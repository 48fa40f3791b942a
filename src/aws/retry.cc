#include "tsm/aws/retry.h"

#include <algorithm>
#include <cmath>

namespace tsm::aws {

namespace {

constexpr int kTransientCost = 14;
constexpr int kThrottlingCost = 5;

}  // namespace

bool IsRetryable(const Error& error, Idempotency idempotency) {
  if (error.kind == ErrorKind::kThrottled) return true;
  return error.kind == ErrorKind::kTransient && idempotency == Idempotency::kSafe;
}

std::chrono::milliseconds RetryDelay(const RetryPolicy& policy, const Error& error, int attempt,
                                     double unit, std::optional<std::chrono::milliseconds> hint) {
  const auto base =
      error.kind == ErrorKind::kThrottled ? policy.throttling_base : policy.transient_base;
  const double grown = std::ldexp(static_cast<double>(base.count()), std::max(attempt, 1) - 1);
  const double capped = std::min(grown, static_cast<double>(policy.cap.count()));
  const std::chrono::milliseconds own(std::llround(unit * capped));
  if (!hint) return own;
  return std::clamp(*hint, own, own + std::chrono::milliseconds(5000));
}

bool RetryQuota::TryAcquire(const Error& error, int* cost) {
  const int wanted = error.kind == ErrorKind::kThrottled ? kThrottlingCost : kTransientCost;
  const std::lock_guard lock(mutex_);
  if (tokens_ < wanted) return false;
  tokens_ -= wanted;
  *cost = wanted;
  return true;
}

void RetryQuota::Release(int cost) {
  const std::lock_guard lock(mutex_);
  tokens_ = std::min(kCapacity, tokens_ + (cost > 0 ? cost : 1));
}

}  // namespace tsm::aws
