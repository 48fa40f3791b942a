#include "common/session_options.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace tsm::apps {
namespace {

std::optional<ExitCode> Parse(CLI::App& app, std::vector<const char*> arguments,
                              const std::vector<std::string>& commands = {}) {
  arguments.insert(arguments.begin(), "program");
  return ParseFlags(app, static_cast<int>(arguments.size()), arguments.data(), commands);
}

// What is told on stderr of arguments that are refused.
std::string Refusal(const std::vector<const char*>& arguments,
                    const std::vector<std::string>& commands = {}) {
  CLI::App app("test", "program");
  SessionOptions options;
  AddSessionFlags(app, options, true);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Parse(app, arguments, commands), ExitCode::kUsage);
  return ::testing::internal::GetCapturedStderr();
}

TEST(FlagTest, GivesBothSpellings) {
  EXPECT_EQ(Flag("s3_uri", "s"), "-s,--s3_uri,--s3-uri");
  EXPECT_EQ(Flag("region", "r"), "-r,--region");
  EXPECT_EQ(Flag("iam_role_arn"), "--iam_role_arn,--iam-role-arn");
}

TEST(SessionFlagsTest, AreReadInEverySpelling) {
  for (const std::vector<const char*>& arguments :
       {std::vector<const char*>{"-r", "eu-west-1", "--endpoint-url", "http://h:1",
                                 "--query-endpoint", "q", "--ingest-endpoint", "i", "--s3-endpoint",
                                 "s", "--ca-bundle", "/ca", "--no-verify-ssl"},
        std::vector<const char*>{"--region=eu-west-1", "--endpoint_url=http://h:1",
                                 "--query_endpoint=q", "--ingest_endpoint=i", "--s3_endpoint=s",
                                 "--ca_bundle=/ca", "--no_verify_ssl"}}) {
    CLI::App app("test", "program");
    SessionOptions options;
    AddSessionFlags(app, options, true);
    EXPECT_EQ(Parse(app, arguments), std::nullopt);
    EXPECT_EQ(options.client.region, "eu-west-1");
    EXPECT_EQ(options.client.endpoints.all, "http://h:1");
    EXPECT_EQ(options.client.endpoints.query, "q");
    EXPECT_EQ(options.client.endpoints.ingest, "i");
    EXPECT_EQ(options.client.endpoints.s3, "s");
    EXPECT_EQ(options.client.ca_bundle, "/ca");
    EXPECT_TRUE(options.client.no_verify_ssl);
    EXPECT_FALSE(options.tells_requests());
  }
}

TEST(SessionFlagsTest, TheLaterOfAFlagGivenTwiceWins) {
  CLI::App app("test", "program");
  SessionOptions options;
  AddSessionFlags(app, options, true);
  EXPECT_EQ(Parse(app, {"--region", "eu-west-1", "-v", "--region=us-east-1", "-v"}), std::nullopt);
  EXPECT_EQ(options.client.region, "us-east-1");
  EXPECT_EQ(options.verbosity, 2);
  EXPECT_TRUE(options.tells_requests());
}

TEST(SessionFlagsTest, WrongFlagsAreOneLineOnStderr) {
  for (const std::vector<const char*>& arguments :
       {std::vector<const char*>{"--bogus"}, std::vector<const char*>{"--region"},
        std::vector<const char*>{"stray"}}) {
    const std::string text = Refusal(arguments);
    EXPECT_EQ(text.find("program: error: "), 0U) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
  }
}

TEST(SessionFlagsTest, AMisspelledFlagIsRecognized) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"--regoin", "x"}, "; did you mean --region? ("},
      {{"x", "--endpont_url=http://h"}, "; did you mean --endpoint_url? ("},
      {{"--Region=x"}, "; did you mean --region? ("},
      {{"--bogus"}, "not expected: --bogus ("},
      {{"stray"}, "not expected: stray ("}};
  for (const auto& [arguments, told] : cases) {
    const std::string text = Refusal(arguments);
    EXPECT_NE(text.find(told), std::string::npos) << text;
  }
}

TEST(SessionFlagsTest, ACommandInTheWrongPlaceIsTold) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"--region", "x", "check"},
       "not expected: check; check is a command and goes before all flags: program check ("},
      {{"resumme"}, "; did you mean program resume? ("},
      {{"stray", "check"}, "; check is a command"},
      {{"stray", "--regoin=x"}, "; did you mean --region? ("},
      {{"stray"}, "not expected: stray ("}};
  for (const auto& [arguments, told] : cases) {
    const std::string text = Refusal(arguments, {"check", "resume"});
    EXPECT_NE(text.find(told), std::string::npos) << text;
  }
}

TEST(CommandWordsTest, TheFirstArgumentDecides) {
  const CommandWords<int> commands(0, {{"check", 1}, {"list", 2}});
  const std::vector<const char*> arguments = {"program", "list", "check"};
  EXPECT_EQ(commands.Of(3, arguments.data()), 2);
  EXPECT_EQ(commands.Of(1, arguments.data()), 0);
  EXPECT_EQ(commands.Of(2, arguments.data() + 1), 1);
  EXPECT_EQ(commands.words(), (std::vector<std::string>{"check", "list"}));
}

TEST(SessionFlagsTest, HelpGoesToStdoutAndFitsItsWidth) {
  CLI::App app("test", "program");
  SessionOptions options;
  AddSessionFlags(app, options, true);
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Parse(app, {"--help"}), ExitCode::kDone);
  const std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_NE(text.find("--endpoint-url"), std::string::npos);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

}  // namespace
}  // namespace tsm::apps
