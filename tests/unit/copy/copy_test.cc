#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "copy/fake_s3.h"
#include "copy/recording_sink.h"
#include "support/client_bench.h"
#include "tsm/copy/copy_run.h"

namespace tsm::copy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

s3::BucketName Bucket(const char* name) { return *s3::BucketName::Parse(name); }

struct CopyTest : ::testing::Test {
  CopyTest() {
    bench.transport.SetHandler(
        [this](const http::Request& request) { return fake.Handle(request); });
    fake.AddBucket("source");
    fake.AddBucket("target");
    options.source_bucket = Bucket("source");
    options.target_bucket = Bucket("target");
    options.target_prefix = "dest/";
    options.concurrency = 4;
  }

  // `count` files in two groups, listed as they are now.
  CopyPlan Plan(int count) {
    for (int i = 0; i < count; ++i) {
      fake.Put("source", "r/p=" + std::to_string(i % 2) + "/f" + std::to_string(i) + ".csv",
               "body " + std::to_string(i));
    }
    std::vector<CopySource> sources;
    for (const auto& [key, object] : fake.Objects("source")) {
      sources.push_back({s3::ObjectKey(key), object.body.size(), object.etag,
                         key.find("p=0") != std::string::npos ? 0U : 1U});
    }
    Result<CopyPlan> plan = PlanCopy(options, std::move(sources));
    EXPECT_TRUE(plan) << plan.error().Text();
    return *plan;
  }

  CopySummary Run(const CopyPlan& plan) {
    Result<CopySummary> summary = RunCopy(s3, options, plan, bench.clock, sink, stop.get_token());
    EXPECT_TRUE(summary) << summary.error().Text();
    return *summary;
  }

  test::FakeS3 fake;
  test::ClientBench bench;
  s3::S3Client s3{bench.client, aws::EndpointResolver(test::CustomEndpoint("127.0.0.1:1")),
                  "eu-west-1"};
  test::RecordingSink sink;
  CopyOptions options;
  std::stop_source stop;
};

TEST_F(CopyTest, CopiesAllAndProvesThemByListing) {
  fake.set_page_size(7);
  const CopyPlan plan = Plan(50);
  const CopySummary summary = Run(plan);
  EXPECT_EQ(summary.files, 50U);
  EXPECT_EQ(summary.bytes, plan.bytes);
  EXPECT_TRUE(summary.failures.empty());
  const auto copied = fake.Objects("target");
  ASSERT_EQ(copied.size(), 50U);
  EXPECT_EQ(copied.at("dest/r/p=1/f7.csv").body, "body 7");
  EXPECT_EQ(sink.last().total, 50U);
}

TEST_F(CopyTest, ADeniedKeyFailsAloneAndIsNamed) {
  const CopyPlan plan = Plan(20);
  fake.Deny("r/p=1/f5.csv");
  const CopySummary summary = Run(plan);
  EXPECT_EQ(summary.files, 19U);
  ASSERT_EQ(summary.failures.size(), 1U);
  EXPECT_EQ(summary.failures[0].group, 1U);
  EXPECT_EQ(summary.failures[0].source.str(), "r/p=1/f5.csv");
  EXPECT_EQ(summary.failures[0].error.kind, ErrorKind::kAccessDenied);
}

TEST_F(CopyTest, ASourceThatChangedSinceTheListingFails) {
  const CopyPlan plan = Plan(4);
  fake.Put("source", "r/p=0/f2.csv", "changed");
  const CopySummary summary = Run(plan);
  ASSERT_EQ(summary.failures.size(), 1U);
  EXPECT_EQ(summary.failures[0].source.str(), "r/p=0/f2.csv");
  EXPECT_EQ(summary.failures[0].error.code, "PreconditionFailed");
}

TEST_F(CopyTest, ACopyOfAnotherSizeIsABrokenProof) {
  const CopyPlan plan = Plan(4);
  fake.Truncate("r/p=1/f3.csv");
  const CopySummary summary = Run(plan);
  ASSERT_EQ(summary.failures.size(), 1U);
  EXPECT_EQ(summary.failures[0].error.kind, ErrorKind::kProof);
  EXPECT_THAT(summary.failures[0].error.Text(), HasSubstr("has 5 bytes, its source 6"));
}

TEST_F(CopyTest, RefusedCredentialsEndTheRun) {
  options.concurrency = 1;
  const CopyPlan plan = Plan(20);
  bench.transport.SetHandler([](const http::Request&) {
    return http::Response{403, {}, "<Error><Code>SignatureDoesNotMatch</Code></Error>"};
  });
  const CopySummary summary = Run(plan);
  ASSERT_TRUE(summary.fatal);
  EXPECT_EQ(summary.fatal->kind, ErrorKind::kCredentials);
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(CopyTest, AStopEndsTheRunWithoutProof) {
  options.concurrency = 1;
  const CopyPlan plan = Plan(20);
  int calls = 0;
  bench.transport.SetHandler([&](const http::Request& request) {
    if (++calls == 3) stop.request_stop();
    return fake.Handle(request);
  });
  const CopySummary summary = Run(plan);
  EXPECT_TRUE(summary.interrupted);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(summary.files, 3U);
  EXPECT_TRUE(summary.failures.empty());
}

TEST_F(CopyTest, FindsForeignObjectsOnlyInTheFolders) {
  const CopyPlan plan = Plan(4);
  Run(plan);
  fake.Put("target", "dest/r/p=0/", "");
  fake.Put("target", "dest/r/p=0/old.csv", "x");
  fake.Put("target", "dest/r/p=1/z/old.txt", "x");
  fake.Put("target", "dest/r/p=10/not_in_a_folder.csv", "x");
  fake.Put("target", "elsewhere/old.csv", "x");
  const Result<ForeignObjects> foreign =
      FindForeign(s3, options, plan, {"dest/r/p=0/", "dest/r/p=1/"}, 1, {});
  ASSERT_TRUE(foreign) << foreign.error().Text();
  EXPECT_EQ(foreign->count, 2U);
  EXPECT_THAT(foreign->keys, ElementsAre("dest/r/p=0/old.csv"));
}

TEST(CopyPlan, RefusesWhatOneRequestCantCopy) {
  CopyOptions options;
  options.target_prefix = "dest/";
  const auto plan = [&](std::string key, std::uint64_t size) {
    std::vector<CopySource> sources(1);
    sources[0].key = s3::ObjectKey(std::move(key));
    sources[0].size = size;
    return PlanCopy(options, std::move(sources));
  };
  EXPECT_TRUE(plan("a", s3::kMaxSingleCopyBytes));
  EXPECT_FALSE(plan("a", s3::kMaxSingleCopyBytes + 1));
  EXPECT_TRUE(plan(std::string(s3::kMaxKeyBytes - 5, 'k'), 1));
  EXPECT_FALSE(plan(std::string(s3::kMaxKeyBytes - 4, 'k'), 1));
}

}  // namespace
}  // namespace tsm::copy
