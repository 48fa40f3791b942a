#include "tsm/http/message.h"

#include <algorithm>

#include "tsm/core/text.h"

namespace tsm::http {

std::string_view FindHeader(const Headers& headers, std::string_view name) {
  const std::string wanted = ToLowerAscii(name);
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& header) {
    return header.first.size() == wanted.size() && ToLowerAscii(header.first) == wanted;
  });
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
