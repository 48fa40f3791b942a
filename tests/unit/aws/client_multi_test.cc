// The two halves of an attempt, for calls of which one thread has many under way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_fixture.h"

namespace tsm::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ClientTest, APreparedCallIsSignedAsCallSignsIt) {
  transport_.Add(200, "yes");
  ASSERT_TRUE(client_.Call(Read(), {}));
  credentials_->calls = 0;
  const Result<PreparedCall> call = client_.Prepare(Read(), {});
  ASSERT_TRUE(call) << call.error().Text();
  const http::Request sent = transport_.requests()[0];
  EXPECT_EQ(call->request.method, sent.method);
  EXPECT_EQ(call->request.body, sent.body);
  for (const auto& [name, value] : sent.headers) {
    // The number of attempts is signed too, and is another here.
    if (name == "amz-sdk-request" || name == "authorization") continue;
    EXPECT_EQ(http::FindHeader(call->request.headers, name), value) << name;
  }
  EXPECT_EQ(http::FindHeader(call->request.headers, "amz-sdk-request"), "attempt=1; max=1");
  EXPECT_THAT(std::string(http::FindHeader(call->request.headers, "authorization")),
              HasSubstr("Credential=AK1/20240226/eu-west-1/timestream/aws4_request"));
}

TEST_F(ClientTest, ACallWithoutCredentialsIsNotPrepared) {
  credentials_->failure = MakeError(ErrorKind::kCredentials, "none found");
  const Result<PreparedCall> call = client_.Prepare(Read(), {});
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().kind, ErrorKind::kCredentials);
  EXPECT_THAT(call.error().Text(), HasSubstr("Read thing"));
}

TEST_F(ClientTest, ASuccessIsLastAndGivenAsItIs) {
  const Result<PreparedCall> call = client_.Prepare(Read(), {});
  ASSERT_TRUE(call);
  const JudgedCall judged = client_.Judge(*call, http::Response{200, {}, "yes"});
  ASSERT_TRUE(judged.outcome);
  EXPECT_EQ(judged.outcome->body, "yes");
  EXPECT_TRUE(judged.is_last);
}

TEST_F(ClientTest, WhetherCallWouldHaveLeftItAtThat) {
  struct Case {
    Result<http::Response> answer;
    bool is_last;
  };
  const Case cases[] = {
      {Refusal(403, "AccessDeniedException"), true},
      {Refusal(400, "ValidationException"), true},
      {MakeError(ErrorKind::kCancelled, "stopped"), true},
      {MakeError(ErrorKind::kConfiguration, "certificate"), true},
      {MakeError(ErrorKind::kTransient, "connection reset"), false},
      {Refusal(500, "InternalServerException"), false},
      {Refusal(400, "ThrottlingException"), false},
      {Refusal(403, "ExpiredTokenException"), false},
      {Refusal(403, "RequestTimeTooSkewed"), false},
      {Refusal(403, "SignatureDoesNotMatch"), false},  // perhaps for its date
  };
  for (const Case& one : cases) {
    const Result<PreparedCall> call = client_.Prepare(Read(), {});
    ASSERT_TRUE(call);
    const JudgedCall judged = client_.Judge(*call, one.answer);
    ASSERT_FALSE(judged.outcome);
    EXPECT_EQ(judged.is_last, one.is_last) << judged.outcome.error().Text();
    EXPECT_THAT(judged.outcome.error().Text(), HasSubstr("Read thing"));
    EXPECT_EQ(judged.outcome.error().attempts, 1);
  }
}

TEST_F(ClientTest, AThrottledCallIsLastWhereTheCallerHasAPaceOfItsOwn) {
  Operation operation = Read();
  operation.repeat_throttled = false;
  const Result<PreparedCall> call = client_.Prepare(operation, {});
  ASSERT_TRUE(call);
  const JudgedCall judged = client_.Judge(*call, Refusal(400, "ThrottlingException"));
  EXPECT_TRUE(judged.is_last);
  EXPECT_EQ(judged.outcome.error().kind, ErrorKind::kThrottled);
}

TEST_F(ClientTest, AnErrorInsideASuccessIsOne) {
  Operation operation = Read();
  operation.protocol = Protocol::kRestXml;
  operation.may_hide_error = true;
  const Result<PreparedCall> call = client_.Prepare(operation, {});
  ASSERT_TRUE(call);
  const JudgedCall judged =
      client_.Judge(*call, http::Response{200, {}, "<Error><Code>InternalError</Code></Error>"});
  ASSERT_FALSE(judged.outcome);
  EXPECT_EQ(judged.outcome.error().code, "InternalError");
  EXPECT_FALSE(judged.is_last);
}

TEST_F(ClientTest, WhatARefusalQuotesOfSecretsIsTakenOut) {
  credentials_->token = "session-token-0123456789";
  const Result<PreparedCall> call = client_.Prepare(Read(), {});
  ASSERT_TRUE(call);
  const JudgedCall judged = client_.Judge(
      *call, http::Response{400, {}, R"({"__type":"X","message":"got session-token-0123456789"})"});
  ASSERT_FALSE(judged.outcome);
  EXPECT_THAT(judged.outcome.error().Text(), Not(HasSubstr("session-token-0123456789")));
}

TEST_F(ClientTest, WhoHasALimiterSendsOneByOne) {
  EXPECT_NE(client_.OpenMulti(4), nullptr);
  AdaptiveLimiter limiter(clock_);
  parts_.limiter = &limiter;
  Client limited(parts_);
  EXPECT_EQ(limited.OpenMulti(4), nullptr);
}

}  // namespace
}  // namespace tsm::aws
