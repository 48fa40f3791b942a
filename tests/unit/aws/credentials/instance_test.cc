#include <gtest/gtest.h>

#include "support/fake_clock.h"
#include "support/scripted_transport.h"
#include "tsm/aws/credentials/sources.h"

namespace tsm::aws {
namespace {

using std::chrono::milliseconds;

constexpr const char* kWhole =
    R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"abc",
        "Token":"FQoG","Expiration":"2024-02-26T18:24:38Z"})";
const std::string kService = "the instance metadata service at http://169.254.169.254 ";
const std::string kAdvice = "; not on EC2? set AWS_EC2_METADATA_DISABLED=true";

Error Silence() { return MakeError(ErrorKind::kTransient, "timed out after 1000 ms"); }

struct Bench {
  Result<Credentials> Fetch(std::stop_token stop = {}) {
    InstanceSource source(plan, transport, clock);
    return source.Fetch(std::move(stop));
  }
  // "PUT /latest/api/token" of each request, with the token in brackets where one was sent.
  std::vector<std::string> Calls() const {
    std::vector<std::string> calls;
    for (const http::Request& request : transport.requests()) {
      const auto token = http::FindHeader(request.headers, "x-aws-ec2-metadata-token");
      calls.push_back(request.method + " " + request.Target() +
                      (token.empty() ? "" : " [" + std::string(token) + "]"));
    }
    return calls;
  }
  void Expect(ErrorKind kind, const std::string& text) {
    const auto failed = Fetch();
    ASSERT_FALSE(failed) << text;
    EXPECT_EQ(failed.error().kind, kind);
    EXPECT_EQ(failed.error().Text(), text);
  }

  Instance plan;
  test::FakeClock clock;
  test::ScriptedTransport transport;
};

const std::string kRoles = "/latest/meta-data/iam/security-credentials/";

TEST(InstanceSourceTest, AsksForTokenRoleAndCredentials) {
  Bench bench;
  bench.plan.timeout = milliseconds(700);
  bench.transport.Add(200, "T1==\n");
  bench.transport.Add(200, "my-role_1\nother\n");
  bench.transport.Add(200, kWhole);
  const auto credentials = bench.Fetch();
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIAEXAMPLE");
  EXPECT_EQ(credentials->source, "instance role my-role_1");
  EXPECT_EQ(credentials->expiration, bench.clock.Now() + std::chrono::hours(1));
  EXPECT_EQ(bench.Calls(),
            (std::vector<std::string>{"PUT /latest/api/token", "GET " + kRoles + " [T1==]",
                                      "GET " + kRoles + "my-role_1 [T1==]"}));
  for (const http::Request& request : bench.transport.requests()) {
    EXPECT_EQ(request.scheme, "http");
    EXPECT_EQ(request.host, "169.254.169.254");
    EXPECT_TRUE(request.direct);
    EXPECT_EQ(request.timeouts.connect, milliseconds(700));
    EXPECT_EQ(request.timeouts.total, milliseconds(700));
  }
  EXPECT_EQ(http::FindHeader(bench.transport.requests()[0].headers,
                             "x-aws-ec2-metadata-token-ttl-seconds"),
            "21600");
  EXPECT_TRUE(InstanceSource(bench.plan, bench.transport, bench.clock).outlives_expiration());
}

TEST(InstanceSourceTest, AsksAtTheConfiguredEndpoint) {
  for (const auto& [endpoint, host, path] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"http://[fd00:ec2::254]", "[fd00:ec2::254]", "/latest/api/token"},
           {"http://127.0.0.1:5000/", "127.0.0.1:5000", "/latest/api/token"},
           {"http://127.0.0.1:5000/imds/", "127.0.0.1:5000", "/imds/latest/api/token"}}) {
    Bench bench;
    bench.plan.endpoint = endpoint;
    bench.transport.Add(200, "T1");
    bench.transport.Add(200, "role");
    bench.transport.Add(200, kWhole);
    ASSERT_TRUE(bench.Fetch());
    EXPECT_EQ(bench.transport.requests()[0].host, host);
    EXPECT_EQ(bench.transport.requests()[0].Target(), path);
  }
  Bench bench;
  bench.plan.endpoint = "169.254.169.254";
  bench.Expect(ErrorKind::kConfiguration,
               "instance credentials: AWS_EC2_METADATA_SERVICE_ENDPOINT: the metadata service's "
               "URL is not of the form http[s]://host[:port]/path");
}

