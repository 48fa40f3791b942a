#include "tsm/s3/names.h"

#include <gtest/gtest.h>

namespace tsm::s3 {
namespace {

TEST(BucketName, TakesWhatS3Takes) {
  for (const std::string text : {"abc", "timestream-unload-sourcedb-mytable", "a.b-c.9", "123",
                                 "access-point-abcdefghijklmnopqrst-s3alias"}) {
    const Result<BucketName> name = BucketName::Parse(text);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(name->str(), text);
  }
  EXPECT_TRUE(BucketName::Parse(std::string(63, 'a')));
}

TEST(BucketName, SaysWhichRuleFails) {
  const auto why = [](std::string_view text) {
    const Result<BucketName> name = BucketName::Parse(text);
    if (name) return std::string("accepted");
    EXPECT_EQ(name.error().kind, ErrorKind::kInvalidInput);
    return name.error().message;
  };
  EXPECT_NE(why("ab").find("3 to 63"), std::string::npos);
  EXPECT_NE(why(std::string(64, 'a')).find("3 to 63"), std::string::npos);
  EXPECT_NE(why("MyBucket").find("lower-case"), std::string::npos);
  EXPECT_NE(why("my_bucket").find("lower-case"), std::string::npos);
  EXPECT_NE(why("my/bucket").find("lower-case"), std::string::npos);
  EXPECT_NE(why("-bucket").find("start and end"), std::string::npos);
  EXPECT_NE(why("bucket.").find("start and end"), std::string::npos);
  EXPECT_NE(why("a..b").find("'.'"), std::string::npos);
  EXPECT_NE(why("192.168.5.4").find("IP address"), std::string::npos);
}

TEST(BucketName, TakesAliasesThatS3GaveOut) {
  // The first two are examples of AWS's pages, the last one has all of the 63 characters.
  for (const std::string text :
       {"my-access-point-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias",
        "my-olap-acc-1a4n8yjrb3kda96f67zwrwiiuse1a--ol-s3",
        "an-access-points-1hrzrlukc5m36ft7okagglf3gmwluquse1bcde-s3alias"}) {
    const Result<BucketName> name = BucketName::Parse(text);
    ASSERT_TRUE(name) << text;
    EXPECT_NE(name->WhyReserved(), "") << text;
  }
}

TEST(BucketName, SaysWhyANameIsReserved) {
  const auto why = [](std::string_view text) { return BucketName::Parse(text)->WhyReserved(); };
  EXPECT_EQ(why("name-s3alias"),
            "the ending -s3alias is kept for aliases of access points, which S3 gives out itself");
  EXPECT_EQ(why("sthree-x"), "the beginning sthree- is kept for S3 itself");
  for (const char* text :
       {"xn--a", "amzn-s3-demo-bucket", "a--ol-s3", "a.mrap", "a--use1-az4--x-s3", "a--table-s3"}) {
    EXPECT_NE(why(text), "") << text;
  }
  for (const char* text : {"s3alias", "name-s3alias-x", "x-sthree-x", "timestream-unload"}) {
    EXPECT_EQ(why(text), "") << text;
  }
}

TEST(S3Uri, ParsesBucketAndKeyAsTheyStand) {
  const Result<S3Uri> uri = S3Uri::Parse("s3://bkt/a//b/../ü +%20");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->bucket.str(), "bkt");
  EXPECT_EQ(uri->key.str(), "a//b/../ü +%20");
  EXPECT_EQ(uri->str(), "s3://bkt/a//b/../ü +%20");
}

TEST(S3Uri, TheKeyMayBeEmpty) {
  EXPECT_TRUE(S3Uri::Parse("s3://bkt")->key.empty());
  EXPECT_TRUE(S3Uri::Parse("s3://bkt/")->key.empty());
}

TEST(S3Uri, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "bkt/key", "https://bkt/key", "s3:/bkt/key", "s3://", "s3:///k", "s3://Bad_Name/k"}) {
    const Result<S3Uri> uri = S3Uri::Parse(text);
    ASSERT_FALSE(uri) << text;
    EXPECT_EQ(uri.error().kind, ErrorKind::kInvalidInput) << text;
  }
}

}  // namespace
}  // namespace tsm::s3
