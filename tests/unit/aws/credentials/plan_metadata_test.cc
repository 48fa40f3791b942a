#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "plan_fixture.h"
#include "tsm/aws/credentials/plan.h"

namespace tsm::aws {
namespace {

TEST_F(PlanTest, ContainersThatMayBeAsked) {
  const std::pair<const char*, const char*> full[] = {
      {"https://anything.example:8/a?b=c", "https://anything.example:8/a?b=c"},
      {"http://localhost:1338/latest/meta-data/container/security-credentials",
       "http://localhost:1338/latest/meta-data/container/security-credentials"},
      {"http://LocalHost/x", "http://LocalHost/x"},
      {"http://127.0.0.1:80/x", "http://127.0.0.1:80/x"},
      {"http://127.200.3.4/", "http://127.200.3.4/"},
      {"http://[::1]:8/x", "http://[::1]:8/x"},
      {"http://[0:0:0:0:0:0:0:1]/x", "http://[0:0:0:0:0:0:0:1]/x"},
      {"http://169.254.170.2/x", "http://169.254.170.2/x"},
      {"http://169.254.170.23/v1/credentials", "http://169.254.170.23/v1/credentials"},
      {"http://[fd00:ec2::23]/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"}};
  for (const auto& [given, url] : full) {
    World world;
    world.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = given;
    EXPECT_EQ(As<Container>(Good(world)).url, url);
  }
}

TEST_F(PlanTest, ContainersThatMayNot) {
  for (const char* url :
       {"http://example.com/x", "http://169.254.170.3/x", "http://localhost.example/x",
        "http://127.0.0.1.example/x", "http://127.1/x", "http://2130706433/x", "http://[::2]/x",
        "http://[fd00:ec2::24]/x", "http://169.254.169.254/x", "http://me:hush@localhost/x",
        "http://localhost@example.com/", "ftp://localhost/x", "localhost/x",
        "http://localhost/x?a b", "http://localhost/x#y", "http://localhost/x?y#z"}) {
    World world;
    world.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    ExpectError(world, ErrorKind::kConfiguration, "AWS_CONTAINER_CREDENTIALS_FULL_URI: ");
  }
}

// In ECS the path is what opens the door, and a query may hold a token.
TEST_F(PlanTest, ARefusedContainerUrlIsNotRepeated) {
  for (const char* url : {"169.254.170.2/v2/credentials/hush", "http:/localhost/hush",
                          "http://example.com/hush?hush", "http://localhost/x?hush#hush"}) {
    World world;
    world.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    ExpectError(world, ErrorKind::kConfiguration, "AWS_CONTAINER_CREDENTIALS_FULL_URI: ");
  }
}

TEST_F(PlanTest, TheRelativeUriGoesBeforeTheFullOne) {
  World world;
  world.variables = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/hush"},
                     {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/x"},
                     {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush-token"},
                     {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token"}};
  const CredentialsPlan plan = Good(world);
  const Container container = As<Container>(plan);
  EXPECT_EQ(container.url, "http://169.254.170.2/v2/credentials/hush");
  EXPECT_EQ(container.token, "hush-token");
  EXPECT_EQ(container.token_file, "/token");
  EXPECT_EQ(Describe(plan), "container credentials from http://169.254.170.2");
  for (const char* path : {"x", "@evil.example/hush", ".evil.example/", "/a b", "/a#b", "/a\nb"}) {
    world.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = path;
    ExpectError(world, ErrorKind::kConfiguration, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: ");
  }
}

TEST_F(PlanTest, ATokenWithALineEndIsRefusedUnlessAFileGoesFirst) {
  World world;
  world.variables = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"},
                     {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush\r\nX: y"}};
  ExpectError(world, ErrorKind::kConfiguration, "AWS_CONTAINER_AUTHORIZATION_TOKEN: ");
  world.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/token";
  EXPECT_EQ(As<Container>(Good(world)).token_file, "/token");
}

TEST_F(PlanTest, TheInstancesSwitches) {
  struct Case {
    Values variables;
    const char* config;
    Instance expected;
  };
  using std::chrono::milliseconds;
  const std::string v4 = "http://169.254.169.254";
  const std::string v6 = "http://[fd00:ec2::254]";
  const Case cases[] = {
      {{}, "", {v4, false, milliseconds(1000), 1}},
      {{{"AWS_EC2_METADATA_DISABLED", "False"}}, "", {v4, false, milliseconds(1000), 1}},
      {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv6"}},
       "",
       {v6, false, milliseconds(1000), 1}},
      {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv4"}},
       "ec2_metadata_service_endpoint_mode = IPv6",
       {v4, false, milliseconds(1000), 1}},
      {{},
       "ec2_metadata_service_endpoint_mode = IPv6\nec2_metadata_v1_disabled = true\n"
       "metadata_service_timeout = 5\nmetadata_service_num_attempts = 3",
       {v6, true, milliseconds(5000), 3}},
      {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9/"},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"},
        {"AWS_EC2_METADATA_V1_DISABLED", "true"},
        {"AWS_METADATA_SERVICE_TIMEOUT", "2"},
        {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "4"}},
       "metadata_service_timeout = 5\nec2_metadata_service_endpoint = http://p",
       {"http://127.0.0.1:9", true, milliseconds(2000), 4}},
      {{}, "ec2_metadata_service_endpoint = http://p", {"http://p", false, milliseconds(1000), 1}},
  };
  for (const Case& c : cases) {
    const CredentialsPlan plan =
        Good({c.variables, "[default]\n" + std::string(c.config) + "\n", ""});
    const Instance instance = As<Instance>(plan);
    EXPECT_EQ(instance.endpoint, c.expected.endpoint);
    EXPECT_EQ(instance.v1_disabled, c.expected.v1_disabled);
    EXPECT_EQ(instance.timeout, c.expected.timeout);
    EXPECT_EQ(instance.attempts, c.expected.attempts);
    EXPECT_EQ(Describe(plan), "instance metadata service at " + c.expected.endpoint);
  }
  const std::pair<Values, const char*> wrong[] = {
      {{{"AWS_EC2_METADATA_DISABLED", "1"}}, "AWS_EC2_METADATA_DISABLED: '1'"},
      {{{"AWS_EC2_METADATA_V1_DISABLED", "yes"}}, "AWS_EC2_METADATA_V1_DISABLED: 'yes'"},
      {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv5"}},
       "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: 'ipv5' is not valid; expected IPv4 or IPv6"},
      {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "169.254.169.254"}},
       "AWS_EC2_METADATA_SERVICE_ENDPOINT: '169.254.169.254' is not an endpoint"},
      {{{"AWS_METADATA_SERVICE_TIMEOUT", "0"}}, "AWS_METADATA_SERVICE_TIMEOUT: '0'"},
      {{{"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "x"}}, "AWS_METADATA_SERVICE_NUM_ATTEMPTS: 'x'"}};
  for (const auto& [variables, says] : wrong) {
    ExpectError({variables, "", ""}, ErrorKind::kConfiguration, says);
  }
}

}  // namespace
}  // namespace tsm::aws
