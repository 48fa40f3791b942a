// Copies inside S3: whole files and what becomes of them when S3 refuses, throttles or is stopped.
#include "tsm/copy/copy_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "copy/copy_world.h"

namespace tsm::test {
namespace {

using copy::CopySummary;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// The process's threads: what a run has started must have ended.
std::ptrdiff_t Threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

// Whether one thread has many files under way, or each file has a thread while it is copied: what
// comes of them is the same.
class CopyRunTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Ways, CopyRunTest, testing::Bool(), [](const auto& way) {
  return way.param ? std::string("Together") : std::string("OneByOne");
});

TEST_P(CopyRunTest, EveryFileIsCopiedByOneRequestAndBooked) {
  CopyWorld world(GetParam());
  world.AddMany(300);
  const CopySummary summary = world.Run();
  ASSERT_EQ(WhyNotAll(summary, world), "");
  EXPECT_EQ(world.s3.calls(), 300U);
  EXPECT_EQ(world.s3.Count("CopyObject"), 300U);
  EXPECT_THAT(world.book.copied, SizeIs(300));
  EXPECT_EQ(world.book.copied.at("to/f0007.csv").bytes, 9U);
  EXPECT_EQ(world.Body("to/f0299.csv"), "body 0299");
  EXPECT_EQ(summary.bytes, 300U * 9);
  EXPECT_EQ(summary.failed, 0U);
}

TEST_P(CopyRunTest, NothingToCopyIsDoneAtOnce) {
  CopyWorld world(GetParam());
  const CopySummary summary = world.Run();
  EXPECT_EQ(WhyNotAll(summary, world), "");
  EXPECT_EQ(world.s3.calls(), 0U);
}

TEST_P(CopyRunTest, AsManyRequestsAtOnceAsAllowed) {
  CopyWorld world(GetParam());
  world.AddMany(200);
  world.options.concurrency = 16;
  world.s3.call_time = std::chrono::milliseconds(20);
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.s3.most_at_once(), 16U);
  // 13 rounds of 16.
  EXPECT_LE(world.clock.elapsed(), std::chrono::milliseconds(300));
}

TEST_P(CopyRunTest, TheRequestsSayWhatTheOptionsAsk) {
  CopyWorld world(GetParam());
  const std::string etag = world.Add("a=b/c d.csv", "x").etag;
  world.options.encryption = "aws:kms";
  world.options.kms_key_id = "arn:aws:kms:eu-west-1:111122223333:key/k";
  world.options.bucket_owner_full_control = true;
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  const http::Request request = world.s3.Requests("CopyObject").at(0);
  EXPECT_EQ(Header(request, "x-amz-copy-source"), "/src/a%3Db/c%20d.csv");
  EXPECT_EQ(Header(request, "x-amz-copy-source-if-match"), "\"" + etag + "\"");
  EXPECT_EQ(Header(request, "x-amz-metadata-directive"), "");
  EXPECT_EQ(Header(request, "x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(Header(request, "x-amz-server-side-encryption-aws-kms-key-id"),
            "arn:aws:kms:eu-west-1:111122223333:key/k");
  EXPECT_EQ(Header(request, "x-amz-acl"), "bucket-owner-full-control");
}

TEST_P(CopyRunTest, WhatLiesThereOrIsInTheBookCostsNoRequest) {
  CopyWorld world(GetParam());
  world.AddMany(4);
  world.book.copied["to/f0001.csv"];
  const CopySummary summary = world.Run({true, false, false, true});
  ASSERT_EQ(WhyNotAll(summary, world), "");
  EXPECT_EQ(summary.were_there, 3U);
  EXPECT_EQ(world.s3.Count("CopyObject"), 1U);
  EXPECT_TRUE(world.book.copied.at("to/f0000.csv").was_there);
  EXPECT_TRUE(world.book.copied.at("to/f0003.csv").was_there);
  EXPECT_FALSE(world.book.copied.at("to/f0002.csv").was_there);
}

TEST_P(CopyRunTest, SlowDownLowersTheNumberAtOnceAndItRecovers) {
  CopyWorld world(GetParam());
  world.AddMany(600);
  world.options.concurrency = 32;
  world.s3.call_time = std::chrono::milliseconds(20);
  std::atomic<int> refused{0};
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.number <= 64 || call.number > 128) return std::nullopt;
    ++refused;
    return FakeCopyS3::SlowDown();
  };
  const CopySummary summary = world.Run();
  ASSERT_EQ(WhyNotAll(summary, world), "");
  EXPECT_EQ(refused, 64);
  // Nothing was lost, nothing was asked for twice in a row without a wait.
  EXPECT_EQ(world.s3.Count("CopyObject"), 664U);
  bool slowed = false;
  for (const Progress& progress : world.sink.told) {
    slowed = slowed || progress.detail.find("slowed to ") != std::string::npos;
  }
  EXPECT_TRUE(slowed);
  EXPECT_THAT(world.sink.told.back().detail, Not(HasSubstr("to be tried again")));
}

