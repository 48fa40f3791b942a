// The project's own signing cases. The expected signatures were computed once with botocore 1.43,
// an implementation that shares nothing with this one.
#include "tsm/aws/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tsm/core/text.h"

namespace tsm::aws {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const std::chrono::system_clock::time_point kTime(std::chrono::seconds(1'708'968'278));

Credentials Keys(std::string token = "") {
  Credentials keys;
  keys.access_key_id = "AKIDEXAMPLE";
  keys.secret_access_key = kSecret;
  keys.session_token = std::move(token);
  return keys;
}

constexpr SigningRules kS3{PathRule::kAsIs, PayloadRule::kSendHash, false};
constexpr SigningRules kOthers{PathRule::kNormalize, PayloadRule::kHashInRequest, false};

http::Request Make(std::string method, std::string host, std::string path = "/") {
  http::Request request;
  request.method = std::move(method);
  request.scheme = "https";
  request.host = std::move(host);
  request.path = std::move(path);
  return request;
}

std::string Authorize(http::Request& request, const Credentials& keys, const SigningScope& scope,
                      const SigningRules& rules) {
  Signer().Sign(request, keys, scope, rules, kTime);
  return std::string(http::FindHeader(request.headers, "authorization"));
}

TEST(CryptoTest, KnownDigests) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Base64(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  EXPECT_EQ(Sha256Base64("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  // RFC 4231, test case 2.
  EXPECT_EQ(HexEncode(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // An empty key is a key, not "the last one used".
  HmacSha256("another", "call");
  EXPECT_EQ(HexEncode(HmacSha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(SignerTest, S3KeyWithEveryOddCharacter) {
  http::Request request =
      Make("GET", "examplebucket.s3.eu-west-1.amazonaws.com",
           "/" + PercentEncode("unload/results/day=1+1/a b%ü~(x)*'!//../.c", true));
  request.headers = {{"Range", "bytes=0-9"}};
  EXPECT_EQ(Authorize(request, Keys(), {"eu-west-1", "s3"}, kS3),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240226/eu-west-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=e0404ec18d63c7d35dd95bbffc39d8d1ca2e711ef2bd90d5db6e5b069a2e5cb5");
  EXPECT_EQ(http::FindHeader(request.headers, "x-amz-date"), "20240226T172438Z");
  EXPECT_EQ(http::FindHeader(request.headers, "host"), "examplebucket.s3.eu-west-1.amazonaws.com");
}

TEST(SignerTest, S3PutWithBodyAndSessionToken) {
  http::Request request = Make("PUT", "127.0.0.1:4566", "/b/k%3D1/%E2%82%AC");
  request.headers = {{"Content-Type", "application/json"}, {"x-amz-storage-class", "STANDARD"}};
  request.body = R"({"a":1})";
  EXPECT_THAT(Authorize(request, Keys("TOKEN//+=="), {"us-west-2", "s3"}, kS3),
              EndsWith("SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;"
                       "x-amz-security-token;x-amz-storage-class, Signature="
                       "c5b884dead4cbf31e2aa57e91313ccd36f6675c37192fa04c51d80b4b2c84f44"));
  EXPECT_EQ(http::FindHeader(request.headers, "x-amz-content-sha256"),
            "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
  EXPECT_EQ(http::FindHeader(request.headers, "x-amz-security-token"), "TOKEN//+==");
}

TEST(SignerTest, S3PutWithAnUnsignedBody) {
  for (const std::string body : {"anything", "at all"}) {
    http::Request request = Make("PUT", "examplebucket.s3.eu-west-1.amazonaws.com", "/a%20b");
    request.body = body;
    EXPECT_THAT(Authorize(request, Keys(), {"eu-west-1", "s3"},
                          {PathRule::kAsIs, PayloadRule::kUnsigned, false}),
                EndsWith("SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
                         "07849ea082249ac81a1d51e7158fb4dfe9825e489ea18c06f695771c0d0a8ac2"));
    EXPECT_EQ(http::FindHeader(request.headers, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  }
}

TEST(SignerTest, S3ListSortsTheQueryByEncodedName) {
  http::Request request = Make("GET", "b.s3.us-east-1.amazonaws.com");
  request.query = {{"list-type", "2"},
                   {"prefix", "day=1/ü x"},
                   {"continuation-token", "a+b=="},
                   {"Delimiter", "/"},
                   {"start-after", ""}};
  EXPECT_THAT(Authorize(request, Keys(), {"us-east-1", "s3"}, kS3),
              EndsWith("4192bbffa4fb6ea8ee43ceab75f7c8b521888e832d50eb46cba46f06d854e8bc"));
}

TEST(SignerTest, S3CopySourceIsSignedLikeAnyHeader) {
  http::Request request = Make("PUT", "b.s3.us-east-1.amazonaws.com", "/t");
  request.headers = {{"x-amz-copy-source", "/src/a%20b%2B%C3%BC"}};
  EXPECT_THAT(Authorize(request, Keys(), {"us-east-1", "s3"}, kS3),
              EndsWith("25ef22e1b0871c814aeb940dd601b410a6ae2ee13fba1c545be1e583483334a8"));
}

TEST(SignerTest, TimestreamJsonPostCarriesNoPayloadHeader) {
  http::Request request = Make("POST", "query.timestream.eu-west-1.amazonaws.com");
  request.headers = {{"Content-Type", "application/x-amz-json-1.0"},
                     {"X-Amz-Target", "Timestream_20181101.Query"}};
  request.body = R"({"QueryString":"SELECT 1"})";
  EXPECT_THAT(Authorize(request, Keys(), {"eu-west-1", "timestream"}, kOthers),
              EndsWith("SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
                       "80fc7f3698015c5ba0ab322cabe23090a85cfafa770c8127d15deb6c52ab7d62"));
  EXPECT_EQ(http::FindHeader(request.headers, "x-amz-content-sha256"), "");
}

TEST(SignerTest, StsFormPostWithSessionToken) {
  http::Request request = Make("POST", "sts.us-east-1.amazonaws.com");
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  request.body = "Action=GetCallerIdentity&Version=2011-06-15";
  EXPECT_THAT(Authorize(request, Keys("TOKEN//+=="), {"us-east-1", "sts"}, kOthers),
              EndsWith("e4ec77bbc666372bf2abf5145d779ff3540ab74c487a97c68cffd403fb94e89b"));
}

TEST(SignerTest, NormalizesPathsAndBlanksAndLeavesOutWhatProxiesChange) {
  http::Request request = Make("GET", "example.amazonaws.com", "/a%20b/./c/../d//e");
  request.headers = {{"X-Many", "  a   b\t c  "}, {"User-Agent", "x"}, {"Expect", "y"}};
  EXPECT_THAT(Authorize(request, Keys(), {"us-east-1", "service"}, kOthers),
              EndsWith("SignedHeaders=host;x-amz-date;x-many, Signature="
                       "cf353acff4d98c9305704538286ee7d62de97843e08ceaf218d3571898b5a4bd"));
}

TEST(SignerTest, AnOmittedTokenIsSentButNotSigned) {
  SigningRules rules = kOthers;
  rules.omit_session_token = true;
  http::Request with = Make("GET", "example.amazonaws.com");
  http::Request without = with;
  EXPECT_EQ(Authorize(with, Keys("TOKEN"), {"us-east-1", "service"}, rules),
            Authorize(without, Keys(), {"us-east-1", "service"}, kOthers));
  EXPECT_EQ(http::FindHeader(with.headers, "x-amz-security-token"), "TOKEN");
}

TEST(SignerTest, SigningAgainReplacesTheFirstSignature) {
  Signer signer;
  http::Request twice = Make("PUT", "b.s3.us-east-1.amazonaws.com", "/k");
  http::Request once = twice;
  signer.Sign(twice, Keys("OLD"), {"us-east-1", "s3"}, kS3, kTime - std::chrono::hours(30));
  signer.Sign(twice, Keys(), {"us-east-1", "s3"}, kS3, kTime);
  signer.Sign(once, Keys(), {"us-east-1", "s3"}, kS3, kTime);
  EXPECT_EQ(http::FindHeader(twice.headers, "authorization"),
            http::FindHeader(once.headers, "authorization"));
  EXPECT_EQ(twice.headers.size(), once.headers.size());
}

TEST(SignerTest, CachedKeysAreNotMixedUp) {
  Signer signer;
  http::Request request = Make("GET", "example.amazonaws.com");
  const auto signature = [&](const Credentials& keys, const SigningScope& scope,
                             std::chrono::system_clock::time_point time) {
    signer.Sign(request, keys, scope, kOthers, time);
    http::Request fresh = Make("GET", "example.amazonaws.com");
    Signer().Sign(fresh, keys, scope, kOthers, time);
    EXPECT_EQ(http::FindHeader(request.headers, "authorization"),
              http::FindHeader(fresh.headers, "authorization"));
  };
  Credentials rotated = Keys();
  rotated.secret_access_key += "x";
  for (int round = 0; round < 2; ++round) {
    signature(Keys(), {"us-east-1", "sts"}, kTime);
    signature(rotated, {"us-east-1", "sts"}, kTime);
    signature(Keys(), {"us-east-2", "sts"}, kTime);
    signature(Keys(), {"us-east-1", "sns"}, kTime);
    signature(Keys(), {"us-east-1", "sts"}, kTime + std::chrono::hours(24));
  }
  for (int day = 0; day < 200; ++day) {  // more than the cache keeps
    signature(Keys(), {"us-east-1", "sts"}, kTime + std::chrono::hours(24 * day));
  }
}

TEST(SignerTest, ThreadsMaySignAtOnce) {
  Signer signer;
  std::vector<std::string> results(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < results.size(); ++i) {
      threads.emplace_back([&signer, &results, i] {
        http::Request request = Make("GET", "example.amazonaws.com");
        for (int n = 0; n < 50; ++n) {
          const SigningScope scope{"region-" + std::to_string(n % 3), "sts"};
          signer.Sign(request, Keys(), scope, kOthers, kTime);
        }
        results[i] = http::FindHeader(request.headers, "authorization");
      });
    }
  }
  for (const std::string& result : results) EXPECT_EQ(result, results[0]);
  EXPECT_THAT(results[0], HasSubstr("/region-1/sts/"));
}

TEST(CanonicalRequestTest, DuplicateHeadersJoinInOrder) {
  http::Request request = Make("GET", "h");
  request.headers = {{"B", "2"}, {"a", "z"}, {"b", " 1 "}, {"A", ""}};
  const CanonicalRequest canonical = BuildCanonicalRequest(request, PathRule::kAsIs, "HASH");
  EXPECT_EQ(canonical.text, "GET\n/\n\na:z,\nb:2,1\n\na;b\nHASH");
  EXPECT_EQ(canonical.signed_headers, "a;b");
}

TEST(CanonicalRequestTest, PathRules) {
  const auto path = [](std::string text, PathRule rule) {
    const http::Request request = Make("GET", "h", std::move(text));
    const std::string canonical = BuildCanonicalRequest(request, rule, "").text;
    return canonical.substr(4, canonical.find('\n', 4) - 4);
  };
  EXPECT_EQ(path("/a/../..//b/.", PathRule::kAsIs), "/a/../..//b/.");
  EXPECT_EQ(path("/a/../..//b/.", PathRule::kNormalize), "/b/");
  EXPECT_EQ(path("/..", PathRule::kNormalize), "/");
  EXPECT_EQ(path("/a%2Fb", PathRule::kNormalize), "/a%252Fb");
}

}  // namespace
}  // namespace tsm::aws
