#include "message_text.h"

#include "tsm/core/text.h"

namespace tsm::sns {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

std::string FitSubject(std::string_view subject) {
  std::string fitted;
  for (const char c : subject) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsContinuation(c)) continue;  // its first byte stands for the whole character
    if (byte < 0x20 || byte == 0x7F || c == ' ') {
      if (!fitted.empty() && fitted.back() != ' ') fitted.push_back(' ');
    } else {
      fitted.push_back(byte < 0x80 ? c : '?');
    }
    if (fitted.size() == kMaxSubjectCharacters) break;
  }
  return std::string(TrimAscii(fitted));
}

std::string FitMessage(std::string_view message) {
  if (message.size() <= kMaxMessageBytes) return std::string(message);
  std::size_t end = kMaxMessageBytes;
  while (end > 0 && IsContinuation(message[end])) --end;
  return std::string(message.substr(0, end));
}

}  // namespace tsm::sns
