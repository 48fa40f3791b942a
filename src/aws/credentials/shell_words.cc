#include "shell_words.h"

#include <utility>

namespace tsm::aws {

namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

Error Unfinished(std::string_view what, std::size_t at) {
  return MakeError(ErrorKind::kConfiguration, std::string(what) + " at character " +
                                                  std::to_string(at + 1) + " of the command");
}

}  // namespace

Result<std::vector<std::string>> ShellWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;  // "" is a word too
  char quote = '\0';
  std::size_t opened = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\0') return Unfinished("a zero byte, which no argument can hold, is", i);
    if (quote == '\0' && IsBlank(c)) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      continue;
    }
    in_word = true;
    if (c == '\\' && quote != '\'') {
      if (++i == text.size()) return Unfinished("nothing follows the backslash", i - 1);
      if (quote == '"' && text[i] != '"' && text[i] != '\\') word += c;
      word += text[i];
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
      opened = i;
    } else if (quote != '\0' && c == quote) {
      quote = '\0';
    } else {
      word += c;
    }
  }
  if (quote != '\0') return Unfinished("nothing closes the quote", opened);
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace tsm::aws
