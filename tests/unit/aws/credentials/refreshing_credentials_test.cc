#include "tsm/aws/credentials/refreshing_credentials.h"

#include <gtest/gtest.h>

#include <vector>

#include "aws/credentials/refreshing_bench.h"

namespace tsm::aws {
namespace {

using Bench = test::RefreshingBench;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(RefreshingCredentialsTest, FetchesAtTheFirstGetAndKeeps) {
  Bench bench;
  EXPECT_EQ(bench.fetches(), 0);
  EXPECT_EQ(bench.Key(), "AKID1");
  EXPECT_EQ(bench.Key(), "AKID1");
  EXPECT_EQ(bench.fetches(), 1);
}

TEST(RefreshingCredentialsTest, WithoutExpirationTheyAreFetchedOnce) {
  Bench bench;
  bench.source->next = [&](std::stop_token) { return bench.Make(std::nullopt); };
  EXPECT_EQ(bench.Key(), "AKID1");
  bench.clock.Advance(hours(10'000));
  EXPECT_EQ(bench.Key(), "AKID1");
}

TEST(RefreshingCredentialsTest, TheWindowsBeginWhereAwsSetsThem) {
  struct Case {
    nanoseconds lifetime;
    nanoseconds advisory;  // before the expiration
  };
  const std::vector<Case> cases = {
      {hours(12), minutes(15)},    {hours(1), minutes(15)},   {minutes(40), minutes(10)},
      {minutes(15), seconds(225)}, {minutes(5), seconds(75)}, {seconds(4), seconds(1)},
  };
  for (const Case& c : cases) {
    Bench bench;
    bench.Lasting(c.lifetime);
    ASSERT_EQ(bench.Key(), "AKID1");
    bench.clock.Advance(c.lifetime - c.advisory);
    EXPECT_EQ(bench.Key(), "AKID1") << c.lifetime.count();
    bench.clock.Advance(nanoseconds(1));
    EXPECT_EQ(bench.Key(), "AKID2") << c.lifetime.count();
  }
}

TEST(RefreshingCredentialsTest, AFailureIsToleratedUntilTheExpirationItself) {
  Bench bench;
  ASSERT_EQ(bench.Key(), "AKID1");
  bench.Failing();
  bench.clock.Advance(minutes(46));  // advisory
  EXPECT_EQ(bench.Key(), "AKID1");
  bench.clock.Advance(minutes(5));  // mandatory
  EXPECT_EQ(bench.Key(), "AKID1");
  bench.clock.Advance(minutes(9) - nanoseconds(1));
  EXPECT_EQ(bench.Key(), "AKID1");
  EXPECT_EQ(bench.fetches(), 4);
  bench.clock.Advance(nanoseconds(1));
  const auto expired = bench.credentials->Get({});
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(expired.error().Text(),
            "renewing the expired credentials of a fake: the source is down");
  bench.Lasting(hours(1));
  EXPECT_EQ(bench.Key(), "AKID6");
}

TEST(RefreshingCredentialsTest, AfterAFailureTheSourceIsLeftAlone) {
  Bench bench;
  ASSERT_EQ(bench.Key(), "AKID1");
  bench.Failing();
  bench.clock.Advance(minutes(46));
  EXPECT_EQ(bench.Key(), "AKID1");
  EXPECT_EQ(bench.fetches(), 2);
  bench.Lasting(hours(1));
  bench.clock.Advance(seconds(10) - nanoseconds(1));
  EXPECT_EQ(bench.Key(), "AKID1");
  EXPECT_EQ(bench.fetches(), 2);
  bench.clock.Advance(nanoseconds(1));
  EXPECT_EQ(bench.Key(), "AKID3");
}

TEST(RefreshingCredentialsTest, AFirstFailureKeepsItsKindAndIsTriedAnew) {
  Bench bench;
  bench.Failing(ErrorKind::kConfiguration);
  const auto failed = bench.credentials->Get({});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kConfiguration);
  EXPECT_EQ(failed.error().Text(), "the source is down");
  bench.Lasting(hours(1));
  EXPECT_EQ(bench.Key(), "AKID2");
}

TEST(RefreshingCredentialsTest, WhatCameExpiredIsAnError) {
  Bench bench;
  bench.Lasting(seconds(0));
  const auto failed = bench.credentials->Get({});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kExpiredCredentials);
  EXPECT_EQ(failed.error().Text(),
            "a fake: it gave credentials that had expired at 2024-02-26T17:24:38Z, and now it is "
            "2024-02-26T17:24:38Z (is this machine's clock right?)");
}

TEST(RefreshingCredentialsTest, WhatCameExpiredNeverReplacesWhatHolds) {
  for (const bool outlives : {false, true}) {
    Bench bench;
    bench.source->outlives = outlives;
    ASSERT_EQ(bench.Key(), "AKID1");
    bench.clock.Advance(minutes(55));
    bench.Lasting(-minutes(1));
    EXPECT_EQ(bench.Key(), "AKID1");
    EXPECT_EQ(bench.fetches(), 2);
  }
}

TEST(RefreshingCredentialsTest, AnOutageOfTheInstanceIsOutlived) {
  Bench bench;
  bench.source->outlives = true;
  ASSERT_EQ(bench.Key(), "AKID1");
  bench.Failing();
  bench.clock.Advance(hours(1));
  EXPECT_EQ(bench.Key(), "AKID1");
  EXPECT_EQ(bench.fetches(), 2);
  // 10 minutes and 2 to 10 more without a question.
  bench.clock.Advance(minutes(12) - nanoseconds(1));
  EXPECT_EQ(bench.Key(), "AKID1");
  EXPECT_EQ(bench.fetches(), 2);
  bench.clock.Advance(minutes(8) + nanoseconds(1));
  EXPECT_EQ(bench.Key(), "AKID1");
  EXPECT_EQ(bench.fetches(), 3);
  bench.clock.Advance(minutes(20));
  bench.Lasting(hours(1));
  EXPECT_EQ(bench.Key(), "AKID4");
}

TEST(RefreshingCredentialsTest, TheInstancesStaleOnesAreGivenToo) {
  Bench bench;
  bench.source->outlives = true;
  bench.Lasting(-minutes(5));
  EXPECT_EQ(bench.Key(), "AKID1");
  bench.clock.Advance(minutes(11));
  EXPECT_EQ(bench.Key(), "AKID1");
  EXPECT_EQ(bench.fetches(), 1);
  bench.clock.Advance(minutes(9));
  bench.Lasting(hours(1));
  EXPECT_EQ(bench.Key(), "AKID2");
}

TEST(RefreshingCredentialsTest, TheInstanceThatNeverAnsweredIsAnError) {
  Bench bench;
  bench.source->outlives = true;
  bench.Failing(ErrorKind::kCredentials);
  EXPECT_EQ(bench.Key(), "the source is down");
}

TEST(RefreshingCredentialsTest, ReckonsWithTheServicesTime) {
  Bench bench;
  ASSERT_EQ(bench.Key(), "AKID1");
  // This machine is 50 minutes behind: of the hour ten minutes are left.
  bench.skew.Set(minutes(50));
  EXPECT_EQ(bench.Key(), "AKID2");
  EXPECT_EQ(bench.Key(), "AKID2");
  // And now, as the service sees it, their time has not begun.
  bench.skew.Set(-hours(5));
  bench.clock.Advance(hours(5));
  EXPECT_EQ(bench.Key(), "AKID2");
}

TEST(RefreshingCredentialsTest, RefusedOnesAreDroppedOnce) {
  Bench bench;
  const auto first = bench.credentials->Get({});
  ASSERT_TRUE(first);
  EXPECT_TRUE(bench.credentials->Renew(*first));
  EXPECT_TRUE(bench.credentials->Renew(*first));
  EXPECT_EQ(bench.Key(), "AKID2");
  EXPECT_TRUE(bench.credentials->Renew(*first));  // said late, of those that are gone
  EXPECT_EQ(bench.Key(), "AKID2");
  EXPECT_EQ(bench.fetches(), 2);
}

TEST(RefreshingCredentialsTest, TheSameKeyWithAnotherTokenIsAnother) {
  Bench bench;
  bench.source->next = [&](std::stop_token) {
    Credentials made = bench.Make(hours(1));
    made.access_key_id = "AKID";
    made.session_token = "token" + std::to_string(bench.fetches());
    return made;
  };
  const auto first = bench.credentials->Get({});
  ASSERT_TRUE(first);
  EXPECT_TRUE(bench.credentials->Renew(*first));
  ASSERT_EQ(bench.credentials->Get({})->session_token, "token2");
  EXPECT_TRUE(bench.credentials->Renew(*first));
  EXPECT_EQ(bench.credentials->Get({})->session_token, "token2");
}

TEST(RefreshingCredentialsTest, RefusedOnesAreNotGivenInAnOutage) {
  Bench bench;
  bench.source->outlives = true;
  const auto first = bench.credentials->Get({});
  ASSERT_TRUE(first);
  EXPECT_TRUE(bench.credentials->Renew(*first));
  bench.Failing();
  EXPECT_EQ(bench.Key(), "the source is down");
}

TEST(RefreshingCredentialsTest, ARequestedStopIsNoFailure) {
  Bench bench;
  ASSERT_EQ(bench.Key(), "AKID1");
  bench.clock.Advance(minutes(46));
  bench.Failing(ErrorKind::kCancelled);
  const auto stopped = bench.credentials->Get({});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);
  bench.Lasting(hours(1));
  EXPECT_EQ(bench.Key(), "AKID3");  // no pause
}

}  // namespace
}  // namespace tsm::aws
