// Many copies by one thread: each asked for once, and what CopyObject would have done about it.
#include "tsm/s3/object_copies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "support/client_bench.h"

namespace tsm::s3 {
namespace {

using test::ClientBench;
using test::CustomEndpoint;
using test::Header;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string Copied(const std::string& etag) {
  return "<CopyObjectResult><ETag>&quot;" + etag + "&quot;</ETag></CopyObjectResult>";
}

http::Response Refusal(int status, const std::string& code, http::Headers headers = {}) {
  return {status, std::move(headers),
          "<Error><Code>" + code + "</Code><Message>text</Message></Error>"};
}

struct ObjectCopiesTest : ::testing::Test {
  ClientBench bench;
  S3Client client{bench.client, aws::EndpointResolver(CustomEndpoint("127.0.0.1:4566")),
                  "eu-west-1"};
  std::unique_ptr<ObjectCopies> copies =
      ObjectCopies::Open(client, *BucketName::Parse("src"), *BucketName::Parse("dst"), 8);

  void Start(std::uint64_t id, const std::string& key, const std::string& etag = "e") {
    copies->Start(id, ObjectKey(key), ObjectKey("to/" + key),
                  {.source_etag = etag, .repeat_throttled = false}, {});
  }
  std::map<std::uint64_t, ObjectCopies::Ended> WaitForAll() {
    std::map<std::uint64_t, ObjectCopies::Ended> all;
    while (copies->under_way() > 0) {
      for (ObjectCopies::Ended& ended : copies->Wait(std::chrono::seconds(10), {})) {
        all.emplace(ended.id, std::move(ended));
      }
    }
    return all;
  }
  // What came of one copy that is answered so.
  ObjectCopies::Ended Answered(http::Response answer) {
    bench.transport.Add(std::move(answer));
    Start(1, "k", "e1");
    return WaitForAll().at(1);
  }
};

TEST_F(ObjectCopiesTest, TheRequestIsThatOfCopyObject) {
  bench.transport.Add(200, Copied("e9"), {{"x-amz-server-side-encryption", "aws:kms"}});
  bench.transport.Add(200, Copied("e9"));
  Start(5, "a=1/b c");
  const auto all = WaitForAll();
  ASSERT_THAT(all, SizeIs(1));
  ASSERT_TRUE(all.at(5).outcome) << all.at(5).outcome.error().Text();
  EXPECT_EQ(all.at(5).outcome->etag, "e9");
  EXPECT_EQ(all.at(5).outcome->encryption, "aws:kms");
  EXPECT_TRUE(all.at(5).is_last);
  ASSERT_TRUE(client.CopyObject(*BucketName::Parse("src"), ObjectKey("a=1/b c"),
                                *BucketName::Parse("dst"), ObjectKey("to/a=1/b c"),
                                {.source_etag = "e", .repeat_throttled = false}, {}));
  const auto requests = bench.transport.requests();
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_EQ(requests[0].Target(), requests[1].Target());
  EXPECT_EQ(requests[0].host, requests[1].host);
  for (const auto& [name, value] : requests[1].headers) {
    if (name.starts_with("amz-sdk-") || name == "authorization") continue;
    EXPECT_EQ(Header(requests[0], name), value) << name;
  }
}

TEST_F(ObjectCopiesTest, ASourceThatHasChangedIsLast) {
  const ObjectCopies::Ended ended = Answered(Refusal(412, "PreconditionFailed"));
  ASSERT_FALSE(ended.outcome);
  EXPECT_EQ(ended.outcome.error().kind, ErrorKind::kValidation);
  EXPECT_THAT(ended.outcome.error().Text(), HasSubstr("no longer what was listed (ETag e1)"));
  EXPECT_TRUE(ended.is_last);
}

TEST_F(ObjectCopiesTest, ARefusalAndAThrottleAreLast) {
  const ObjectCopies::Ended denied = Answered(Refusal(403, "AccessDenied"));
  EXPECT_EQ(denied.outcome.error().kind, ErrorKind::kAccessDenied);
  EXPECT_THAT(denied.outcome.error().Text(),
              AllOf(HasSubstr("CopyObject s3://dst/to/k"), HasSubstr("from s3://src/k")));
  EXPECT_TRUE(denied.is_last);
  const ObjectCopies::Ended throttled = Answered(Refusal(503, "SlowDown"));
  EXPECT_EQ(throttled.outcome.error().kind, ErrorKind::kThrottled);
  EXPECT_TRUE(throttled.is_last);
}

TEST_F(ObjectCopiesTest, WhatCopyObjectWouldRepeatIsNotLast) {
  EXPECT_FALSE(Answered(Refusal(500, "InternalError")).is_last);
  EXPECT_FALSE(Answered(Refusal(200, "InternalError")).is_last);
  EXPECT_FALSE(Answered({200, {}, "no document"}).is_last);
  EXPECT_FALSE(Answered(Refusal(400, "ExpiredToken")).is_last);
}

TEST_F(ObjectCopiesTest, AnotherRegionIsNotLastAndIsKnownOnceCopyObjectHasFoundIt) {
  const http::Response moved =
      Refusal(301, "PermanentRedirect", {{"x-amz-bucket-region", "eu-central-1"}});
  EXPECT_FALSE(Answered(moved).is_last);
  bench.transport.Add(moved);
  bench.transport.Add(200, Copied("e"));
  ASSERT_TRUE(client.CopyObject(*BucketName::Parse("src"), ObjectKey("k"),
                                *BucketName::Parse("dst"), ObjectKey("to/k"), {}, {}));
  EXPECT_TRUE(Answered({200, {}, Copied("e")}).outcome);
  EXPECT_THAT(Header(bench.transport.requests().back(), "authorization"),
              HasSubstr("/eu-central-1/s3/"));
}

TEST_F(ObjectCopiesTest, WhatIsNoKeyIsSaidWithoutARequest) {
  Start(3, "");
  bench.transport.Add(200, Copied("e"));
  Start(4, "k");
  EXPECT_EQ(copies->under_way(), 2U);
  const auto all = WaitForAll();
  EXPECT_EQ(all.at(3).outcome.error().kind, ErrorKind::kInvalidInput);
  EXPECT_TRUE(all.at(3).is_last);
  EXPECT_TRUE(all.at(4).outcome);
  EXPECT_THAT(bench.transport.requests(), SizeIs(1));
}

}  // namespace
}  // namespace tsm::s3
