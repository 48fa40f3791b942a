#include "tsm/aws/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace tsm::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Values = std::map<std::string, std::string, std::less<>>;

Environment With(Values values = {}) {
  values.try_emplace("HOME", "/home/op");
  return Environment(std::move(values));
}

Profile ProfileWith(Values settings, std::string key_file = "/home/op/.aws/credentials") {
  Profile profile;
  profile.name = "dev";
  profile.settings = std::move(settings);
  profile.found = true;
  profile.key_file = std::move(key_file);
  return profile;
}

Profile NoProfile() {
  Profile profile;
  profile.name = "default";
  return profile;
}

TEST(RegionTest, FlagThenEnvironmentThenProfile) {
  const Profile profile = ProfileWith({{"region", "eu-west-3"}});
  const Environment both = With({{"AWS_REGION", "eu-west-1"}, {"AWS_DEFAULT_REGION", "eu-west-2"}});
  EXPECT_EQ(*ResolveRegion("us-east-1", both, profile), "us-east-1");
  EXPECT_EQ(*ResolveRegion("", both, profile), "eu-west-1");
  EXPECT_EQ(*ResolveRegion("", With({{"AWS_DEFAULT_REGION", "eu-west-2"}}), profile), "eu-west-2");
  EXPECT_EQ(*ResolveRegion("", With({{"AWS_REGION", ""}}), profile), "eu-west-3");
}

TEST(RegionTest, NoneNamesAllFourPlaces) {
  const auto region = ResolveRegion("", With(), NoProfile());
  ASSERT_FALSE(region);
  EXPECT_EQ(region.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(region.error().message,
              AllOf(HasSubstr("--region"), HasSubstr("AWS_REGION"), HasSubstr("AWS_DEFAULT_REGION"),
                    HasSubstr("profile 'default'"), HasSubstr("/home/op/.aws/config")));
}

TEST(RegionTest, ANameThatCouldNotBeAHostIsRefusedWithItsOrigin) {
  const auto flag = ResolveRegion("us east", With(), {});
  ASSERT_FALSE(flag);
  EXPECT_EQ(flag.error().kind, ErrorKind::kInvalidInput);
  const auto variable = ResolveRegion("", With({{"AWS_REGION", "EU/1"}}), {});
  ASSERT_FALSE(variable);
  EXPECT_EQ(variable.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(variable.error().message, HasSubstr("AWS_REGION: 'EU/1'"));
}

TEST(CredentialsTest, TheEnvironmentComesFirst) {
  const Profile profile =
      ProfileWith({{"aws_access_key_id", "PAK"}, {"aws_secret_access_key", "PSK"}});
  const Environment environment = With(
      {{"AWS_ACCESS_KEY_ID", "EAK"}, {"AWS_SECRET_ACCESS_KEY", "ESK"}, {"AWS_SESSION_TOKEN", "T"}});
  const auto first = ResolveCredentials(environment, profile, false);
  ASSERT_TRUE(first);
  const auto keys = (*first)->Get();
  EXPECT_EQ(keys->access_key_id, "EAK");
  EXPECT_EQ(keys->secret_access_key, "ESK");
  EXPECT_EQ(keys->session_token, "T");
  EXPECT_EQ(keys->source, "environment");

  const auto given = ResolveCredentials(environment, profile, true);
  ASSERT_TRUE(given);
  EXPECT_EQ((*given)->Get()->access_key_id, "PAK");
  EXPECT_EQ((*given)->Get()->session_token, "");
  EXPECT_EQ((*given)->Get()->source, "profile dev in /home/op/.aws/credentials");
}

TEST(CredentialsTest, TheOldNameOfTheSessionTokenIsRead) {
  const auto found = ResolveCredentials(With({{"AWS_ACCESS_KEY_ID", "A"},
                                              {"AWS_SECRET_ACCESS_KEY", "S"},
                                              {"AWS_SECURITY_TOKEN", "OLD"}}),
                                        {}, false);
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->Get()->session_token, "OLD");
}

TEST(CredentialsTest, HalfAPairIsAnErrorAndShowsNoSecret) {
  const Profile good =
      ProfileWith({{"aws_access_key_id", "PAK"}, {"aws_secret_access_key", "PSK"}});
  const auto check = [](const Result<std::shared_ptr<CredentialsProvider>>& found,
                        const char* missing) {
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::kCredentials);
    EXPECT_THAT(found.error().Text(), HasSubstr(std::string(missing) + " is not"));
    EXPECT_THAT(found.error().Text(), Not(HasSubstr("hush")));
  };
  check(ResolveCredentials(With({{"AWS_ACCESS_KEY_ID", "A"}}), good, false),
        "AWS_SECRET_ACCESS_KEY");
  check(ResolveCredentials(With({{"AWS_SECRET_ACCESS_KEY", "hush"}}), good, false),
        "AWS_ACCESS_KEY_ID");
  check(ResolveCredentials(With(), ProfileWith({{"aws_secret_access_key", "hush"}}), false),
        "aws_access_key_id");
  check(ResolveCredentials(With(), ProfileWith({{"aws_access_key_id", "A"}}), false),
        "aws_secret_access_key");
}

