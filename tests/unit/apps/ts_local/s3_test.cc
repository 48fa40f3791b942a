// The object store, bucket policies and S3 listings, without a network.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "apps/ts_local/scratch_dir.h"
#include "ts_local/api_error.h"
#include "ts_local/bucket_policy.h"
#include "ts_local/multipart_store.h"
#include "ts_local/object_store.h"
#include "ts_local/request_head.h"
#include "ts_local/s3_call.h"
#include "ts_local/s3_service.h"
#include "ts_local/url_codec.h"

namespace ts_local {
namespace {

namespace fs = std::filesystem;

class S3Test : public testing::Test {
 protected:
  S3Test() { objects_.CreateBucket("bkt", "us-east-1"); }

  Response Call(const std::string& method, const std::string& target,
                const std::string& region = "us-east-1", const std::string& headers = "") {
    Request request =
        ParseRequestHead(method + " " + target + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n")
            .value();
    return s3_.Handle(
        {"test", "123456789012", "arn:aws:iam::123456789012:user/ts-local", region, "s3"}, request);
  }

  std::string CodeOf(const std::string& method, const std::string& target,
                     const std::string& region = "us-east-1", const std::string& headers = "") {
    try {
      (void)Call(method, target, region, headers);
    } catch (const ApiError& error) {
      return std::to_string(error.status()) + " " + error.code();
    }
    return "fine";
  }

  std::size_t FilesOnDisk() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(dir_.path() + "/s3/objects")) {
      count += entry.is_regular_file() ? 1U : 0U;
    }
    return count;
  }

  ScratchDir dir_;
  ObjectStore objects_{dir_.path()};
  MultipartStore uploads_{dir_.path()};
  S3Service s3_{objects_, uploads_};
};

TEST_F(S3Test, TagsAndBytesAreDeniedApart) {
  objects_.Put("bkt", "k", "bytes");
  const auto deny = [this](const std::string& action) {
    objects_.SetPolicy("bkt", R"({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": ")" +
                                  action + R"(", "Resource": "arn:aws:s3:::bkt/k"}]})");
  };
  deny("s3:GetObject");
  EXPECT_EQ(CodeOf("GET", "/bkt/k"), "403 AccessDenied");
  EXPECT_EQ(CodeOf("GET", "/bkt/k?tagging"), "fine");
  deny("s3:GetObjectTagging");
  EXPECT_EQ(CodeOf("GET", "/bkt/k"), "fine");
  EXPECT_EQ(CodeOf("GET", "/bkt/k?tagging"), "403 AccessDenied");
  EXPECT_EQ(CodeOf("GET", "/bkt/none?tagging"), "404 NoSuchKey");
}

TEST_F(S3Test, AnObjectAppearsWholeOrNotAtAll) {
  {
    const auto dropped = objects_.NewWriter();
    dropped->Append("half");
    EXPECT_FALSE(objects_.Find("bkt", "k"));
  }
  EXPECT_TRUE(fs::is_empty(dir_.path() + "/s3/tmp"));
  EXPECT_EQ(FilesOnDisk(), 0U);
  const ObjectInfo put = objects_.Put("bkt", "k", "whole");
  EXPECT_EQ(put.etag, "356c9ee60e9da05301adc3bd96f6b383");  // MD5 of "whole"
  EXPECT_EQ(objects_.Read(objects_.Get("bkt", "k")), "whole");
}

TEST_F(S3Test, WhatAReaderHoldsSurvivesAReplacement) {
  const ObjectInfo old = objects_.Put("bkt", "k", "old");
  objects_.Put("bkt", "k", "new");
  EXPECT_EQ(objects_.Read(old), "old");
  EXPECT_EQ(objects_.Read(objects_.Get("bkt", "k")), "new");
  const ObjectStore reopened(dir_.path());  // a start clears what was replaced
  EXPECT_EQ(FilesOnDisk(), 1U);
}

