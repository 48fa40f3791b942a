// What the tests of the credentials plan share: a home directory with the two files, and readers of
// the plan. One instance per test; not shared between threads.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include "tsm/aws/credentials/plan.h"

namespace tsm::aws {

using Values = std::map<std::string, std::string, std::less<>>;

// Names of the variant's alternatives, for messages of the tests.
inline std::string Kind(const CredentialsPlan& plan) {
  constexpr const char* kNames[] = {"keys",  "role",    "web identity", "sso",
                                    "login", "process", "container",    "instance"};
  return kNames[plan.source.index()];
}

template <typename Source>
const Source& As(const CredentialsPlan& plan) {
  const Source* source = std::get_if<Source>(&plan.source);
  if (source == nullptr) ADD_FAILURE() << "it is " << Kind(plan);
  static const Source kNone{};
  return source != nullptr ? *source : kNone;
}

inline constexpr const char* kRole = "arn:aws:iam::123456789012:role/";

// What a home directory and an environment hold.
struct World {
  Values variables;
  std::string config;       // ~/.aws/config
  std::string credentials;  // ~/.aws/credentials
};

class PlanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tsm-plan-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    home_ = pattern;
    std::filesystem::create_directory(home_ / ".aws");
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  Result<CredentialsPlan> Plan(const World& world, const std::string& flag = "") {
    std::ofstream(home_ / ".aws" / "config", std::ios::binary) << world.config;
    std::ofstream(home_ / ".aws" / "credentials", std::ios::binary) << world.credentials;
    Values variables = world.variables;
    variables.try_emplace("HOME", home_.string());
    const Environment environment(std::move(variables));
    const auto config = SharedConfig::Load(environment);
    if (!config) return config.error();
    const auto profile = config->ChooseProfile(environment, flag);
    if (!profile) return profile.error();
    return PlanCredentials(environment, *config, *profile, !flag.empty());
  }
  CredentialsPlan Good(const World& world, const std::string& flag = "") {
    auto plan = Plan(world, flag);
    EXPECT_TRUE(plan) << plan.error().Text();
    return plan ? *plan : CredentialsPlan();
  }
  // The text and kind of the error, "hush" nowhere in it.
  void ExpectError(const World& world, ErrorKind kind, const std::string& says,
                   const std::string& flag = "") {
    const auto plan = Plan(world, flag);
    ASSERT_FALSE(plan) << says << ": got " << Describe(*plan);
    EXPECT_EQ(plan.error().kind, kind) << plan.error().Text();
    EXPECT_THAT(
        plan.error().Text(),
        ::testing::AllOf(::testing::HasSubstr(says), ::testing::Not(::testing::HasSubstr("hush"))));
  }
  std::string Path(const char* name) const { return (home_ / ".aws" / name).string(); }

  std::filesystem::path home_;
};

// A config of profiles: text with "ROLE" for the beginning of a role's name.
inline World Profiles(std::string config, Values variables = {}) {
  for (std::size_t at = 0; (at = config.find("ROLE", at)) != std::string::npos;) {
    config.replace(at, 4, std::string("role_arn = ") + kRole);
  }
  return {.variables = std::move(variables), .config = std::move(config), .credentials = ""};
}

}  // namespace tsm::aws
