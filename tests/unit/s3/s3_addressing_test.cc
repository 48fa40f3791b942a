// Where a call goes: bucket before the host or in the path, FIPS and dual-stack hosts, and whether
// the body is signed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "support/client_bench.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {
namespace {

using aws::AddressingStyle;
using aws::EndpointResolver;
using test::ClientBench;
using test::CustomEndpoint;
using test::Header;
using ::testing::HasSubstr;

constexpr char kAlias[] = "my-access-point-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias";
constexpr char kUnsigned[] = "UNSIGNED-PAYLOAD";

struct S3AddressingTest : ::testing::Test {
  ClientBench bench;
  // The URL of a GetObject of "k" in the bucket.
  std::string Url(S3Client& client, const std::string& bucket) {
    bench.transport.Add(200, "x");
    EXPECT_TRUE(client.GetObject(*BucketName::Parse(bucket), ObjectKey("k"), std::nullopt, {}));
    const http::Request request = bench.transport.requests().back();
    return request.scheme + "://" + request.host + request.Target();
  }
};

EndpointResolver Public(const std::map<std::string, std::string, std::less<>>& environment) {
  return *EndpointResolver::Make({}, aws::Environment(environment), aws::SharedConfig(), {});
}

TEST_F(S3AddressingTest, BucketInHostOrPath) {
  aws::Endpoint custom_tls = CustomEndpoint("s3.example.com:8443", "/base");
  custom_tls.scheme = "https";
  const EndpointResolver aws;
  const EndpointResolver named(CustomEndpoint("s3.test:9000", "/base"));
  const EndpointResolver numbered(CustomEndpoint("127.0.0.1:9000"));
  const EndpointResolver numbered6(CustomEndpoint("[::1]:9000"));
  const EndpointResolver tls(custom_tls);
  struct Case {
    AddressingStyle style;
    const EndpointResolver& endpoints;
    const char* bucket;
    std::string url;
  };
  constexpr auto kAuto = AddressingStyle::kAuto;
  constexpr auto kPath = AddressingStyle::kPath;
  constexpr auto kVirtual = AddressingStyle::kVirtual;
  const Case cases[] = {
      {kAuto, aws, "bkt", "https://bkt.s3.eu-west-1.amazonaws.com/k"},
      {kAuto, aws, "my.bkt", "https://s3.eu-west-1.amazonaws.com/my.bkt/k"},
      {kAuto, aws, kAlias, "https://" + std::string(kAlias) + ".s3.eu-west-1.amazonaws.com/k"},
      {kAuto, named, "bkt", "http://s3.test:9000/base/bkt/k"},
      {kAuto, numbered, "my.bkt", "http://127.0.0.1:9000/my.bkt/k"},
      {kPath, aws, "bkt", "https://s3.eu-west-1.amazonaws.com/bkt/k"},
      {kPath, aws, "my.bkt", "https://s3.eu-west-1.amazonaws.com/my.bkt/k"},
      {kPath, named, "bkt", "http://s3.test:9000/base/bkt/k"},
      {kVirtual, aws, "bkt", "https://bkt.s3.eu-west-1.amazonaws.com/k"},
      {kVirtual, aws, "my.bkt", "https://s3.eu-west-1.amazonaws.com/my.bkt/k"},
      {kVirtual, named, "bkt", "http://bkt.s3.test:9000/base/k"},
      {kVirtual, named, "my.bkt", "http://my.bkt.s3.test:9000/base/k"},
      {kVirtual, tls, "bkt", "https://bkt.s3.example.com:8443/base/k"},
      {kVirtual, tls, "my.bkt", "https://s3.example.com:8443/base/my.bkt/k"},
      {kVirtual, numbered, "bkt", "http://127.0.0.1:9000/bkt/k"},
      {kVirtual, numbered6, "bkt", "http://[::1]:9000/bkt/k"},
  };
  for (const Case& c : cases) {
    S3Client client(bench.client, c.endpoints, "eu-west-1", {.addressing = c.style});
    EXPECT_EQ(Url(client, c.bucket), c.url);
  }
}

TEST_F(S3AddressingTest, ABucketByItselfEndsInASlashOnlyInTheHost) {
  S3Client in_host(bench.client, EndpointResolver(), "eu-west-1");
  S3Client in_path(bench.client, EndpointResolver(), "eu-west-1",
                   {.addressing = AddressingStyle::kPath});
  bench.transport.Add(200, "");
  bench.transport.Add(200, "");
  ASSERT_TRUE(in_host.HeadBucket(*BucketName::Parse("bkt"), {}));
  EXPECT_EQ(bench.transport.requests().back().Target(), "/");
  ASSERT_TRUE(in_path.HeadBucket(*BucketName::Parse("bkt"), {}));
  EXPECT_EQ(bench.transport.requests().back().Target(), "/bkt");
}

TEST_F(S3AddressingTest, ARedirectStaysWithFipsAndDualStack) {
  struct Case {
    std::map<std::string, std::string, std::less<>> environment;
    const char* first;
    const char* second;
  };
  const Case cases[] = {
      {{{"AWS_USE_FIPS_ENDPOINT", "true"}},
       "bkt.s3-fips.us-east-1.amazonaws.com",
       "bkt.s3-fips.us-west-2.amazonaws.com"},
      {{{"AWS_USE_DUALSTACK_ENDPOINT", "true"}},
       "bkt.s3.dualstack.us-east-1.amazonaws.com",
       "bkt.s3.dualstack.us-west-2.amazonaws.com"},
      {{{"AWS_USE_FIPS_ENDPOINT", "true"}, {"AWS_USE_DUALSTACK_ENDPOINT", "true"}},
       "bkt.s3-fips.dualstack.us-east-1.amazonaws.com",
       "bkt.s3-fips.dualstack.us-west-2.amazonaws.com"},
  };
  for (const Case& c : cases) {
    S3Client client(bench.client, Public(c.environment), "us-east-1");
    bench.transport.Add(301, "", {{"x-amz-bucket-region", "us-west-2"}});
    bench.transport.Add(200, "x");
    ASSERT_TRUE(client.GetObject(*BucketName::Parse("bkt"), ObjectKey("k"), std::nullopt, {}));
    const std::vector<http::Request> sent = bench.transport.requests();
    EXPECT_EQ(sent[sent.size() - 2].host, c.first);
    EXPECT_EQ(sent.back().host, c.second);
  }
}

TEST_F(S3AddressingTest, TheBodyIsLeftUnsignedOnlyOverTls) {
  struct Case {
    bool sign_payload;
    bool tls;
    const char* body;
    bool is_unsigned;
  };
  const Case cases[] = {
      {true, true, "body", false},   {true, false, "body", false}, {false, true, "body", true},
      {false, false, "body", false}, {false, true, "", false},
  };
  for (const Case& c : cases) {
    aws::Endpoint endpoint = CustomEndpoint("s3.test");
    endpoint.scheme = c.tls ? "https" : "http";
    S3Client client(bench.client, EndpointResolver(endpoint), "eu-west-1",
                    {.sign_payload = c.sign_payload});
    bench.transport.Add(200, "", {{"etag", "\"e\""}});
    ASSERT_TRUE(client.PutObject(*BucketName::Parse("bkt"), ObjectKey("k"), c.body, {}, {}));
    const http::Request sent = bench.transport.requests().back();
    EXPECT_EQ(Header(sent, "x-amz-content-sha256") == kUnsigned, c.is_unsigned)
        << c.sign_payload << c.tls << c.body;
    EXPECT_THAT(Header(sent, "authorization"), HasSubstr("x-amz-content-sha256"));
    EXPECT_EQ(sent.body, c.body);
  }
}

TEST_F(S3AddressingTest, NamesThatS3GivesOutAreNotMade) {
  S3Client client(bench.client, EndpointResolver(), "eu-west-1");
  const Status made = client.CreateBucket(*BucketName::Parse(kAlias), {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(made.error().Text(), HasSubstr("-s3alias is kept for aliases of access points"));
  EXPECT_THAT(made.error().Text(), HasSubstr(kAlias));
  EXPECT_TRUE(bench.transport.requests().empty());
}

}  // namespace
}  // namespace tsm::s3
