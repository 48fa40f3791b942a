// One wrong-region answer per bucket is followed, and remembered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_bench.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {
namespace {

using test::ClientBench;
using test::CustomEndpoint;
using test::Header;
using ::testing::HasSubstr;

constexpr char kPermanentRedirect[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>PermanentRedirect</Code><Message>The "
    "bucket you are attempting to access must be addressed using the specified endpoint.</Message>"
    "<Endpoint>bkt.s3-eu-west-1.amazonaws.com</Endpoint><Bucket>bkt</Bucket></Error>";

struct S3RegionTest : ::testing::Test {
  ClientBench bench;
  BucketName bucket = *BucketName::Parse("bkt");
  BucketName other = *BucketName::Parse("other");
  S3Client aws{bench.client, aws::EndpointResolver(), "us-west-2"};
  S3Client local{bench.client, aws::EndpointResolver(CustomEndpoint("127.0.0.1:4566")),
                 "us-west-2"};
  http::Request Sent(std::size_t index) { return bench.transport.requests().at(index); }
};

TEST_F(S3RegionTest, OnAwsHostAndSigningRegionChangeAndStay) {
  bench.transport.Add(301, kPermanentRedirect, {{"x-amz-bucket-region", "eu-west-1"}});
  for (int i = 0; i < 3; ++i) bench.transport.Add(200, "x");
  ASSERT_TRUE(aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {}));
  ASSERT_EQ(bench.transport.requests().size(), 2U);
  EXPECT_EQ(Sent(0).host, "bkt.s3.us-west-2.amazonaws.com");
  EXPECT_EQ(Sent(1).host, "bkt.s3.eu-west-1.amazonaws.com");
  EXPECT_THAT(Header(Sent(1), "authorization"), HasSubstr("/eu-west-1/s3/"));
  // The next call to this bucket goes right away, another bucket is not touched.
  ASSERT_TRUE(aws.GetObject(bucket, ObjectKey("k2"), std::nullopt, {}));
  EXPECT_EQ(Sent(2).host, "bkt.s3.eu-west-1.amazonaws.com");
  ASSERT_TRUE(aws.GetObject(other, ObjectKey("k"), std::nullopt, {}));
  EXPECT_EQ(Sent(3).host, "other.s3.us-west-2.amazonaws.com");
}

TEST_F(S3RegionTest, AConfiguredEndpointKeepsItsHost) {
  bench.transport.Add(
      400,
      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-west-2' is wrong; "
      "expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>");
  bench.transport.Add(200, "x");
  const Result<std::string> body = local.GetObject(bucket, ObjectKey("k"), std::nullopt, {});
  ASSERT_TRUE(body) << body.error().Text();
  EXPECT_EQ(Sent(1).host, "127.0.0.1:4566");
  EXPECT_THAT(Header(Sent(1), "authorization"), HasSubstr("/eu-west-1/s3/"));
}

TEST_F(S3RegionTest, WithoutAHintTheBucketIsAsked) {
  bench.transport.Add(301, kPermanentRedirect);
  bench.transport.Add(301, "", {{"x-amz-bucket-region", "eu-west-1"}});
  bench.transport.Add(200, "x");
  const Result<std::string> body = aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {});
  ASSERT_TRUE(body) << body.error().Text();
  EXPECT_EQ(Sent(1).method, "HEAD");
  EXPECT_EQ(Sent(1).Target(), "/");
  EXPECT_EQ(Sent(2).method, "GET");
  EXPECT_EQ(Sent(2).host, "bkt.s3.eu-west-1.amazonaws.com");
}

TEST_F(S3RegionTest, OneRedirectIsFollowedNotTwo) {
  bench.transport.Add(301, kPermanentRedirect, {{"x-amz-bucket-region", "eu-west-1"}});
  bench.transport.Add(301, kPermanentRedirect, {{"x-amz-bucket-region", "ap-south-1"}});
  const Result<std::string> body = aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {});
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().kind, ErrorKind::kWrongRegion);
  EXPECT_EQ(bench.transport.requests().size(), 2U);
  // Neither of the two is remembered.
  bench.transport.Add(200, "x");
  ASSERT_TRUE(aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {}));
  EXPECT_EQ(Sent(2).host, "bkt.s3.us-west-2.amazonaws.com");
}

