#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aws/credentials/source_bench.h"
#include "tsm/aws/credentials/sources.h"

namespace tsm::aws {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::string kSession = "arn:aws:iam::123456789012:user/jo";
// SHA-256 of the session, as sha256sum gives it.
const std::string kFile = "0ea03fbb86266908786ec00fead68e6efc82077e8b31cb39b90d5ca40cd87a66.json";
const std::string kSecret = "loginSecretAccessKey/1";
const std::string kToken = "loginSessionToken==";
const std::string kRefresh = "loginRefreshToken-of-jo";
const std::string kPrivateKey = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB";

class LoginTest : public ::testing::Test {
 protected:
  static json Session(const std::string& expires_at) {
    return {{"accessToken",
             {{"accessKeyId", "ASIALOGIN"},
              {"secretAccessKey", kSecret},
              {"sessionToken", kToken},
              {"accountId", "123456789012"},
              {"expiresAt", expires_at}}},
            {"refreshToken", kRefresh},
            {"dpopKey", kPrivateKey},
            {"clientId", "arn:aws:signin:::devtools/same-device"}};
  }

  LoginSource Make() {
    return LoginSource(
        {.profile = "dev", .session = kSession, .cache_directory = test::DirectoryOf(folder_)},
        bench_.clock, bench_.skew);
  }

  Error Failure() {
    const Result<Credentials> credentials = Make().Fetch({});
    if (credentials) return MakeError(ErrorKind::kService, "it worked");
    test::ExpectNone(credentials.error().Text(), {kSecret, kToken, kRefresh, kPrivateKey});
    EXPECT_THAT(credentials.error().Text(), HasSubstr(folder_.Path(kFile)));
    EXPECT_THAT(credentials.error().Text(), HasSubstr("run: aws login --profile dev"));
    return credentials.error();
  }

  test::SourceBench bench_;  // 17:24:38
  test::ScratchFiles folder_;
};

TEST_F(LoginTest, GivesTheCachedKeys) {
  folder_.Write(kFile, Session("2024-02-26T17:39:38Z").dump());
  const auto credentials = Make().Fetch({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIALOGIN");
  EXPECT_EQ(credentials->secret_access_key, kSecret);
  EXPECT_EQ(credentials->session_token, kToken);
  EXPECT_EQ(credentials->account_id, "123456789012");
  EXPECT_EQ(credentials->source, "aws login (profile dev)");
  EXPECT_EQ(credentials->expiration, test::AtSecond(1'708'968'278 + 15 * 60));
}

TEST_F(LoginTest, TheFileIsReadAnewEachTime) {
  LoginSource source = Make();
  folder_.Write(kFile, Session("2024-02-26T17:39:38Z").dump());
  ASSERT_TRUE(source.Fetch({}));
  folder_.Write(kFile, Session("2024-02-26T17:54:38Z").dump());
  const auto credentials = source.Fetch({});
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->expiration, test::AtSecond(1'708'968'278 + 30 * 60));
}

TEST_F(LoginTest, KeysWithAMinuteOrLessAreOver) {
  folder_.Write(kFile, Session("2024-02-26T17:25:39Z").dump());
  EXPECT_TRUE(Make().Fetch({}));
  folder_.Write(kFile, Session("2024-02-26T17:25:38Z").dump());
  const Error error = Failure();
  EXPECT_EQ(error.kind, ErrorKind::kExpiredCredentials);
  EXPECT_THAT(error.Text(), HasSubstr("aws login (profile dev): the session in "));

  bench_.skew.Set(-std::chrono::minutes(10));  // this machine is ahead of the service
  EXPECT_TRUE(Make().Fetch({}));
}

TEST_F(LoginTest, AFileThatHoldsNoSessionIsNamed) {
  EXPECT_THAT(Failure().Text(), HasSubstr("nobody is signed in"));
  json no_key = Session("2024-02-26T17:39:38Z");
  no_key["accessToken"].erase("accessKeyId");
  json no_time = Session("whenever");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "no JSON"},
      {Session("2024-02-26T17:39:38Z").dump().substr(0, 150), "no JSON"},
      {"{}", "accessToken"},
      {no_key.dump(), "accessKeyId is missing"},
      {no_time.dump(), "expiresAt is no time"},
      {std::string(1'000'001, ' '), "holds more than 1000000 bytes"},
  };
  for (const auto& [text, words] : cases) {
    SCOPED_TRACE(words);
    folder_.Write(kFile, text);
    const Error error = Failure();
    EXPECT_EQ(error.kind, ErrorKind::kCredentials);
    EXPECT_THAT(error.Text(), HasSubstr(words));
  }
}

TEST_F(LoginTest, AStopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  const auto credentials = Make().Fetch(stop.get_token());
  ASSERT_FALSE(credentials);
  EXPECT_EQ(credentials.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace tsm::aws
