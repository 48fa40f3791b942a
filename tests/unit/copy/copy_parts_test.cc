// Large files in parts: how they are cut, what happens to an upload that fails or vanishes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "../../src/copy/copy_patience.h"
#include "../../src/copy/file_copy.h"
#include "copy/copy_world.h"

namespace tsm::test {
namespace {

using copy::CopySummary;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kGiB = 1024 * kMiB;

std::string Text(std::size_t bytes) {
  std::string text(bytes, ' ');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 997) % 26);
  return text;
}

struct CopyPartsTest : ::testing::Test {
  CopyPartsTest() { world.options.part_bytes = 5 * kMiB; }
  CopyWorld world;
};

TEST(PartBytesTest, PartsAreAsWantedWithinS3sLimits) {
  EXPECT_EQ(copy::PartBytes(50 * kGiB, 524'288'000), 524'288'000U);
  EXPECT_EQ(copy::PartBytes(50 * kGiB, 1), 6 * kMiB);  // 10,000 parts of 5 MiB would not do
  EXPECT_EQ(copy::PartBytes(kGiB, 1), 5 * kMiB);
  EXPECT_EQ(copy::PartBytes(kGiB, 6 * kGiB), 5 * kGiB);
  const std::uint64_t largest = 5 * 1024 * kGiB;
  EXPECT_LE((largest + copy::PartBytes(largest, 1) - 1) / copy::PartBytes(largest, 1), 10'000U);
}

TEST(CopyPatienceTest, HalvesOncePerRoundTripAndRisesByOnePerRound) {
  SimulatedClock clock;
  SeededRandom random(1);
  copy::CopyPatience patience(64, 64, std::chrono::hours(24), clock, random);
  const Error slow = MakeError(ErrorKind::kThrottled, "", "SlowDown");
  const auto began = clock.Steady();
  clock.SleepFor(std::chrono::milliseconds(20), {});
  for (int i = 0; i < 64; ++i) EXPECT_TRUE(patience.Setback(slow, began, 1));
  EXPECT_EQ(patience.limit(), 32U);
  const auto later = clock.Steady() + std::chrono::milliseconds(1);
  EXPECT_TRUE(patience.Setback(slow, later, 2));
  EXPECT_EQ(patience.limit(), 16U);
  for (int i = 0; i < 16; ++i) patience.Succeeded();
  EXPECT_EQ(patience.limit(), 17U);
  for (int i = 0; i < 3000; ++i) patience.Succeeded();
  EXPECT_EQ(patience.limit(), 64U);
  // What passes without words about the rate leaves the number alone.
  EXPECT_TRUE(patience.Setback(MakeError(ErrorKind::kTransient, ""), clock.Steady(), 1));
  EXPECT_EQ(patience.limit(), 64U);
  clock.SleepFor(std::chrono::hours(24), {});
  EXPECT_FALSE(patience.Setback(slow, clock.Steady(), 3));
}

TEST(CopyPartsOf50GiBTest, AllPartsAtFullConcurrency) {
  CopyWorld world;
  world.options.concurrency = 64;
  world.AddListed("big", 50 * kGiB, world.s3.PutSized("src", "big", 50 * kGiB));
  world.s3.call_time = std::chrono::seconds(5);
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.s3.Count("UploadPartCopy"), 103U);
  EXPECT_EQ(world.s3.calls(), 106U);
  EXPECT_EQ(world.s3.most_at_once(), 64U);
  // Look, create, two rounds of parts, complete.
  EXPECT_LE(world.clock.elapsed(), std::chrono::seconds(26));
  EXPECT_EQ(world.s3.Get("dst", "to/big")->size, 50 * kGiB);
  EXPECT_EQ(world.book.copied.at("to/big").bytes, 50 * kGiB);
}

