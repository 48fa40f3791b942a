#include "tsm/aws/endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace tsm::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Values = std::map<std::string, std::string, std::less<>>;

constexpr Service kEvery[] = {Service::kS3,
                              Service::kSts,
                              Service::kSns,
                              Service::kTimestreamWrite,
                              Service::kTimestreamQuery,
                              Service::kSso,
                              Service::kSsoOidc};

// A config file on disk and what follows from it.
class EndpointsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tsm-endpoints-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    home_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  Result<EndpointResolver> Make(const EndpointFlags& flags, Values variables,
                                const std::string& config_text = "") {
    std::ofstream(home_ / "config") << config_text;
    variables["AWS_CONFIG_FILE"] = (home_ / "config").string();
    variables["AWS_SHARED_CREDENTIALS_FILE"] = (home_ / "none").string();
    const Environment environment(std::move(variables));
    const auto config = SharedConfig::Load(environment);
    if (!config) return config.error();
    return EndpointResolver::Make(flags, environment, *config, config->FindProfile("default"));
  }

  // Host of the service, "-" for AWS's own.
  static std::string Host(const Result<EndpointResolver>& resolver, Service service) {
    if (!resolver) return resolver.error().Text();
    const Endpoint endpoint = resolver->Resolve(service, "eu-west-1");
    return endpoint.custom ? endpoint.host : "-";
  }

  std::filesystem::path home_;
};

TEST_F(EndpointsTest, EachPlaceGoesBeforeTheNext) {
  // From the last to the first; each is added to those before it.
  EndpointFlags flags;
  Values variables;
  std::string config = "[default]\nregion = x\n";
  const auto s3 = [&] { return Host(Make(flags, variables, config), Service::kS3); };
  const auto sns = [&] { return Host(Make(flags, variables, config), Service::kSns); };
  EXPECT_EQ(s3(), "-");
  config += "endpoint_url = http://profile\n";
  EXPECT_EQ(s3(), "profile");
  config += "services = mine\n[services mine]\ns3 =\n  endpoint_url = http://section\n";
  EXPECT_EQ(s3(), "section");
  EXPECT_EQ(sns(), "profile");
  variables["AWS_ENDPOINT_URL"] = "http://variable";
  EXPECT_EQ(s3(), "variable");
  variables["AWS_ENDPOINT_URL_S3"] = "http://variable-s3";
  EXPECT_EQ(s3(), "variable-s3");
  EXPECT_EQ(sns(), "variable");
  flags.all = "http://flag";
  EXPECT_EQ(s3(), "flag");
  EXPECT_EQ(sns(), "flag");
  flags.s3 = "http://flag-s3";
  EXPECT_EQ(s3(), "flag-s3");
  EXPECT_EQ(sns(), "flag");
}

TEST_F(EndpointsTest, EachServiceHasItsVariableAndItsSection) {
  const std::pair<const char*, const char*> names[] = {
      {"AWS_ENDPOINT_URL_S3", "s3"},
      {"AWS_ENDPOINT_URL_STS", "sts"},
      {"AWS_ENDPOINT_URL_SNS", "sns"},
      {"AWS_ENDPOINT_URL_TIMESTREAM_WRITE", "timestream_write"},
      {"AWS_ENDPOINT_URL_TIMESTREAM_QUERY", "timestream_query"},
      {"AWS_ENDPOINT_URL_SSO", "sso"},
      {"AWS_ENDPOINT_URL_SSO_OIDC", "sso_oidc"}};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    const auto& [variable, section] = names[i];
    const auto by_variable = Make({}, {{variable, "http://mine:9"}});
    const auto by_section = Make({}, {},
                                 std::string("[default]\nservices=x\n[services x]\n") + section +
                                     " =\n  endpoint_url = http://mine:9\n");
    for (std::size_t j = 0; j < std::size(kEvery); ++j) {
      const char* expected = i == j ? "mine:9" : "-";
      EXPECT_EQ(Host(by_variable, kEvery[j]), expected) << variable << " " << j;
      EXPECT_EQ(Host(by_section, kEvery[j]), expected) << section << " " << j;
    }
  }
}

