#include "ts_local/principals.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace ts_local {
namespace {

TEST(Principal, RightsAreByKey) {
  const Principal reader = Principal::Parse("reader:AK:S:read=from/a/*");
  EXPECT_EQ(reader.key.id, "AK");
  EXPECT_EQ(reader.key.secret, "S");
  EXPECT_EQ(reader.key.name, "reader");
  const Principal one = Principal::Parse("one:AK:S:read=from/a/*,write=to/*");
  EXPECT_TRUE(one.May("s3:GetObject", "from", "a/x.csv"));
  EXPECT_FALSE(one.May("s3:GetObject", "from", "b/x.csv"));
  EXPECT_FALSE(one.May("s3:GetObject", "to", "x.csv")) << "write is not read";
  EXPECT_FALSE(one.May("s3:PutObject", "from", "a/x.csv"));
  EXPECT_TRUE(one.May("s3:PutObject", "to", "x.csv"));
  EXPECT_TRUE(one.May("s3:AbortMultipartUpload", "to", "x.csv"));
  for (const char* bucket : {"from", "to"}) {
    EXPECT_TRUE(one.May("s3:ListBucket", bucket, ""));
    EXPECT_TRUE(one.May("s3:GetBucketLocation", bucket, ""));
  }
  EXPECT_FALSE(one.May("s3:ListBucket", "elsewhere", ""));
  EXPECT_FALSE(one.May("s3:PutBucketPolicy", "from", ""));
  EXPECT_TRUE(one.May("s3:CreateBucket", "to", ""));
}

TEST(Principal, WithoutRightsEverythingIsAllowed) {
  EXPECT_TRUE(Principal::Parse("n:a:s").May("s3:PutObject", "any", "key"));
  EXPECT_FALSE(Principal::Parse("n:a:s:read=b/*").May("s3:PutObject", "b", "key"));
}

TEST(Principal, MalformedOnesAreRefused) {
  for (const char* text : {"", "n", "n:a", "n::s", "n:a:s:", "n:a:s:read=", "n:a:s:read=bucket",
                           "n:a:s:list=b/*", "n:a:s:read=b/*,", "n:a:s:read"}) {
    EXPECT_THROW((void)Principal::Parse(text), std::invalid_argument) << text;
  }
}

TEST(Principals, UsersAndAssumedRolesAreFoundByName) {
  const Principals all({Principal::Parse("reader:AK:S:read=from/*")});
  for (const char* arn : {"arn:aws:iam::123456789012:user/reader",
                          "arn:aws:sts::123456789012:assumed-role/reader/session"}) {
    EXPECT_TRUE(all.May(arn, "s3:GetObject", "from", "k")) << arn;
    EXPECT_FALSE(all.May(arn, "s3:PutObject", "from", "k")) << arn;
  }
  EXPECT_TRUE(all.May("arn:aws:iam::123456789012:user/ts-local", "s3:PutObject", "from", "k"));
  EXPECT_EQ(NameInArn("arn:aws:iam::123456789012:root"), "");
}

}  // namespace
}  // namespace ts_local
