#include "html_text.h"

#include <cstddef>
#include <cstdint>

namespace tsm::run {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;  // in bytes; 0 where the text does not begin with a whole character
};

// https://www.rfc-editor.org/rfc/rfc3629#section-4: no overlong forms, surrogates or codes that are
// too high.
Character FirstOf(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return {};
  std::uint32_t code = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  if (overlong || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return {};
  return {code, size};
}

bool IsMisleading(std::uint32_t code) {
  const bool control =
      (code < 0x20 && code != '\t' && code != '\n') || (code >= 0x7F && code <= 0x9F);
  const bool turns = code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
                     (code >= 0x2066 && code <= 0x2069);
  return control || turns;
}

std::string_view ReferenceOf(std::uint32_t code) {
  switch (code) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return "";
  }
}

}  // namespace

std::string HtmlText(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = FirstOf(text);
    if (character.size == 0) {
      out += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    const std::string_view reference = ReferenceOf(character.code);
    if (IsMisleading(character.code)) {
      out += kReplacement;
    } else if (!reference.empty()) {
      out += reference;
    } else {
      out += text.substr(0, character.size);
    }
    text.remove_prefix(character.size);
  }
  return out;
}

}  // namespace tsm::run
