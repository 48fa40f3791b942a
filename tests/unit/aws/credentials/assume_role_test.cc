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
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const std::string kRole = "arn:aws:iam::123456789012:role/reader";
const std::string kMfaDevice = "arn:aws:iam::999999999999:mfa/jo";
const Credentials kBaseKeys{.access_key_id = "AKIDBASE",
                            .secret_access_key = "base/secret+access/key",
                            .session_token = "base-session-token",
                            .source = "environment",
                            .expiration = {},
                            .account_id = {}};

class AssumeRoleTest : public ::testing::Test {
 protected:
  static AssumeRole Plan() {
    CredentialsPlan base;
    base.source = StaticKeys{kBaseKeys};
    return {.profile = "dev",
            .role_arn = kRole,
            .session_name = {},
            .external_id = {},
            .mfa_serial = {},
            .base = std::make_shared<const CredentialsPlan>(std::move(base))};
  }

  AssumeRoleSource Make(AssumeRole plan, AssumeRoleSource::AskMfa ask_mfa = nullptr) {
    return AssumeRoleSource(std::move(plan), "me@host",
                            bench_.MakeClient(std::make_shared<StaticCredentials>(kBaseKeys)),
                            test::HttpsEndpoint("sts.eu-west-1.amazonaws.com"), "eu-west-1",
                            std::move(ask_mfa));
  }

  Error Failure(AssumeRole plan, AssumeRoleSource::AskMfa ask_mfa = nullptr) {
    AssumeRoleSource source = Make(std::move(plan), std::move(ask_mfa));
    const Result<Credentials> credentials = source.Fetch({});
    if (credentials) return MakeError(ErrorKind::kService, "it worked");
    test::ExpectNone(credentials.error().Text(),
                     {kBaseKeys.secret_access_key, kBaseKeys.session_token, "role/secret+1",
                      "role-session-token-1=="});
    return credentials.error();
  }

  test::SourceBench bench_;
};

