#include <gtest/gtest.h>

#include "aws/credentials/scratch_files.h"
#include "support/fake_clock.h"
#include "support/scripted_transport.h"
#include "tsm/aws/credentials/sources.h"

namespace tsm::aws {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kWhole =
    R"({"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"abc","Token":"FQoG",
        "Expiration":"2024-02-26T18:24:38Z","AccountId":"123456789012"})";
constexpr const char* kEndpoint = "the container credentials endpoint at http://169.254.170.2";

struct Bench {
  Result<Credentials> Fetch(std::stop_token stop = {}) {
    ContainerSource source(plan, transport, clock);
    return source.Fetch(std::move(stop));
  }
  std::string Sent(std::size_t index, std::string_view header) const {
    return std::string(http::FindHeader(transport.requests().at(index).headers, header));
  }

  Container plan{
      .url = "http://169.254.170.2/v2/credentials/aa-bb?id=x%2Fy&z", .token = "", .token_file = ""};
  test::FakeClock clock;
  test::ScriptedTransport transport;
};

TEST(ContainerSourceTest, AsksTheUrlAsItStandsAndPastAnyProxy) {
  Bench bench;
  bench.transport.Add(200, kWhole);
  const auto credentials = bench.Fetch();
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIAEXAMPLE");
  EXPECT_EQ(credentials->session_token, "FQoG");
  EXPECT_EQ(credentials->account_id, "123456789012");
  EXPECT_EQ(credentials->expiration, bench.clock.Now() + std::chrono::hours(1));
  EXPECT_EQ(credentials->source, kEndpoint);

  const auto requests = bench.transport.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "GET");
  EXPECT_EQ(requests[0].scheme, "http");
  EXPECT_EQ(requests[0].host, "169.254.170.2");
  EXPECT_EQ(requests[0].Target(), "/v2/credentials/aa-bb?id=x%2Fy&z");
  EXPECT_TRUE(requests[0].direct);
  EXPECT_EQ(requests[0].timeouts.connect, seconds(2));
  EXPECT_EQ(requests[0].timeouts.total, seconds(2));
  EXPECT_EQ(bench.Sent(0, "Accept"), "application/json");
  EXPECT_EQ(bench.Sent(0, "Authorization"), "");
}

TEST(ContainerSourceTest, TakesUrlsOfEveryShape) {
  struct Case {
    std::string url;
    std::string scheme;
    std::string host;
    std::string target;
  };
  const std::vector<Case> cases = {
      {"http://localhost:1338/latest/meta-data/container/security-credentials", "http",
       "localhost:1338", "/latest/meta-data/container/security-credentials"},
      {"http://[fd00:ec2::23]/v1/credentials", "http", "[fd00:ec2::23]", "/v1/credentials"},
      {"HTTPS://example.org", "https", "example.org", "/"},
      {"https://example.org?a=b", "https", "example.org", "/?a=b"},
      {"https://example.org/a#b", "https", "example.org", "/a"},
  };
  for (const Case& c : cases) {
    Bench bench;
    bench.plan.url = c.url;
    bench.transport.Add(200, kWhole);
    ASSERT_TRUE(bench.Fetch()) << c.url;
    const auto request = bench.transport.requests().at(0);
    EXPECT_EQ(request.scheme, c.scheme);
    EXPECT_EQ(request.host, c.host);
    EXPECT_EQ(request.Target(), c.target);
  }
  for (const std::string url : {"", "169.254.170.2/x", "ftp://host/x", "http:///x", "http://u@h/x",
                                "http://host/a b", "http://host/a\r\nX: y"}) {
    Bench bench;
    bench.plan.url = url;
    const auto refused = bench.Fetch();
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().kind, ErrorKind::kConfiguration) << url;
    EXPECT_TRUE(bench.transport.requests().empty()) << url;
  }
}

TEST(ContainerSourceTest, SendsTheTokenOfTheVariable) {
  Bench bench;
  bench.plan.token = "Bearer abc.def";
  bench.transport.Add(200, kWhole);
  ASSERT_TRUE(bench.Fetch());
  EXPECT_EQ(bench.Sent(0, "Authorization"), "Bearer abc.def");
}

TEST(ContainerSourceTest, ReadsTheTokensFileEachTimeAndBeforeTheVariable) {
  Bench bench;
  const test::ScratchFiles files;
  bench.plan.token = "of the variable";
  bench.plan.token_file = files.Write("token", "first\n");
  bench.transport.Add(200, kWhole);
  bench.transport.Add(200, kWhole);
  ASSERT_TRUE(bench.Fetch());
  files.Write("token", "second\r\n");
  ASSERT_TRUE(bench.Fetch());
  EXPECT_EQ(bench.Sent(0, "Authorization"), "first");
  EXPECT_EQ(bench.Sent(1, "Authorization"), "second");
}

