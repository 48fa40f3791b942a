#include "tsm/aws/shared_config.h"

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

class SharedConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tsm-config-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    home_ = pattern;
    std::filesystem::create_directory(home_ / ".aws");
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  void Write(const char* name, std::string_view text) {
    std::ofstream(home_ / ".aws" / name, std::ios::binary) << text;
  }
  std::string Path(const char* name) const { return (home_ / ".aws" / name).string(); }

  Environment With(std::map<std::string, std::string, std::less<>> values = {}) const {
    values.try_emplace("HOME", home_.string());
    return Environment(std::move(values));
  }

  SharedConfig Load() const {
    auto config = SharedConfig::Load(With());
    EXPECT_TRUE(config) << config.error().Text();
    return config ? *config : SharedConfig();
  }
  Result<Profile> Choose(const Environment& environment, std::string_view name) const {
    const auto config = SharedConfig::Load(environment);
    if (!config) return config.error();
    return config->ChooseProfile(environment, name);
  }

  std::filesystem::path home_;
};

TEST_F(SharedConfigTest, NoFilesAreAnEmptyDefaultProfile) {
  const auto profile = Choose(With(), "");
  ASSERT_TRUE(profile) << profile.error().Text();
  EXPECT_EQ(profile->name, "default");
  EXPECT_FALSE(profile->found);
  EXPECT_EQ(profile->Get("region"), std::nullopt);
  EXPECT_EQ(profile->GetInBlock("s3", "addressing_style"), std::nullopt);
}

TEST_F(SharedConfigTest, EmptyFilesAreFine) {
  Write("config", "");
  Write("credentials", "\n# only a comment\n");
  EXPECT_FALSE(Load().FindProfile("default").found);
}

TEST_F(SharedConfigTest, BothFilesAreMergedAndCredentialsWin) {
  Write("config", "[default]\nregion = eu-west-1\noutput=json\n");
  Write("credentials",
        "[default]\naws_access_key_id = AK\naws_secret_access_key=S=\noutput=text\n");
  const Profile profile = Load().FindProfile("default");
  EXPECT_TRUE(profile.found);
  EXPECT_EQ(profile.Get("region"), "eu-west-1");
  EXPECT_EQ(profile.Get("aws_secret_access_key"), "S=");
  EXPECT_EQ(profile.Get("output"), "text");
  EXPECT_EQ(profile.key_file, Path("credentials"));
}

TEST_F(SharedConfigTest, AKeyPairIsNotMixedFromTwoFiles) {
  const char* in_config =
      "[default]\naws_access_key_id=CA\naws_secret_access_key=CS\naws_session_token=CT\n"
      "aws_account_id=CN\n";
  struct Case {
    const char* credentials;
    const char* key;
    const char* secret;
    const char* token;
    const char* account;
    const char* file;
  };
  const Case cases[] = {
      {"aws_access_key_id=A\naws_secret_access_key=S\n", "A", "S", "", "", "credentials"},
      {"aws_access_key_id=A\n", "A", "", "", "", "credentials"},
      {"aws_secret_access_key=S\n", "", "S", "", "", "credentials"},
      // Without a pair of its own, the file's token is no one's.
      {"aws_session_token=T\naws_account_id=N\n", "CA", "CS", "CT", "CN", "config"},
      {"aws_access_key_id=\n", "CA", "CS", "CT", "CN", "config"},
      {"region=x\n", "CA", "CS", "CT", "CN", "config"}};
  Write("config", in_config);
  for (const Case& c : cases) {
    Write("credentials", std::string("[default]\n") + c.credentials);
    const Profile profile = Load().FindProfile("default");
    EXPECT_EQ(profile.Get("aws_access_key_id").value_or(""), c.key) << c.credentials;
    EXPECT_EQ(profile.Get("aws_secret_access_key").value_or(""), c.secret) << c.credentials;
    EXPECT_EQ(profile.Get("aws_session_token").value_or(""), c.token) << c.credentials;
    EXPECT_EQ(profile.Get("aws_account_id").value_or(""), c.account) << c.credentials;
    EXPECT_EQ(profile.key_file, Path(c.file)) << c.credentials;
  }
}

