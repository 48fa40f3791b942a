#include "tsm/aws/credentials/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "plan_fixture.h"

namespace tsm::aws {
namespace {

using ::testing::HasSubstr;

// Each source as a change to the world; in the chain's order.
struct Step {
  const char* kind;
  const char* source;  // of keys: what tells one place from another
  std::function<void(World&)> set_up;
};

std::vector<Step> Chain() {
  return {
      {"keys", "environment",
       [](World& w) {
         w.variables["AWS_ACCESS_KEY_ID"] = "EA";
         w.variables["AWS_SECRET_ACCESS_KEY"] = "hush";
       }},
      {"role", "",
       [](World& w) {
         w.config += std::string("role_arn = ") + kRole + "r\ncredential_source = EcsContainer\n";
         w.variables.try_emplace("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
       }},
      {"web identity", "",
       [](World& w) {
         w.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
         w.variables["AWS_ROLE_ARN"] = std::string(kRole) + "w";
       }},
      {"sso", "",
       [](World& w) {
         w.config +=
             "sso_start_url = https://s\nsso_region = eu-west-1\nsso_account_id = 1\n"
             "sso_role_name = n\n";
       }},
      {"keys", "credentials",
       [](World& w) { w.credentials += "aws_access_key_id = FA\naws_secret_access_key = hush\n"; }},
      {"login", "", [](World& w) { w.config += "login_session = arn:x\n"; }},
      {"process", "", [](World& w) { w.config += "credential_process = /bin/x --y\n"; }},
      {"keys", "config",
       [](World& w) { w.config += "aws_access_key_id = CA\naws_secret_access_key = hush\n"; }},
      {"container", "",
       [](World& w) { w.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "https://container/x"; }},
      {"instance", "", [](World&) {}},
  };
}

TEST_F(PlanTest, TheOrderOfTheChain) {
  const std::vector<Step> chain = Chain();
  const World empty{.variables = {}, .config = "[default]\n", .credentials = "[default]\n"};
  for (std::size_t first = 0; first < chain.size(); ++first) {
    for (std::size_t second = first; second < chain.size(); ++second) {
      World world = empty;
      chain[second].set_up(world);
      if (second != first) chain[first].set_up(world);
      const CredentialsPlan plan = Good(world);
      EXPECT_EQ(Kind(plan), chain[first].kind) << first << " and " << second;
      if (const auto* keys = std::get_if<StaticKeys>(&plan.source)) {
        EXPECT_THAT(keys->credentials.source, HasSubstr(chain[first].source))
            << first << " and " << second;
      }
      // What was passed over: one line per earlier step.
      EXPECT_EQ(plan.looked_at.size(), first) << first << " and " << second;
    }
  }
}

TEST_F(PlanTest, WithAProfileOfTheFlagTheEnvironmentIsNotRead) {
  const std::vector<Step> chain = Chain();
  World world{.variables = {}, .config = "[default]\n", .credentials = "[default]\n"};
  chain[0].set_up(world);
  chain[2].set_up(world);
  chain[5].set_up(world);
  EXPECT_EQ(Kind(Good(world)), "keys");
  const CredentialsPlan plan = Good(world, "default");
  EXPECT_EQ(Kind(plan), "login");
  EXPECT_THAT(plan.looked_at[0], HasSubstr("environment: not read"));
  // By AWS_PROFILE it is.
  world.variables["AWS_PROFILE"] = "default";
  EXPECT_EQ(Kind(Good(world)), "keys");
}

TEST_F(PlanTest, NoneNamesEachPlaceAndWhy) {
  const auto none =
      Plan({.variables = {{"AWS_EC2_METADATA_DISABLED", "true"}}, .config = "", .credentials = ""});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::kCredentials);
  EXPECT_EQ(none.error().message,
            "no credentials found (environment: AWS_ACCESS_KEY_ID is not set; profile 'default': "
            "in neither " +
                Path("config") + " nor " + Path("credentials") +
                "; web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: neither "
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is "
                "set; instance metadata: AWS_EC2_METADATA_DISABLED is true)");
  const auto empty = Plan({.variables = {{"AWS_EC2_METADATA_DISABLED", "TRUE"}},
                           .config = "[default]\nregion=x\n",
                           .credentials = ""});
  ASSERT_FALSE(empty);
  for (const char* place :
       {"environment: ", "profile 'default' has no role_arn", "web_identity_token_file",
        "sso_account_id", "shared credentials: no aws_access_key_id", "login_session",
        "credential_process", "config file: no aws_access_key_id", "container: ", "instance"}) {
    EXPECT_THAT(empty.error().message, HasSubstr(place));
  }
}

TEST_F(PlanTest, KeysOfTheEnvironment) {
  World world;
  world.variables = {{"AWS_ACCESS_KEY_ID", "A"},
                     {"AWS_SECRET_ACCESS_KEY", "S"},
                     {"AWS_SECURITY_TOKEN", "old"},
                     {"AWS_ACCOUNT_ID", "123456789012"},
                     {"AWS_CREDENTIAL_EXPIRATION", "2024-02-26T17:24:38Z"}};
  const Credentials keys = As<StaticKeys>(Good(world)).credentials;
  EXPECT_EQ(keys.access_key_id, "A");
  EXPECT_EQ(keys.secret_access_key, "S");
  EXPECT_EQ(keys.session_token, "old");
  EXPECT_EQ(keys.account_id, "123456789012");
  EXPECT_EQ(keys.source, "environment");
  EXPECT_EQ(keys.expiration,
            std::chrono::system_clock::time_point(std::chrono::seconds(1'708'968'278)));
  world.variables["AWS_SESSION_TOKEN"] = "T";
  EXPECT_EQ(As<StaticKeys>(Good(world)).credentials.session_token, "T");
  world.variables.erase("AWS_CREDENTIAL_EXPIRATION");
  EXPECT_EQ(As<StaticKeys>(Good(world)).credentials.expiration, std::nullopt);
  world.variables["AWS_CREDENTIAL_EXPIRATION"] = "soon";
  ExpectError(world, ErrorKind::kConfiguration, "AWS_CREDENTIAL_EXPIRATION: 'soon'");
}

TEST_F(PlanTest, KeysOfAProfile) {
  const World world{.variables = {{"AWS_PROFILE", "dev"}},
                    .config = "[profile dev]\naws_account_id = 9\n",
                    .credentials =
                        "[dev]\naws_access_key_id = A\naws_secret_access_key = S\n"
                        "aws_security_token = old\naws_account_id = 1\n"};
  const Credentials keys = As<StaticKeys>(Good(world)).credentials;
  EXPECT_EQ(keys.access_key_id, "A");
  EXPECT_EQ(keys.secret_access_key, "S");
  EXPECT_EQ(keys.session_token, "old");
  EXPECT_EQ(keys.account_id, "1");
  EXPECT_EQ(keys.source, "profile dev in " + Path("credentials"));
}

TEST_F(PlanTest, HalfAPairIsAnErrorAndNoReasonToLookFurther) {
  const std::string good = "[default]\naws_access_key_id = A\naws_secret_access_key = S\n";
  const World cases[] = {
      {{{"AWS_ACCESS_KEY_ID", "A"}}, "", good},
      {{{"AWS_SECRET_ACCESS_KEY", "hush"}}, "", good},
      {{}, good, "[default]\naws_access_key_id = A\n"},
      {{}, good, "[default]\naws_secret_access_key = hush\n"},
      {{}, "[default]\naws_secret_access_key = hush\n", ""},
  };
  const char* says[] = {
      "environment: AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not",
      "environment: AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not",
      "credentials: aws_access_key_id is set, aws_secret_access_key is not",
      "credentials: aws_secret_access_key is set, aws_access_key_id is not",
      "config: aws_secret_access_key is set, aws_access_key_id is not",
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    ExpectError(cases[i], ErrorKind::kCredentials, says[i]);
  }
}

TEST_F(PlanTest, ALineEndInAKeyIsNamedBeforeItBecomesAHeader) {
  ExpectError({{{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "hush\r"}}, "", ""},
              ErrorKind::kCredentials, "environment: the secret access key holds blanks");
}

}  // namespace
}  // namespace tsm::aws
