#include "common/trace_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/threaded_multi.h"
#include "tsm/core/text.h"

namespace tsm::apps {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class OneAnswer final : public http::Transport {
 public:
  explicit OneAnswer(Result<http::Response> answer) : answer_(std::move(answer)) {}
  Result<http::Response> Send(const http::Request&, std::stop_token) override { return answer_; }

 private:
  Result<http::Response> answer_;
};

class Notices final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override { texts.push_back(notice.text); }
  void OnProgress(const Progress&) override {}
  std::vector<std::string> texts;
};

http::Request SomeRequest() {
  http::Request request;
  request.method = "POST";
  request.host = "aws.test";
  request.path = "/bucket";
  request.query = {{"prefix", "customers/alice"}};
  request.headers = {{"X-Amz-Target", "Timestream_20181101.Query"},
                     {"Authorization", "AWS4-HMAC-SHA256 SIGNATURE"},
                     {"X-Amz-Security-Token", "TOKEN"}};
  request.body = "BODY";
  return request;
}

TEST(TraceTransportTest, TellsCallAnswerAndIdButNothingSecret) {
  OneAnswer inner(http::Response{200, {{"x-amzn-RequestId", "R-17"}}, "DATA"});
  Notices notices;
  const SystemClock clock;
  TraceTransport trace(inner, notices, clock);
  EXPECT_EQ(trace.Send(SomeRequest(), {})->body, "DATA");
  EXPECT_THAT(notices.texts,
              ElementsAre(AllOf(HasSubstr("POST aws.test/bucket Timestream_20181101.Query ?prefix"),
                                HasSubstr("200 (request id R-17)"), Not(HasSubstr("SIGNATURE")),
                                Not(HasSubstr("TOKEN")), Not(HasSubstr("BODY")),
                                Not(HasSubstr("alice")), Not(HasSubstr("DATA")))));
}

// Whatever a request or an answer carries beyond the allow-list is named and not told.
TEST(TraceTransportTest, DebugTellsAllowedHeadersAndHoldsTheOthersBack) {
  http::Request request = SomeRequest();
  request.query.emplace_back("continuation-token", "CONTINUE");
  request.headers.emplace_back("X-Amz-Date", "20261123T000000Z");
  request.headers.emplace_back("x-amz-sso_bearer_token", "BEARER");
  request.headers.emplace_back("X-Aws-Ec2-Metadata-Token", "IMDS");
  request.headers.emplace_back("Proxy-Authorization", "Basic PROXY");
  OneAnswer inner(http::Response{403,
                                 {{"Date", "Mon, 23 Nov 2026 00:00:00 GMT"},
                                  {"Set-Cookie", "COOKIE"},
                                  {"x-amzn-ErrorType", "AccessDeniedException"}},
                                 "DATA"});
  Notices notices;
  const SystemClock clock;
  TraceTransport trace(inner, notices, clock, TraceDetail::kHeaders);
  EXPECT_EQ(trace.Send(request, {})->status, 403);
  EXPECT_THAT(notices.texts,
              ElementsAre(AllOf(HasSubstr("?prefix=customers/alice&continuation-token ->"),
                                HasSubstr("403")),
                          AllOf(HasSubstr("x-amz-target: Timestream_20181101.Query"),
                                HasSubstr("x-amz-date: 20261123T000000Z"),
                                HasSubstr("not shown: authorization, x-amz-security-token, "
                                          "x-amz-sso_bearer_token, x-aws-ec2-metadata-token, "
                                          "proxy-authorization")),
                          AllOf(HasSubstr("date: Mon, 23 Nov 2026"),
                                HasSubstr("x-amzn-errortype: AccessDeniedException"),
                                HasSubstr("not shown: set-cookie"))));
  const std::string all = Join(notices.texts, "\n");
  for (const char* secret :
       {"SIGNATURE", "TOKEN", "BODY", "CONTINUE", "BEARER", "IMDS", "PROXY", "COOKIE", "DATA"}) {
    EXPECT_THAT(all, Not(HasSubstr(secret)));
  }
}