TEST(InstanceSourceTest, GoesOnWithVersion1WhereThereIsNoToken) {
  for (const int status : {403, 404, 405, 0}) {
    Bench bench;
    if (status == 0) {
      bench.transport.Add(Silence());
    } else {
      bench.transport.Add(status, "");
    }
    bench.transport.Add(200, "role");
    bench.transport.Add(200, kWhole);
    ASSERT_TRUE(bench.Fetch()) << status;
    EXPECT_EQ(bench.Calls(), (std::vector<std::string>{"PUT /latest/api/token", "GET " + kRoles,
                                                       "GET " + kRoles + "role"}));

    Bench strict;
    strict.plan.v1_disabled = true;
    if (status == 0) {
      strict.transport.Add(Silence());
    } else {
      strict.transport.Add(status, "");
    }
    strict.Expect(ErrorKind::kCredentials,
                  kService + "can't be asked: its token " +
                      (status == 0 ? "did not come: timed out after 1000 ms"
                                   : "was refused with HTTP " + std::to_string(status)) +
                      ", and version 1 is disabled (AWS_EC2_METADATA_V1_DISABLED, "
                      "ec2_metadata_v1_disabled)" +
                      kAdvice);
    EXPECT_EQ(strict.transport.requests().size(), 1U);
  }
}

TEST(InstanceSourceTest, ATokenThatIsNoneIsNeverSent) {
  struct Case {
    int status;
    std::string body;
    std::string what;
  };
  const std::vector<Case> cases = {
      {400, "T", "gave no token (HTTP 400)"},
      {500, "T", "gave no token (HTTP 500)"},
      {301, "T", "gave no token (HTTP 301)"},
      {200, "", "answered what is no token"},
      {200, "<html>sign in</html> here", "answered what is no token"},
      {200, "a\r\nX-Other: b", "answered what is no token"},
      {200, std::string(5000, 'x'), "answered what is no token"},
  };
  for (const Case& c : cases) {
    Bench bench;
    bench.transport.Add(c.status, c.body);
    bench.Expect(ErrorKind::kCredentials, kService + c.what);
    EXPECT_EQ(bench.transport.requests().size(), 1U);
  }
}

TEST(InstanceSourceTest, SaysWhatWasAskedAndWhatCame) {
  struct Case {
    std::vector<std::pair<int, std::string>> answers;  // after the token
    std::string what;
  };
  const std::vector<Case> cases = {
      {{{404, ""}},
       "did not give the name of the instance's role: no role is attached to this instance (HTTP "
       "404)"},
      {{{403, ""}},
       "did not give the name of the instance's role: it is not allowed, or switched off for this "
       "instance (HTTP 403)"},
      {{{500, ""}}, "did not give the name of the instance's role (HTTP 500)"},
      {{{200, ""}}, "answered nothing to a request for the name of the instance's role"},
      {{{200, " \n"}}, "answered what is no role's name"},
      {{{200, "<html>"}}, "answered what is no role's name"},
      {{{200, "../x"}}, "answered what is no role's name"},
      {{{200, "role"}, {503, ""}}, "did not give the credentials of role role (HTTP 503)"},
      {{{200, "role"}, {200, ""}},
       "answered nothing to a request for the credentials of role role"},
      {{{200, "role"},
        {200, R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume it"})"}},
       "refused the credentials of role role: AssumeRoleUnauthorizedAccess: EC2 cannot assume it"},
  };
  for (const Case& c : cases) {
    Bench bench;
    bench.transport.Add(200, "T1");
    for (const auto& [status, body] : c.answers) bench.transport.Add(status, body);
    bench.Expect(ErrorKind::kCredentials, kService + c.what);
    EXPECT_EQ(bench.transport.remaining(), 0U) << c.what;
  }

  Bench half;
  half.transport.Add(200, "T1");
  half.transport.Add(200, "role");
  half.transport.Add(200, R"({"Code":"Success","AccessKeyId":"A","SecretAccessKey":"hidden"})");
  half.Expect(ErrorKind::kCredentials, "instance role role: in the answer Token is missing");
}