TEST(CredentialsTest, NoneNamesEachPlaceAndWhy) {
  const auto none = ResolveCredentials(With(), NoProfile(), false);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::kCredentials);
  EXPECT_EQ(none.error().message,
            "no credentials found (environment: AWS_ACCESS_KEY_ID is not set; profile 'default': "
            "not in /home/op/.aws/credentials or /home/op/.aws/config)");
  const auto given = ResolveCredentials(With(), ProfileWith({{"region", "x"}}), true);
  ASSERT_FALSE(given);
  EXPECT_THAT(given.error().message,
              AllOf(HasSubstr("environment: not read"), HasSubstr("no aws_access_key_id in")));
}

TEST(CredentialsTest, ARoleIsNotReplacedByTheKeysBesideIt) {
  const Values keys = {{"aws_access_key_id", "A"}, {"aws_secret_access_key", "S"}};
  for (const char* setting : {"role_arn", "web_identity_token_file", "sso_session"}) {
    Values settings = keys;
    settings[setting] = "x";
    const auto found = ResolveCredentials(With(), ProfileWith(settings), false);
    ASSERT_FALSE(found) << setting;
    EXPECT_THAT(found.error().message, HasSubstr(setting));
  }
  // Keys of the credentials file go before these two, keys of the config file behind them.
  for (const char* setting : {"login_session", "credential_process"}) {
    Values settings = keys;
    settings[setting] = "x";
    EXPECT_TRUE(ResolveCredentials(With(), ProfileWith(settings), false)) << setting;
    EXPECT_FALSE(ResolveCredentials(With(), ProfileWith(settings, "/home/op/.aws/config"), false));
  }
}

TEST(CredentialsTest, ALineEndInAKeyIsNamedBeforeItBecomesAHeader) {
  const auto found = ResolveCredentials(
      With({{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "hush\r"}}), {}, false);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kCredentials);
  EXPECT_THAT(found.error().Text(), AllOf(HasSubstr("secret access key"), Not(HasSubstr("hush"))));
}

