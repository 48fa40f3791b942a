#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "../../src/aws/credentials/secret_file.h"
#include "aws/credentials/scratch_files.h"
#include "tsm/aws/credentials/secret_text.h"

namespace tsm::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(SecretText, SecretsAreHiddenHoweverTheyAreWritten) {
  const std::string secret = "ab+cdefghij/klmn=opq";
  struct Case {
    std::string text;
    std::string expected;
  };
  const std::vector<Case> cases = {
      {"nothing of it", "nothing of it"},
      {"", ""},
      {secret, "***"},
      {"a " + secret + " b '" + secret + "' c", "a *** b '***' c"},
      {"form t=ab%2Bcdefghij%2Fklmn%3Dopq&n=1 end", "form t=*** end"},
      {"cut: ab+cdefghij/k…", "cut: ***"},
      {"of its own: ab+cdefghij&#47;klmn&#61;opq <b>", "of its own: *** <b>"},
      {"its beginning by chance: ab+cdefg", "its beginning by chance: ab+cdefg"},
      {"Encoded authorization failure message: Zm9v-bar_1 (more)",
       "Encoded authorization failure message: *** (more)"},
      {"encoded Authorization failure message:", "encoded Authorization failure message:***"},
  };
  for (const Case& c : cases) {
    Error error = MakeError(ErrorKind::kCredentials, c.text, c.text);
    error = WithoutSecrets(std::move(error), {"", secret});
    EXPECT_EQ(error.message, c.expected);
    EXPECT_EQ(error.code, c.expected);
  }
  const Error whole = WithoutSecrets(MakeError(ErrorKind::kCredentials, "pin 12345!"), {"12345"});
  EXPECT_EQ(whole.message, "pin ***") << "a short secret is found whole";
}

TEST(SecretText, AdviceFollowsTheMessage) {
  const auto text = [](const std::string& message) {
    return WithAdvice(MakeError(ErrorKind::kCredentials, message), "do this").message;
  };
  EXPECT_EQ(text("It failed."), "It failed; do this");
  EXPECT_EQ(text(""), "do this");
}

TEST(SecretFile, IsReadWholeUpToItsLimit) {
  const test::ScratchFiles files;
  const std::string text(10'000, 'x');
  const auto whole = ReadSecretFile(files.Write("file", text), 10'000);
  ASSERT_TRUE(whole) << whole.error().Text();
  EXPECT_EQ(*whole, text);
  const auto cut = ReadSecretFile(files.Path("file"), 9'999);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, ErrorKind::kLocalIo);
  EXPECT_EQ(cut.error().Text(), files.Path("file") + " holds more than 9999 bytes");
  EXPECT_TRUE(ReadSecretFile(files.Write("empty", ""), 0));
}

TEST(SecretFile, WhatIsNoFileIsNamed) {
  const test::ScratchFiles files;
  const auto absent = ReadSecretFile(files.Path("absent"), 10);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(absent.error().Text(), StartsWith(files.Path("absent") + " can't be read: "));

  ASSERT_EQ(::mkfifo(files.Path("pipe").c_str(), 0600), 0);
  const auto pipe = ReadSecretFile(files.Path("pipe"), 10);
  ASSERT_FALSE(pipe) << "and it was not waited for";
  EXPECT_THAT(pipe.error().Text(), HasSubstr("is no regular file"));

  std::filesystem::create_symlink(files.Write("target", "token"), files.Path("link"));
  EXPECT_EQ(*ReadSecretFile(files.Path("link"), 10), "token") << "as Kubernetes mounts them";
}

TEST(SecretFile, IsReplacedForItsOwnerAlone) {
  const test::ScratchFiles files;
  ASSERT_EQ(::chmod(files.Write("file", "old and longer").c_str(), 0644), 0);
  ASSERT_TRUE(ReplaceSecretFile(files.Path("file"), "new"));
  EXPECT_EQ(files.Read("file"), "new");
  struct stat facts {};
  ASSERT_EQ(::stat(files.Path("file").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0600U);

  const Status nowhere = ReplaceSecretFile(files.Path("no/such/folder"), "new");
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().Text(), HasSubstr(files.Path("no/such/folder")));

  std::filesystem::create_directory(files.Path("folder"));
  EXPECT_FALSE(ReplaceSecretFile(files.Path("folder"), "new"));
  const auto entries =
      std::filesystem::directory_iterator(std::filesystem::path(files.Path("x")).parent_path());
  EXPECT_EQ(std::distance(entries, {}), 2) << "no temporary file stays";
}

}  // namespace
}  // namespace tsm::aws