TEST(TraceTransportTest, TheContainersCredentialsIdIsHeldBack) {
  OneAnswer inner(http::Response{200, {}, ""});
  Notices notices;
  const SystemClock clock;
  TraceTransport trace(inner, notices, clock, TraceDetail::kHeaders);
  http::Request request;
  request.method = "GET";
  request.host = "169.254.170.2";
  request.path = "/v2/credentials/0f3c-SECRET-ID";
  request.direct = true;
  EXPECT_TRUE(trace.Send(request, {}));
  EXPECT_THAT(notices.texts.at(0), HasSubstr("GET 169.254.170.2/v2/credentials/... -> 200"));
}

// The path of a metadata call holds its query too, and that of a container may be a secret.
TEST(TraceTransportTest, OfAMetadataCallOnlyTheHarmlessPathIsTold) {
  const std::pair<const char*, const char*> paths[] = {
      {"/creds?token=HUSH", "/creds?..."},
      {"/v4/credentials/HUSH?a=HUSH", "/v4/credentials/..."},
      {"/v1/credentials", "/v1/credentials"},
      {"/latest/meta-data/iam/security-credentials/Migrator",
       "/latest/meta-data/iam/security-credentials/Migrator"}};
  for (const auto& [path, told] : paths) {
    OneAnswer inner(http::Response{200, {}, ""});
    Notices notices;
    const SystemClock clock;
    TraceTransport trace(inner, notices, clock);
    http::Request request;
    request.method = "GET";
    request.host = "localhost:9911";
    request.path = path;
    request.direct = true;
    EXPECT_TRUE(trace.Send(request, {}));
    EXPECT_THAT(notices.texts.at(0), HasSubstr("localhost:9911" + std::string(told) + " -> 200"));
  }
}

TEST(TraceTransportTest, OfAFormOnlyTheActionIsTold) {
  OneAnswer inner(http::Response{200, {}, ""});
  Notices notices;
  const SystemClock clock;
  TraceTransport trace(inner, notices, clock, TraceDetail::kHeaders);
  http::Request request;
  request.method = "POST";
  request.host = "sts.test";
  request.body = "Action=AssumeRoleWithWebIdentity&WebIdentityToken=HUSH";
  EXPECT_TRUE(trace.Send(request, {}));
  EXPECT_THAT(notices.texts.at(0), HasSubstr("POST sts.test/ AssumeRoleWithWebIdentity -> 200"));
  EXPECT_THAT(Join(notices.texts, "\n"), Not(HasSubstr("HUSH")));
}

TEST(TraceTransportTest, TellsAFailureToo) {
  OneAnswer inner(MakeError(ErrorKind::kTransient, "connection refused"));
  Notices notices;
  const SystemClock clock;
  TraceTransport trace(inner, notices, clock);
  EXPECT_FALSE(trace.Send(SomeRequest(), {}));
  EXPECT_THAT(notices.texts, ElementsAre(HasSubstr("connection refused")));
}

// One that has many requests under way tells as much of each.
TEST(TraceTransportTest, ManyAtOnceAreToldToo) {
  OneAnswer none(http::Response{200, {}, ""});
  Notices notices;
  const SystemClock clock;
  EXPECT_EQ(TraceTransport(none, notices, clock).OpenMulti(2), nullptr);

  class Many final : public http::Transport {
   public:
    Result<http::Response> Send(const http::Request& request, std::stop_token) override {
      return http::Response{200, {{"x-amzn-RequestId", "R" + request.path}}, "DATA"};
    }
    std::unique_ptr<http::Multi> OpenMulti(std::size_t) override {
      return std::make_unique<test::ThreadedMulti>(*this);
    }
  };
  Many inner;
  TraceTransport trace(inner, notices, clock);
  const std::unique_ptr<http::Multi> multi = trace.OpenMulti(2);
  ASSERT_NE(multi, nullptr);
  http::Request request = SomeRequest();
  request.path = "/one";
  multi->Start(1, request);
  EXPECT_EQ(multi->under_way(), 1U);
  const auto first = multi->Wait(std::chrono::seconds(10), {});
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].outcome->body, "DATA");
  request.path = "/two";
  multi->Start(2, request);
  static_cast<void>(multi->Wait(std::chrono::seconds(10), {}));
  EXPECT_THAT(notices.texts,
              ElementsAre(AllOf(HasSubstr("POST aws.test/one"), HasSubstr("request id R/one"),
                                Not(HasSubstr("SIGNATURE")), Not(HasSubstr("TOKEN"))),
                          AllOf(HasSubstr("POST aws.test/two"), HasSubstr("request id R/two"))));
}

}  // namespace
}  // namespace tsm::apps
