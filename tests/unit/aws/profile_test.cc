#include "tsm/aws/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace tsm::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ProfileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tsm-profile-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    home_ = pattern;
    std::filesystem::create_directory(home_ / ".aws");
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  void Write(const char* name, std::string_view text) {
    std::ofstream(home_ / ".aws" / name, std::ios::binary) << text;
  }

  Environment With(std::map<std::string, std::string, std::less<>> values = {}) const {
    values.try_emplace("HOME", home_.string());
    return Environment(std::move(values));
  }

  std::filesystem::path home_;
};

TEST_F(ProfileTest, NoFilesAreAnEmptyDefaultProfile) {
  const auto profile = LoadProfile(With(), "");
  ASSERT_TRUE(profile) << profile.error().Text();
  EXPECT_EQ(profile->name, "default");
  EXPECT_FALSE(profile->found);
  EXPECT_EQ(profile->Get("region"), std::nullopt);
}

TEST_F(ProfileTest, EmptyFilesAreFine) {
  Write("config", "");
  Write("credentials", "\n# only a comment\n");
  const auto profile = LoadProfile(With(), "");
  ASSERT_TRUE(profile) << profile.error().Text();
  EXPECT_FALSE(profile->found);
}

TEST_F(ProfileTest, BothFilesAreMergedAndCredentialsWin) {
  Write("config", "[default]\nregion = eu-west-1\noutput=json\n");
  Write("credentials",
        "[default]\naws_access_key_id = AK\naws_secret_access_key=S=\noutput=text\n");
  const auto profile = LoadProfile(With(), "");
  ASSERT_TRUE(profile);
  EXPECT_TRUE(profile->found);
  EXPECT_EQ(profile->Get("region"), "eu-west-1");
  EXPECT_EQ(profile->Get("aws_secret_access_key"), "S=");
  EXPECT_EQ(profile->Get("output"), "text");
  EXPECT_EQ(profile->key_file, (home_ / ".aws" / "credentials").string());
}

TEST_F(ProfileTest, AKeyPairIsNotMixedFromTwoFiles) {
  Write("config",
        "[default]\naws_access_key_id=OLD\naws_secret_access_key=OLDS\naws_session_token=OLDT\n");
  Write("credentials", "[default]\naws_access_key_id=NEW\naws_secret_access_key=NEWS\n");
  const auto profile = LoadProfile(With(), "");
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->Get("aws_access_key_id"), "NEW");
  EXPECT_EQ(profile->Get("aws_session_token"), std::nullopt);
}

TEST_F(ProfileTest, ConfigSectionsCarryTheWordProfile) {
  Write("config",
        "[profile dev]\nregion=eu-west-1\n[stage]\nregion=wrong\n[profile \"with blank\"]\n"
        "region = eu-west-3\n[sso-session dev]\nregion=wrong\n[profiledev]\nregion=wrong\n");
  Write("credentials", "[stage]\naws_access_key_id=AK\n[profile dev]\nregion=wrong\n");
  EXPECT_EQ(LoadProfile(With(), "dev")->Get("region"), "eu-west-1");
  EXPECT_EQ(LoadProfile(With(), "with blank")->Get("region"), "eu-west-3");
  const auto stage = LoadProfile(With(), "stage");
  ASSERT_TRUE(stage);
  EXPECT_EQ(stage->Get("region"), std::nullopt);
  EXPECT_EQ(stage->Get("aws_access_key_id"), "AK");
}

TEST_F(ProfileTest, ProfileDefaultGoesBeforeDefault) {
  Write("config", "[profile default]\nregion=eu-west-1\n[default]\nregion=us-east-1\n");
  EXPECT_EQ(LoadProfile(With(), "")->Get("region"), "eu-west-1");
}