TEST_F(S3Test, ListsInByteOrderFromAnyPlace) {
  for (const char* key : {"a", "a/", "a/1", "a0", "b", "\xC3\xBC", "Z", "a/\xF0\x9F\x98\x80"}) {
    objects_.Put("bkt", key, "");
  }
  const auto keys = [&](const std::string& prefix, const std::string& after, std::size_t limit) {
    std::string out;
    for (const ObjectInfo& object : objects_.List("bkt", prefix, after, limit)) {
      out += object.key + " ";
    }
    return out;
  };
  EXPECT_EQ(keys("", "", 100), "Z a a/ a/1 a/\xF0\x9F\x98\x80 a0 b \xC3\xBC ");
  EXPECT_EQ(keys("a/", "", 100), "a/ a/1 a/\xF0\x9F\x98\x80 ");
  EXPECT_EQ(keys("a/", "a/", 1), "a/1 ");
  EXPECT_EQ(keys("a", "a0", 100), "");
  EXPECT_EQ(keys("", "a0", 1), "b ");
}

TEST_F(S3Test, AListingByFolderReadsAsManyPagesAsItMust) {
  for (int i = 0; i < 30; ++i)
    objects_.Put("bkt", "f" + std::to_string(i / 10) + "/" + std::to_string(i), "");
  objects_.Put("bkt", "f0.txt", "");  // '.' sorts before '/'
  objects_.Put("bkt", "f00", "");     // '0' sorts right after '/'
  std::string token;
  std::string seen;
  for (int page = 0; page < 10; ++page) {
    const std::string xml = Call("GET", "/bkt?list-type=2&delimiter=/&max-keys=1" +
                                            (token.empty() ? "" : "&continuation-token=" + token))
                                .body;
    const auto between = [&](const std::string& open, const std::string& close) {
      const std::size_t from = xml.find(open);
      return from == std::string::npos
                 ? std::string()
                 : xml.substr(from + open.size(), xml.find(close, from) - from - open.size());
    };
    seen += between("<Key>", "</Key>") + between("<CommonPrefixes><Prefix>", "</Prefix>") + " ";
    token = PercentEncode(between("<NextContinuationToken>", "</NextContinuationToken>"));
    if (token.empty()) break;
  }
  EXPECT_EQ(seen, "f0.txt f0/ f00 f1/ f2/ ");
}

TEST_F(S3Test, ABucketAnswersInItsRegionOnly) {
  objects_.Put("bkt", "k", "x");
  for (const char* call : {"GET /bkt/k", "HEAD /bkt/k", "HEAD /bkt", "GET /bkt?list-type=2",
                           "DELETE /bkt/k", "POST /bkt/k?uploads"}) {
    const std::string text = call;
    const std::size_t space = text.find(' ');
    EXPECT_EQ(CodeOf(text.substr(0, space), text.substr(space + 1), "eu-west-1"),
              "301 PermanentRedirect")
        << call;
  }
  EXPECT_EQ(CodeOf("GET", "/bkt?location", "eu-west-1"), "fine");
  try {
    (void)Call("GET", "/bkt/k", "eu-west-1");
    FAIL();
  } catch (const S3Error& error) {
    EXPECT_EQ(error.headers().front(),
              (std::pair<std::string, std::string>{"x-amz-bucket-region", "us-east-1"}));
  }
}

TEST_F(S3Test, RefusesWhatItDoesNotHave) {
  objects_.Put("bkt", "k", "x");
  EXPECT_EQ(CodeOf("GET", "/none/k"), "404 NoSuchBucket");
  EXPECT_EQ(CodeOf("GET", "/bkt/none"), "404 NoSuchKey");
  EXPECT_EQ(CodeOf("GET", "/bkt?lifecycle"), "501 NotImplemented");
  EXPECT_EQ(CodeOf("GET", "/bkt/k?versionId=3"), "501 NotImplemented");
  EXPECT_EQ(CodeOf("PUT", "/bkt/k?tagging"), "501 NotImplemented");
  EXPECT_EQ(CodeOf("PATCH", "/bkt/k"), "405 MethodNotAllowed");
  EXPECT_EQ(CodeOf("GET", "/bkt/%FF"), "400 InvalidURI");
  EXPECT_EQ(CodeOf("GET", "/bkt/" + std::string(1025, 'k')), "400 KeyTooLongError");
  EXPECT_EQ(CodeOf("GET", "/bkt/k", "us-east-1", "x-amz-expected-bucket-owner: 999999999999\r\n"),
            "403 AccessDenied");
  EXPECT_EQ(CodeOf("PUT", "/bkt/c", "us-east-1", "x-amz-copy-source: /bkt/none\r\n"),
            "404 NoSuchKey");
}