TEST_F(CopyPartsTest, BytesAndMetadataArriveAndTheUploadIsBooked) {
  const std::string body = Text(12 * kMiB + 17);
  const std::string etag = world.s3.Put("src", "large", body,
                                        {{"Content-Type", "text/csv"},
                                         {"x-amz-meta-origin", "unload"},
                                         {"Cache-Control", "no-cache"}});
  world.AddListed("large", body.size(), etag);
  world.AddMany(10);
  world.options.encryption = "AES256";
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  const StoredObject copy = *world.s3.Get("dst", "to/large");
  EXPECT_TRUE(copy.body == body);
  EXPECT_EQ(http::FindHeader(copy.headers, "content-type"), "text/csv");
  EXPECT_EQ(http::FindHeader(copy.headers, "x-amz-meta-origin"), "unload");
  EXPECT_EQ(http::FindHeader(copy.headers, "cache-control"), "no-cache");
  EXPECT_EQ(copy.encryption, "AES256");
  EXPECT_EQ(world.s3.Count("UploadPartCopy"), 3U);
  const http::Request part = world.s3.Requests("UploadPartCopy")[0];
  EXPECT_EQ(Header(part, "x-amz-copy-source-if-match"), "\"" + etag + "\"");
  EXPECT_THAT(world.book.started, SizeIs(1));
  EXPECT_THAT(world.book.open, IsEmpty());
  EXPECT_THAT(world.s3.open_uploads(), IsEmpty());
}

TEST_F(CopyPartsTest, AFailingPartAbortsItsUploadAndTheOthersGoOn) {
  world.Add("large", Text(26 * kMiB));
  world.AddMany(20);
  world.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "UploadPartCopy" && call.part == 3) {
      return FakeCopyS3::Refusal(403, "AccessDenied");
    }
    return std::nullopt;
  };
  const CopySummary summary = world.Run();
  EXPECT_EQ(summary.files, 20U);
  ASSERT_THAT(summary.failures, SizeIs(1));
  EXPECT_THAT(summary.failures[0].error.Text(),
              AllOf(HasSubstr("UploadPartCopy s3://dst/to/large"), HasSubstr("part 3"),
                    HasSubstr("s3:PutObject on s3://dst/to/large")));
  EXPECT_THAT(world.s3.open_uploads(), IsEmpty());
  EXPECT_THAT(world.book.started, SizeIs(1));
  EXPECT_THAT(world.book.open, IsEmpty());
  EXPECT_FALSE(world.s3.Get("dst", "to/large"));
  EXPECT_EQ(summary.bytes, 20U * 9);
}

TEST_F(CopyPartsTest, AnUploadThatCantBeAbortedStaysInTheBook) {
  world.Add("large", Text(6 * kMiB));
  world.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "CompleteMultipartUpload" || call.name == "AbortMultipartUpload") {
      return FakeCopyS3::Refusal(403, "AccessDenied");
    }
    return std::nullopt;
  };
  const CopySummary summary = world.Run();
  EXPECT_EQ(summary.failed, 1U);
  EXPECT_THAT(world.book.open, SizeIs(1));
  ASSERT_THAT(world.sink.notices, SizeIs(1));
  EXPECT_THAT(world.sink.notices[0], HasSubstr("could not be aborted"));

  // The next process does it.
  world.s3.before = nullptr;
  ASSERT_TRUE(copy::AbortLeftUploads(world.target, world.options.target_bucket,
                                     {{s3::ObjectKey("to/large"), *world.book.open.begin()},
                                      {s3::ObjectKey("to/gone"), "long-gone"}},
                                     world.book, {}));
  EXPECT_THAT(world.book.open, IsEmpty());
  EXPECT_THAT(world.s3.open_uploads(), IsEmpty());
}

TEST_F(CopyPartsTest, WhatCantBeAbortedIsToldAfterAllWereTried) {
  world.s3.AddUpload("u1");
  world.s3.AddUpload("u2");
  world.book.open = {"u1", "u2"};
  world.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.key == "a") return FakeCopyS3::Refusal(403, "AccessDenied");
    return std::nullopt;
  };
  const Status aborted = copy::AbortLeftUploads(
      world.target, world.options.target_bucket,
      {{s3::ObjectKey("a"), "u1"}, {s3::ObjectKey("b"), "u2"}}, world.book, {});
  ASSERT_FALSE(aborted);
  EXPECT_EQ(aborted.error().kind, ErrorKind::kAccessDenied);
  EXPECT_THAT(world.book.open, ElementsAre("u1"));
}

TEST_F(CopyPartsTest, AnUploadThatCantBeBookedIsAborted) {
  world.Add("large", Text(11 * kMiB));
  world.book.broken = true;
  const CopySummary summary = world.Run();
  ASSERT_TRUE(summary.fatal);
  EXPECT_EQ(world.s3.Count("UploadPartCopy"), 0U);
  EXPECT_THAT(world.s3.open_uploads(), IsEmpty());
}

