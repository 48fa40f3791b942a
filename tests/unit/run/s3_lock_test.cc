#include "tsm/run/s3_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "fake_state_s3.h"
#include "support/client_bench.h"

namespace tsm::run {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::ClientBench;
using test::FakeStateS3;
using test::Header;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kKey[] = "state/run-1/lock";

Error Lost() { return MakeError(ErrorKind::kTransient, "connection reset"); }

// The two machines share S3 and its clock; their own clocks stand where they like.
struct S3LockTest : ::testing::Test {
  S3LockTest() {
    bench.transport.SetHandler([this](const http::Request& request) { return s3.Handle(request); });
  }

  Result<std::unique_ptr<S3Lock>> Acquire(const std::string& host) {
    return S3Lock::Acquire(client, bucket, "state/run-1/",
                           {.host = host, .pid = 7, .id = "id-" + host}, bench.clock, {});
  }
  std::unique_ptr<S3Lock> Hold(const std::string& host) {
    auto lock = Acquire(host);
    EXPECT_TRUE(lock) << lock.error().Text();
    return lock ? *std::move(lock) : nullptr;
  }
  // Time passes everywhere.
  void Pass(std::chrono::nanoseconds time) {
    bench.clock.Advance(time);
    s3_clock.Advance(time);
  }
  nlohmann::json Stored() { return nlohmann::json::parse(s3.objects().at(kKey).body); }
  std::size_t Calls() { return bench.transport.requests().size(); }
  // The next `count` requests of the method go astray, before or after S3 acted.
  auto Fail(const std::string& method, int count) {
    return [method,
            count](const http::Request& request) mutable -> std::optional<Result<http::Response>> {
      if (request.method != method || count-- <= 0) return std::nullopt;
      return Result<http::Response>(Lost());
    };
  }