TEST_F(EndpointsTest, TheFlagsAndTheirServices) {
  const auto made =
      Make({.all = "http://all", .query = "http://q", .ingest = "http://w", .s3 = "http://s"}, {});
  const char* expected[] = {"s", "all", "all", "w", "q", "-", "-"};
  for (std::size_t i = 0; i < std::size(kEvery); ++i) EXPECT_EQ(Host(made, kEvery[i]), expected[i]);
  // Sign-in has variables of its own, the general one among them, as in AWS's tools.
  const auto beside = Make({"http://all", "", "", ""}, {{"AWS_ENDPOINT_URL", "http://var"}});
  EXPECT_EQ(Host(beside, Service::kSsoOidc), "var");
  EXPECT_EQ(Host(beside, Service::kSts), "all");
}

TEST_F(EndpointsTest, TheIgnoreSwitchLeavesTheFlagsAlone) {
  const std::string config = "[default]\nendpoint_url = http://profile\n";
  const Values variables = {{"AWS_ENDPOINT_URL", "http://var"}};
  Values ignoring = variables;
  ignoring["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "True";
  EXPECT_EQ(Host(Make({}, ignoring, config), Service::kSts), "-");
  EXPECT_EQ(Host(Make({"http://flag", "", "", ""}, ignoring, config), Service::kSts), "flag");
  const std::string in_profile = config + "ignore_configured_endpoint_urls = true\n";
  EXPECT_EQ(Host(Make({}, variables, in_profile), Service::kSts), "-");
  // The variable goes before the profile; a section that is missing does not matter any more.
  Values heeding = variables;
  heeding["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "false";
  EXPECT_EQ(Host(Make({}, heeding, in_profile), Service::kSts), "var");
  EXPECT_TRUE(Make({}, ignoring, config + "services = none\n"));
}

TEST_F(EndpointsTest, PublicHosts) {
  struct Case {
    Service service;
    const char* region;
    const char* plain;
    const char* fips;
    const char* dualstack;
    const char* both;
  };
  const Case cases[] = {
      {Service::kS3, "eu-west-1", "s3.eu-west-1.amazonaws.com", "s3-fips.eu-west-1.amazonaws.com",
       "s3.dualstack.eu-west-1.amazonaws.com", "s3-fips.dualstack.eu-west-1.amazonaws.com"},
      {Service::kS3, "cn-north-1", "s3.cn-north-1.amazonaws.com.cn", nullptr,
       "s3.dualstack.cn-north-1.amazonaws.com.cn", nullptr},
      {Service::kSts, "us-gov-west-1", "sts.us-gov-west-1.amazonaws.com",
       "sts.us-gov-west-1.amazonaws.com", "sts.us-gov-west-1.api.aws",
       "sts-fips.us-gov-west-1.api.aws"},
      {Service::kSns, "cn-north-1", "sns.cn-north-1.amazonaws.com.cn",
       "sns-fips.cn-north-1.amazonaws.com.cn", "sns.cn-north-1.api.amazonwebservices.com.cn",
       "sns-fips.cn-north-1.api.amazonwebservices.com.cn"},
      {Service::kTimestreamWrite, "us-east-1", "ingest.timestream.us-east-1.amazonaws.com",
       "ingest.timestream-fips.us-east-1.amazonaws.com", "timestream-ingest.us-east-1.api.aws",
       "timestream-ingest-fips.us-east-1.api.aws"},
      {Service::kTimestreamQuery, "us-gov-east-1", "query.timestream.us-gov-east-1.amazonaws.com",
       "query.timestream.us-gov-east-1.amazonaws.com", "timestream-query.us-gov-east-1.api.aws",
       "timestream-query.us-gov-east-1.api.aws"},
      {Service::kTimestreamQuery, "us-isob-east-1", "query.timestream.us-isob-east-1.sc2s.sgov.gov",
       "query.timestream-fips.us-isob-east-1.sc2s.sgov.gov",
       "query.timestream.us-isob-east-1.api.aws.scloud",
       "query.timestream-fips.us-isob-east-1.api.aws.scloud"},
      {Service::kSso, "eu-isoe-west-1", "portal.sso.eu-isoe-west-1.cloud.adc-e.uk",
       "portal.sso-fips.eu-isoe-west-1.cloud.adc-e.uk",
       "portal.sso.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
       "portal.sso-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk"},
      {Service::kSsoOidc, "xx-new-1", "oidc.xx-new-1.amazonaws.com",
       "oidc-fips.xx-new-1.amazonaws.com", "oidc.xx-new-1.api.aws", "oidc-fips.xx-new-1.api.aws"},
  };
  for (const Case& c : cases) {
    for (const bool by_variable : {true, false}) {
      const auto host = [&](const char* fips, const char* dualstack) {
        const auto made = by_variable ? Make({}, {{"AWS_USE_FIPS_ENDPOINT", fips},
                                                  {"AWS_USE_DUALSTACK_ENDPOINT", dualstack}})
                                      : Make({}, {},
                                             std::string("[default]\nuse_fips_endpoint=") + fips +
                                                 "\nuse_dualstack_endpoint=" + dualstack + "\n");
        const Endpoint endpoint = made->Resolve(c.service, c.region);
        EXPECT_FALSE(endpoint.custom);
        EXPECT_EQ(endpoint.base_path, "");
        EXPECT_EQ(endpoint.scheme, "https");
        return endpoint.host;
      };
      EXPECT_EQ(host("false", "false"), c.plain);
      EXPECT_EQ(host("false", "true"), c.dualstack);
      if (c.fips != nullptr) {
        EXPECT_EQ(host("true", "false"), c.fips);
      }
      if (c.both != nullptr) {
        EXPECT_EQ(host("true", "true"), c.both);
      }
    }
  }
}

TEST_F(EndpointsTest, AVariableGoesBeforeTheProfileForTheSwitchesToo) {
  const auto made = Make({}, {{"AWS_USE_FIPS_ENDPOINT", "false"}},
                         "[default]\nuse_fips_endpoint=true\nuse_dualstack_endpoint=TRUE\n");
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->fips());
  EXPECT_TRUE(made->dualstack());
}

TEST_F(EndpointsTest, WhatCannotWorkIsNamedWithItsOrigin) {
  struct Case {
    EndpointFlags flags;
    Values variables;
    const char* config;
    ErrorKind kind;
    const char* says;
  };
  const Case cases[] = {
      {{"x", "", "", ""}, {}, "", ErrorKind::kInvalidInput, "--endpoint-url: 'x'"},
      // Also where another one goes before it.
      {{.all = "x", .query = "http://q", .ingest = "http://w", .s3 = "http://s"},
       {},
       "",
       ErrorKind::kInvalidInput,
       "--endpoint-url: 'x'"},
      {{"", "x", "", ""}, {}, "", ErrorKind::kInvalidInput, "--query-endpoint: 'x'"},
      {{"", "", "x", ""}, {}, "", ErrorKind::kInvalidInput, "--ingest-endpoint: 'x'"},
      {{"", "", "", "x"}, {}, "", ErrorKind::kInvalidInput, "--s3-endpoint: 'x'"},
      {{}, {{"AWS_ENDPOINT_URL", "x"}}, "", ErrorKind::kConfiguration, "AWS_ENDPOINT_URL: 'x'"},
      {{},
       {{"AWS_ENDPOINT_URL_SSO_OIDC", "x"}},
       "",
       ErrorKind::kConfiguration,
       "AWS_ENDPOINT_URL_SSO_OIDC: 'x'"},
      {{},
       {},
       "[default]\nendpoint_url = x\n",
       ErrorKind::kConfiguration,
       "endpoint_url of profile 'default': 'x'"},
      {{},
       {},
       "[default]\nservices = s\n[services s]\nsns =\n  endpoint_url = x\n",
       ErrorKind::kConfiguration,
       "endpoint_url of sns in [services s]: 'x'"},
      {{},
       {},
       "[default]\nservices = gone\n",
       ErrorKind::kConfiguration,
       "services of profile 'default': there is no section [services gone]"},
      {{},
       {{"AWS_USE_FIPS_ENDPOINT", "yes"}},
       "",
       ErrorKind::kConfiguration,
       "AWS_USE_FIPS_ENDPOINT: 'yes' is not valid; expected true or false"},
      {{},
       {},
       "[default]\nuse_dualstack_endpoint = 1\n",
       ErrorKind::kConfiguration,
       "use_dualstack_endpoint of profile 'default': '1'"},
      {{},
       {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "1"}},
       "",
       ErrorKind::kConfiguration,
       "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: '1'"}};
  for (const Case& c : cases) {
    const auto made = Make(c.flags, c.variables, c.config);
    ASSERT_FALSE(made) << c.says;
    EXPECT_EQ(made.error().kind, c.kind) << c.says;
    EXPECT_THAT(made.error().Text(), HasSubstr(c.says));
  }
}