TEST_P(CopyRunTest, AThrottledCallIsNotRepeatedInsideTheClient) {
  CopyWorld world(GetParam());
  world.AddMany(1);
  std::vector<std::chrono::nanoseconds> times;
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    times.push_back(world.clock.elapsed());
    if (call.number <= 3) return FakeCopyS3::SlowDown();
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  ASSERT_THAT(times, SizeIs(4));
  // Each wait begins at twice what the one before began at, and is jittered by half.
  EXPECT_GE(times[1] - times[0], std::chrono::milliseconds(500));
  EXPECT_GE(times[2] - times[1], std::chrono::milliseconds(1000));
  EXPECT_GE(times[3] - times[2], std::chrono::milliseconds(2000));
  EXPECT_LE(times[3], std::chrono::seconds(7));
}

TEST_P(CopyRunTest, APassingFailureIsForgottenOnceItPassed) {
  CopyWorld world(GetParam());
  world.AddMany(20);
  // For ten minutes one key can't be had; the client itself gives up within a second.
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    const bool down = world.clock.elapsed() < std::chrono::minutes(10);
    if (down && call.key == "to/f0003.csv") return FakeCopyS3::Reset();
    return std::nullopt;
  };
  const CopySummary summary = world.Run();
  ASSERT_EQ(WhyNotAll(summary, world), "");
  EXPECT_GE(world.clock.elapsed(), std::chrono::minutes(10));
  EXPECT_LE(world.clock.elapsed(), std::chrono::minutes(13));
}

TEST_P(CopyRunTest, AFileFailsOnlyAfterNothingHasMovedForLong) {
  CopyWorld world(GetParam());
  world.AddMany(3);
  world.options.give_up_after = std::chrono::hours(1);
  world.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.key == "to/f0001.csv") return FakeCopyS3::Refusal(500, "InternalError");
    return std::nullopt;
  };
  const CopySummary summary = world.Run();
  EXPECT_EQ(summary.files, 2U);
  ASSERT_THAT(summary.failures, SizeIs(1));
  EXPECT_THAT(summary.failures[0].error.Text(),
              AllOf(HasSubstr("InternalError"),
                    HasSubstr("given up, for nothing could be copied for 1 h 00 min")));
  EXPECT_GE(world.clock.elapsed(), std::chrono::hours(1));
  EXPECT_LE(world.clock.elapsed(), std::chrono::minutes(64));
}

TEST_P(CopyRunTest, AForbiddenKeyFailsAloneAndSaysWhatItNeeds) {
  CopyWorld world(GetParam());
  world.AddMany(50);
  world.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.key == "to/f0033.csv") return FakeCopyS3::Refusal(403, "AccessDenied");
    return std::nullopt;
  };
  const CopySummary summary = world.Run();
  EXPECT_FALSE(summary.fatal);
  EXPECT_EQ(summary.files, 49U);
  EXPECT_EQ(summary.failed, 1U);
  EXPECT_THAT(world.failed, ElementsAre("to/f0033.csv"));
  EXPECT_EQ(summary.failures[0].error.kind, ErrorKind::kAccessDenied);
  EXPECT_THAT(summary.failures[0].error.Text(),
              AllOf(HasSubstr("s3:GetObject on s3://src/f0033.csv"),
                    HasSubstr("s3:PutObject on s3://dst/to/f0033.csv")));
  EXPECT_EQ(world.book.copied.count("to/f0033.csv"), 0U);
  EXPECT_EQ(world.s3.Count("CopyObject"), 50U);
}

