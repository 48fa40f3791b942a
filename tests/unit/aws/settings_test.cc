#include "tsm/aws/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <variant>

namespace tsm::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Values = std::map<std::string, std::string, std::less<>>;

Profile ProfileWith(Values settings) {
  Profile profile;
  profile.name = "dev";
  profile.settings = std::move(settings);
  profile.found = true;
  return profile;
}

TEST(RegionTest, FlagThenEnvironmentThenProfile) {
  const SharedConfig config;
  const Profile profile = ProfileWith({{"region", "eu-west-3"}});
  const Environment both({{"AWS_REGION", "eu-west-1"}, {"AWS_DEFAULT_REGION", "eu-west-2"}});
  EXPECT_EQ(*ResolveRegion("us-east-1", both, config, profile), "us-east-1");
  EXPECT_EQ(*ResolveRegion("", both, config, profile), "eu-west-1");
  const Environment second(Values{{"AWS_DEFAULT_REGION", "eu-west-2"}});
  EXPECT_EQ(*ResolveRegion("", second, config, profile), "eu-west-2");
  EXPECT_EQ(*ResolveRegion("", Environment(Values{{"AWS_REGION", ""}}), config, profile),
            "eu-west-3");
}

TEST(RegionTest, NoneNamesAllFourPlaces) {
  const Environment environment(
      {{"AWS_CONFIG_FILE", "/none/config"}, {"AWS_SHARED_CREDENTIALS_FILE", "/none/credentials"}});
  const auto config = SharedConfig::Load(environment);
  ASSERT_TRUE(config);
  const auto region = ResolveRegion("", environment, *config, config->FindProfile("default"));
  ASSERT_FALSE(region);
  EXPECT_EQ(region.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(region.error().message,
              AllOf(HasSubstr("--region"), HasSubstr("AWS_REGION"), HasSubstr("AWS_DEFAULT_REGION"),
                    HasSubstr("profile 'default'"), HasSubstr("/none/config")));
}

TEST(RegionTest, ANameThatCouldNotBeAHostIsRefusedWithItsOrigin) {
  const SharedConfig config;
  const auto flag = ResolveRegion("us east", Environment(), config, {});
  ASSERT_FALSE(flag);
  EXPECT_EQ(flag.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(flag.error().message, HasSubstr("--region: 'us east'"));
  const auto variable = ResolveRegion("", Environment(Values{{"AWS_REGION", "EU/1"}}), config, {});
  ASSERT_FALSE(variable);
  EXPECT_EQ(variable.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(variable.error().message, HasSubstr("AWS_REGION: 'EU/1'"));
  const auto setting = ResolveRegion("", Environment(), config, ProfileWith({{"region", "a.b"}}));
  ASSERT_FALSE(setting);
  EXPECT_THAT(setting.error().message, HasSubstr("region of profile 'dev': 'a.b'"));
}

// Settings as a home directory, variables and flags give them.
class SettingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tsm-settings-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    home_ = pattern;
    std::filesystem::create_directory(home_ / ".aws");
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  std::string Write(const char* name, std::string_view text) {
    const std::filesystem::path path = home_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  Result<ClientSettings> Resolve(Values variables, std::string_view in_profile = "",
                                 ClientFlags flags = {}) {
    Write(".aws/config",
          "[default]\n" + std::string(in_profile) + "\n[profile other]\nregion = eu-west-2\n");
    variables.try_emplace("HOME", home_.string());
    if (flags.region.empty()) flags.region = "us-east-1";
    return ResolveSettings(flags, Environment(std::move(variables)));
  }

  std::filesystem::path home_;
};

TEST_F(SettingsTest, WhereNothingIsSet) {
  const auto settings = Resolve({});
  ASSERT_TRUE(settings) << settings.error().Text();
  EXPECT_EQ(settings->region, "us-east-1");
  EXPECT_EQ(settings->profile, "default");
  EXPECT_TRUE(std::holds_alternative<Instance>(settings->credentials.source));
  EXPECT_FALSE(settings->endpoints.Resolve(Service::kS3, "us-east-1").custom);
  EXPECT_EQ(settings->s3.addressing, AddressingStyle::kAuto);
  EXPECT_TRUE(settings->s3.sign_payload);
  EXPECT_EQ(settings->retry.max_attempts, 3);
  EXPECT_FALSE(settings->adaptive);
  EXPECT_FALSE(settings->discovery_disabled);
  EXPECT_EQ(settings->http.ca_bundle, "");
  EXPECT_TRUE(settings->http.verify_tls);
  EXPECT_EQ(settings->http.proxies.http, "");
  EXPECT_EQ(settings->http.proxies.https, "");
  EXPECT_EQ(settings->http.proxies.no_proxy, "");
  EXPECT_EQ(settings->app_id, "");
}

TEST_F(SettingsTest, TheProfileOfTheFlagLeavesTheEnvironmentsKeysOut) {
  const Values keys = {{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "S"}};
  const auto kind = [](const Result<ClientSettings>& settings) {
    EXPECT_TRUE(settings) << settings.error().Text();
    return std::holds_alternative<StaticKeys>(settings->credentials.source);
  };
  EXPECT_TRUE(kind(Resolve(keys)));
  Values by_variable = keys;
  by_variable["AWS_PROFILE"] = "other";
  EXPECT_TRUE(kind(Resolve(by_variable)));
  ClientFlags flags;
  flags.profile = "other";
  const auto given = Resolve(keys, "", flags);
  EXPECT_FALSE(kind(given));
  EXPECT_EQ(given->profile, "other");
}

TEST_F(SettingsTest, VariableThenProfile) {
  struct Case {
    const char* variable;
    const char* value;
    const char* line;  // of the profile, saying something else
    bool (*by_variable)(const ClientSettings&);
    bool (*by_profile)(const ClientSettings&);
  };
  const Case cases[] = {
      {"AWS_RETRY_MODE", "Adaptive", "retry_mode = standard",
       [](const ClientSettings& s) { return s.adaptive; },
       [](const ClientSettings& s) { return !s.adaptive; }},
      {"AWS_RETRY_MODE", "legacy", "retry_mode = adaptive",
       [](const ClientSettings& s) { return !s.adaptive; },
       [](const ClientSettings& s) { return s.adaptive; }},
      {"AWS_MAX_ATTEMPTS", "1", "max_attempts = 9",
       [](const ClientSettings& s) { return s.retry.max_attempts == 1; },
       [](const ClientSettings& s) { return s.retry.max_attempts == 9; }},
      {"AWS_ENABLE_ENDPOINT_DISCOVERY", "true", "endpoint_discovery_enabled = false",
       [](const ClientSettings& s) { return !s.discovery_disabled; },
       [](const ClientSettings& s) { return s.discovery_disabled; }},
      {"AWS_ENDPOINT_DISCOVERY_ENABLED", "FALSE", "endpoint_discovery_enabled = auto",
       [](const ClientSettings& s) { return s.discovery_disabled; },
       [](const ClientSettings& s) { return !s.discovery_disabled; }},
      {"AWS_SDK_UA_APP_ID", "a-b", "sdk_ua_app_id = c_d",
       [](const ClientSettings& s) { return s.app_id == "a-b"; },
       [](const ClientSettings& s) { return s.app_id == "c_d"; }},
      {"AWS_USE_FIPS_ENDPOINT", "true", "use_fips_endpoint = false",
       [](const ClientSettings& s) { return s.endpoints.fips(); },
       [](const ClientSettings& s) { return !s.endpoints.fips(); }},
      {"AWS_ENDPOINT_URL", "http://v", "endpoint_url = http://p",
       [](const ClientSettings& s) { return s.endpoints.Resolve(Service::kSns, "r").host == "v"; },
       [](const ClientSettings& s) {
         return s.endpoints.Resolve(Service::kSns, "r").host == "p";
       }}};
  for (const Case& c : cases) {
    const auto by_variable = Resolve({{c.variable, c.value}}, c.line);
    ASSERT_TRUE(by_variable) << c.line << ": " << by_variable.error().Text();
    EXPECT_TRUE(c.by_variable(*by_variable)) << c.line;
    const auto by_profile = Resolve({}, c.line);
    ASSERT_TRUE(by_profile) << c.line << ": " << by_profile.error().Text();
    EXPECT_TRUE(c.by_profile(*by_profile)) << c.line;
  }
}

TEST_F(SettingsTest, TheGuidesNameOfTheDiscoverySwitchGoesBeforeTheOther) {
  const auto settings = Resolve(
      {{"AWS_ENABLE_ENDPOINT_DISCOVERY", "false"}, {"AWS_ENDPOINT_DISCOVERY_ENABLED", "true"}});
  ASSERT_TRUE(settings);
  EXPECT_TRUE(settings->discovery_disabled);
}

TEST_F(SettingsTest, TheS3Block) {
  const std::pair<const char*, AddressingStyle> styles[] = {{"auto", AddressingStyle::kAuto},
                                                            {"path", AddressingStyle::kPath},
                                                            {"Virtual", AddressingStyle::kVirtual}};
  for (const auto& [name, style] : styles) {
    const auto settings = Resolve({}, "s3 =\n  addressing_style = " + std::string(name) +
                                          "\n  payload_signing_enabled = false");
    ASSERT_TRUE(settings) << settings.error().Text();
    EXPECT_EQ(settings->s3.addressing, style) << name;
    EXPECT_FALSE(settings->s3.sign_payload);
  }
}

TEST_F(SettingsTest, TheBundle) {
  const std::string flagged = Write("flag.pem", "x");
  const std::string variable = Write("variable.pem", "x");
  const std::string in_profile = Write("profile.pem", "x");
  const std::string line = "ca_bundle = ~/profile.pem";
  ClientFlags flags;
  flags.ca_bundle = flagged;
  EXPECT_EQ(Resolve({{"AWS_CA_BUNDLE", variable}}, line, flags)->http.ca_bundle, flagged);
  EXPECT_EQ(Resolve({{"AWS_CA_BUNDLE", variable}}, line)->http.ca_bundle, variable);
  EXPECT_EQ(Resolve({}, line)->http.ca_bundle, in_profile);

  ClientFlags trusting;
  trusting.no_verify_ssl = true;
  const auto settings = Resolve({{"AWS_CA_BUNDLE", "/gone.pem"}}, "", trusting);
  ASSERT_TRUE(settings) << settings.error().Text();
  EXPECT_FALSE(settings->http.verify_tls);
  EXPECT_EQ(settings->http.ca_bundle, "");
}

TEST_F(SettingsTest, ABundleThatCannotBeReadIsNamedWithItsOrigin) {
  ClientFlags flags;
  flags.ca_bundle = (home_ / "gone.pem").string();
  const auto flag = Resolve({}, "", flags);
  ASSERT_FALSE(flag);
  EXPECT_EQ(flag.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(flag.error().message,
              AllOf(HasSubstr("--ca-bundle: "), HasSubstr("gone.pem"), HasSubstr("No such file")));
  const auto variable = Resolve({{"AWS_CA_BUNDLE", Write("empty.pem", "")}});
  ASSERT_FALSE(variable);
  EXPECT_EQ(variable.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(variable.error().message, AllOf(HasSubstr("AWS_CA_BUNDLE: "), HasSubstr("empty")));
  const auto in_profile = Resolve({}, "ca_bundle = ~/.aws");
  ASSERT_FALSE(in_profile);
  EXPECT_THAT(in_profile.error().message,
              AllOf(HasSubstr("ca_bundle of profile 'default': "), HasSubstr("directory")));
  flags.no_verify_ssl = true;
  const auto both = Resolve({}, "", flags);
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(both.error().message, HasSubstr("--no-verify-ssl"));
}

TEST_F(SettingsTest, Proxies) {
  struct Case {
    Values variables;
    const char* http;
    const char* https;
    const char* none;
  };
  const Case cases[] = {
      {{{"HTTP_PROXY", "http://h:1"}, {"HTTPS_PROXY", "http://s:2"}, {"NO_PROXY", "a,.b"}},
       "http://h:1",
       "http://s:2",
       "a,.b"},
      {{{"HTTP_PROXY", "http://H:1"},
        {"http_proxy", "http://h:1"},
        {"HTTPS_PROXY", "http://S:2"},
        {"https_proxy", "http://s:2"},
        {"NO_PROXY", "A"},
        {"no_proxy", "a"}},
       "http://h:1",
       "http://s:2",
       "a"},
      // Port 80 where none is given, as everywhere but in libcurl.
      {{{"https_proxy", " proxy "}}, "", "proxy", ""},
      {{{"https_proxy", "proxy:3128/"}}, "", "proxy:3128/", ""},
      {{{"https_proxy", "http://[fd00::1]"}}, "", "http://[fd00::1]", ""},
      {{{"https_proxy", "HTTPS://proxy"}}, "", "HTTPS://proxy", ""},
      {{{"https_proxy", "socks5h://proxy:1080"}}, "", "socks5h://proxy:1080", ""},
      {{{"https_proxy", "http://me:p%40ss@w@proxy:8"}}, "", "http://me:p%40ss@w@proxy:8", ""},
      {{{"all_proxy", "http://x:1"}}, "", "", ""}};
  for (const Case& c : cases) {
    const auto settings = Resolve(c.variables);
    ASSERT_TRUE(settings) << settings.error().Text();
    EXPECT_EQ(settings->http.proxies.http, c.http);
    EXPECT_EQ(settings->http.proxies.https, c.https);
    EXPECT_EQ(settings->http.proxies.no_proxy, c.none);
  }
}

TEST_F(SettingsTest, AProxyThatIsNoUrlIsNamedAndItsPasswordIsNot) {
  for (const char* url :
       {"ftp://me:hush@h:1", "http://me:hush@", "http://me:hush@h:port", "http://me:hush@h/path",
        "http://me:hush@h?x", "http://me:hu\nsh@h:1", "http://me:hush@h:99999", "me:hush@h x"}) {
    for (const char* variable : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"}) {
      const auto settings = Resolve({{variable, url}});
      ASSERT_FALSE(settings) << url;
      EXPECT_EQ(settings.error().kind, ErrorKind::kConfiguration);
      EXPECT_THAT(settings.error().Text(), AllOf(HasSubstr(std::string(variable) + ": "),
                                                 Not(HasSubstr("hu")), Not(HasSubstr("me:"))))
          << url;
    }
  }
}

TEST_F(SettingsTest, WhatIsNotValidIsNamedWithWhatIs) {
  struct Case {
    Values variables;
    const char* line;
    const char* says;
  };
  const Case cases[] = {
      {{{"AWS_RETRY_MODE", "fast"}},
       "",
       "AWS_RETRY_MODE: 'fast' is not valid; expected standard, adaptive or legacy"},
      {{}, "retry_mode = x", "retry_mode of profile 'default': 'x'"},
      {{{"AWS_MAX_ATTEMPTS", "0"}},
       "",
       "AWS_MAX_ATTEMPTS: '0' is not valid; expected a whole number of 1 to 1000"},
      {{{"AWS_MAX_ATTEMPTS", "3.5"}}, "", "AWS_MAX_ATTEMPTS: '3.5'"},
      {{{"AWS_MAX_ATTEMPTS", "99999999999999999999"}}, "", "AWS_MAX_ATTEMPTS: '9"},
      {{}, "max_attempts = three", "max_attempts of profile 'default': 'three'"},
      {{{"AWS_ENABLE_ENDPOINT_DISCOVERY", "no"}},
       "",
       "AWS_ENABLE_ENDPOINT_DISCOVERY: 'no' is not valid; expected true, false or auto"},
      {{}, "endpoint_discovery_enabled = 0", "endpoint_discovery_enabled of profile 'default'"},
      {{},
       "s3 =\n  addressing_style = dns",
       "addressing_style in s3 of profile 'default': 'dns' is not valid; expected auto, path or "
       "virtual"},
      {{},
       "s3 =\n  payload_signing_enabled = 2",
       "payload_signing_enabled in s3 of profile 'default': '2'"},
      {{{"AWS_SDK_UA_APP_ID", "a/b"}}, "", "AWS_SDK_UA_APP_ID: 'a/b'"},
      {{{"AWS_SDK_UA_APP_ID", "a\r\nX: y"}}, "", "AWS_SDK_UA_APP_ID: "},
      {{{"AWS_SDK_UA_APP_ID", std::string(51, 'a')}}, "", "at most 50"},
      {{{"AWS_PROFILE", "none"}}, "", "from AWS_PROFILE"},
      {{{"AWS_ACCESS_KEY_ID", "A"}}, "", "AWS_SECRET_ACCESS_KEY is not"},
      {{}, "[", "config, line 2"}};
  for (const Case& c : cases) {
    const auto settings = Resolve(c.variables, c.line);
    ASSERT_FALSE(settings) << c.says;
    EXPECT_THAT(settings.error().Text(), AllOf(HasSubstr(c.says), Not(HasSubstr("\n"))));
  }
  EXPECT_TRUE(Resolve({{"AWS_SDK_UA_APP_ID", std::string(50, 'a')}}));
}

TEST_F(SettingsTest, FipsWhereS3HasNoneIsSaidAtOnce) {
  ClientFlags flags;
  flags.region = "cn-north-1";
  const auto settings = Resolve({{"AWS_USE_FIPS_ENDPOINT", "true"}}, "", flags);
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(settings.error().message, AllOf(HasSubstr("FIPS"), HasSubstr("cn-north-1")));
  flags.endpoints.s3 = "https://own";
  EXPECT_TRUE(Resolve({{"AWS_USE_FIPS_ENDPOINT", "true"}}, "", flags));
}

}  // namespace
}  // namespace tsm::aws