TEST(EverythingAtOnePlaceTest, TakesSignInToo) {
  const EndpointResolver resolver(Endpoint{"http", "127.0.0.1:1", "", true});
  for (const Service service : kEvery) {
    EXPECT_EQ(resolver.Resolve(service, "eu-west-1").host, "127.0.0.1:1");
  }
}

TEST(ParseEndpointUrlTest, Parts) {
  const auto parse = [](std::string_view url) {
    const auto endpoint = ParseEndpointUrl(url, "--x", ErrorKind::kInvalidInput);
    EXPECT_TRUE(endpoint) << url;
    if (!endpoint) return std::string();
    EXPECT_TRUE(endpoint->custom);
    return endpoint->scheme + "|" + endpoint->host + "|" + endpoint->base_path;
  };
  EXPECT_EQ(parse("http://127.0.0.1:4566/"), "http|127.0.0.1:4566|");
  EXPECT_EQ(parse(" HTTPS://Host_1.example:65535/a/b// "), "https|Host_1.example:65535|/a/b");
  EXPECT_EQ(parse("http://[::1]:3"), "http|[::1]:3|");
  EXPECT_EQ(parse("http://[fd00:ec2::254]"), "http|[fd00:ec2::254]|");
}

TEST(ParseEndpointUrlTest, WhatIsNoEndpointIsRefused) {
  for (const char* url : {"localhost:4566",
                          "ftp://h",
                          "http://",
                          "http:///p",
                          "http://:80",
                          "http://u:p@h",
                          "http://h/p?q=1",
                          "http://h#f",
                          "http://h/#f",
                          "http://a b",
                          "http://h:0",
                          "http://h:65536",
                          "http://h:",
                          "http://h:8a",
                          "http://h:-1",
                          "http://::1",
                          "http://[::1",
                          "http://[]",
                          "http://[::1]x",
                          "http://[::1]:",
                          "http://[host]",
                          "http://h/a\x01",
                          "http://h\r\nX: y",
                          " ",
                          ""}) {
    const auto endpoint = ParseEndpointUrl(url, "--x", ErrorKind::kInvalidInput);
    ASSERT_FALSE(endpoint) << url;
    EXPECT_EQ(endpoint.error().kind, ErrorKind::kInvalidInput);
    EXPECT_THAT(endpoint.error().message, AllOf(HasSubstr("--x: "), Not(HasSubstr("\n"))));
  }
  const auto password =
      ParseEndpointUrl("http://user:hush@h", "AWS_ENDPOINT_URL", ErrorKind::kConfiguration);
  ASSERT_FALSE(password);
  EXPECT_EQ(password.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(password.error().Text(), Not(HasSubstr("hush")));
}

TEST(PartitionTest, ByTheRegionsName) {
  const std::pair<const char*, const char*> cases[] = {{"us-east-1", "aws"},
                                                       {"cn-northwest-1", "aws-cn"},
                                                       {"us-gov-east-1", "aws-us-gov"},
                                                       {"us-iso-east-1", "aws-iso"},
                                                       {"us-isob-east-1", "aws-iso-b"},
                                                       {"eu-isoe-west-1", "aws-iso-e"},
                                                       {"us-isof-south-1", "aws-iso-f"},
                                                       {"eusc-de-east-1", "aws-eusc"},
                                                       {"zz-new-9", "aws"},
                                                       {"", "aws"}};
  for (const auto& [region, id] : cases) EXPECT_EQ(PartitionOf(region).id, id) << region;
}

TEST(RegionNameTest, IsALabelOfAHost) {
  EXPECT_TRUE(IsRegionName("us-gov-west-1"));
  for (const std::string& name : {std::string(), std::string("EU-west-1"), std::string("a.b"),
                                  std::string("a/b"), std::string("a b"), std::string(64, 'a')}) {
    EXPECT_FALSE(IsRegionName(name)) << name;
  }
}

}  // namespace
}  // namespace tsm::aws
