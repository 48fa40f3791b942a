#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "aws/credentials/sso_bench.h"

namespace tsm::aws {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using SsoTest = SsoBench;

TEST_F(SsoTest, AsksThePortalWithTheTokenOfTheCache) {
  WriteToken(Token(kFresh));
  AnswerCredentials();
  SsoSource source = Make(Plan());
  const auto credentials = source.Fetch({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIASSO");
  EXPECT_EQ(credentials->secret_access_key, kSecretKey);
  EXPECT_EQ(credentials->session_token, kSessionToken);
  EXPECT_EQ(credentials->expiration, test::AtSecond(1'708'971'878));
  EXPECT_EQ(credentials->account_id, "012345678901");
  EXPECT_EQ(credentials->source, "SSO role Data Reader+ of account 012345678901 (profile dev)");

  EXPECT_THAT(Calls(), ElementsAre("GET portal " + kAccess));
  const http::Request sent = bench_.transport.requests()[0];
  EXPECT_EQ(sent.scheme + "://" + sent.host + sent.Target(),
            "https://portal.sso.eu-central-1.amazonaws.com/federation/credentials"
            "?role_name=Data%20Reader%2B&account_id=012345678901");
  EXPECT_EQ(ReadToken(), Token(kFresh)) << "nothing to renew, nothing to write";
}

TEST_F(SsoTest, TheLegacyFormIsNamedByTheStartUrl) {
  Sso plan = Plan();
  plan.session.clear();
  // As older tools wrote the time.
  folder_.Write(kLegacyFile,
                json{{"accessToken", kAccess}, {"expiresAt", "2024-02-26T18:24:38UTC"}}.dump());
  AnswerCredentials();
  SsoSource source = Make(plan);
  const auto credentials = source.Fetch({});
  EXPECT_TRUE(credentials) << credentials.error().Text();

  folder_.Write(kLegacyFile, json{{"accessToken", kAccess}, {"expiresAt", kEnding}}.dump());
  AnswerCredentials();
  EXPECT_TRUE(source.Fetch({})) << "good for ten minutes more, and nothing to renew it with";

  folder_.Write(kLegacyFile, json{{"accessToken", kAccess}, {"expiresAt", kOver}}.dump());
  const Error error = Failure(plan);
  EXPECT_EQ(error.kind, ErrorKind::kExpiredCredentials);
  EXPECT_THAT(error.Text(), HasSubstr("run: aws sso login --profile dev"));
  EXPECT_THAT(Calls(), SizeIs(2));
}

TEST_F(SsoTest, ARefusedRoleNamesTheSettings) {
  struct Case {
    int status;
    std::string code;
    ErrorKind kind;
    std::string words;
  };
  const std::vector<Case> cases = {
      {403, "ForbiddenException", ErrorKind::kCredentials,
       "is not assigned to whoever is signed in"},
      {404, "ResourceNotFoundException", ErrorKind::kCredentials, "is not assigned"},
      {400, "InvalidRequestException", ErrorKind::kConfiguration, "check sso_account_id"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.code);
    WriteToken(Token(kFresh));
    Refuse(c.status, c.code, {{"message", "No access"}});
    const Error error = Failure(Plan());
    EXPECT_EQ(error.kind, c.kind);
    EXPECT_THAT(error.Text(), HasSubstr(c.code + ": No access"));
    EXPECT_THAT(error.Text(), HasSubstr(c.words));
    EXPECT_THAT(error.Text(), HasSubstr("sso_role_name of profile dev"));
  }
}

TEST_F(SsoTest, AThrottlingPortalIsAskedAgain) {
  WriteToken(Token(kFresh));
  Refuse(429, "TooManyRequestsException");
  AnswerCredentials();
  SsoSource source = Make(Plan());
  EXPECT_TRUE(source.Fetch({}));
  for (int i = 0; i < 3; ++i) Refuse(429, "TooManyRequestsException");
  EXPECT_EQ(Failure(Plan()).kind, ErrorKind::kThrottled);
}

TEST_F(SsoTest, ACacheThatHoldsNoTokenIsNamed) {
  const std::string path = folder_.Path(kSessionFile);
  Error error = Failure(Plan());
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_EQ(error.Text(),
            "IAM Identity Center (profile dev, session corp): nobody is signed in, "
            "there is no token " +
                path + "; run: aws sso login --sso-session corp");

  json no_access = Token(kFresh);
  no_access.erase("accessToken");
  json header = Token(kFresh);
  header["accessToken"] = kAccess + "\r\nx-other: 1";
  json no_time = Token(kFresh);
  no_time["expiresAt"] = "soon";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "is no JSON object"},
      {"[]", "is no JSON object"},
      {Token(kFresh).dump().substr(0, 200), "is no JSON object"},
      {no_access.dump(), "has no accessToken"},
      {header.dump(), "has blanks in its accessToken"},
      {no_time.dump(), "has no expiresAt that is a time"},
      {std::string(1'000'001, ' '), "holds more than 1000000 bytes"},
  };
  for (const auto& [text, words] : cases) {
    SCOPED_TRACE(words);
    folder_.Write(kSessionFile, text);
    error = Failure(Plan());
    EXPECT_EQ(error.kind, ErrorKind::kCredentials);
    EXPECT_THAT(error.Text(), HasSubstr(path + " " + words));
    EXPECT_THAT(error.Text(), HasSubstr("aws sso login"));
  }
  EXPECT_THAT(bench_.transport.requests(), IsEmpty());
}

TEST_F(SsoTest, AnAnswerOfThePortalWithoutKeysIsNamed) {
  WriteToken(Token(kFresh));
  bench_.transport.Add(200, json{{"roleCredentials", {{"secretAccessKey", kSecretKey}}}}.dump());
  const Error error = Failure(Plan());
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_THAT(error.Text(), HasSubstr("accessKeyId is missing"));
}

TEST_F(SsoTest, TheServicesClockDecides) {
  WriteToken(Token(kOver));
  bench_.skew.Set(-std::chrono::hours(1));  // this machine is an hour ahead
  AnswerCredentials();
  SsoSource source = Make(Plan());
  EXPECT_TRUE(source.Fetch({}));
  EXPECT_THAT(Calls(), SizeIs(1));
}

}  // namespace
}  // namespace tsm::aws