TEST(InstanceSourceTest, ASilentServiceIsNoEc2) {
  Bench bench;
  bench.transport.Add(Silence());
  bench.transport.Add(Silence());
  bench.Expect(ErrorKind::kCredentials,
               kService + "did not answer: timed out after 1000 ms" + kAdvice);
  EXPECT_EQ(bench.transport.requests().size(), 2U);
}

TEST(InstanceSourceTest, EachRequestIsTriedAsOftenAsConfigured) {
  Bench bench;
  bench.plan.attempts = 3;
  bench.transport.Add(500, "");
  bench.transport.Add(Silence());
  bench.transport.Add(200, "T1");
  bench.transport.Add(200, "");
  bench.transport.Add(429, "");
  bench.transport.Add(200, "role");
  bench.transport.Add(Silence());
  bench.transport.Add(Silence());
  bench.transport.Add(200, kWhole);
  ASSERT_TRUE(bench.Fetch());
  EXPECT_EQ(bench.transport.requests().size(), 9U);
  EXPECT_EQ(bench.clock.sleeps(), std::vector<std::chrono::nanoseconds>(6, milliseconds(200)));

  // What is final is not tried again.
  Bench refused;
  refused.plan.attempts = 3;
  refused.transport.Add(200, "T1");
  refused.transport.Add(404, "");
  ASSERT_FALSE(refused.Fetch());
  EXPECT_EQ(refused.transport.requests().size(), 2U);
}

TEST(InstanceSourceTest, ARefusedTokenIsReplacedOnce) {
  Bench bench;
  bench.transport.Add(200, "T1");
  bench.transport.Add(200, "role");
  bench.transport.Add(401, "");
  bench.transport.Add(200, "T2");
  bench.transport.Add(200, kWhole);
  ASSERT_TRUE(bench.Fetch());
  EXPECT_EQ(bench.Calls().back(), "GET " + kRoles + "role [T2]");

  Bench stubborn;
  stubborn.transport.Add(200, "T1");
  stubborn.transport.Add(401, "");
  stubborn.transport.Add(200, "T2");
  stubborn.transport.Add(401, "");
  stubborn.Expect(ErrorKind::kCredentials, kService + "refused a new token (HTTP 401)");
}

TEST(InstanceSourceTest, AContainersHopLimitIsExplained) {
  Bench bench;
  bench.transport.Add(Silence());
  bench.transport.Add(401, "");
  bench.Expect(ErrorKind::kCredentials,
               kService +
                   "takes version 2 alone, and its token did not come: timed out after 1000 "
                   "ms; in a container the instance's HttpPutResponseHopLimit must be 2 "
                   "(HTTP 401)");
}

TEST(InstanceSourceTest, AStopIsNoFailureOfTheService) {
  std::stop_source stop;
  stop.request_stop();
  Bench bench;
  const auto stopped = bench.Fetch(stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);

  std::stop_source between;
  Bench trying;
  trying.plan.attempts = 100;
  trying.transport.SetHandler([&](const http::Request&) -> Result<http::Response> {
    between.request_stop();
    return Silence();
  });
  const auto tried = trying.Fetch(between.get_token());
  ASSERT_FALSE(tried);
  EXPECT_EQ(tried.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(trying.transport.requests().size(), 1U);

  Bench later;
  later.transport.Add(200, "T1");
  later.transport.Add(MakeError(ErrorKind::kCancelled, "stopped"));
  const auto midway = later.Fetch();
  ASSERT_FALSE(midway);
  EXPECT_EQ(midway.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace tsm::aws
