#include "tsm/aws/adaptive_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "support/fake_clock.h"

// The numbers are those of botocore 1.43.11's own classes, driven on a clock that starts at 0:
//   bucket = TokenBucket(max_rate=1, clock)
//   limiter = ClientRateLimiter(CubicCalculator(0, start_time=0), RateClocker(clock), bucket, ...)
//   for time, throttled in ...: clock.t = time; limiter.on_receiving_response(); bucket.max_rate
//   for waits: bucket._refill(); bucket._sleep_amount(1); clock.t += wait; bucket._refill(); take 1

namespace tsm::aws {
namespace {

struct Answer {
  double time;  // seconds
  bool throttled;
  double rate;  // requests per second afterwards
};

constexpr Answer kAnswers[] = {
    {0.25, false, 0.500000000},  {0.50, false, 0.500000000},  {0.75, false, 0.500000000},
    {1.00, false, 0.500000000},  {1.25, false, 0.781250000},  {1.50, false, 1.350000000},
    {1.75, true, 2.777600000},   {2.00, false, 3.296663064},  {2.25, false, 3.637467138},
    {2.50, false, 3.837512221},  {2.75, false, 3.934298314},  {3.75, false, 4.038852781},
    {4.75, false, 2.559897600},  {5.75, false, 2.111979520},  {6.75, false, 2.022395904},
    {7.75, false, 2.004479181},  {8.75, false, 2.000895836},  {8.80, false, 2.000895836},
    {8.85, false, 2.000895836},  {8.90, false, 2.000895836},  {8.95, false, 2.000895836},
    {9.00, false, 16.400179167}, {9.05, false, 16.400179167}, {9.10, false, 16.400179167},
    {9.15, false, 16.400179167}, {9.20, false, 16.400179167}, {9.25, false, 16.400179167},
    {9.30, true, 5.740062709},   {9.35, true, 4.018043896},   {9.40, true, 2.812630727},
    {9.90, false, 3.681106996},  {10.40, false, 3.982934285}, {10.90, false, 4.018112592},
    {11.40, false, 4.086641920}, {11.90, false, 4.044928057}, {12.40, false, 4.008985611},
    {12.90, false, 4.001797122}, {13.40, false, 4.000359424},
};

class AdaptiveLimiterTest : public ::testing::Test {
 protected:
  void MoveTo(double seconds) {
    const auto at =
        std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
    clock_.Advance(at - clock_.Steady().time_since_epoch());
  }
  // Seconds slept for the next token.
  double NextWait() {
    const auto before = clock_.Steady();
    EXPECT_TRUE(limiter_.Acquire({}));
    return std::chrono::duration<double>(clock_.Steady() - before).count();
  }

  test::FakeClock clock_;
  AdaptiveLimiter limiter_{clock_};
};

TEST_F(AdaptiveLimiterTest, TheRateIsBotocores) {
  bool throttled = false;
  for (const Answer& answer : kAnswers) {
    MoveTo(answer.time);
    limiter_.Update(answer.throttled);
    throttled |= answer.throttled;
    EXPECT_NEAR(limiter_.rate(), answer.rate, 1e-6) << "at " << answer.time;
    EXPECT_EQ(limiter_.limiting(), throttled) << "at " << answer.time;
  }
}

TEST_F(AdaptiveLimiterTest, BeforeTheFirstThrottleNothingWaits) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(limiter_.Acquire({}));
    limiter_.Update(false);
  }
  EXPECT_TRUE(clock_.sleeps().empty());
}

TEST_F(AdaptiveLimiterTest, TheWaitsAreBotocores) {
  for (const Answer& answer : kAnswers) {
    MoveTo(answer.time);
    limiter_.Update(answer.throttled);
    if (answer.throttled) break;
  }
  for (const double wait : {0.0, 0.258204025, 0.360023041, 0.360023041, 0.360023041})
    EXPECT_NEAR(NextWait(), wait, 5e-6);
  MoveTo(5.0);
  limiter_.Update(false);
  EXPECT_NEAR(limiter_.rate(), 2.501485714, 1e-6);
  for (const double wait : {0.0, 0.0, 0.199287281, 0.399762427, 0.399762427})
    EXPECT_NEAR(NextWait(), wait, 5e-6);
}

TEST_F(AdaptiveLimiterTest, OneTokenIsOneSleepAtMost) {
  limiter_.Update(true);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(limiter_.Acquire({}));
  EXPECT_LE(clock_.sleeps().size(), 50U);
}

TEST_F(AdaptiveLimiterTest, AStopTakesNoToken) {
  limiter_.Update(true);
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(limiter_.Acquire(source.get_token()));
  EXPECT_TRUE(clock_.sleeps().empty());
}

TEST_F(AdaptiveLimiterTest, AStopEndsAWait) {
  const SystemClock real;
  AdaptiveLimiter limiter(real);
  limiter.Update(true);
  std::stop_source source;
  std::atomic<int> refused{0};
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (limiter.Acquire(source.get_token())) {
      }
      ++refused;
    });
  }
  source.request_stop();
  threads.clear();
  EXPECT_EQ(refused, 4);
}

}  // namespace
}  // namespace tsm::aws
