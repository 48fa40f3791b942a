#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "plan_fixture.h"
#include "tsm/aws/credentials/plan.h"

namespace tsm::aws {
namespace {

TEST_F(PlanTest, ARoleWithAllItsSettings) {
  const World world{.variables = {},
                    .config = std::string("[default]\nrole_arn = ") + kRole +
                              "path/r\nsource_profile = base\nrole_session_name = me@host\n"
                              "external_id = e/1\nmfa_serial = arn:aws:iam::1:mfa/me\n"
                              "duration_seconds = 43200\n",
                    .credentials = "[base]\naws_access_key_id = A\naws_secret_access_key = S\n"};
  const CredentialsPlan plan = Good(world);
  const AssumeRole role = As<AssumeRole>(plan);
  EXPECT_EQ(role.profile, "default");
  EXPECT_EQ(role.role_arn, std::string(kRole) + "path/r");
  EXPECT_EQ(role.session_name, "me@host");
  EXPECT_EQ(role.external_id, "e/1");
  EXPECT_EQ(role.mfa_serial, "arn:aws:iam::1:mfa/me");
  EXPECT_EQ(role.duration, std::chrono::seconds(43200));
  ASSERT_NE(role.base, nullptr);
  EXPECT_EQ(As<StaticKeys>(*role.base).credentials.access_key_id, "A");
  EXPECT_EQ(Describe(plan), "role " + role.role_arn + " by profile base in " + Path("credentials"));
}

TEST_F(PlanTest, ARolesOwnDefaults) {
  const World world{.variables = {},
                    .config = std::string("[default]\nrole_arn = ") + kRole +
                              "r\ncredential_source = Ec2InstanceMetadata\n",
                    .credentials = ""};
  const AssumeRole role = As<AssumeRole>(Good(world));
  EXPECT_EQ(role.session_name, "");
  EXPECT_EQ(role.external_id, "");
  EXPECT_EQ(role.mfa_serial, "");
  EXPECT_EQ(role.duration, std::chrono::seconds(3600));
}

TEST_F(PlanTest, WhoAssumesARole) {
  struct Case {
    const char* what;
    World world;
    std::vector<std::string> kinds;  // outermost first
  };
  const std::string keys = "aws_access_key_id = A\naws_secret_access_key = S\n";
  const Values env = {{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "S"}};
  const Case cases[] = {
      {"a chain of three",
       Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\nROLEb\nsource_profile = c\n"
                "[profile c]\nROLEc\nsource_profile = d\n[profile d]\n" +
                keys),
       {"role", "role", "role", "keys"}},
      {"itself, with keys",
       Profiles("[profile p]\nROLEa\nsource_profile = p\n" + keys),
       {"role", "keys"}},
      {"the keys of a source go before its role, even before a circle",
       Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\nROLEb\nsource_profile = p\n" +
                keys),
       {"role", "keys"}},
      {"a source with a process",
       Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\ncredential_process = x\n"),
       {"role", "process"}},
      {"a source with SSO",
       Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\nsso_start_url = https://s\n"
                "sso_region = r\nsso_account_id = 1\nsso_role_name = n\n"),
       {"role", "sso"}},
      {"a source with aws login",
       Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\nlogin_session = s\n"),
       {"role", "login"}},
      {"a source with web identity, whose role is no role to assume with keys",
       Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\nROLEb\n"
                "web_identity_token_file = /t\n"),
       {"role", "web identity"}},
      {"web identity of the profile itself",
       Profiles("[profile p]\nROLEb\nweb_identity_token_file = /t\n"),
       {"web identity"}},
      // The flag leaves the environment out of the chain, not out of a role that names it.
      {"the environment",
       Profiles("[profile p]\nROLEa\ncredential_source = Environment\n", env),
       {"role", "keys"}},
      {"the container",
       Profiles("[profile p]\nROLEa\ncredential_source = EcsContainer\n",
                {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c"}}),
       {"role", "container"}},
      {"the instance",
       Profiles("[profile p]\nROLEa\ncredential_source = Ec2InstanceMetadata\n"),
       {"role", "instance"}},
      {"a chain that ends in a source",
       Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\nROLEb\n"
                "credential_source = Ec2InstanceMetadata\n"),
       {"role", "role", "instance"}},
  };
  for (const Case& c : cases) {
    const CredentialsPlan plan = Good(c.world, "p");
    std::vector<std::string> kinds;
    for (const CredentialsPlan* at = &plan; at != nullptr;) {
      kinds.push_back(Kind(*at));
      const auto* role = std::get_if<AssumeRole>(&at->source);
      at = role != nullptr ? role->base.get() : nullptr;
    }
    EXPECT_EQ(kinds, c.kinds) << c.what;
  }
}