TEST_F(AssumeRoleTest, AsksStsByASignedForm) {
  bench_.transport.Add(200, test::AssumedRoleAnswer("AssumeRole", "1"));
  AssumeRoleSource source = Make(Plan());
  const auto credentials = source.Fetch({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIA1");
  EXPECT_EQ(credentials->secret_access_key, "role/secret+1");
  EXPECT_EQ(credentials->session_token, "role-session-token-1==");
  EXPECT_EQ(credentials->source, "role " + kRole + " (profile dev)");
  EXPECT_EQ(credentials->expiration, test::AtSecond(1'708'968'278 + 3600));
  EXPECT_EQ(credentials->account_id, "123456789012");

  ASSERT_THAT(bench_.transport.requests(), SizeIs(1));
  const http::Request sent = bench_.transport.requests()[0];
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.scheme + "://" + sent.host + sent.Target(),
            "https://sts.eu-west-1.amazonaws.com/");
  EXPECT_EQ(test::HeaderOf(sent, "content-type"),
            "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_THAT(test::HeaderOf(sent, "authorization"),
              HasSubstr("Credential=AKIDBASE/20240226/eu-west-1/sts/aws4_request"));
  EXPECT_EQ(test::HeaderOf(sent, "x-amz-security-token"), kBaseKeys.session_token);
  EXPECT_THAT(test::FormOf(sent.body),
              UnorderedElementsAre(Pair("Action", "AssumeRole"), Pair("Version", "2011-06-15"),
                                   Pair("RoleArn", kRole), Pair("RoleSessionName", "me@host"),
                                   Pair("DurationSeconds", "3600")));
}

TEST_F(AssumeRoleTest, SendsWhatTheProfileSets) {
  AssumeRole plan = Plan();
  plan.external_id = "a b&c=d+e/ü";
  plan.duration = std::chrono::seconds(900);
  plan.mfa_serial = kMfaDevice;
  bench_.transport.Add(200, test::AssumedRoleAnswer("AssumeRole", "1"));
  std::string asked;
  AssumeRoleSource source =
      Make(plan, [&](const std::string& serial, std::stop_token) -> Result<std::string> {
        asked = serial;
        return std::string(" 123456\n");
      });
  ASSERT_TRUE(source.Fetch({}));
  EXPECT_EQ(asked, kMfaDevice);
  const http::Request sent = bench_.transport.requests()[0];
  EXPECT_THAT(sent.body, HasSubstr("&ExternalId=a%20b%26c%3Dd%2Be%2F%C3%BC&"));
  EXPECT_THAT(
      test::FormOf(sent.body),
      UnorderedElementsAre(Pair("Action", "AssumeRole"), Pair("Version", "2011-06-15"),
                           Pair("RoleArn", kRole), Pair("RoleSessionName", "me@host"),
                           Pair("DurationSeconds", "900"), Pair("ExternalId", plan.external_id),
                           Pair("SerialNumber", kMfaDevice), Pair("TokenCode", "123456")));
}

TEST_F(AssumeRoleTest, AThrottledAndABrokenAnswerAreAskedAgain) {
  bench_.transport.Add(400, test::StsRefusal("Throttling", "Rate exceeded"));
  bench_.transport.Add(MakeError(ErrorKind::kTransient, "connection reset"));
  bench_.transport.Add(200, test::AssumedRoleAnswer("AssumeRole", "1"));
  AssumeRoleSource source = Make(Plan());
  EXPECT_TRUE(source.Fetch({}));
  EXPECT_THAT(bench_.transport.requests(), SizeIs(3));
}

TEST_F(AssumeRoleTest, ARefusalSaysWhatItMeansAndWhatToDo) {
  struct Case {
    int status;
    std::string code;
    std::string message;
    ErrorKind kind;
    std::vector<std::string> words;
  };
  const std::string denied =
      "User: arn:aws:iam::999999999999:user/jo is not authorized to perform: sts:AssumeRole on "
      "resource: " +
      kRole;
  const std::vector<Case> cases = {
      {403,
       "AccessDenied",
       denied,
       ErrorKind::kCredentials,
       {"AssumeRole " + kRole + ": AccessDenied", denied, "environment", "profile dev",
        "trust policy", "sts:AssumeRole", "HTTP 403", "request id id-9"}},
      {403,
       "AccessDenied",
       denied + ". Encoded authorization failure message: 8k3mZ9-encoded-blob_77 (see the docs)",
       ErrorKind::kCredentials,
       {"Encoded authorization failure message: *** (see the docs)"}},
      {403,
       "ExpiredToken",
       "The security token included in the request is expired",
       ErrorKind::kExpiredCredentials,
       {"environment", "have run out: get new ones"}},
      {403,
       "InvalidClientTokenId",
       "The security token included in the request is invalid",
       ErrorKind::kCredentials,
       {"environment", "are not accepted"}},
      {400,
       "ValidationError",
       "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
       ErrorKind::kConfiguration,
       {"duration_seconds", "profile dev", "one hour"}},
      {403,
       "RegionDisabledException",
       "STS is not activated in this region for account:123456789012",
       ErrorKind::kCredentials,
       {"activate it there"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.code + " " + c.message);
    bench_.transport.Add(c.status, test::StsRefusal(c.code, c.message));
    const Error error = Failure(Plan());
    EXPECT_EQ(error.kind, c.kind) << Name(error.kind);
    EXPECT_EQ(error.code, c.code);
    for (const std::string& word : c.words) EXPECT_THAT(error.Text(), HasSubstr(word));
    EXPECT_THAT(error.Text(), Not(HasSubstr("encoded-blob")));
  }
  EXPECT_THAT(bench_.transport.requests(), SizeIs(cases.size())) << "a refusal is final";
}

TEST_F(AssumeRoleTest, PassingFailuresKeepTheirKind) {
  for (int i = 0; i < 3; ++i) bench_.transport.Add(503, "");
  EXPECT_EQ(Failure(Plan()).kind, ErrorKind::kTransient);
  for (int i = 0; i < 3; ++i) bench_.transport.Add(400, test::StsRefusal("Throttling", "slower"));
  EXPECT_EQ(Failure(Plan()).kind, ErrorKind::kThrottled);
}

TEST_F(AssumeRoleTest, AnAnswerWithoutWholeCredentialsIsNamedAndNotQuoted) {
  const auto without = [](std::string_view element) {
    std::string answer = test::AssumedRoleAnswer("AssumeRole", "1");
    const std::string open = "<" + std::string(element) + ">";
    const std::size_t start = answer.find(open);
    const std::string close = "</" + std::string(element) + ">";
    return answer.erase(start, answer.find(close) + close.size() - start);
  };
  const auto replaced = [](const std::string& from, const std::string& to) {
    std::string answer = test::AssumedRoleAnswer("AssumeRole", "1");
    return answer.replace(answer.find(from), from.size(), to);
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {without("AccessKeyId"), "has no AccessKeyId"},
      {without("SecretAccessKey"), "has no SecretAccessKey"},
      {without("SessionToken"), "has no SessionToken"},
      {without("Expiration"), "has no Expiration"},
      {replaced("2024-02-26T18:24:38Z", "soon"), "has no Expiration"},
      {replaced("role-session-token-1==", "role-session-token-1==\nx: y"),
       "has blanks in the session token"},
      {test::AssumedRoleAnswer("AssumeRoleWithSAML", "1"), "has no AccessKeyId"},
      {"<html>role/secret+1", "is no XML"},
      {"", "is no XML"},
  };
  for (const auto& [answer, words] : cases) {
    SCOPED_TRACE(words);
    bench_.transport.Add(200, answer);
    const Error error = Failure(Plan());
    EXPECT_EQ(error.kind, ErrorKind::kBadReply);
    EXPECT_THAT(error.Text(), HasSubstr(words));
  }
}

TEST_F(AssumeRoleTest, AnAccountIsTwelveDigitsOrNone) {
  std::string answer = test::AssumedRoleAnswer("AssumeRole", "1");
  answer.replace(answer.find("123456789012"), 12, "12345678901x");
  bench_.transport.Add(200, answer);
  AssumeRoleSource source = Make(Plan());
  const auto credentials = source.Fetch({});
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->account_id, "");
}

TEST_F(AssumeRoleTest, TheOperatorIsAskedOnceAndNeverInTheMiddleOfARun) {
  AssumeRole plan = Plan();
  plan.mfa_serial = kMfaDevice;
  int asked = 0;
  AssumeRoleSource source =
      Make(plan, [&](const std::string&, std::stop_token) -> Result<std::string> {
        ++asked;
        return std::string("123456");
      });
  bench_.transport.Add(200, test::AssumedRoleAnswer("AssumeRole", "1"));
  ASSERT_TRUE(source.Fetch({}));
  const auto second = source.Fetch({});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kExpiredCredentials);
  EXPECT_THAT(second.error().Text(), HasSubstr(kMfaDevice));
  EXPECT_THAT(second.error().Text(), HasSubstr("run the same command again"));
  EXPECT_EQ(asked, 1);
  EXPECT_THAT(bench_.transport.requests(), SizeIs(1));
}

TEST_F(AssumeRoleTest, ACodeThatLedToNothingIsNotAskedForAgain) {
  AssumeRole plan = Plan();
  plan.mfa_serial = kMfaDevice;
  int asked = 0;
  AssumeRoleSource source =
      Make(plan, [&](const std::string&, std::stop_token) -> Result<std::string> {
        ++asked;
        return std::string("123456");
      });
  bench_.transport.Add(403, test::StsRefusal("AccessDenied",
                                             "MultiFactorAuthentication failed with invalid MFA "
                                             "one time pass code."));
  const auto first = source.Fetch({});
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().kind, ErrorKind::kCredentials);
  EXPECT_THAT(first.error().Text(), HasSubstr("must be the device's newest and unused"));
  const auto second = source.Fetch({});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kCredentials);
  EXPECT_THAT(second.error().Text(), HasSubstr("led to no session"));
  EXPECT_EQ(asked, 1);
}

TEST_F(AssumeRoleTest, WithoutACodeNothingIsSent) {
  AssumeRole plan = Plan();
  plan.mfa_serial = kMfaDevice;
  Error error = Failure(plan);
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_THAT(error.Text(), HasSubstr("nobody can be asked"));

  error = Failure(plan, [](const std::string&, std::stop_token) -> Result<std::string> {
    return MakeError(ErrorKind::kCredentials, "standard input is no terminal");
  });
  EXPECT_THAT(error.Text(), HasSubstr(kMfaDevice + ": standard input is no terminal"));

  for (const char* answer : {"", "12345", "1234567", "12345a"}) {
    error = Failure(plan, [&](const std::string&, std::stop_token) -> Result<std::string> {
      return std::string(answer);
    });
    EXPECT_EQ(error.kind, ErrorKind::kCredentials);
    EXPECT_THAT(error.Text(), HasSubstr("six digits"));
  }
  EXPECT_THAT(bench_.transport.requests(), IsEmpty());
}

TEST_F(AssumeRoleTest, AStopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  AssumeRoleSource source = Make(Plan());
  const auto credentials = source.Fetch(stop.get_token());
  ASSERT_FALSE(credentials);
  EXPECT_EQ(credentials.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace tsm::aws
