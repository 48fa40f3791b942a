#include "tsm/aws/credentials/secret_text.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

constexpr std::string_view kHidden = "***";
// So many of a secret's first characters are taken for the secret: few enough to find one that was
// cut, enough not to be met by chance.
constexpr std::size_t kEnough = 10;

bool EndsWord(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '\'' || c == '<' || c == '>';
}

// Hides what begins at `start`, up to the end of the word; gives where to look on.
std::size_t HideWord(std::string& text, std::size_t start) {
  const auto begin = text.begin() + static_cast<std::ptrdiff_t>(start);
  text.replace(begin, std::find_if(begin, text.end(), EndsWord), kHidden);
  return start + kHidden.size();
}

void HideSecret(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  const std::string_view first = secret.substr(0, kEnough);
  for (std::size_t at = text.find(first); at != std::string::npos; at = text.find(first, at)) {
    at = HideWord(text, at);
  }
}

void HideEncodedMessage(std::string& text) {
  constexpr std::string_view kBefore = "authorization failure message:";
  const std::size_t at = ToLowerAscii(text).find(kBefore);
  if (at == std::string::npos) return;
  std::size_t start = at + kBefore.size();
  while (start < text.size() && text[start] == ' ') ++start;
  HideWord(text, start);
}

void Clean(std::string& text, const std::vector<std::string_view>& secrets) {
  if (text.empty()) return;
  for (const std::string_view secret : secrets) {
    HideSecret(text, secret);
    HideSecret(text, PercentEncode(secret));
  }
  HideEncodedMessage(text);
}

}  // namespace

Error WithoutSecrets(Error error, const std::vector<std::string_view>& secrets) {
  Clean(error.message, secrets);
  Clean(error.code, secrets);
  return error;
}

Error WithAdvice(Error error, std::string_view advice) {
  while (error.message.ends_with('.')) error.message.pop_back();
  if (!error.message.empty()) error.message += "; ";
  error.message += advice;
  return error;
}

}  // namespace tsm::aws