TEST_F(SharedConfigTest, ConfigSectionsCarryTheWordProfile) {
  Write("config",
        "[profile dev]\nregion=eu-west-1\n[stage]\nregion=wrong\n[profile \"with blank\"]\n"
        "region = eu-west-3\n[sso-session dev]\nregion=wrong\n[profiledev]\nregion=wrong\n");
  Write("credentials", "[stage]\naws_access_key_id=AK\n[profile dev]\nregion=wrong\n");
  const SharedConfig config = Load();
  EXPECT_EQ(config.FindProfile("dev").Get("region"), "eu-west-1");
  EXPECT_EQ(config.FindProfile("with blank").Get("region"), "eu-west-3");
  const Profile stage = config.FindProfile("stage");
  EXPECT_TRUE(stage.found);
  EXPECT_EQ(stage.Get("region"), std::nullopt);
  EXPECT_EQ(stage.Get("aws_access_key_id"), "AK");
  EXPECT_FALSE(config.FindProfile("none").found);
  EXPECT_EQ(config.FindProfile("none").name, "none");
}

TEST_F(SharedConfigTest, SsoSessionsAndServicesHaveNamesOfTheirOwn) {
  Write("config",
        "[profile one]\nregion=p\n"
        "[sso-session one]\nsso_region = eu-west-1\nsso_start_url = https://x/start#/\n"
        "[services one]\ns3 =\n  endpoint_url = http://s3:1\ntimestream_write =\n"
        "    endpoint_url=http://w:2\n    other = y\nsts = \n");
  const SharedConfig config = Load();
  const Profile session = config.FindSsoSession("one");
  EXPECT_TRUE(session.found);
  EXPECT_EQ(session.Get("sso_region"), "eu-west-1");
  EXPECT_EQ(session.Get("sso_start_url"), "https://x/start#/");
  EXPECT_EQ(session.Get("region"), std::nullopt);
  const Profile services = config.FindServices("one");
  EXPECT_EQ(services.GetInBlock("s3", "endpoint_url"), "http://s3:1");
  EXPECT_EQ(services.GetInBlock("timestream_write", "endpoint_url"), "http://w:2");
  EXPECT_EQ(services.GetInBlock("timestream_write", "other"), "y");
  EXPECT_EQ(services.GetInBlock("sts", "endpoint_url"), std::nullopt);
  EXPECT_EQ(services.Get("endpoint_url"), std::nullopt);
  EXPECT_FALSE(config.FindServices("two").found);
  EXPECT_FALSE(config.FindSsoSession("two").found);
}

TEST_F(SharedConfigTest, ProfileDefaultGoesBeforeDefault) {
  Write("config", "[profile default]\nregion=eu-west-1\n[default]\nregion=us-east-1\n");
  EXPECT_EQ(Load().FindProfile("default").Get("region"), "eu-west-1");
}

TEST_F(SharedConfigTest, CommentsContinuationsAndNestedBlocks) {
  Write("config",
        "\xEF\xBB\xBF# head\r\n[default] ; the one\r\n; another\r\n"
        "Region = us-west-2 # inline\r\nendpoint = http://h/#frag\r\nempty =\r\n"
        "s3 = ; below\r\n    region = nested # too\r\n\r\n  # between\r\n"
        "\tmax_concurrent_requests = 4\r\n"
        "long = one\r\n  two ; said\r\n\r\nlast=x\r\ncolon: y\r\n");
  const Profile profile = Load().FindProfile("default");
  EXPECT_EQ(profile.Get("region"), "us-west-2");
  EXPECT_EQ(profile.Get("endpoint"), "http://h/#frag");
  EXPECT_EQ(profile.Get("empty"), std::nullopt);
  EXPECT_EQ(profile.Get("s3"), std::nullopt);
  EXPECT_EQ(profile.Get("max_concurrent_requests"), std::nullopt);
  EXPECT_EQ(profile.GetInBlock("s3", "region"), "nested");
  EXPECT_EQ(profile.GetInBlock("s3", "max_concurrent_requests"), "4");
  EXPECT_EQ(profile.GetInBlock("s3", "none"), std::nullopt);
  EXPECT_EQ(profile.GetInBlock("none", "region"), std::nullopt);
  EXPECT_EQ(profile.Get("long"), "one\ntwo");
  EXPECT_EQ(profile.Get("last"), "x");
  EXPECT_EQ(profile.Get("colon"), "y");
}

TEST_F(SharedConfigTest, AWholeIndentedFileIsNoContinuation) {
  Write("config",
        "  [default]\n  region = a\n  s3 =\n    addressing_style = path\n  output = json\n"
        "  [profile b]\n    region = c\n  output = text\n");
  const SharedConfig config = Load();
  EXPECT_EQ(config.FindProfile("default").Get("region"), "a");
  EXPECT_EQ(config.FindProfile("default").Get("output"), "json");
  EXPECT_EQ(config.FindProfile("default").GetInBlock("s3", "addressing_style"), "path");
  EXPECT_EQ(config.FindProfile("b").Get("region"), "c");
  EXPECT_EQ(config.FindProfile("b").Get("output"), "text");
}

