// The two ways of a copy inside S3, one thread that has many files under way and a thread for each
// file: what differs between them, and what must not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "copy/copy_world.h"

namespace tsm::test {
namespace {

using copy::CopySummary;
using testing::IsEmpty;
using testing::SizeIs;

class CopyWaysTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Ways, CopyWaysTest, testing::Bool(), [](const auto& way) {
  return way.param ? std::string("Together") : std::string("OneByOne");
});

// Together: only the first request of a file goes with the others.
TEST_P(CopyWaysTest, WhatTheClientWouldRepeatIsRepeated) {
  CopyWorld world(GetParam());
  world.AddMany(100);
  std::atomic<int> failing{0};
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.number % 3 != 0) return std::nullopt;
    ++failing;
    return call.number % 2 == 0 ? FakeCopyS3::Reset() : FakeCopyS3::Refusal(500, "InternalError");
  };
  const CopySummary summary = world.Run();
  ASSERT_EQ(WhyNotAll(summary, world), "");
  EXPECT_THAT(world.book.copied, SizeIs(100));
  EXPECT_EQ(world.s3.Count("CopyObject"), 100U + static_cast<unsigned>(failing));
}

TEST_P(CopyWaysTest, ABucketOfAnotherRegionIsFound) {
  CopyWorld world(GetParam());
  world.AddMany(60);
  world.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    const std::string_view signature = http::FindHeader(call.request.headers, "authorization");
    if (signature.find("/eu-central-1/s3/") != std::string_view::npos) return std::nullopt;
    http::Response moved = FakeCopyS3::Refusal(301, "PermanentRedirect");
    moved.headers.emplace_back("x-amz-bucket-region", "eu-central-1");
    return moved;
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  // Who was under way when the first was told is told too.
  EXPECT_GE(world.s3.Count("CopyObject"), 61U);
  EXPECT_LE(world.s3.Count("CopyObject"), 60U + 3 * 8);
}

TEST_P(CopyWaysTest, OneAtATimeIsOneAtATime) {
  CopyWorld world(GetParam());
  world.AddMany(20);
  world.options.concurrency = 1;
  world.options.part_bytes = s3::kMinPartBytes;
  world.AddListed("large", 3 * s3::kMinPartBytes,
                  world.s3.PutSized("src", "large", 3 * s3::kMinPartBytes));
  world.s3.call_time = std::chrono::milliseconds(20);
  std::atomic<int> failing{0};
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.key != "to/f0007.csv" || ++failing > 2) return std::nullopt;
    return FakeCopyS3::Refusal(500, "InternalError");
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.s3.most_at_once(), 1U);
}

TEST_P(CopyWaysTest, LargeFilesAmongSmallOnes) {
  CopyWorld world(GetParam());
  world.options.part_bytes = s3::kMinPartBytes;
  world.s3.call_time = std::chrono::milliseconds(20);
  for (int i = 0; i < 30; ++i) {
    const std::string name = "large" + std::to_string(100 + i);
    world.AddListed(name, 4 * s3::kMinPartBytes,
                    world.s3.PutSized("src", name, 4 * s3::kMinPartBytes));
    for (int small = 0; small < 5; ++small) world.Add(name + std::to_string(small), "body");
  }
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.s3.Count("CopyObject"), 150U);
  EXPECT_EQ(world.s3.Count("UploadPartCopy"), 120U);
  EXPECT_EQ(world.s3.Count("CompleteMultipartUpload"), 30U);
  EXPECT_EQ(world.s3.most_at_once(), 8U);
  // 360 requests, 8 at once, are 45 rounds: little of the line stays unused.
  EXPECT_LE(world.clock.elapsed(), std::chrono::milliseconds(45 * 20 + 200));
  EXPECT_THAT(world.book.open, IsEmpty());
}

// Whoever has many under way is always there first: it must stand back for what it handed over.
TEST_P(CopyWaysTest, AFileThatIsTriedAgainDoesNotWaitForAllOthers) {
  CopyWorld world(GetParam());
  world.AddMany(200);
  world.options.concurrency = 2;
  world.s3.call_time = std::chrono::milliseconds(20);
  std::atomic<int> asked{0};
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.key != "to/f0000.csv" || ++asked > 1) return std::nullopt;
    return FakeCopyS3::Refusal(500, "InternalError");
  };
  std::size_t copied_before = 0;
  world.book.on_copied = [&] {
    // Under the book's lock.
    if (world.book.copied.contains("to/f0000.csv") && copied_before == 0) {
      copied_before = world.book.copied.size();
    }
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_LT(copied_before, 20U);
}

TEST(CopyTogetherTest, OneThreadHasThemAllUnderWay) {
  CopyWorld world;
  world.AddMany(200);
  world.options.concurrency = 64;
  world.s3.call_time = std::chrono::milliseconds(20);
  std::mutex mutex;
  std::set<std::thread::id> bookers;
  world.book.on_copied = [&] {
    const std::lock_guard lock(mutex);
    bookers.insert(std::this_thread::get_id());
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.s3.most_at_once(), 64U);
  EXPECT_THAT(bookers, SizeIs(1));
}

TEST(CopyTogetherTest, ThereAreMoreAtOnceWhileS3TakesThem) {
  CopyWorld world;
  world.AddMany(408);
  world.options.concurrency = 8;
  world.options.most_concurrency = 32;
  world.s3.call_time = std::chrono::milliseconds(20);
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.s3.most_at_once(), 32U);
  // 8, 16, and then 12 rounds of 32.
  EXPECT_GE(world.clock.elapsed(), std::chrono::milliseconds(14 * 20));
  EXPECT_LE(world.clock.elapsed(), std::chrono::milliseconds(16 * 20));
}

TEST(CopyTogetherTest, WhatIsTooMuchForS3IsFoundAndKept) {
  CopyWorld world;
  world.AddMany(3000);
  world.options.concurrency = 8;
  world.options.most_concurrency = 256;
  world.s3.call_time = std::chrono::milliseconds(20);
  std::atomic<int> refused{0};
  world.s3.before = [&](const CopyS3Call&) -> std::optional<http::Response> {
    if (world.s3.at_once() <= 20) return std::nullopt;
    ++refused;
    return FakeCopyS3::SlowDown();
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.s3.Count("CopyObject"), 3000U + static_cast<unsigned>(refused));
  EXPECT_LT(world.s3.most_at_once(), 64U) << "it doubles once too often, and not again";
  // One step too far is told a round later: twenty requests of about ten rounds.
  EXPECT_LE(refused, 600);
  // Twenty at once would take 3 s.
  EXPECT_LE(world.clock.elapsed(), std::chrono::seconds(7));
}

TEST_P(CopyWaysTest, AThreadEachStaysAtTheFirstNumber) {
  CopyWorld world(GetParam());
  world.options.concurrency = 8;
  world.options.most_concurrency = 32;
  world.options.part_bytes = s3::kMinPartBytes;
  world.s3.call_time = std::chrono::milliseconds(20);
  world.AddListed("large", 200 * s3::kMinPartBytes,
                  world.s3.PutSized("src", "large", 200 * s3::kMinPartBytes));
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.s3.Count("UploadPartCopy"), 200U);
  EXPECT_EQ(world.s3.most_at_once(), 8U);
}

}  // namespace
}  // namespace tsm::test