  // S3's clock is hours away from the machine's.
  test::FakeClock s3_clock{std::chrono::system_clock::time_point(seconds(1'700'000'000))};
  FakeStateS3 s3{s3_clock};
  ClientBench bench;
  s3::BucketName bucket = *s3::BucketName::Parse("bkt");
  s3::S3Client client{bench.client, aws::EndpointResolver(test::CustomEndpoint("127.0.0.1:4566")),
                      "eu-west-1"};
};

TEST_F(S3LockTest, TheFirstHoldsItAndTheSecondIsToldWhoAndUntilWhen) {
  const auto first = Hold("host-a");
  EXPECT_EQ(Header(bench.transport.requests().at(0), "if-none-match"), "*");
  EXPECT_EQ(Stored()["host"], "host-a");
  EXPECT_EQ(Stored()["pid"], 7);
  EXPECT_FALSE(first->taken_over_from());

  Pass(seconds(125));
  const auto second = Acquire("host-b");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(
      second.error().Text(),
      AllOf(HasSubstr("s3://bkt/state/run-1/lock"), HasSubstr("pid 7 on host-a"),
            HasSubstr("2 min 05 s ago"), HasSubstr("not renewed until 2023-11-14T22:23:20Z"),
            HasSubstr("in 7 min 55 s"), HasSubstr("remove s3://bkt/state/run-1/lock")));
  EXPECT_EQ(Stored()["host"], "host-a");
}

TEST_F(S3LockTest, ItIsRenewedByTheMinuteAndNeverWithTheSameEtag) {
  const auto lock = Hold("host-a");
  std::set<std::string> etags = {s3.objects().at(kKey).etag};
  std::size_t calls = Calls();
  Pass(seconds(59));
  ASSERT_TRUE(lock->RenewIfDue({}));
  EXPECT_EQ(Calls(), calls);
  for (int i = 0; i < 20; ++i) {
    const std::string before = s3.objects().at(kKey).etag;
    Pass(minutes(1));
    calls = Calls();
    ASSERT_TRUE(lock->RenewIfDue({}));
    EXPECT_EQ(Calls(), calls + 1);
    EXPECT_EQ(Header(bench.transport.requests().back(), "if-match"), "\"" + before + "\"");
    EXPECT_TRUE(etags.insert(s3.objects().at(kKey).etag).second);
  }
  // Twenty minutes on, it is still held.
  EXPECT_FALSE(Acquire("host-b"));
}

TEST_F(S3LockTest, ANewBodyAlsoWhereTheClockStandsStill) {
  const auto lock = Hold("host-a");
  const std::string etag = s3.objects().at(kKey).etag;
  // The same process again: the same owner in the same second.
  const auto again = Hold("host-a");
  EXPECT_NE(s3.objects().at(kKey).etag, etag);
}

TEST_F(S3LockTest, TenMinutesWithoutRenewalAndItIsTakenOver) {
  const auto first = Hold("host-a");
  Pass(seconds(599));
  ASSERT_FALSE(Acquire("host-b"));
  Pass(seconds(1));
  const auto second = Hold("host-b");
  ASSERT_TRUE(second->taken_over_from());
  EXPECT_EQ(second->taken_over_from()->host, "host-a");
  EXPECT_EQ(Stored()["host"], "host-b");

  const Status renewed = first->RenewIfDue({});
  ASSERT_FALSE(renewed);
  EXPECT_EQ(renewed.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(renewed.error().Text(), HasSubstr("was taken over by pid 7 on host-b"));
  // For good, and without another call; nor does it take the new holder's lock away.
  const std::size_t calls = Calls();
  Pass(minutes(1));
  EXPECT_EQ(first->RenewIfDue({}).error().kind, ErrorKind::kInTheWay);
  EXPECT_TRUE(first->Release({}));
  EXPECT_EQ(Calls(), calls);
  EXPECT_TRUE(second->RenewIfDue({}));
}

TEST_F(S3LockTest, TheMachinesClockDoesNotDecide) {
  const auto first = Hold("host-a");
  bench.clock.Advance(hours(5));  // of the second machine
  EXPECT_FALSE(Acquire("host-b"));
}

TEST_F(S3LockTest, WithoutDatesNothingIsTakenOver) {
  const auto first = Hold("host-a");
  s3.tells_dates = false;
  Pass(hours(1));
  const auto second = Acquire("host-b");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(second.error().Text(), HasSubstr("remove s3://bkt/state/run-1/lock"));
}

TEST_F(S3LockTest, OfTwoTakersOneWins) {
  const auto first = Hold("host-a");
  Pass(minutes(11));
  // host-c takes it over between host-b's read and its write.
  std::unique_ptr<S3Lock> third;
  bool raced = false;
  s3.after = [&](const http::Request& request) -> std::optional<Result<http::Response>> {
    if (request.method == "GET" && !raced) {
      raced = true;
      third = Hold("host-c");
    }
    return std::nullopt;
  };
  const auto second = Acquire("host-b");
  ASSERT_TRUE(third);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(second.error().Text(), HasSubstr("host-c"));
  EXPECT_TRUE(third->RenewIfDue({}));
}

TEST_F(S3LockTest, AHolderThatWakesBeforeTheTakersWriteKeepsIt) {
  const auto first = Hold("host-a");
  Pass(minutes(11));
  bool raced = false;
  s3.after = [&](const http::Request& request) -> std::optional<Result<http::Response>> {
    if (request.method == "GET" && !raced) {
      raced = true;
      EXPECT_TRUE(first->RenewIfDue({}));
    }
    return std::nullopt;
  };
  EXPECT_EQ(Acquire("host-b").error().kind, ErrorKind::kInTheWay);
  EXPECT_EQ(Stored()["host"], "host-a");
  EXPECT_TRUE(first->RenewIfDue({}));
}

TEST_F(S3LockTest, ALockLetGoBetweenTheCallsIsHadInTheNextRound) {
  const auto first = Hold("host-a");
  bool raced = false;
  s3.before = [&](const http::Request& request) -> std::optional<Result<http::Response>> {
    if (request.method == "GET" && !raced) {
      raced = true;
      EXPECT_TRUE(first->Release({}));
    }
    return std::nullopt;
  };
  Hold("host-b");
  EXPECT_EQ(Stored()["host"], "host-b");
}

TEST_F(S3LockTest, OnesOwnLostFirstWriteIsRecognized) {
  s3.after = Fail("PUT", 1);
  const auto lock = Hold("host-a");
  ASSERT_TRUE(lock);
  Pass(minutes(1));
  EXPECT_TRUE(lock->RenewIfDue({}));

  // The program asks again, for the first time ended in an error though S3 had the lock.
  s3.Delete(kKey);
  s3.after = Fail("PUT", 3);
  EXPECT_EQ(Acquire("host-b").error().kind, ErrorKind::kTransient);
  EXPECT_EQ(Stored()["host"], "host-b");
  s3.after = nullptr;
  const auto again = Hold("host-b");
  EXPECT_FALSE(again->taken_over_from());
  Pass(minutes(1));
  EXPECT_TRUE(again->RenewIfDue({}));
}

TEST_F(S3LockTest, ARenewalWhoseAnswerIsLostIsNoLoss) {
  const auto lock = Hold("host-a");
  Pass(minutes(1));
  s3.after = Fail("PUT", 1);
  EXPECT_TRUE(lock->RenewIfDue({}));
  // Every answer lost: the object has moved on without the holder's knowing.
  Pass(minutes(1));
  s3.after = Fail("PUT", 3);
  EXPECT_TRUE(lock->RenewIfDue({}));
  s3.after = nullptr;
  Pass(seconds(10));
  const std::size_t calls = Calls();
  EXPECT_TRUE(lock->RenewIfDue({}));
  // PUT refused, GET shows one's own id, PUT with the ETag that it gave.
  ASSERT_EQ(Calls(), calls + 3);
  Pass(minutes(1));
  EXPECT_TRUE(lock->RenewIfDue({}));
  EXPECT_EQ(Calls(), calls + 4);
}

TEST_F(S3LockTest, APassingFailureIsBorneUntilTheLockIsAboutToExpire) {
  const auto lock = Hold("host-a");
  s3.before = [](const http::Request&) -> std::optional<Result<http::Response>> {
    return Result<http::Response>(FakeStateS3::Refuse(503, "SlowDown"));
  };
  Pass(minutes(1));
  EXPECT_TRUE(lock->RenewIfDue({}));
  std::size_t calls = Calls();
  EXPECT_TRUE(lock->RenewIfDue({}));  // not again at once
  EXPECT_EQ(Calls(), calls);
  Pass(minutes(7));
  EXPECT_TRUE(lock->RenewIfDue({}));
  EXPECT_GT(Calls(), calls);
  Pass(minutes(1));
  const Status late = lock->RenewIfDue({});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kThrottled);
  EXPECT_THAT(late.error().Text(), HasSubstr("last renewed 9 min"));
  calls = Calls();
  EXPECT_FALSE(lock->RenewIfDue({}));
  EXPECT_EQ(Calls(), calls);
  // S3 is back before anybody took it: the run goes on.
  s3.before = nullptr;
  Pass(hours(1));
  EXPECT_TRUE(lock->RenewIfDue({}));
  EXPECT_TRUE(lock->RenewIfDue({}));
}

TEST_F(S3LockTest, ARefusalIsToldAtOnceAndMayBeMended) {
  const auto lock = Hold("host-a");
  s3.before = [](const http::Request&) -> std::optional<Result<http::Response>> {
    return Result<http::Response>(FakeStateS3::Refuse(403, "AccessDenied"));
  };
  Pass(minutes(1));
  const Status denied = lock->RenewIfDue({});
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().kind, ErrorKind::kAccessDenied);
  EXPECT_THAT(denied.error().Text(), HasSubstr("renewing the lock s3://bkt/state/run-1/lock"));
  s3.before = nullptr;
  EXPECT_EQ(lock->RenewIfDue({}).error().kind, ErrorKind::kAccessDenied);
  Pass(seconds(10));
  EXPECT_TRUE(lock->RenewIfDue({}));
}

TEST_F(S3LockTest, AStopIsNoFailureOfTheLock) {
  const auto lock = Hold("host-a");
  Pass(minutes(2));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(lock->RenewIfDue(stop.get_token()).error().kind, ErrorKind::kCancelled);
  EXPECT_TRUE(lock->RenewIfDue({}));
}

TEST_F(S3LockTest, ARemovedOrOverwrittenLockIsLost) {
  auto lock = Hold("host-a");
  s3.Delete(kKey);
  Pass(minutes(1));
  Status status = lock->RenewIfDue({});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(status.error().Text(), HasSubstr("was removed"));
  EXPECT_EQ(lock->RenewIfDue({}).error().kind, ErrorKind::kInTheWay);

  lock = Hold("host-a");
  s3.Put(kKey, "mine!");
  Pass(minutes(1));
  status = lock->RenewIfDue({});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(status.error().Text(), HasSubstr("was overwritten"));
}

TEST_F(S3LockTest, WhatIsNoLockIsNeverOverwritten) {
  for (const char* body :
       {"", "text", "[]", "{}", R"({"host":"h","pid":1,"id":""})", R"({"host":1,"pid":1,"id":"x"})",
        R"({"host":"h","pid":"1","id":"x"})"}) {
    s3.Put(kKey, body);
    Pass(hours(1));
    const auto lock = Acquire("host-a");
    ASSERT_FALSE(lock) << body;
    EXPECT_EQ(lock.error().kind, ErrorKind::kInTheWay);
    EXPECT_THAT(lock.error().Text(), HasSubstr("is no lock of a run"));
    EXPECT_EQ(s3.objects().at(kKey).body, body);
  }
}

TEST_F(S3LockTest, AReleasedLockIsFreeAtOnceAndHeldNoMore) {
  const auto first = Hold("host-a");
  ASSERT_TRUE(first->Release({}));
  EXPECT_TRUE(s3.objects().empty());
  EXPECT_EQ(first->RenewIfDue({}).error().kind, ErrorKind::kInTheWay);
  Hold("host-b");
}

TEST_F(S3LockTest, AReleaseLeavesAnothersLockAlone) {
  const auto first = Hold("host-a");
  Pass(minutes(11));
  const auto second = Hold("host-b");
  EXPECT_TRUE(first->Release({}));  // which it had not noticed to be taken
  EXPECT_EQ(Stored()["host"], "host-b");
  s3.Delete(kKey);
  EXPECT_TRUE(second->Release({}));

  const auto third = Hold("host-c");
  s3.before = [](const http::Request&) -> std::optional<Result<http::Response>> {
    return Result<http::Response>(FakeStateS3::Refuse(403, "AccessDenied"));
  };
  EXPECT_EQ(third->Release({}).error().kind, ErrorKind::kAccessDenied);
}

TEST_F(S3LockTest, AReleaseFindsItsOwnWriteWhoseAnswerWasLost) {
  const auto lock = Hold("host-a");
  Pass(minutes(1));
  s3.after = Fail("PUT", 3);
  ASSERT_TRUE(lock->RenewIfDue({}));
  s3.after = nullptr;
  ASSERT_TRUE(lock->Release({}));
  EXPECT_TRUE(s3.objects().empty());
}

TEST_F(S3LockTest, OnlyOneOfManyThatAskAtOnceGetsIt) {
  std::atomic<int> held = 0;
  {
    std::vector<std::jthread> askers;
    askers.reserve(8);
    for (int i = 0; i < 8; ++i) {
      askers.emplace_back([this, i, &held] {
        if (Acquire("host-" + std::to_string(i))) ++held;
      });
    }
  }
  EXPECT_EQ(held, 1);
}

TEST_F(S3LockTest, OfAProcessThatEndedOnThisMachineItIsTakenOverAtOnce) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_GT(child, 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  SeededRandom random(1);
  const LockOwner here = ThisProcess(random);
  const auto hold = [&](LockOwner owner) {
    auto lock = S3Lock::Acquire(client, bucket, "state/run-1/", std::move(owner), bench.clock, {});
    return lock ? *std::move(lock) : nullptr;
  };
  LockOwner gone = ThisProcess(random);
  gone.pid = child;

  // Whose end can't be known from here: another host's, another pid space's, an older program's.
  std::vector<LockOwner> others(3, gone);
  others[0].host = "host-a";
  others[1].machine += "2";
  others[2].machine.clear();
  for (const LockOwner& other : others) {
    ASSERT_TRUE(hold(other)) << other.host << other.machine;
    EXPECT_FALSE(hold(here)) << other.host << other.machine;
    s3.Delete(kKey);
  }
  LockOwner living = gone;
  living.pid = ::getpid();
  ASSERT_TRUE(hold(living));
  EXPECT_FALSE(hold(here));
  s3.Delete(kKey);

  const auto first = hold(gone);
  const auto second = hold(here);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->taken_over_from()->pid, child);
  Pass(minutes(1));
  EXPECT_FALSE(first->RenewIfDue({}));
  EXPECT_TRUE(second->RenewIfDue({}));
}

TEST_F(S3LockTest, AProcessNamesItself) {
  SeededRandom random(1);
  const LockOwner one = ThisProcess(random);
  EXPECT_FALSE(one.machine.empty());
  EXPECT_EQ(one.machine, ThisProcess(random).machine);
  EXPECT_GT(one.pid, 0);
  EXPECT_FALSE(one.host.empty());
  EXPECT_EQ(one.id.size(), 36U);
  EXPECT_NE(one.id, ThisProcess(random).id);
}

}  // namespace
}  // namespace tsm::run