TEST_F(CopyPartsTest, AThrottledPartIsTriedAgainAlone) {
  const std::string body = Text(30 * kMiB);
  world.Add("large", body);
  std::atomic<int> refused{0};
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name != "UploadPartCopy" || call.part != 2 || ++refused > 4) return std::nullopt;
    return FakeCopyS3::SlowDown();
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.s3.Count("UploadPartCopy"), 6U + 4);
  EXPECT_EQ(world.s3.Count("CreateMultipartUpload"), 1U);
  EXPECT_TRUE(world.Body("to/large") == body);
}

TEST_F(CopyPartsTest, ACompletionWhoseAnswerWasLostIsRecognized) {
  const std::string body = Text(11 * kMiB);
  world.Add("large", body);
  std::atomic<int> lost{0};
  world.s3.after = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "CompleteMultipartUpload" && ++lost == 1) return FakeCopyS3::Reset();
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.s3.Count("CompleteMultipartUpload"), 2U);
  EXPECT_EQ(world.s3.Count("CreateMultipartUpload"), 1U);
  EXPECT_THAT(world.book.open, IsEmpty());
}

TEST_F(CopyPartsTest, AnOldObjectOfTheSameSizeIsNotTakenForTheLostUploads) {
  const std::string body = Text(11 * kMiB);
  world.Add("large", body);
  // Another copy of the same size and number of parts has lain there for an hour.
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  world.book.copied.clear();
  world.clock.SleepFor(std::chrono::hours(1), {});
  std::atomic<int> vanished{0};
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "CompleteMultipartUpload" && ++vanished == 1) {
      return FakeCopyS3::Refusal(404, "NoSuchUpload");
    }
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  // Begun anew.
  EXPECT_EQ(world.s3.Count("CreateMultipartUpload"), 3U);
}

TEST_F(CopyPartsTest, AnUploadThatKeepsVanishingFailsItsFile) {
  world.Add("large", Text(11 * kMiB));
  world.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "UploadPartCopy") return FakeCopyS3::Refusal(404, "NoSuchUpload");
    return std::nullopt;
  };
  const CopySummary summary = world.Run();
  EXPECT_EQ(summary.failed, 1U);
  EXPECT_EQ(world.s3.Count("CreateMultipartUpload"), 6U);
  EXPECT_THAT(world.book.open, IsEmpty());
}

TEST_F(CopyPartsTest, AnErrorInsideA200OfTheCompletionIsFollowed) {
  world.Add("large", Text(11 * kMiB));
  std::atomic<int> answers{0};
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name != "CompleteMultipartUpload" || ++answers > 2) return std::nullopt;
    http::Response hidden = FakeCopyS3::Refusal(200, "InternalError");
    hidden.body = " \n " + hidden.body;
    return hidden;
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(answers, 3);
}

TEST_F(CopyPartsTest, AChangedSourceIsFoundBeforeTheFirstPart) {
  world.Add("large", Text(11 * kMiB));
  world.s3.Put("src", "large", Text(11 * kMiB + 1));
  const CopySummary summary = world.Run();
  ASSERT_THAT(summary.failures, SizeIs(1));
  EXPECT_THAT(summary.failures[0].error.Text(), HasSubstr("has been written anew since"));
  EXPECT_EQ(world.s3.Count("CreateMultipartUpload"), 0U);
}

TEST_F(CopyPartsTest, AStopLeavesTheUploadToTheBook) {
  world.Add("large", Text(50 * kMiB));
  world.s3.call_time = std::chrono::milliseconds(100);
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "UploadPartCopy" && call.part == 9) world.stop.request_stop();
    return std::nullopt;
  };
  world.options.concurrency = 4;
  const CopySummary summary = world.Run();
  EXPECT_TRUE(summary.interrupted);
  EXPECT_EQ(summary.failed, 0U);
  EXPECT_THAT(world.book.open, SizeIs(1));
  EXPECT_THAT(world.s3.open_uploads(), SizeIs(1));
}

TEST_F(CopyPartsTest, ADrainFinishesTheFileThatWasBegun) {
  world.Add("large", Text(50 * kMiB));
  world.Add("next", Text(50 * kMiB));
  world.s3.call_time = std::chrono::milliseconds(100);
  world.options.concurrency = 2;
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "UploadPartCopy" && call.part == 2) world.drain.request_stop();
    return std::nullopt;
  };
  const CopySummary summary = world.Run();
  EXPECT_TRUE(summary.interrupted);
  EXPECT_GE(summary.files, 1U);
  EXPECT_THAT(world.book.open, IsEmpty());
  EXPECT_THAT(world.s3.open_uploads(), IsEmpty());
}

}  // namespace
}  // namespace tsm::test