TEST_F(SharedConfigTest, ALaterValueReplacesAnEarlierBlockAndTheOtherWayRound) {
  Write("config", "[default]\ns3 =\n  a = 1\nx = 2\n");
  Write("credentials", "[default]\ns3 = plain\nx =\n  b = 3\n");
  const Profile profile = Load().FindProfile("default");
  EXPECT_EQ(profile.Get("s3"), "plain");
  EXPECT_EQ(profile.GetInBlock("s3", "a"), std::nullopt);
  EXPECT_EQ(profile.Get("x"), std::nullopt);
  EXPECT_EQ(profile.GetInBlock("x", "b"), "3");
}

TEST_F(SharedConfigTest, VariablesNameOtherFilesAndTheProfile) {
  Write("other", "[profile p]\nregion=eu-north-1\n");
  Write("keys", "[p]\naws_access_key_id=AK\n");
  const auto profile = Choose(With({{"AWS_CONFIG_FILE", "~/.aws/other"},
                                    {"AWS_SHARED_CREDENTIALS_FILE", Path("keys")},
                                    {"AWS_PROFILE", "p"}}),
                              "");
  ASSERT_TRUE(profile) << profile.error().Text();
  EXPECT_EQ(profile->name, "p");
  EXPECT_EQ(profile->Get("region"), "eu-north-1");
  EXPECT_EQ(profile->Get("aws_access_key_id"), "AK");
}

TEST_F(SharedConfigTest, TheNameComesFromTheFlagThenTheVariables) {
  Write("config", "[profile a]\nregion=ra\n[profile b]\nregion=rb\n[profile c]\nregion=rc\n");
  const Environment both = With({{"AWS_PROFILE", "a"}, {"AWS_DEFAULT_PROFILE", "c"}});
  EXPECT_EQ(Choose(both, "b")->Get("region"), "rb");
  EXPECT_EQ(Choose(both, "")->Get("region"), "ra");
  EXPECT_EQ(Choose(With({{"AWS_DEFAULT_PROFILE", "c"}}), "")->Get("region"), "rc");
}

TEST_F(SharedConfigTest, AMissingProfileThatWasAskedForIsAnError) {
  Write("config", "[default]\nregion=x\n");
  const std::pair<Result<Profile>, const char*> cases[] = {
      {Choose(With(), "nope"), "as asked for"},
      {Choose(With({{"AWS_PROFILE", "nope"}}), ""), "from AWS_PROFILE"},
      {Choose(With({{"AWS_DEFAULT_PROFILE", "nope"}}), ""), "from AWS_DEFAULT_PROFILE"}};
  for (const auto& [profile, origin] : cases) {
    ASSERT_FALSE(profile);
    EXPECT_EQ(profile.error().kind, ErrorKind::kConfiguration);
    EXPECT_THAT(profile.error().message, HasSubstr("'nope'"));
    EXPECT_THAT(profile.error().message, HasSubstr(origin));
    EXPECT_THAT(profile.error().message, HasSubstr(Path("config")));
  }
}

TEST_F(SharedConfigTest, ABrokenLineIsNamedByNumberAndNotQuoted) {
  const std::pair<const char*, int> cases[] = {{"[default\nregion=x\n", 1},
                                               {"region=x\n", 1},
                                               {"[default]\n\nSECRETVALUE\n", 3},
                                               {"[default]\n=SECRETVALUE\n", 2},
                                               {"[default]\ns3 =\n  SECRETVALUE\n", 3},
                                               {"[default]\ns3 =\n  =SECRETVALUE\n", 3}};
  for (const auto& [text, line] : cases) {
    Write("credentials", text);
    const auto config = SharedConfig::Load(With());
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().kind, ErrorKind::kConfiguration);
    EXPECT_THAT(config.error().Text(), HasSubstr("credentials, line " + std::to_string(line)));
    EXPECT_THAT(config.error().Text(), Not(HasSubstr("SECRETVALUE")));
  }
}

TEST_F(SharedConfigTest, AFileThatCannotBeReadIsAnError) {
  std::filesystem::create_directory(home_ / ".aws" / "config");  // a folder in its place
  const auto config = SharedConfig::Load(With());
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(config.error().Text(), HasSubstr("can't be read"));
}

TEST(ExpandHomeTest, OnlyALeadingTilde) {
  const Environment home(std::map<std::string, std::string, std::less<>>{{"HOME", "/h"}});
  EXPECT_EQ(ExpandHome("~/a", home), "/h/a");
  EXPECT_EQ(ExpandHome("~user/a", home), "~user/a");
  EXPECT_EQ(ExpandHome("/x/~/a", home), "/x/~/a");
  EXPECT_EQ(ExpandHome("~/a", Environment()), "~/a");
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
