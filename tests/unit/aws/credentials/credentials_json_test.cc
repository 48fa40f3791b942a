#include "../../src/aws/credentials/credentials_json.h"

#include <gtest/gtest.h>

#include "tsm/core/time_text.h"

namespace tsm::aws {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

const system_clock::time_point kMoment{seconds(1'708'968'278)};  // 2024-02-26T17:24:38Z

constexpr std::string_view kWhole =
    R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"abc/+123",
        "Token":"FQoG==","Expiration":"2024-02-26T17:24:38Z","AccountId":"012345678901"})";

TEST(BlanksInTest, NamesThePartThatHoldsThem) {
  const Credentials good{.access_key_id = "AKID",
                         .secret_access_key = "a/b+c=",
                         .session_token = "",
                         .source = "a test",
                         .expiration = {},
                         .account_id = ""};
  EXPECT_EQ(BlanksIn(good), "");
  for (const std::string bad : {"x y", "x\n", "\tx", "x\r", "\x7F", "\x01"}) {
    Credentials credentials = good;
    credentials.session_token = bad;
    EXPECT_EQ(BlanksIn(credentials), "session token");
    credentials.secret_access_key = bad;
    EXPECT_EQ(BlanksIn(credentials), "secret access key");
    credentials.access_key_id = bad;
    EXPECT_EQ(BlanksIn(credentials), "access key id");
  }
}

TEST(CredentialsJsonTest, ReadsTheStandardDocument) {
  const auto credentials = ParseCredentialsJson(kWhole, {}, "a test");
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIAEXAMPLE");
  EXPECT_EQ(credentials->secret_access_key, "abc/+123");
  EXPECT_EQ(credentials->session_token, "FQoG==");
  EXPECT_EQ(credentials->expiration, kMoment);
  EXPECT_EQ(credentials->account_id, "012345678901");
  EXPECT_EQ(credentials->source, "a test");
}

TEST(CredentialsJsonTest, ReadsTheOtherSourcesNames) {
  const auto sso = ParseCredentialsJson(
      R"({"roleCredentials":{"accessKeyId":"A","secretAccessKey":"S","sessionToken":"T",
          "expiration":1708968278250}})",
      kSsoFields, "sso");
  ASSERT_TRUE(sso) << sso.error().Text();
  EXPECT_EQ(sso->session_token, "T");
  EXPECT_EQ(sso->expiration, kMoment + milliseconds(250));

  const auto login = ParseCredentialsJson(
      R"({"accessToken":{"accessKeyId":"A","secretAccessKey":"S","sessionToken":"T",
          "accountId":"123456789012","expiresAt":"2024-02-26T17:24:38Z"},"refreshToken":"R"})",
      kLoginFields, "login");
  ASSERT_TRUE(login) << login.error().Text();
  EXPECT_EQ(login->account_id, "123456789012");

  const auto process = ParseCredentialsJson(R"({"Version":1,"AccessKeyId":"A","SecretAccessKey":"S",
                               "SessionToken":null,"Expiration":null,"AccountId":12345678901})",
                                            kProcessFields, "process");
  ASSERT_TRUE(process) << process.error().Text();
  EXPECT_EQ(process->session_token, "");
  EXPECT_FALSE(process->expiration);
  EXPECT_EQ(process->account_id, "012345678901");  // a number has no leading zeros
}

TEST(CredentialsJsonTest, SaysWhichMemberIsWrongAndQuotesNone) {
  struct Case {
    std::string_view body;
    std::string_view message;
  };
  const std::vector<Case> cases = {
      {"", "the answer is no JSON document"},
      {R"({"AccessKeyId":"hidden",)", "the answer is no JSON document"},
      {"<html>hidden</html>", "the answer is no JSON document"},
      {R"(["hidden"])", "the answer is no JSON object"},
      {R"({"SecretAccessKey":"hidden","Token":"hidden"})", "in the answer AccessKeyId is missing"},
      {R"({"AccessKeyId":"hidden","SecretAccessKey":null})",
       "in the answer SecretAccessKey is missing"},
      {R"({"AccessKeyId":"hidden","SecretAccessKey":""})",
       "in the answer SecretAccessKey is empty"},
      {R"({"AccessKeyId":"hidden","SecretAccessKey":["hidden"]})",
       "in the answer SecretAccessKey is no text"},
      {R"({"AccessKeyId":"hidden","SecretAccessKey":"hidden"})", "in the answer Token is missing"},
      {R"({"AccessKeyId":"hidden","SecretAccessKey":"hidden","Token":"hidden"})",
       "in the answer Expiration is missing"},
      {R"({"AccessKeyId":"hidden","SecretAccessKey":"hidden","Token":"hidden","Expiration":""})",
       "in the answer Expiration is missing"},
      {R"({"AccessKeyId":"hidden","SecretAccessKey":"hidden","Token":"hidden","Expiration":"soon"})",
       "in the answer Expiration is no time of the form YYYY-MM-DDThh:mm:ssZ"},
      {R"({"AccessKeyId":"hidden","SecretAccessKey":"hidden","Token":"hidden","Expiration":-1})",
       "in the answer Expiration is no time of the form YYYY-MM-DDThh:mm:ssZ"},
      {R"({"AccessKeyId":"hidden","SecretAccessKey":"hidden","Token":"hidden","Expiration":true})",
       "in the answer Expiration is no time of the form YYYY-MM-DDThh:mm:ssZ"},
      {R"({"AccessKeyId":"hidden","SecretAccessKey":"hidden\r\nX: y","Token":"hidden",
           "Expiration":"2024-02-26T17:24:38Z"})",
       "in the answer the secret access key holds blanks or line ends, which no key has"},
  };
  for (const Case& c : cases) {
    const auto credentials = ParseCredentialsJson(c.body, {}, "here");
    ASSERT_FALSE(credentials) << c.body;
    EXPECT_EQ(credentials.error().kind, ErrorKind::kCredentials);
    EXPECT_EQ(credentials.error().message, "here: " + std::string(c.message)) << c.body;
  }
  const auto flat = ParseCredentialsJson(kWhole, kSsoFields, "here");
  ASSERT_FALSE(flat);
  EXPECT_EQ(flat.error().message, "here: the answer has no object roleCredentials");
}