TEST(EndpointTest, FlagThenServiceThenGeneralVariable) {
  const Environment environment = With({{"AWS_ENDPOINT_URL", "http://all:1"},
                                        {"AWS_ENDPOINT_URL_S3", "https://s3only:2/base/"},
                                        {"AWS_ENDPOINT_URL_TIMESTREAM_QUERY", "http://[::1]:3"}});
  const auto flag = ResolveEndpoint(Service::kS3, "r", "http://127.0.0.1:4566/", environment);
  ASSERT_TRUE(flag);
  EXPECT_EQ(flag->scheme, "http");
  EXPECT_EQ(flag->host, "127.0.0.1:4566");
  EXPECT_EQ(flag->base_path, "");
  EXPECT_TRUE(flag->custom);
  const auto s3 = ResolveEndpoint(Service::kS3, "r", "", environment);
  EXPECT_EQ(s3->scheme, "https");
  EXPECT_EQ(s3->host, "s3only:2");
  EXPECT_EQ(s3->base_path, "/base");
  EXPECT_EQ(ResolveEndpoint(Service::kTimestreamQuery, "r", "", environment)->host, "[::1]:3");
  EXPECT_EQ(ResolveEndpoint(Service::kTimestreamWrite, "r", "", environment)->host, "all:1");
  EXPECT_EQ(ResolveEndpoint(Service::kSts, "r", "", environment)->host, "all:1");
}

TEST(EndpointTest, EachServiceHasItsVariable) {
  const std::pair<Service, const char*> cases[] = {
      {Service::kS3, "AWS_ENDPOINT_URL_S3"},
      {Service::kSts, "AWS_ENDPOINT_URL_STS"},
      {Service::kSns, "AWS_ENDPOINT_URL_SNS"},
      {Service::kTimestreamWrite, "AWS_ENDPOINT_URL_TIMESTREAM_WRITE"},
      {Service::kTimestreamQuery, "AWS_ENDPOINT_URL_TIMESTREAM_QUERY"}};
  for (const auto& [service, variable] : cases) {
    const auto endpoint = ResolveEndpoint(service, "r", "", With({{variable, "http://mine:9"}}));
    ASSERT_TRUE(endpoint) << variable;
    EXPECT_EQ(endpoint->host, "mine:9") << variable;
  }
}

TEST(EndpointTest, PublicHostsByRegionAndPartition) {
  const auto host = [](Service service, const char* region) {
    const auto endpoint = ResolveEndpoint(service, region, "", With());
    EXPECT_FALSE(endpoint->custom);
    return endpoint->scheme + "://" + endpoint->host;
  };
  EXPECT_EQ(host(Service::kS3, "eu-west-1"), "https://s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(host(Service::kSts, "us-gov-west-1"), "https://sts.us-gov-west-1.amazonaws.com");
  EXPECT_EQ(host(Service::kSns, "cn-north-1"), "https://sns.cn-north-1.amazonaws.com.cn");
}

TEST(EndpointTest, TimestreamNeedsAConfiguredOne) {
  const auto endpoint = ResolveEndpoint(Service::kTimestreamWrite, "eu-west-1", "", With());
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(endpoint.error().message,
              AllOf(HasSubstr("--endpoint-url"), HasSubstr("AWS_ENDPOINT_URL_TIMESTREAM_WRITE")));
}

TEST(EndpointTest, WhatIsNoEndpointIsRefusedByOrigin) {
  for (const char* url : {"localhost:4566", "ftp://h", "http://", "http:///p", "http://:80",
                          "http://u:p@h", "http://h/p?q=1", "http://h#f", "http://a b", ""}) {
    const bool empty = std::string_view(url).empty();
    const auto flag = ResolveEndpoint(Service::kS3, "r", empty ? " " : url, With());
    ASSERT_FALSE(flag) << url;
    EXPECT_EQ(flag.error().kind, ErrorKind::kInvalidInput);
    EXPECT_THAT(flag.error().message, HasSubstr("--endpoint-url"));
  }
  const auto password = ResolveEndpoint(Service::kS3, "r", "http://user:hush@h", With());
  EXPECT_THAT(password.error().Text(), Not(HasSubstr("hush")));
  const auto variable = ResolveEndpoint(Service::kS3, "r", "", With({{"AWS_ENDPOINT_URL", "x"}}));
  ASSERT_FALSE(variable);
  EXPECT_EQ(variable.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(variable.error().message, HasSubstr("AWS_ENDPOINT_URL: 'x'"));
}

}  // namespace
}  // namespace tsm::aws
