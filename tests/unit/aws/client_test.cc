#include "tsm/aws/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "client_fixture.h"

namespace tsm::aws {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(ClientTest, ASuccessIsSentOnceAndSigned) {
  transport_.Add(200, "yes");
  const auto response = client_.Call(Read(), {});
  ASSERT_TRUE(response) << response.error().Text();
  EXPECT_EQ(response->body, "yes");
  ASSERT_THAT(transport_.requests(), SizeIs(1));
  const http::Request sent = transport_.requests()[0];
  EXPECT_EQ(http::FindHeader(sent.headers, "user-agent"), "ts-test/1.0");
  EXPECT_EQ(http::FindHeader(sent.headers, "amz-sdk-request"), "attempt=1; max=3");
  EXPECT_EQ(http::FindHeader(sent.headers, "amz-sdk-invocation-id").size(), 36U);
  EXPECT_EQ(http::FindHeader(sent.headers, "x-amz-date"), "20240226T172438Z");
  EXPECT_THAT(std::string(http::FindHeader(sent.headers, "authorization")),
              HasSubstr("Credential=AK1/20240226/eu-west-1/timestream/aws4_request"));
  EXPECT_THAT(clock_.sleeps(), IsEmpty());
}

TEST_F(ClientTest, TransientFailuresAreRepeatedWithFreshSignatures) {
  transport_.Add(MakeError(ErrorKind::kTransient, "connection reset"));
  transport_.Add(503, "");
  transport_.Add(200, "yes");
  ASSERT_TRUE(client_.Call(Read(), {}));
  EXPECT_THAT(clock_.sleeps(), ElementsAre(milliseconds(25), milliseconds(50)));
  EXPECT_THAT(Sent("amz-sdk-request"),
              ElementsAre("attempt=1; max=3", "attempt=2; max=3", "attempt=3; max=3"));
  const auto ids = Sent("amz-sdk-invocation-id");
  EXPECT_THAT(ids, ElementsAre(ids[0], ids[0], ids[0]));
  const auto signatures = Sent("authorization");
  EXPECT_THAT(signatures[0], HasSubstr("Credential=AK1/"));
  EXPECT_THAT(signatures[2], HasSubstr("Credential=AK3/"));
  for (const auto& request : transport_.requests()) EXPECT_EQ(request.body, "{}");
}

TEST_F(ClientTest, EachAttemptIsDatedByItsOwnMoment) {
  transport_.Add(Refusal(400, "ThrottlingException"));
  transport_.Add(Refusal(400, "ThrottlingException"));
  transport_.Add(200, "yes");
  ASSERT_TRUE(client_.Call(Read(), {}));
  EXPECT_THAT(clock_.sleeps(), ElementsAre(milliseconds(500), milliseconds(1000)));
  EXPECT_THAT(Sent("x-amz-date"),
              ElementsAre("20240226T172438Z", "20240226T172438Z", "20240226T172439Z"));
}

TEST_F(ClientTest, TheLastErrorSaysWhatItCost) {
  for (int i = 0; i < 3; ++i) {
    transport_.Add(Refusal(400, "ThrottlingException", {{"x-amzn-RequestId", "id-7"}}));
  }
  const auto response = client_.Call(Read(), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(response.error().attempts, 3);
  EXPECT_EQ(response.error().Text(),
            "Read thing: ThrottlingException: because (HTTP 400, request id id-7, 3 attempts in "
            "1.5 s)");
  EXPECT_THAT(clock_.sleeps(), SizeIs(2)) << "no sleep after the last attempt";
}

TEST_F(ClientTest, ARefusalIsNotRepeated) {
  transport_.Add(Refusal(400, "ValidationException"));
  const auto response = client_.Call(Read(), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kValidation);
  EXPECT_EQ(response.error().attempts, 1);
  EXPECT_THAT(transport_.requests(), SizeIs(1));
}

TEST_F(ClientTest, AThrottledCallIsLeftToACallerThatAsksForIt) {
  Operation read = Read();
  read.repeat_throttled = false;
  transport_.Add(Refusal(400, "ThrottlingException"));
  const Result<http::Response> throttled = client_.Call(read, {});
  ASSERT_FALSE(throttled);
  EXPECT_EQ(throttled.error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(throttled.error().attempts, 1);
  EXPECT_EQ(transport_.requests().size(), 1U);
}

TEST_F(ClientTest, AnUnsafeCallIsRepeatedOnlyWhenSurelyRefused) {
  Operation publish = Read();
  publish.idempotency = Idempotency::kUnsafe;
  transport_.Add(MakeError(ErrorKind::kTransient, "no answer"));
  EXPECT_EQ(client_.Call(publish, {}).error().attempts, 1);
  transport_.Add(Refusal(400, "Throttling"));
  transport_.Add(200, "sent");
  EXPECT_TRUE(client_.Call(publish, {}));
  EXPECT_THAT(transport_.requests(), SizeIs(3));
}

TEST_F(ClientTest, AServersHintLengthensTheWait) {
  transport_.Add(Refusal(400, "ThrottlingException", {{"x-amz-retry-after", "2000"}}));
  transport_.Add(Refusal(400, "ThrottlingException", {{"x-amz-retry-after", "soon"}}));
  transport_.Add(200, "");
  ASSERT_TRUE(client_.Call(Read(), {}));
  EXPECT_THAT(clock_.sleeps(), ElementsAre(milliseconds(2000), milliseconds(1000)));
}

TEST_F(ClientTest, AnEmptyQuotaEndsTheCallAtOnce) {
  transport_.SetHandler([](const http::Request&) -> Result<http::Response> {
    return MakeError(ErrorKind::kTransient, "connection refused");
  });
  // 35 retries of 14 tokens: 17 calls with two retries each, and one with one.
  for (int call = 0; call < 17; ++call) EXPECT_EQ(client_.Call(Read(), {}).error().attempts, 3);
  EXPECT_EQ(client_.Call(Read(), {}).error().attempts, 2);
  const std::size_t sleeps = clock_.sleeps().size();
  const auto refused = client_.Call(Read(), {});
  EXPECT_EQ(refused.error().attempts, 1);
  EXPECT_EQ(refused.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(refused.error().message, HasSubstr("not repeated"));
  EXPECT_EQ(clock_.sleeps().size(), sleeps);
}

TEST_F(ClientTest, ASuccessAfterARetryGivesItsTokensBack) {
  int sent = 0;
  transport_.SetHandler([&](const http::Request&) -> Result<http::Response> {
    if (++sent % 2 == 1) return MakeError(ErrorKind::kTransient, "flaky");
    return http::Response{200, {}, ""};
  });
  // 200 retries would cost 2,800 tokens of 500.
  for (int call = 0; call < 200; ++call) ASSERT_TRUE(client_.Call(Read(), {})) << call;
}

TEST_F(ClientTest, AStopIsCancelledWithoutACallOrASleep) {
  std::stop_source source;
  source.request_stop();
  const auto response = client_.Call(Read(), source.get_token());
  EXPECT_EQ(response.error().kind, ErrorKind::kCancelled);
  EXPECT_THAT(transport_.requests(), IsEmpty());
}

TEST_F(ClientTest, AStopDuringAnAttemptEndsTheRetries) {
  std::stop_source source;
  transport_.SetHandler([&](const http::Request&) -> Result<http::Response> {
    source.request_stop();
    return MakeError(ErrorKind::kTransient, "reset");
  });
  const auto response = client_.Call(Read(), source.get_token());
  EXPECT_EQ(response.error().kind, ErrorKind::kCancelled);
  EXPECT_THAT(response.error().Text(), HasSubstr("Read thing"));
  EXPECT_THAT(transport_.requests(), SizeIs(1));
  EXPECT_THAT(clock_.sleeps(), IsEmpty());
}

TEST_F(ClientTest, CredentialsThatCannotBeHadEndTheCall) {
  // A transient failure too: their source has repeated it by its own rules.
  for (const ErrorKind kind : {ErrorKind::kCredentials, ErrorKind::kTransient,
                               ErrorKind::kExpiredCredentials, ErrorKind::kThrottled}) {
    credentials_->failure = MakeError(kind, "none");
    const auto response = client_.Call(Read(), {});
    EXPECT_EQ(response.error().kind, kind);
    EXPECT_EQ(response.error().Text(), "Read thing: none");
    EXPECT_EQ(response.error().attempts, 0);
  }
  EXPECT_THAT(transport_.requests(), IsEmpty());
  EXPECT_THAT(credentials_->refused, IsEmpty());
  EXPECT_THAT(clock_.sleeps(), IsEmpty());
}

TEST_F(ClientTest, AnUnsignedCallNeedsNoCredentials) {
  parts_.credentials = nullptr;
  Client client(parts_);
  Operation operation = Read();
  operation.sign = false;
  transport_.Add(Refusal(400, "ThrottlingException"));
  transport_.Add(200, "yes");
  ASSERT_TRUE(client.Call(operation, {}));
  EXPECT_THAT(Sent("authorization"), ElementsAre("", ""));
  EXPECT_THAT(Sent("amz-sdk-request"), ElementsAre("attempt=1; max=3", "attempt=2; max=3"));
  EXPECT_EQ(client.Call(Read(), {}).error().kind, ErrorKind::kCredentials);
}

TEST_F(ClientTest, AnUnsignedCallsExpiredTokenIsNotTheCredentials) {
  // AssumeRoleWithWebIdentity's own token: nothing that this client could renew.
  Operation operation = Read();
  operation.sign = false;
  transport_.Add(Refusal(400, "ExpiredTokenException"));
  EXPECT_EQ(client_.Call(operation, {}).error().Text(),
            "Read thing: ExpiredTokenException: because (HTTP 400)");
  EXPECT_THAT(credentials_->refused, IsEmpty());
}

TEST_F(ClientTest, OnlyAnUnsafeCallAsksForAConnectionOfItsOwn) {
  Operation publish = Read();
  publish.idempotency = Idempotency::kUnsafe;
  transport_.Add(Refusal(400, "Throttling"));
  transport_.Add(200, "");
  transport_.Add(200, "");
  ASSERT_TRUE(client_.Call(publish, {}));
  ASSERT_TRUE(client_.Call(Read(), {}));
  const auto sent = transport_.requests();
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_TRUE(sent[0].fresh_connection);
  EXPECT_TRUE(sent[1].fresh_connection);
  EXPECT_FALSE(sent[2].fresh_connection);
}

TEST_F(ClientTest, ACallersRequestIsLeftAlone) {
  const Operation operation = Read();
  transport_.Add(200, "");
  ASSERT_TRUE(client_.Call(operation, {}));
  EXPECT_THAT(operation.request.headers, SizeIs(1));
}

// AWS quotes the Authorization header of a request that it finds malformed; gateways and emulators
// quote whatever they like, under codes of their own.
TEST_F(ClientTest, WhatARefusalRepeatsOfTheSignatureIsHidden) {
  credentials_->token = "FwoGZXIvYXdzEBYaDHush/Hush+Hush==";
  for (const char* code : {"IncompleteSignatureException", "ForeignCode"}) {
    std::string signature;
    transport_.SetHandler([&](const http::Request& request) -> Result<http::Response> {
      const std::string header(http::FindHeader(request.headers, "authorization"));
      signature = header.substr(header.find("Signature=") + 10);
      const std::string token(http::FindHeader(request.headers, "x-amz-security-token"));
      EXPECT_FALSE(token.empty());
      return http::Response{403,
                            {},
                            R"({"__type":")" + std::string(code) +
                                R"(","message":"it is malformed: Authorization=)" + header +
                                " x-amz-security-token:" + token + R"("})"};
    });
    const auto response = client_.Call(Read(), {});
    ASSERT_FALSE(response);
    const std::string text = response.error().Text();
    EXPECT_THAT(text, HasSubstr("it is malformed: Authorization=AWS4-HMAC-SHA256"));
    EXPECT_EQ(signature.size(), 64U);
    EXPECT_EQ(text.find(signature), std::string::npos) << text;
    EXPECT_EQ(text.find(credentials_->token), std::string::npos) << text;
  }
}

class HiddenErrorTest : public ClientTest {
 protected:
  static Operation Copy() {
    Operation operation = Read();
    operation.name = "CopyObject s3://b/k";
    operation.protocol = Protocol::kRestXml;
    operation.may_hide_error = true;
    return operation;
  }
};

TEST_F(HiddenErrorTest, A200ThatHidesAnErrorIsRepeated) {
  transport_.Add(200, "<Error><Code>InternalError</Code><Message>again</Message></Error>");
  transport_.Add(200, "<Error><Code>SlowDown</Code></Error>");
  transport_.Add(200, " \n<CopyObjectResult><ETag>x</ETag></CopyObjectResult>");
  const auto response = client_.Call(Copy(), {});
  ASSERT_TRUE(response) << response.error().Text();
  EXPECT_THAT(response->body, HasSubstr("CopyObjectResult"));
  EXPECT_THAT(clock_.sleeps(), ElementsAre(milliseconds(25), milliseconds(1000)));
}

TEST_F(HiddenErrorTest, AnUnknownCodeOrAnEmptyBodyCountsAsA500) {
  transport_.Add(200, "<Error><Code>Strange</Code><Message>m</Message></Error>");
  transport_.Add(200, "");
  transport_.Add(200, "<CopyObjectRes");
  const auto response = client_.Call(Copy(), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_EQ(response.error().http_status, 200);
  EXPECT_THAT(transport_.requests(), SizeIs(3));
  EXPECT_THAT(response.error().message, HasSubstr("not the promised document"));
}

TEST_F(HiddenErrorTest, AHiddenRefusalIsNotRepeated) {
  transport_.Add(200, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
  const auto response = client_.Call(Copy(), {});
  EXPECT_EQ(response.error().kind, ErrorKind::kAccessDenied);
  EXPECT_THAT(transport_.requests(), SizeIs(1));
}

TEST_F(HiddenErrorTest, OtherOperationsMayAnswerWithAnything) {
  transport_.Add(200, "<Error><Code>InternalError</Code></Error>");  // an object with this content
  Operation get = Copy();
  get.may_hide_error = false;
  EXPECT_TRUE(client_.Call(get, {}));
}

}  // namespace
}  // namespace tsm::aws