TEST(ParseExpirationTest, TakesWhatAwsToolsWrite) {
  struct Case {
    std::string_view text;
    milliseconds after;  // kMoment
  };
  const std::vector<Case> cases = {
      {"2024-02-26T17:24:38Z", milliseconds(0)},
      {" 2024-02-26T17:24:38Z\n", milliseconds(0)},
      {"2024-02-26T17:24:38", milliseconds(0)},
      {"2024-02-26 17:24:38", milliseconds(0)},
      {"2024-02-26T17:24:38UTC", milliseconds(0)},
      {"2024-02-26 17:24:38 UTC", milliseconds(0)},
      {"2024-02-26T17:24:38.5Z", milliseconds(500)},
      {"2024-02-26T17:24:38.123456789Z", milliseconds(123)},
      {"2024-02-26T17:24:38.123456789012Z", milliseconds(123)},
      {"2024-02-26T17:24:38+00:00", milliseconds(0)},
      {"2024-02-26T18:24:38+01:00", milliseconds(0)},
      {"2024-02-26T18:54:38.25+0130", milliseconds(250)},
      {"2024-02-26T10:24:38-07", milliseconds(0)},
      {"2024-02-27T02:54:38+09:30", milliseconds(0)},
      {"2024-02-26T17:24Z", milliseconds(-38'000)},
  };
  for (const Case& c : cases) {
    const auto time = ParseExpiration(c.text);
    ASSERT_TRUE(time) << c.text;
    EXPECT_EQ(std::chrono::floor<milliseconds>(*time), kMoment + c.after) << c.text;
  }
  // What stands for "never" does not wrap around into the past.
  for (const std::string_view text : {"9999-12-31T23:59:59Z", "2400-02-29T00:00:00Z"}) {
    const auto time = ParseExpiration(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(FormatIso8601(*time), "2261-12-31T23:59:59Z");
  }
}

TEST(ParseExpirationTest, RefusesTheRest) {
  for (const std::string_view text :
       {"", "soon", "1708968278", "2024-02-30T00:00:00Z", "2024-02-26T25:00:00Z",
        "2024-02-26T17:24:38ZZ", "2024-02-26T17:24:38+1", "2024-02-26T17:24:38+25:00",
        "2024-02-26T17:24:38+01:60", "2024-02-26T17:24:38+", "2024-02-26T17:24:38+-100",
        "2024-02-26T17:24:38.Z", "2024-02-26T17:24:38 CET", "9999-13-31T23:59:59Z", "UTC", "Z"}) {
    EXPECT_FALSE(ParseExpiration(text)) << text;
  }
}

TEST(ReadRefusalTest, TakesCodeAndMessageOfEitherSpelling) {
  struct Case {
    std::string_view body;
    std::string_view text;
  };
  const std::vector<Case> cases = {
      {R"({"code":"NoIdProvided","message":"no\nid","HTTPErrorCode":400})",
       "NoIdProvided: no\\nid"},
      {R"({"Code":"AssumeRoleUnauthorizedAccess"})", "AssumeRoleUnauthorizedAccess"},
      {R"({"Message":"not now"})", "not now"},
      {R"({"SecretAccessKey":"hidden"})", ""},
      {"", ""},
      {" role not found\n", "role not found"},
      {"<html>hidden</html>", ""},
      {R"({"SecretAccessKey":"hidden)", ""},
      {R"(["hidden"])", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(ReadRefusal(c.body).Text(), c.text) << c.body;
}

}  // namespace
}  // namespace tsm::aws
