#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <map>
#include <string>

#include "aws/credentials/sso_bench.h"

namespace tsm::aws {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using SsoRenewalTest = SsoBench;

// As on a full disk: writing to a file fails, whoever does it.
class NoFileGrows {
 public:
  NoFileGrows() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoFileGrows() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  NoFileGrows(const NoFileGrows&) = delete;
  NoFileGrows& operator=(const NoFileGrows&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(SsoRenewalTest, ATokenThatEndsSoonIsRenewedAndWrittenBack) {
  json token = Token(kEnding);
  token["someNewMember"] = {{"kept", true}};
  WriteToken(token);
  AnswerToken();
  AnswerCredentials();
  SsoSource source = Make(Plan());
  const auto credentials = source.Fetch({});
  ASSERT_TRUE(credentials) << credentials.error().Text();

  EXPECT_THAT(Calls(), ElementsAre("POST oidc", "GET portal " + kNewAccess));
  const http::Request renewal = bench_.transport.requests()[0];
  EXPECT_EQ(renewal.scheme + "://" + renewal.host + renewal.Target(),
            "https://oidc.eu-central-1.amazonaws.com/token");
  EXPECT_EQ(test::HeaderOf(renewal, "content-type"), "application/json");
  EXPECT_EQ(json::parse(renewal.body), (json{{"grantType", "refresh_token"},
                                             {"clientId", "client-1"},
                                             {"clientSecret", kClientSecret},
                                             {"refreshToken", kRefresh}}));

  json expected = token;
  expected["accessToken"] = kNewAccess;
  expected["refreshToken"] = kNewRefresh;
  expected["expiresAt"] = "2024-02-27T01:24:38Z";
  EXPECT_EQ(ReadToken(), expected);
  struct stat facts {};
  ASSERT_EQ(::stat(folder_.Path(kSessionFile).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0600U);
  EXPECT_EQ(FilesInCache(), 1) << "no temporary file stays";
}

TEST_F(SsoRenewalTest, AnAnswerWithoutRefreshTokenKeepsTheOldOne) {
  WriteToken(Token(kEnding));
  bench_.transport.Add(200, json{{"accessToken", kNewAccess}, {"expiresIn", 3600}}.dump());
  AnswerCredentials();
  SsoSource source = Make(Plan());
  ASSERT_TRUE(source.Fetch({}));
  EXPECT_EQ(ReadToken()["refreshToken"], kRefresh);
}

TEST_F(SsoRenewalTest, ACacheThatCantBeWrittenDoesNotEndTheRun) {
  WriteToken(Token(kEnding));
  AnswerToken();
  AnswerCredentials();
  AnswerCredentials();
  SsoSource source = Make(Plan());
  {
    const NoFileGrows full;
    EXPECT_TRUE(source.Fetch({}));
    EXPECT_TRUE(source.Fetch({}));
  }
  EXPECT_THAT(Calls(),
              ElementsAre("POST oidc", "GET portal " + kNewAccess, "GET portal " + kNewAccess))
      << "what was renewed is kept, a refresh token holds only once";
  EXPECT_EQ(ReadToken(), Token(kEnding));
  EXPECT_EQ(FilesInCache(), 1) << "no temporary file stays";

  // Another program's login goes before it.
  json newer = Token("2024-02-27T18:24:38Z");
  newer["accessToken"] = "aoaAccessTokenOfALogin:MGUCMB";
  WriteToken(newer);
  AnswerCredentials();
  EXPECT_TRUE(source.Fetch({}));
  EXPECT_EQ(Calls().back(), "GET portal aoaAccessTokenOfALogin:MGUCMB");
}

TEST_F(SsoRenewalTest, AFailedRenewalIsToleratedWhileTheTokenHolds) {
  WriteToken(Token(kEnding));
  Refuse(400, "InvalidGrantException", {{"error", "invalid_grant"}});
  AnswerCredentials();
  SsoSource source = Make(Plan());
  const auto credentials = source.Fetch({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_THAT(Calls(), ElementsAre("POST oidc", "GET portal " + kAccess));
  EXPECT_EQ(ReadToken(), Token(kEnding));
}

TEST_F(SsoRenewalTest, AnotherProgramThatWasQuickerWithTheRefreshTokenHelps) {
  WriteToken(Token(kOver));
  json others = Token(kFresh);
  others["accessToken"] = kNewAccess;
  bench_.transport.SetHandler([&](const http::Request&) -> Result<http::Response> {
    WriteToken(others);
    bench_.transport.SetHandler(nullptr);
    AnswerCredentials();
    return http::Response{400, {{"x-amzn-ErrorType", "InvalidGrantException"}}, "{}"};
  });
  SsoSource source = Make(Plan());
  const auto credentials = source.Fetch({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_THAT(Calls(), ElementsAre("POST oidc", "GET portal " + kNewAccess));
}

TEST_F(SsoRenewalTest, AnExpiredTokenThatCantBeRenewedAsksForALogin) {
  std::map<std::string, json> tokens;
  for (const char* member : {"refreshToken", "clientId", "clientSecret", "registrationExpiresAt"}) {
    tokens[member] = Token(kOver);
    tokens[member].erase(member);
  }
  tokens["registration over"] = Token(kOver);
  tokens["registration over"]["registrationExpiresAt"] = kOver;
  for (const auto& [name, token] : tokens) {
    SCOPED_TRACE(name);
    WriteToken(token);
    const Error error = Failure(Plan());
    EXPECT_EQ(error.kind, ErrorKind::kExpiredCredentials);
    EXPECT_EQ(error.Text(),
              "IAM Identity Center (profile dev, session corp): the sign-in has expired; run: aws "
              "sso login --sso-session corp");
  }
  EXPECT_THAT(bench_.transport.requests(), IsEmpty());
}

TEST_F(SsoRenewalTest, ARenewalOfAnExpiredTokenThatFailsSaysWhy) {
  WriteToken(Token(kOver));
  Refuse(400, "InvalidGrantException",
         {{"error", "invalid_grant"}, {"message", "refresh " + kRefresh + " is used up"}});
  Error error = Failure(Plan());
  EXPECT_EQ(error.kind, ErrorKind::kExpiredCredentials);
  EXPECT_THAT(error.Text(),
              HasSubstr("CreateToken: InvalidGrantException: refresh *** is used up"));
  EXPECT_THAT(error.Text(), HasSubstr("run: aws sso login --sso-session corp"));

  for (int i = 0; i < 3; ++i) bench_.transport.Add(503, "");
  error = Failure(Plan());
  EXPECT_EQ(error.kind, ErrorKind::kTransient) << "trying again may help, a login need not";
  EXPECT_THAT(error.Text(), HasSubstr("CreateToken"));

  for (const char* answer :
       {"", "[]", R"({"expiresIn":60})", R"({"accessToken":"aoaAccessTokenThatIsNew:MGUCMA"})",
        R"({"accessToken":"aoaAccessTokenThatIsNew:MGUCMA","expiresIn":0})",
        R"({"accessToken":"aoaAccessTokenThatIsNew:MGUCMA","expiresIn":9e99})",
        R"({"accessToken":"aoaAccessTokenThatIsNew\r\nx: y","expiresIn":60})"}) {
    SCOPED_TRACE(answer);
    bench_.transport.Add(200, answer);
    error = Failure(Plan());
    EXPECT_EQ(error.kind, ErrorKind::kExpiredCredentials);
    EXPECT_THAT(error.Text(), HasSubstr("was not renewed: CreateToken: the answer "));
  }
  EXPECT_EQ(ReadToken(), Token(kOver));
}

TEST_F(SsoRenewalTest, ATokenThatThePortalRefusesIsRenewedOnce) {
  WriteToken(Token(kFresh));
  Refuse(401, "UnauthorizedException", {{"message", "Session token not found or invalid"}});
  AnswerToken();
  AnswerCredentials();
  SsoSource source = Make(Plan());
  const auto credentials = source.Fetch({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_THAT(Calls(),
              ElementsAre("GET portal " + kAccess, "POST oidc", "GET portal " + kNewAccess));
  EXPECT_EQ(ReadToken()["accessToken"], kNewAccess);
}

TEST_F(SsoRenewalTest, ATokenThatStaysRefusedAsksForALogin) {
  const auto expect_login = [&] {
    const Error error = Failure(Plan());
    EXPECT_EQ(error.kind, ErrorKind::kExpiredCredentials);
    EXPECT_THAT(error.Text(), HasSubstr("no longer accepted"));
    EXPECT_THAT(error.Text(), HasSubstr("run: aws sso login --sso-session corp"));
  };
  WriteToken(Token(kFresh));
  Refuse(401, "UnauthorizedException");
  AnswerToken();
  Refuse(401, "UnauthorizedException");
  expect_login();
  EXPECT_THAT(Calls(), SizeIs(3));

  Refuse(401, "UnauthorizedException");
  Refuse(401, "InvalidClientException");
  expect_login();

  json token = Token(kFresh);
  token.erase("refreshToken");
  WriteToken(token);
  Refuse(401, "UnauthorizedException", {{"message", "bad token " + kAccess}});
  expect_login();
  EXPECT_EQ(bench_.transport.remaining(), 0U);
}

}  // namespace
}  // namespace tsm::aws