TEST(ContainerSourceTest, ATokenThatIsNoHeaderIsRefusedWithoutBeingSent) {
  const test::ScratchFiles files;
  struct Case {
    Container plan;
    std::string message;
  };
  const std::string url = "http://169.254.170.2/x";
  const std::string of_file = " (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)";
  const std::vector<Case> cases = {
      {{url, "secret\r\nX: y", ""},
       "AWS_CONTAINER_AUTHORIZATION_TOKEN holds a line end or another control character"},
      {{url, "secret\n", ""},
       "AWS_CONTAINER_AUTHORIZATION_TOKEN holds a line end or another control character"},
      {{url, "", files.Write("two", "secret\nsecret\n")},
       files.Path("two") + of_file + " holds a line end or another control character"},
      {{url, "", files.Write("empty", "\n")}, files.Path("empty") + of_file + " is empty"},
      {{url, "", files.Write("long", std::string(70'000, 'x'))},
       "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: " + files.Path("long") + " holds more than 65536"},
      {{url, "secret", files.Path("missing")},
       "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: " + files.Path("missing") +
           " can't be read: No such file"},
      {{url, "", files.Path("")}, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "},
  };
  for (const Case& c : cases) {
    Bench bench;
    bench.plan = c.plan;
    const auto refused = bench.Fetch();
    ASSERT_FALSE(refused) << c.message;
    EXPECT_EQ(refused.error().kind, ErrorKind::kCredentials);
    EXPECT_EQ(refused.error().Text().find("container credentials: " + c.message), 0U)
        << refused.error().Text();
    EXPECT_EQ(refused.error().Text().find("secret"), std::string::npos) << refused.error().Text();
    EXPECT_TRUE(bench.transport.requests().empty());
  }
}

TEST(ContainerSourceTest, TriesThreeTimesWhatMayPass) {
  Bench bench;
  bench.transport.Add(MakeError(ErrorKind::kTransient, "connection refused"));
  bench.transport.Add(503, "busy");
  bench.transport.Add(200, kWhole);
  ASSERT_TRUE(bench.Fetch());
  EXPECT_EQ(bench.clock.sleeps(), (std::vector<std::chrono::nanoseconds>{seconds(1), seconds(1)}));
}

TEST(ContainerSourceTest, GivesUpAfterTheThirdTry) {
  struct Case {
    int status;
    ErrorKind kind;
    std::string text;
  };
  const std::string at = kEndpoint;
  const std::vector<Case> cases = {
      {0, ErrorKind::kTransient, at + " did not answer: connection refused (3 attempts in 2.0 s)"},
      {500, ErrorKind::kTransient,
       "Down: " + at + " gave no credentials: later (HTTP 500, 3 attempts in 2.0 s)"},
      {429, ErrorKind::kThrottled,
       "Down: " + at + " gave no credentials: later (HTTP 429, 3 attempts in 2.0 s)"},
  };
  for (const Case& c : cases) {
    Bench bench;
    bench.transport.SetHandler([&](const http::Request&) -> Result<http::Response> {
      if (c.status == 0) return MakeError(ErrorKind::kTransient, "connection refused");
      return http::Response{c.status, {}, R"({"code":"Down","message":"later"})"};
    });
    const auto failed = bench.Fetch();
    ASSERT_FALSE(failed);
    EXPECT_EQ(bench.transport.requests().size(), 3U);
    EXPECT_EQ(failed.error().kind, c.kind);
    EXPECT_EQ(failed.error().Text(), c.text);
  }
}

TEST(ContainerSourceTest, WhatIsFinalIsAskedOnce) {
  Bench bench;
  bench.plan.token = "Bearer verysecret.token";
  bench.transport.Add(
      403, R"({"code":"AccessDenied","message":"no: Authorization Bearer verysecret.token"})");
  const auto refused = bench.Fetch();
  ASSERT_FALSE(refused);
  EXPECT_EQ(bench.transport.requests().size(), 1U);
  EXPECT_EQ(refused.error().kind, ErrorKind::kCredentials);
  EXPECT_EQ(refused.error().code, "AccessDenied");
  EXPECT_EQ(refused.error().http_status, 403);
  EXPECT_NE(refused.error().Text().find("AccessDenied"), std::string::npos);
  EXPECT_EQ(refused.error().Text().find("verysecret"), std::string::npos) << refused.error().Text();

  Bench untrusted;
  untrusted.transport.Add(MakeError(ErrorKind::kConfiguration, "certificate not trusted"));
  const auto failed = untrusted.Fetch();
  ASSERT_FALSE(failed);
  EXPECT_EQ(untrusted.transport.requests().size(), 1U);
  EXPECT_EQ(failed.error().kind, ErrorKind::kConfiguration);

  Bench odd;
  odd.transport.Add(200, R"({"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"verysecret"})");
  const auto half = odd.Fetch();
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().Text(), std::string(kEndpoint) + ": in the answer Token is missing");
}

TEST(ContainerSourceTest, AStopEndsTheWaitsAndIsNoFailureOfTheEndpoint) {
  Bench bench;
  std::stop_source stop;
  bench.transport.SetHandler([&](const http::Request&) -> Result<http::Response> {
    stop.request_stop();
    return MakeError(ErrorKind::kTransient, "reset");
  });
  const auto stopped = bench.Fetch(stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(bench.transport.requests().size(), 1U);
  const auto before = bench.Fetch(stop.get_token());
  ASSERT_FALSE(before);
  EXPECT_EQ(before.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace tsm::aws
