#include "tsm/core/patience.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_clock.h"

namespace tsm {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct SilentSink final : ProgressSink {
  void OnNotice(const Notice& notice) override { notices.push_back(notice.text); }
  void OnProgress(const Progress&) override {}
  std::vector<std::string> notices;
};

struct PatienceBench {
  test::FakeClock clock;
  SilentSink sink;
  std::stop_source stop;
  int attempts = 0;
  int ticks = 0;

  // The attempt numbered `good` is the first that succeeds.
  Status Try(ErrorKind kind, int good, std::chrono::nanoseconds give_up_after = seconds(3600)) {
    const Patience patience{clock, sink,
                            [this]() -> Status {
                              ++ticks;
                              return Ok();
                            },
                            give_up_after};
    return TryPatiently(
        patience,
        [&]() -> Status {
          if (++attempts >= good) return Ok();
          return MakeError(kind, "attempt " + std::to_string(attempts));
        },
        stop.get_token());
  }
};

TEST(PatienceTest, WhatPassesIsWaitedOut) {
  for (const ErrorKind kind :
       {ErrorKind::kThrottled, ErrorKind::kTransient, ErrorKind::kQuotaExceeded}) {
    PatienceBench bench;
    EXPECT_TRUE(bench.Try(kind, 8));
    EXPECT_THAT(bench.clock.sleeps(), ElementsAre(seconds(2), seconds(4), seconds(8), seconds(16),
                                                  seconds(32), seconds(60), seconds(60)));
    EXPECT_EQ(bench.ticks, 7);
    EXPECT_EQ(bench.sink.notices.front(), "asking again in a while: attempt 1");
  }
}

TEST(PatienceTest, WhatDoesNotPassIsTheAnswerAtOnce) {
  PatienceBench bench;
  EXPECT_EQ(bench.Try(ErrorKind::kAccessDenied, 2).error().message, "attempt 1");
  EXPECT_THAT(bench.clock.sleeps(), IsEmpty());
}

TEST(PatienceTest, PatienceEnds) {
  PatienceBench bench;
  // 2 and 4 seconds fit, 8 more would not.
  EXPECT_EQ(bench.Try(ErrorKind::kThrottled, 99, seconds(13)).error().message, "attempt 3");
  EXPECT_THAT(bench.clock.sleeps(), SizeIs(2));
}

TEST(PatienceTest, AStopEndsTheWait) {
  PatienceBench bench;
  bench.stop.request_stop();
  EXPECT_EQ(bench.Try(ErrorKind::kThrottled, 99).error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(bench.attempts, 1);
}

}  // namespace
}  // namespace tsm
