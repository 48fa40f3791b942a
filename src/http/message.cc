#include "tsm/http/message.h"

#include <algorithm>

#include "tsm/core/text.h"

namespace tsm::http {

namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Without a copy of either: every call looks for a dozen headers.
bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

}  // namespace

std::string_view FindHeader(const Headers& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return SameName(header.first, name); });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string Request::Target() const {
  std::string target = path;
  char separator = '?';
  for (const auto& [name, value] : query) {
    target += separator;
    target += PercentEncode(name) + '=' + PercentEncode(value);
    separator = '&';
  }
  return target;
}

}  // namespace tsm::http