TEST_F(S3RegionTest, EveryWayToSayItIsFollowed) {
  struct Case {
    const char* what;
    http::Response answer;
  };
  const auto error = [](const char* code, const char* more = "") {
    return "<Error><Code>" + std::string(code) + "</Code><Message>m</Message>" + more + "</Error>";
  };
  const http::Headers region = {{"x-amz-bucket-region", "eu-west-1"}};
  const char* in_body = "<Region>eu-west-1</Region>";
  const Case cases[] = {
      {"301", {301, region, ""}},
      {"302", {302, region, ""}},
      {"307", {307, region, error("TemporaryRedirect")}},
      {"PermanentRedirect", {301, region, error("PermanentRedirect")}},
      {"PermanentRedirect in the body", {301, {}, error("PermanentRedirect", in_body)}},
      {"AuthorizationHeaderMalformed", {400, {}, error("AuthorizationHeaderMalformed", in_body)}},
      {"IllegalLocationConstraintException",
       {400, region, error("IllegalLocationConstraintException")}},
  };
  int number = 0;
  for (const Case& c : cases) {
    const BucketName fresh = *BucketName::Parse("bucket-" + std::to_string(number++));
    const std::size_t before = bench.transport.requests().size();
    bench.transport.Add(c.answer);
    bench.transport.Add(200, "x");
    const Result<std::string> body = aws.GetObject(fresh, ObjectKey("k"), std::nullopt, {});
    ASSERT_TRUE(body) << c.what << ": " << body.error().Text();
    EXPECT_EQ(bench.transport.requests().size() - before, 2U) << c.what;
    EXPECT_EQ(bench.transport.requests().back().host, fresh.str() + ".s3.eu-west-1.amazonaws.com")
        << c.what;
  }
}

TEST_F(S3RegionTest, AHeadThatIsBarely400IsAskedAbout) {
  // 301 and 400 with the region in a header need no asking.
  for (const int status : {301, 400}) {
    const BucketName fresh = *BucketName::Parse("bucket-" + std::to_string(status));
    const std::size_t before = bench.transport.requests().size();
    bench.transport.Add(status, "", {{"x-amz-bucket-region", "eu-west-1"}});
    bench.transport.Add(200, "", {{"content-length", "3"}});
    const Result<ObjectHead> head = aws.HeadObject(fresh, ObjectKey("k"), {});
    ASSERT_TRUE(head) << status << ": " << head.error().Text();
    EXPECT_EQ(bench.transport.requests().size() - before, 2U) << status;
  }
  const std::size_t before = bench.transport.requests().size();
  bench.transport.Add(400, "");
  bench.transport.Add(400, "", {{"x-amz-bucket-region", "eu-west-1"}});
  bench.transport.Add(200, "", {{"content-length", "3"}});
  const Result<ObjectHead> head = aws.HeadObject(bucket, ObjectKey("k"), {});
  ASSERT_TRUE(head) << head.error().Text();
  EXPECT_EQ(Sent(before + 1).Target(), "/");
  EXPECT_EQ(Sent(before + 2).host, "bkt.s3.eu-west-1.amazonaws.com");
}

// Expired credentials renew themselves where the service says "expired", which a HEAD's refusal
// can't.
TEST_F(S3RegionTest, AHeadThatIsBarely400ForItsCredentialsIsRepeated) {
  for (const http::Headers& said :
       {http::Headers(), http::Headers{{"x-amz-bucket-region", "us-west-2"}}}) {
    const BucketName fresh = *BucketName::Parse("bucket-" + std::to_string(said.size()));
    const std::size_t before = bench.transport.requests().size();
    bench.transport.Add({400, said, ""});
    bench.transport.Add({400, said, ""});
    // By now they are renewed.
    bench.transport.Add(200, "<LocationConstraint>us-west-2</LocationConstraint>");
    bench.transport.Add(200, "", {{"content-length", "3"}});
    const Result<ObjectHead> head = aws.HeadObject(fresh, ObjectKey("k"), {});
    ASSERT_TRUE(head) << head.error().Text();
    EXPECT_EQ(bench.transport.requests().size() - before, 4U);
    EXPECT_EQ(bench.transport.requests().back().host, fresh.str() + ".s3.us-west-2.amazonaws.com");
  }
}

