#include "../../src/aws/credentials/shell_words.h"

#include <gtest/gtest.h>

namespace tsm::aws {
namespace {

struct Case {
  std::string text;
  std::vector<std::string> words;
};

// The words are those that Python 3.11's shlex.split gives, which botocore splits by.
TEST(ShellWordsTest, SplitsAsAwsToolsDo) {
  const std::vector<Case> cases = {
      {"", {}},
      {"   ", {}},
      {"a b", {"a", "b"}},
      {"  a\t b\r\nc ", {"a", "b", "c"}},
      {"'a b' c", {"a b", "c"}},
      {R"("a b"c)", {"a bc"}},
      {R"(a\ b)", {"a b"}},
      {R"("a\"b")", {R"(a"b)"}},
      {R"("a\\b")", {R"(a\b)"}},
      {R"("a\$b")", {R"(a\$b)"}},
      {R"("a\'b")", {R"(a\'b)"}},
      {R"('a\b')", {R"(a\b)"}},
      {R"(a 'b\')", {"a", R"(b\)"}},
      {"''", {""}},
      {R"("" x)", {"", "x"}},
      {"a''b", {"ab"}},
      {R"(a"b c"'d e'f)", {"ab cd ef"}},
      {"a#b # c", {"a#b", "#", "c"}},
      {R"(\')", {"'"}},
      {R"("it's")", {"it's"}},
      {R"('x"y')", {R"(x"y)"}},
      {"a\\\nb", {"a\nb"}},
      {"\"a\nb\"", {"a\nb"}},
      {R"(a\\b)", {R"(a\b)"}},
      {"~/x $HOME *", {"~/x", "$HOME", "*"}},
      {"a;b|c&d", {"a;b|c&d"}},
      {"é 'ü ö'", {"é", "ü ö"}},
  };
  for (const Case& c : cases) {
    const auto words = ShellWords(c.text);
    ASSERT_TRUE(words) << c.text << ": " << words.error().Text();
    EXPECT_EQ(*words, c.words) << c.text;
  }
}

TEST(ShellWordsTest, WhatIsUnfinishedIsSaidWithItsPlaceAndNotQuoted) {
  struct Wrong {
    std::string text;
    std::string message;
  };
  const std::vector<Wrong> cases = {
      {"get 'secret", "nothing closes the quote at character 5 of the command"},
      {"get \"secret", "nothing closes the quote at character 5 of the command"},
      {R"(secret\)", "nothing follows the backslash at character 7 of the command"},
      {R"("secret\)", "nothing follows the backslash at character 8 of the command"},
      {std::string("get\0it", 6), "a zero byte, which no argument can hold, is at character 4"},
  };
  for (const Wrong& c : cases) {
    const auto words = ShellWords(c.text);
    ASSERT_FALSE(words) << c.text;
    EXPECT_EQ(words.error().kind, ErrorKind::kConfiguration);
    EXPECT_EQ(words.error().message.find(c.message), 0U) << words.error().message;
    EXPECT_EQ(words.error().message.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace tsm::aws