TEST_F(S3Test, AReadRangeFollowsS3) {
  const auto range = [](const char* header) -> std::string {
    try {
      const auto read = ReadRange(header, 10);
      return read ? std::to_string(read->first) + "+" + std::to_string(read->second) : "all";
    } catch (const ApiError& error) {
      return error.code();
    }
  };
  EXPECT_EQ(range("bytes=0-0"), "0+1");
  EXPECT_EQ(range("bytes=3-"), "3+7");
  EXPECT_EQ(range("bytes=-4"), "6+4");
  EXPECT_EQ(range("bytes=-40"), "0+10");
  EXPECT_EQ(range("bytes=9-18446744073709551614"), "9+1");
  EXPECT_EQ(range("bytes=10-"), "InvalidRange");
  EXPECT_EQ(range("bytes=-0"), "InvalidRange");
  for (const char* other :
       {"", "bytes=5-2", "bytes=a-b", "bytes=-", "items=0-1", "bytes=0-1,3-4"}) {
    EXPECT_EQ(range(other), "all") << other;
  }
}

TEST(BucketPolicy, DeniesWhatItNames) {
  const auto denies = [](const std::string& statement, const char* action, const char* key) {
    const BucketPolicy policy = BucketPolicy::Parse(
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny",)" + statement + "}]}", "b");
    return policy.Denies("123456789012", action, std::string("arn:aws:s3:::b") + key);
  };
  const std::string everyone = R"("Principal":"*",)";
  const std::string read = R"("Action":"s3:GetObject",)";
  const std::string all = R"("Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"])";
  EXPECT_TRUE(denies(everyone + read + all, "s3:GetObject", "/k"));
  EXPECT_FALSE(denies(everyone + read + all, "s3:PutObject", "/k"));
  EXPECT_TRUE(denies(everyone + R"("NotAction":"s3:Get*",)" + all, "s3:PutObject", "/k"));
  EXPECT_FALSE(denies(everyone + R"("NotAction":"s3:Get*",)" + all, "s3:GetObject", "/k"));
  EXPECT_TRUE(denies(everyone + R"("Action":["s3:putobject","*"],)" + all, "s3:ListBucket", ""));
  const std::string one = R"("Resource":"arn:aws:s3:::b/d=?/x*")";
  EXPECT_TRUE(denies(everyone + read + one, "s3:GetObject", "/d=1/xyz"));
  EXPECT_FALSE(denies(everyone + read + one, "s3:GetObject", "/d=12/xyz"));
  EXPECT_FALSE(denies(everyone + read + one, "s3:GetObject", ""));
  EXPECT_TRUE(denies(R"("Principal":{"AWS":["999999999999","123456789012"]},)" + read + all,
                     "s3:GetObject", "/k"));
  EXPECT_FALSE(denies(R"("Principal":{"Service":"timestream.amazonaws.com"},)" + read + all,
                      "s3:GetObject", "/k"));
  EXPECT_TRUE(
      denies(R"("NotPrincipal":{"AWS":"999999999999"},)" + read + all, "s3:GetObject", "/k"));
  EXPECT_FALSE(
      denies(everyone + read + all + R"(,"Condition":{"Bool":{"a":"b"}})", "s3:GetObject", "/k"));
}

TEST(BucketPolicy, RefusesWhatIsNoPolicyOfTheBucket) {
  const auto good = std::string(
      R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}})");
  EXPECT_NO_THROW(BucketPolicy::Parse(good, "b"));
  EXPECT_THROW(BucketPolicy::Parse(good, "c"), ApiError);
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"Allow", "Maybe"},
                                                        {"s3:*", "ec2:*"},
                                                        {"Principal", "Who"},
                                                        {"Resource", "What"},
                                                        {"Action", "Do"},
                                                        {"\"*\"", "[]"},
                                                        {"Statement", "Sentence"},
                                                        {"}}", "}"}}) {
    std::string wrong = good;
    wrong.replace(wrong.find(from), from.size(), to);
    EXPECT_THROW(BucketPolicy::Parse(wrong, "b"), ApiError) << wrong;
  }
}

TEST(UrlCodec, RoundTripsBytesAndChecksUtf8) {
  std::string bytes;
  for (int i = 1; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(PercentDecode(PercentEncode(bytes)), bytes);
  EXPECT_EQ(PercentDecode("100%+%4", true), "100% %4");
  EXPECT_TRUE(IsUtf8("aü€😀"));
  for (const char* wrong : {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xE2\x82", "\xF4\x90\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(wrong));
  }
}

}  // namespace
}  // namespace ts_local
