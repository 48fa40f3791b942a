#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aws/credentials/source_bench.h"
#include "tsm/aws/credentials/sources.h"

namespace tsm::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const std::string kRole = "arn:aws:iam::123456789012:role/pod";
const std::string kToken = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb2QifQ.c2lnbmF0dXJl-of_the+token/=";

class WebIdentityTest : public ::testing::Test {
 protected:
  WebIdentitySource Make(const std::string& token_file) {
    return WebIdentitySource({.role_arn = kRole,
                              .session_name = {},
                              .token_file = token_file,
                              .origin = "AWS_WEB_IDENTITY_TOKEN_FILE"},
                             "pod-7", bench_.MakeClient(),
                             test::HttpsEndpoint("sts.eu-west-1.amazonaws.com"), "eu-west-1");
  }

  Error Failure(const std::string& token_file) {
    WebIdentitySource source = Make(token_file);
    const Result<Credentials> credentials = source.Fetch({});
    if (credentials) return MakeError(ErrorKind::kService, "it worked");
    test::ExpectNone(credentials.error().Text(), {kToken, PercentEncode(kToken)});
    return credentials.error();
  }

  test::SourceBench bench_;
  test::ScratchFiles folder_;
};

TEST_F(WebIdentityTest, SendsTheTokenUnsigned) {
  bench_.transport.Add(200, test::AssumedRoleAnswer("AssumeRoleWithWebIdentity", "1"));
  WebIdentitySource source = Make(folder_.Write("token", kToken + "\n"));
  const auto credentials = source.Fetch({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIA1");
  EXPECT_EQ(credentials->session_token, "role-session-token-1==");
  EXPECT_EQ(credentials->expiration, test::AtSecond(1'708'968'278 + 3600));
  EXPECT_EQ(credentials->account_id, "123456789012");
  EXPECT_EQ(credentials->source, "web identity role " + kRole + " (AWS_WEB_IDENTITY_TOKEN_FILE)");

  ASSERT_THAT(bench_.transport.requests(), SizeIs(1));
  const http::Request sent = bench_.transport.requests()[0];
  EXPECT_EQ(sent.method + " " + sent.scheme + "://" + sent.host + sent.Target(),
            "POST https://sts.eu-west-1.amazonaws.com/");
  EXPECT_THAT(
      test::FormOf(sent.body),
      UnorderedElementsAre(Pair("Action", "AssumeRoleWithWebIdentity"),
                           Pair("Version", "2011-06-15"), Pair("RoleArn", kRole),
                           Pair("RoleSessionName", "pod-7"), Pair("WebIdentityToken", kToken)));
  for (const char* header : {"authorization", "x-amz-date", "x-amz-security-token"}) {
    EXPECT_EQ(test::HeaderOf(sent, header), "") << header;
  }
}

TEST_F(WebIdentityTest, TheFileIsReadAnewEachTime) {
  for (const char* number : {"1", "2"}) {
    bench_.transport.Add(200, test::AssumedRoleAnswer("AssumeRoleWithWebIdentity", number));
  }
  WebIdentitySource source = Make(folder_.Write("token", "first-token"));
  ASSERT_TRUE(source.Fetch({}));
  folder_.Write("token", "second-token");
  ASSERT_TRUE(source.Fetch({}));
  const auto requests = bench_.transport.requests();
  EXPECT_EQ(test::FormOf(requests[0].body)["WebIdentityToken"], "first-token");
  EXPECT_EQ(test::FormOf(requests[1].body)["WebIdentityToken"], "second-token");
}

TEST_F(WebIdentityTest, AFileThatHoldsNoTokenIsNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {folder_.Path("absent"), "can't be read: No such file"},
      {test::DirectoryOf(folder_), "is no regular file"},
      {folder_.Write("empty", ""), "is empty"},
      {folder_.Write("blank", " \n\n"), "is empty"},
      {folder_.Write("two", kToken + "\n" + kToken), "holds blanks or line ends inside the token"},
      {folder_.Write("long", std::string(20'001, 'x')), "holds more than 20000 bytes"},
  };
  for (const auto& [file, words] : cases) {
    const Error error = Failure(file);
    EXPECT_EQ(error.kind, ErrorKind::kCredentials);
    EXPECT_THAT(error.Text(), HasSubstr("AWS_WEB_IDENTITY_TOKEN_FILE"));
    EXPECT_THAT(error.Text(), HasSubstr(file));
    EXPECT_THAT(error.Text(), HasSubstr(words));
  }
  EXPECT_THAT(bench_.transport.requests(), IsEmpty());
}

TEST_F(WebIdentityTest, ARefusalPointsToTheToken) {
  struct Case {
    int status;
    std::string code;
    ErrorKind kind;
    std::string words;
  };
  const std::vector<Case> cases = {
      {400, "InvalidIdentityToken", ErrorKind::kCredentials, "its issuer must be"},
      {400, "ExpiredTokenException", ErrorKind::kExpiredCredentials, "must renew it"},
      {403, "IDPRejectedClaim", ErrorKind::kCredentials, "may have been revoked"},
      {403, "AccessDenied", ErrorKind::kCredentials, "sts:AssumeRoleWithWebIdentity"},
      {400, "ValidationError", ErrorKind::kConfiguration, "check the role ARN and session name"},
  };
  const std::string file = folder_.Write("token", kToken);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.code);
    bench_.transport.Add(c.status, test::StsRefusal(c.code, "No, not with " + kToken + "!"));
    const Error error = Failure(file);
    EXPECT_EQ(error.kind, c.kind) << Name(error.kind);
    EXPECT_EQ(error.code, c.code);
    EXPECT_THAT(error.Text(), HasSubstr("No, not with ***"));
    EXPECT_THAT(error.Text(), HasSubstr(c.words));
    EXPECT_THAT(error.Text(), HasSubstr(file));
  }
  EXPECT_THAT(bench_.transport.requests(), SizeIs(cases.size()));
}

TEST_F(WebIdentityTest, WhatRepeatsTheRequestTellsNoToken) {
  const std::string file = folder_.Write("token", kToken);
  // Cut in the middle of the token by the limit of a message.
  bench_.transport.Add(400, "<title>" + std::string(170, '.') + kToken + "</title>");
  EXPECT_THAT(Failure(file).Text(), HasSubstr("...***"));
  bench_.transport.Add(400, "refused: WebIdentityToken=" + PercentEncode(kToken) + "&x=y");
  EXPECT_THAT(Failure(file).Text(), HasSubstr("WebIdentityToken=***"));
}

TEST_F(WebIdentityTest, AnIdentityProviderThatDoesNotAnswerIsAskedAgain) {
  const std::string file = folder_.Write("token", kToken);
  const std::string refusal = test::StsRefusal("IDPCommunicationError", "try later");
  bench_.transport.Add(400, refusal);
  bench_.transport.Add(200, test::AssumedRoleAnswer("AssumeRoleWithWebIdentity", "1"));
  WebIdentitySource source = Make(file);
  EXPECT_TRUE(source.Fetch({}));

  for (int i = 0; i < 3; ++i) bench_.transport.Add(400, refusal);
  const Error error = Failure(file);
  EXPECT_EQ(error.kind, ErrorKind::kTransient);
  EXPECT_THAT(error.Text(), HasSubstr("3 attempts"));
}

}  // namespace
}  // namespace tsm::aws