TEST_P(CopyRunTest, OnlyTheFirstHundredFailuresAreKeptButAllAreTold) {
  CopyWorld world(GetParam());
  world.AddMany(150);
  world.s3.before = [](const CopyS3Call&) -> std::optional<http::Response> {
    return FakeCopyS3::Refusal(403, "AccessDenied");
  };
  const CopySummary summary = world.Run();
  EXPECT_THAT(summary.failures, SizeIs(100));
  EXPECT_EQ(summary.failed, 150U);
  EXPECT_THAT(world.failed, SizeIs(150));
}

TEST_P(CopyRunTest, ASourceThatWasWrittenAnewOrIsGoneFailsAlone) {
  CopyWorld world(GetParam());
  world.AddMany(3);
  world.s3.Put("src", "f0000.csv", "another");
  world.s3.Delete("src", "f0002.csv");
  const CopySummary summary = world.Run();
  EXPECT_EQ(summary.files, 1U);
  ASSERT_THAT(summary.failures, SizeIs(2));
  std::map<std::string, std::string> why;
  for (const auto& failure : summary.failures) {
    why[failure.file.source.str()] = failure.error.Text();
  }
  EXPECT_THAT(why.at("f0000.csv"), HasSubstr("s3://src/f0000.csv has been written anew since"));
  EXPECT_THAT(why.at("f0002.csv"), HasSubstr("was listed but is no longer there"));
}

TEST_P(CopyRunTest, AnotherETagThanTheSourcesIsNoCopy) {
  CopyWorld world(GetParam());
  world.AddMany(3);
  world.s3.after = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name != "CopyObject" || call.key != "to/f0001.csv") return std::nullopt;
    return http::Response{
        .status = 200,
        .headers = {},
        .body = "<CopyObjectResult><ETag>\"" + ETagOf("damaged") + "\"</ETag></CopyObjectResult>"};
  };
  const CopySummary summary = world.Run();
  EXPECT_EQ(summary.files, 2U);
  ASSERT_THAT(summary.failures, SizeIs(1));
  EXPECT_EQ(summary.failures[0].error.kind, ErrorKind::kProof);
  EXPECT_THAT(summary.failures[0].error.Text(),
              AllOf(HasSubstr("s3://dst/to/f0001.csv"), HasSubstr("their bytes differ")));
  EXPECT_EQ(world.book.copied.count("to/f0001.csv"), 0U);
}

TEST_P(CopyRunTest, ETagsOfKmsAreNotCompared) {
  CopyWorld to_kms(GetParam());
  to_kms.AddMany(5);
  to_kms.options.encryption = "aws:kms";
  EXPECT_EQ(WhyNotAll(to_kms.Run(), to_kms), "");
  EXPECT_EQ(to_kms.s3.Count("HeadObject"), 0U);

  CopyWorld from_kms(GetParam());
  from_kms.options.concurrency = 1;
  for (const std::string key : {"a", "b", "c"}) {
    from_kms.AddListed(key, 4, from_kms.s3.Put("src", key, "body", {}, "aws:kms"));
  }
  EXPECT_EQ(WhyNotAll(from_kms.Run(), from_kms), "");
  // The first difference is looked into, the others are of the same kind.
  EXPECT_EQ(from_kms.s3.Count("HeadObject"), 1U);
}

TEST_P(CopyRunTest, WhatWouldMeetAllEndsTheRun) {
  for (const std::string code : {"InvalidAccessKeyId", "NoSuchBucket"}) {
    CopyWorld world(GetParam());
    world.AddMany(500);
    world.s3.call_time = std::chrono::milliseconds(20);
    world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
      if (call.number > 20) return FakeCopyS3::Refusal(403, code);
      return std::nullopt;
    };
    const CopySummary summary = world.Run();
    ASSERT_TRUE(summary.fatal) << code;
    EXPECT_EQ(summary.fatal->code, code);
    EXPECT_EQ(summary.failed, 0U);
    EXPECT_LE(world.s3.calls(), 20U + 8);
  }
}