TEST_F(PlanTest, TheEnvironmentDoesNotReachIntoASourceProfile) {
  const World world =
      Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\nlogin_session = s\n",
               {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"},
                {"AWS_ROLE_ARN", std::string(kRole) + "w"},
                {"AWS_PROFILE", "p"}});
  const AssumeRole role = As<AssumeRole>(Good(world));
  ASSERT_NE(role.base, nullptr);
  EXPECT_EQ(Kind(*role.base), "login");
}

TEST_F(PlanTest, RolesThatCannotWork) {
  struct Case {
    World world;
    ErrorKind kind;
    const char* says;
  };
  const Case cases[] = {
      {Profiles("[profile p]\nROLEa\n"), ErrorKind::kConfiguration,
       "profile 'p' has role_arn, but neither source_profile nor credential_source"},
      {Profiles("[profile p]\nROLEa\nsource_profile = p\ncredential_source = Environment\n"),
       ErrorKind::kConfiguration, "profile 'p' has both source_profile and credential_source"},
      {Profiles("[profile p]\nROLEa\nsource_profile = gone\n"), ErrorKind::kConfiguration,
       "source_profile of profile 'p': profile 'gone' is in neither"},
      {Profiles("[profile p]\nROLEa\nsource_profile = p\n"), ErrorKind::kConfiguration,
       "go round in a circle: p -> p"},
      {Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\nROLEb\nsource_profile = c\n"
                "[profile c]\nROLEc\nsource_profile = b\n"),
       ErrorKind::kConfiguration,
       "source_profile of profile 'c': the profiles' roles go round in a "
       "circle: p -> b -> c -> b"},
      {Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\nregion = x\n"),
       ErrorKind::kCredentials,
       "source_profile of profile 'p': profile 'b' has no credentials (web identity: "},
      {Profiles("[profile p]\nROLEa\nsource_profile = b\n[profile b]\naws_access_key_id = A\n"),
       ErrorKind::kCredentials, "aws_secret_access_key is not"},
      {Profiles("[profile p]\nROLEa\ncredential_source = environment\n"), ErrorKind::kConfiguration,
       "credential_source of profile 'p': 'environment' is not valid; expected Environment, "
       "EcsContainer or Ec2InstanceMetadata"},
      {Profiles("[profile p]\nROLEa\ncredential_source = Environment\n"), ErrorKind::kCredentials,
       "credential_source of profile 'p' is Environment, which gives no credentials "
       "(AWS_ACCESS_KEY_ID is not set)"},
      {Profiles("[profile p]\nROLEa\ncredential_source = EcsContainer\n"), ErrorKind::kCredentials,
       "credential_source of profile 'p' is EcsContainer"},
      {Profiles("[profile p]\nROLEa\ncredential_source = Ec2InstanceMetadata\n",
                {{"AWS_EC2_METADATA_DISABLED", "true"}}),
       ErrorKind::kCredentials, "AWS_EC2_METADATA_DISABLED is true"},
      {Profiles("[profile p]\nROLEa\ncredential_source = Environment\nduration_seconds = 899\n"),
       ErrorKind::kConfiguration,
       "duration_seconds of profile 'p': '899' is not valid; expected a whole number of 900 to "
       "43200"},
      {Profiles("[profile p]\nROLEa\ncredential_source = Environment\nduration_seconds = 1h\n"),
       ErrorKind::kConfiguration, "duration_seconds of profile 'p': '1h'"},
      {Profiles("[profile p]\nROLEa\ncredential_source = Environment\nrole_session_name = a b\n"),
       ErrorKind::kConfiguration, "role_session_name of profile 'p': 'a b'"},
      {Profiles("[profile p]\nrole_arn = admin\ncredential_source = Environment\n"),
       ErrorKind::kConfiguration, "role_arn of profile 'p': 'admin' is not valid; expected arn:"},
  };
  for (const Case& c : cases) ExpectError(c.world, c.kind, c.says, "p");
}