TEST_F(ProfileTest, CommentsContinuationsAndNestedBlocks) {
  Write("config",
        "\xEF\xBB\xBF# head\r\n[default] ; the one\r\n; another\r\n"
        "Region = us-west-2 # inline\r\nendpoint = http://h/#frag\r\nempty =\r\n"
        "s3 =\r\n    region = nested\r\n\tmax_concurrent_requests = 4\r\n"
        "long = one\r\n  two ; said\r\n\r\nlast=x\r\n");
  const auto profile = LoadProfile(With(), "");
  ASSERT_TRUE(profile) << profile.error().Text();
  EXPECT_EQ(profile->Get("region"), "us-west-2");
  EXPECT_EQ(profile->Get("endpoint"), "http://h/#frag");
  EXPECT_EQ(profile->Get("empty"), std::nullopt);
  EXPECT_EQ(profile->Get("s3"), std::nullopt);
  EXPECT_EQ(profile->Get("max_concurrent_requests"), std::nullopt);
  EXPECT_EQ(profile->Get("long"), "one\ntwo");
  EXPECT_EQ(profile->Get("last"), "x");
}

TEST_F(ProfileTest, VariablesNameOtherFilesAndTheProfile) {
  Write("other", "[profile p]\nregion=eu-north-1\n");
  Write("keys", "[p]\naws_access_key_id=AK\n");
  const Environment environment =
      With({{"AWS_CONFIG_FILE", "~/.aws/other"},
            {"AWS_SHARED_CREDENTIALS_FILE", (home_ / ".aws" / "keys").string()},
            {"AWS_PROFILE", "p"}});
  const auto profile = LoadProfile(environment, "");
  ASSERT_TRUE(profile) << profile.error().Text();
  EXPECT_EQ(profile->name, "p");
  EXPECT_EQ(profile->Get("region"), "eu-north-1");
  EXPECT_EQ(profile->Get("aws_access_key_id"), "AK");
}

TEST_F(ProfileTest, AnExplicitNameGoesBeforeTheVariable) {
  Write("config", "[profile a]\nregion=ra\n[profile b]\nregion=rb\n");
  EXPECT_EQ(LoadProfile(With({{"AWS_PROFILE", "a"}}), "b")->Get("region"), "rb");
}

TEST_F(ProfileTest, AMissingProfileThatWasAskedForIsAnError) {
  Write("config", "[default]\nregion=x\n");
  for (const auto& profile :
       {LoadProfile(With(), "nope"), LoadProfile(With({{"AWS_PROFILE", "nope"}}), "")}) {
    ASSERT_FALSE(profile);
    EXPECT_EQ(profile.error().kind, ErrorKind::kConfiguration);
    EXPECT_THAT(profile.error().message, HasSubstr("'nope'"));
    EXPECT_THAT(profile.error().message, HasSubstr((home_ / ".aws" / "config").string()));
  }
}

TEST_F(ProfileTest, ABrokenLineIsNamedByNumberAndNotQuoted) {
  const std::pair<const char*, int> cases[] = {{"[default\nregion=x\n", 1},
                                               {"region=x\n", 1},
                                               {"[default]\n\nSECRETVALUE\n", 3},
                                               {"[default]\n=SECRETVALUE\n", 2}};
  for (const auto& [text, line] : cases) {
    Write("credentials", text);
    const auto profile = LoadProfile(With(), "");
    ASSERT_FALSE(profile) << text;
    EXPECT_EQ(profile.error().kind, ErrorKind::kConfiguration);
    EXPECT_THAT(profile.error().Text(), HasSubstr("credentials, line " + std::to_string(line)));
    EXPECT_THAT(profile.error().Text(), Not(HasSubstr("SECRETVALUE")));
  }
}

TEST_F(ProfileTest, AFileThatCannotBeReadIsAnError) {
  std::filesystem::create_directory(home_ / ".aws" / "config");  // a folder in its place
  const auto profile = LoadProfile(With(), "");
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(profile.error().Text(), HasSubstr("can't be read"));
}

TEST(EnvironmentTest, EmptyIsUnset) {
  const Environment environment({{"A", "1"}, {"B", ""}});
  EXPECT_EQ(environment.Get("A"), "1");
  EXPECT_EQ(environment.Get("B"), std::nullopt);
  EXPECT_EQ(environment.Get("C"), std::nullopt);
}

TEST(EnvironmentTest, ReadsTheProcess) {
  ASSERT_EQ(::setenv("TSM_ENVIRONMENT_TEST", "a=b", 1), 0);
  EXPECT_EQ(Environment::OfProcess().Get("TSM_ENVIRONMENT_TEST"), "a=b");
}

}  // namespace
}  // namespace tsm::aws