TEST_F(S3RegionTest, AHeadThatIsBarely400GetsTheReasonOfTheQuestion) {
  bench.transport.Add(400, "");
  bench.transport.Add(400, "");
  bench.transport.Add(400, "<Error><Code>InvalidToken</Code><Message>malformed</Message></Error>");
  const Result<ObjectHead> head = aws.HeadObject(bucket, ObjectKey("k"), {});
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().kind, ErrorKind::kCredentials);
  EXPECT_THAT(head.error().Text(),
              HasSubstr("HeadObject s3://bkt/k: GetBucketLocation s3://bkt: InvalidToken"));
  // What only concerns the question is not the call's reason.
  bench.transport.Add(400, "");
  bench.transport.Add(400, "");
  bench.transport.Add(403, "<Error><Code>AccessDenied</Code><Message>m</Message></Error>");
  EXPECT_EQ(aws.HeadObject(bucket, ObjectKey("k"), {}).error().http_status, 400);
}

TEST_F(S3RegionTest, A400OfAGetIsNoRedirect) {
  bench.transport.Add(400, "<Error><Code>InvalidRequest</Code><Message>m</Message></Error>");
  EXPECT_FALSE(aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {}));
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(S3RegionTest, AServerWhoseHeadSaysNothingIsAskedForTheLocation) {
  struct Case {
    const char* what;
    http::Response located;
    const char* region;
  };
  const auto location = [](const std::string& text) {
    return "<?xml version=\"1.0\"?><LocationConstraint "
           "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
           text + "</LocationConstraint>";
  };
  const Case cases[] = {
      {"named", {200, {}, location("ap-south-1")}, "ap-south-1"},
      {"old name", {200, {}, location("EU")}, "eu-west-1"},
      {"oldest region", {200, {}, location("")}, "us-east-1"},
      {"refused",
       {400,
        {},
        "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message>"
        "<Region>sa-east-1</Region></Error>"},
       "sa-east-1"},
  };
  int number = 0;
  for (const Case& c : cases) {
    const BucketName fresh = *BucketName::Parse("bucket-" + std::to_string(number++));
    const std::size_t before = bench.transport.requests().size();
    bench.transport.Add(301, kPermanentRedirect);
    bench.transport.Add(301, "");
    bench.transport.Add(c.located);
    bench.transport.Add(200, "x");
    const Result<std::string> body = local.GetObject(fresh, ObjectKey("k"), std::nullopt, {});
    ASSERT_TRUE(body) << c.what << ": " << body.error().Text();
    EXPECT_EQ(Sent(before + 2).Target(), "/" + fresh.str() + "?location=") << c.what;
    EXPECT_THAT(Header(Sent(before + 3), "authorization"),
                HasSubstr("/" + std::string(c.region) + "/s3/"))
        << c.what;
  }
}

TEST_F(S3RegionTest, NobodyKnowsTheRegion) {
  bench.transport.Add(301, kPermanentRedirect);
  bench.transport.Add(301, "");
  bench.transport.Add(403, "<Error><Code>AccessDenied</Code><Message>m</Message></Error>");
  const Result<std::string> body = aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {});
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, "PermanentRedirect");
}

TEST_F(S3RegionTest, AStopWhileTheRegionIsAskedIsAStop) {
  std::stop_source stop;
  bench.transport.SetHandler([&](const http::Request& request) -> Result<http::Response> {
    if (request.method == "GET") return http::Response{301, {}, kPermanentRedirect};
    stop.request_stop();
    return MakeError(ErrorKind::kCancelled, "stopped while calling");
  });
  const Result<std::string> body =
      aws.GetObject(bucket, ObjectKey("k"), std::nullopt, stop.get_token());
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().kind, ErrorKind::kCancelled) << body.error().Text();
}

TEST_F(S3RegionTest, WhatIsNoRegionNeverBecomesAHost) {
  for (const char* hint : {"eu-west-1.example.com/", "EU West", "evil.example", "a@b", "eu_west"}) {
    const std::size_t before = bench.transport.requests().size();
    bench.transport.Add(301, kPermanentRedirect, {{"x-amz-bucket-region", hint}});
    const Result<std::string> body = aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {});
    ASSERT_FALSE(body) << hint;
    EXPECT_EQ(body.error().kind, ErrorKind::kWrongRegion) << hint;
    EXPECT_EQ(bench.transport.requests().size() - before, 1U) << hint;
  }
}

TEST_F(S3RegionTest, ARememberedRegionThatIsWrongIsReplaced) {
  bench.transport.Add(301, kPermanentRedirect, {{"x-amz-bucket-region", "eu-west-1"}});
  bench.transport.Add(200, "x");
  ASSERT_TRUE(aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {}));
  // Deleted and made again elsewhere.
  bench.transport.Add(301, kPermanentRedirect, {{"x-amz-bucket-region", "ap-south-1"}});
  bench.transport.Add(200, "x");
  bench.transport.Add(200, "x");
  ASSERT_TRUE(aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {}));
  ASSERT_TRUE(aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {}));
  EXPECT_EQ(Sent(2).host, "bkt.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(Sent(3).host, "bkt.s3.ap-south-1.amazonaws.com");
  EXPECT_EQ(Sent(4).host, "bkt.s3.ap-south-1.amazonaws.com");
}