TEST_F(PlanTest, WebIdentity) {
  const std::string role = std::string(kRole) + "w";
  const WebIdentity by_variables =
      As<WebIdentity>(Good({.variables =
                                {
                                    {"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"},
                                    {"AWS_ROLE_ARN", role},
                                    {"AWS_ROLE_SESSION_NAME", "me"},
                                },
                            .config = "",
                            .credentials = ""}));
  EXPECT_EQ(by_variables.token_file, "/t");
  EXPECT_EQ(by_variables.role_arn, role);
  EXPECT_EQ(by_variables.session_name, "me");
  EXPECT_EQ(by_variables.origin, "AWS_WEB_IDENTITY_TOKEN_FILE");
  const World in_profile =
      Profiles("[profile p]\nROLEw\nweb_identity_token_file = ~/t\nrole_session_name = you\n");
  const WebIdentity by_profile = As<WebIdentity>(Good(in_profile, "p"));
  EXPECT_EQ(by_profile.token_file, (home_ / "t").string());
  EXPECT_EQ(by_profile.role_arn, role);
  EXPECT_EQ(by_profile.session_name, "you");
  EXPECT_EQ(by_profile.origin, "profile p");

  ExpectError({{{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}}, "", ""}, ErrorKind::kConfiguration,
              "AWS_WEB_IDENTITY_TOKEN_FILE is set, but no role: AWS_ROLE_ARN is not set");
  ExpectError({{{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}, {"AWS_ROLE_ARN", "x"}}, "", ""},
              ErrorKind::kConfiguration, "AWS_ROLE_ARN: 'x'");
  ExpectError({{{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"},
                {"AWS_ROLE_ARN", role},
                {"AWS_ROLE_SESSION_NAME", "x"}},
               "",
               ""},
              ErrorKind::kConfiguration, "AWS_ROLE_SESSION_NAME: 'x'");
  ExpectError({{}, "[profile p]\nweb_identity_token_file = /t\n", ""}, ErrorKind::kConfiguration,
              "web_identity_token_file of profile 'p' is set, but no role: profile 'p' has no "
              "role_arn",
              "p");
}

TEST_F(PlanTest, SsoBySession) {
  const World world{.variables = {},
                    .config =
                        "[profile p]\nsso_session = s\nsso_account_id = 012345678901\n"
                        "sso_role_name = Admin\nsso_region = eu-west-1\n"
                        "[sso-session s]\nsso_start_url = https://x/start\n"
                        "sso_region = eu-west-1\nsso_registration_scopes = a\n",
                    .credentials = ""};
  const CredentialsPlan plan = Good(world, "p");
  const Sso sso = As<Sso>(plan);
  EXPECT_EQ(sso.profile, "p");
  EXPECT_EQ(sso.session, "s");
  EXPECT_EQ(sso.start_url, "https://x/start");
  EXPECT_EQ(sso.region, "eu-west-1");
  EXPECT_EQ(sso.account_id, "012345678901");
  EXPECT_EQ(sso.role_name, "Admin");
  EXPECT_EQ(sso.cache_directory, (home_ / ".aws/sso/cache").string());
  EXPECT_EQ(Describe(plan), "SSO role Admin in account 012345678901 (profile p)");
}

TEST_F(PlanTest, SsoThatCannotWork) {
  const std::string both = "sso_account_id = 1\nsso_role_name = n\n";
  const std::pair<std::string, const char*> cases[] = {
      {"sso_session = gone\n" + both,
       "sso_session of profile 'p': there is no section [sso-session gone]"},
      {both, "profile 'p' is set up for SSO, but lacks sso_start_url, sso_region"},
      {"sso_account_id = 1\nsso_session = s\n[sso-session s]\nsso_region = r\n",
       "lacks sso_role_name, sso_start_url (it and [sso-session s])"},
      {"sso_role_name = 1\n", "lacks sso_account_id, sso_start_url, sso_region"},
      {both + "sso_session = s\nsso_region = a\n[sso-session s]\nsso_region = b\n"
              "sso_start_url = u\n",
       "profile 'p' and [sso-session s] differ in sso_region"},
      {both + "sso_start_url = u\nsso_region = evil.example/\n",
       "sso_region of profile 'p': 'evil.example/'"},
  };
  for (const auto& [text, says] : cases) {
    ExpectError({{}, "[profile p]\n" + text, ""}, ErrorKind::kConfiguration, says, "p");
  }
}

TEST_F(PlanTest, ASessionWithoutARoleIsNoCredentials) {
  const World world{.variables = {},
                    .config = "[profile p]\nsso_session = s\n[sso-session s]\nsso_region = r\n",
                    .credentials = ""};
  EXPECT_EQ(Kind(Good(world, "p")), "instance");
}

TEST_F(PlanTest, LoginAndProcess) {
  World world{
      .variables = {}, .config = "[profile p]\nlogin_session = arn:me\n", .credentials = ""};
  EXPECT_EQ(As<LoginSession>(Good(world, "p")).session, "arn:me");
  EXPECT_EQ(As<LoginSession>(Good(world, "p")).profile, "p");
  EXPECT_EQ(As<LoginSession>(Good(world, "p")).cache_directory,
            (home_ / ".aws/login/cache").string());
  world.variables["AWS_LOGIN_CACHE_DIRECTORY"] = "~/elsewhere";
  EXPECT_EQ(As<LoginSession>(Good(world, "p")).cache_directory, (home_ / "elsewhere").string());
  world.config = "[profile p]\ncredential_process = \"/my bin/x\" --a\naws_account_id = 7\n";
  const CredentialsPlan plan = Good(world, "p");
  EXPECT_EQ(As<Process>(plan).command, "\"/my bin/x\" --a");
  EXPECT_EQ(As<Process>(plan).profile, "p");
  EXPECT_EQ(As<Process>(plan).account_id, "7");
  EXPECT_EQ(Describe(plan), "credential_process of profile p");
}

}  // namespace
}  // namespace tsm::aws