TEST_P(CopyRunTest, ABookThatCantBeWrittenEndsTheRun) {
  CopyWorld world(GetParam());
  world.AddMany(100);
  world.book.broken = true;
  const CopySummary summary = world.Run();
  ASSERT_TRUE(summary.fatal);
  EXPECT_EQ(summary.fatal->kind, ErrorKind::kLocalIo);
  EXPECT_LE(world.s3.calls(), 16U);
}

TEST_P(CopyRunTest, AListThatCantBeReadEndsTheRun) {
  CopyWorld world(GetParam());
  world.AddMany(100);
  world.feed_fails_at = 40;
  const CopySummary summary = world.Run();
  ASSERT_TRUE(summary.fatal);
  EXPECT_THAT(summary.fatal->Text(), HasSubstr("reading the list of files to copy"));
  EXPECT_EQ(summary.files, 40U);
}

TEST_P(CopyRunTest, AStopEndsWhatIsUnderWayAndLeavesNoThread) {
  CopyWorld world(GetParam());
  world.AddMany(500);
  world.s3.call_time = std::chrono::milliseconds(20);
  const std::ptrdiff_t threads = Threads();
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.number == 100) world.stop.request_stop();
    return std::nullopt;
  };
  const CopySummary summary = world.Run();
  EXPECT_TRUE(summary.interrupted);
  EXPECT_FALSE(summary.fatal);
  EXPECT_EQ(summary.failed, 0U);
  EXPECT_LT(summary.files, 100U);
  EXPECT_EQ(summary.files, world.book.copied.size());
  EXPECT_LE(world.s3.calls(), 108U);
  EXPECT_EQ(Threads(), threads);
}

TEST_P(CopyRunTest, AStopEndsAWaitOfHours) {
  CopyWorld world(GetParam());
  world.AddMany(1);
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.number == 12) world.stop.request_stop();
    return FakeCopyS3::SlowDown();
  };
  const CopySummary summary = world.Run();
  EXPECT_TRUE(summary.interrupted);
  EXPECT_EQ(world.s3.calls(), 12U);
}

TEST_P(CopyRunTest, ADrainFinishesWhatWasBegunAndAResumeDoesTheRest) {
  CopyWorld world(GetParam());
  world.AddMany(200);
  world.s3.call_time = std::chrono::milliseconds(20);
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.number == 80) world.drain.request_stop();
    return std::nullopt;
  };
  const CopySummary drained = world.Run();
  EXPECT_TRUE(drained.interrupted);
  EXPECT_GE(drained.files, 80U);
  EXPECT_LE(drained.files, 88U);
  EXPECT_EQ(drained.files, world.s3.calls());

  world.s3.before = nullptr;
  world.drain = std::stop_source();
  const CopySummary resumed = world.Run();
  ASSERT_EQ(WhyNotAll(resumed, world), "");
  EXPECT_EQ(resumed.were_there, drained.files);
  EXPECT_EQ(world.s3.Count("CopyObject"), 200U);
}

TEST_P(CopyRunTest, ProgressIsToldAFewTimesASecondAndTheLockIsKeptAlive) {
  CopyWorld world(GetParam());
  world.AddMany(1000);
  world.s3.call_time = std::chrono::milliseconds(500);
  std::atomic<int> ticks{0};
  world.tick = [&] {
    ++ticks;
    return Ok();
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  // 125 rounds of half a second.
  EXPECT_GE(ticks, 6);
  EXPECT_LE(ticks, 8);
  EXPECT_LE(world.sink.told.size(), 135U);
  const Progress& last = world.sink.told.back();
  EXPECT_EQ(last.phase, "copy");
  EXPECT_EQ(last.done, 1000U);
  EXPECT_EQ(last.total, 1000U);
  EXPECT_EQ(last.bytes_done, 9000U);
  EXPECT_EQ(last.detail, "");
}

TEST_P(CopyRunTest, ALostLockEndsTheRun) {
  CopyWorld world(GetParam());
  world.AddMany(1000);
  world.s3.call_time = std::chrono::seconds(1);
  world.tick = [] { return MakeError(ErrorKind::kInTheWay, "another process has the run"); };
  const CopySummary summary = world.Run();
  ASSERT_TRUE(summary.fatal);
  EXPECT_EQ(summary.fatal->message, "another process has the run");
  EXPECT_LE(world.s3.calls(), 100U);
}

}  // namespace
}  // namespace tsm::test
