#include "tsm/aws/retry.h"

#include <gtest/gtest.h>

namespace tsm::aws {
namespace {

using std::chrono::milliseconds;

Error Throttled() { return MakeError(ErrorKind::kThrottled, "slow down", "SlowDown"); }
Error Transient() { return MakeError(ErrorKind::kTransient, "reset"); }

TEST(RetryTest, OnlyThrottlingAndTransientFailuresAreRepeated) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kService); ++kind) {
    const auto error = MakeError(static_cast<ErrorKind>(kind), "");
    const bool throttled = error.kind == ErrorKind::kThrottled;
    const bool transient = error.kind == ErrorKind::kTransient;
    EXPECT_EQ(IsRetryable(error, Idempotency::kSafe), throttled || transient) << Name(error.kind);
    EXPECT_EQ(IsRetryable(error, Idempotency::kUnsafe), throttled) << Name(error.kind);
  }
}

TEST(RetryTest, DelayDoublesUpToTheCap) {
  const RetryPolicy policy;
  const auto delay = [&](const Error& error, int attempt, double unit) {
    return RetryDelay(policy, error, attempt, unit, std::nullopt);
  };
  EXPECT_EQ(delay(Transient(), 1, 1.0), milliseconds(50));
  EXPECT_EQ(delay(Transient(), 2, 1.0), milliseconds(100));
  EXPECT_EQ(delay(Transient(), 2, 0.5), milliseconds(50));
  EXPECT_EQ(delay(Throttled(), 1, 1.0), milliseconds(1000));
  EXPECT_EQ(delay(Throttled(), 3, 1.0), milliseconds(4000));
  EXPECT_EQ(delay(Throttled(), 3, 0.0), milliseconds(0));
  EXPECT_EQ(delay(Throttled(), 6, 1.0), milliseconds(20'000));
  EXPECT_EQ(delay(Transient(), 2000, 1.0), milliseconds(20'000));
}

TEST(RetryTest, AHintIsHeldToFiveSecondsAboveTheOwnDelay) {
  const RetryPolicy policy;
  const auto delay = [&](milliseconds hint) {
    return RetryDelay(policy, Throttled(), 1, 0.5, hint);
  };
  EXPECT_EQ(delay(milliseconds(0)), milliseconds(500));
  EXPECT_EQ(delay(milliseconds(1200)), milliseconds(1200));
  EXPECT_EQ(delay(milliseconds(90'000)), milliseconds(5500));
}

TEST(RetryQuotaTest, AStormEmptiesTheBucket) {
  RetryQuota quota;
  int cost = 0;
  int granted = 0;
  while (quota.TryAcquire(Transient(), &cost)) ++granted;
  EXPECT_EQ(granted, 35);  // 500 / 14
  EXPECT_EQ(cost, 14);
  // 10 tokens are left: two throttling retries of 5.
  EXPECT_TRUE(quota.TryAcquire(Throttled(), &cost));
  EXPECT_EQ(cost, 5);
  EXPECT_TRUE(quota.TryAcquire(Throttled(), &cost));
  EXPECT_FALSE(quota.TryAcquire(Throttled(), &cost));
}

TEST(RetryQuotaTest, SuccessFillsItAgainButNeverAboveTheBrim) {
  RetryQuota quota;
  int cost = 0;
  while (quota.TryAcquire(Throttled(), &cost)) {
  }
  quota.Release(0);
  quota.Release(0);
  EXPECT_FALSE(quota.TryAcquire(Throttled(), &cost));
  quota.Release(5);
  EXPECT_TRUE(quota.TryAcquire(Throttled(), &cost));

  RetryQuota full;
  for (int i = 0; i < 1000; ++i) full.Release(14);
  int granted = 0;
  while (full.TryAcquire(Throttled(), &cost)) ++granted;
  EXPECT_EQ(granted, 100);
}

}  // namespace
}  // namespace tsm::aws