TEST_F(S3RegionTest, ABodyIsSentAgainWhole) {
  bench.transport.Add(307, "", {{"x-amz-bucket-region", "eu-west-1"}});
  bench.transport.Add(200, "", {{"etag", "\"e\""}});
  ASSERT_TRUE(aws.PutObject(bucket, ObjectKey("k"), "the body", {}, {}));
  EXPECT_EQ(Sent(0).body, "the body");
  EXPECT_EQ(Sent(1).body, "the body");
}

TEST_F(S3RegionTest, ANewBucketIsMadeHereOrNotAtAll) {
  bench.transport.Add(
      400,
      "<Error><Code>IllegalLocationConstraintException</Code><Message>The eu-west-1 "
      "location constraint is incompatible</Message></Error>",
      {{"x-amz-bucket-region", "eu-west-1"}});
  const Status made = aws.CreateBucket(bucket, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kValidation);
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(S3RegionTest, AHintToTheSameRegionIsNotFollowed) {
  bench.transport.Add(301, kPermanentRedirect, {{"x-amz-bucket-region", "us-west-2"}});
  const Result<std::string> body = aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {});
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().kind, ErrorKind::kWrongRegion);
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(S3RegionTest, TheRegionIsRememberedEvenWhereTheCallThenFails) {
  bench.transport.Add(301, kPermanentRedirect, {{"x-amz-bucket-region", "eu-west-1"}});
  bench.transport.Add(404, "<Error><Code>NoSuchKey</Code><Message>m</Message></Error>");
  bench.transport.Add(200, "x");
  EXPECT_EQ(aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {}).error().kind,
            ErrorKind::kNotFound);
  ASSERT_TRUE(aws.GetObject(bucket, ObjectKey("k2"), std::nullopt, {}));
  EXPECT_EQ(Sent(2).host, "bkt.s3.eu-west-1.amazonaws.com");
}

TEST_F(S3RegionTest, HeadBucketGivesTheRegion) {
  bench.transport.Add(200, "", {{"x-amz-bucket-region", "us-west-2"}});
  EXPECT_EQ(*aws.HeadBucket(bucket, {}), "us-west-2");
  EXPECT_EQ(Sent(0).method, "HEAD");
  EXPECT_EQ(Sent(0).Target(), "/");

  bench.transport.Add(301, "", {{"x-amz-bucket-region", "eu-west-1"}});
  bench.transport.Add(200, "", {{"x-amz-bucket-region", "eu-west-1"}});
  EXPECT_EQ(*aws.HeadBucket(other, {}), "eu-west-1");
}

TEST_F(S3RegionTest, HeadBucketTellsMissingFromForbidden) {
  bench.transport.Add(404, "");
  EXPECT_EQ(aws.HeadBucket(bucket, {}).error().kind, ErrorKind::kNotFound);
  bench.transport.Add(403, "");
  EXPECT_EQ(aws.HeadBucket(bucket, {}).error().kind, ErrorKind::kAccessDenied);
}

TEST_F(S3RegionTest, ACopyGoesToTheTargetsRegion) {
  bench.transport.Add(200, "", {{"x-amz-bucket-region", "us-west-2"}});
  ASSERT_TRUE(aws.HeadBucket(other, {}));
  bench.transport.Add(200, "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>");
  ASSERT_TRUE(aws.CopyObject(bucket, ObjectKey("k"), other, ObjectKey("k"), {}, {}));
  EXPECT_EQ(Sent(1).host, "other.s3.us-west-2.amazonaws.com");
  EXPECT_EQ(Header(Sent(1), "x-amz-copy-source"), "/bkt/k");
}

TEST_F(S3RegionTest, ANewBucketIsNotLookedForElsewhere) {
  bench.transport.Add(200, "");
  bench.transport.Add(200, "x");
  ASSERT_TRUE(aws.CreateBucket(bucket, {}));
  ASSERT_TRUE(aws.GetObject(bucket, ObjectKey("k"), std::nullopt, {}));
  EXPECT_EQ(Sent(1).host, "bkt.s3.us-west-2.amazonaws.com");
}

}  // namespace
}  // namespace tsm::s3
