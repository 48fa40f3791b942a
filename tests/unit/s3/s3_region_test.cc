// One wrong-region answer per bucket is followed, and remembered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_bench.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {
namespace {

using test::AwsEndpoint;
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
  S3Client aws{bench.client, AwsEndpoint("s3.us-west-2.amazonaws.com"), "us-west-2"};
  S3Client local{bench.client, CustomEndpoint("127.0.0.1:4566"), "us-west-2"};
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
