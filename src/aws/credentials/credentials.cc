#include "tsm/aws/credentials.h"

#include <algorithm>
#include <string_view>

namespace tsm::aws {

std::string BlanksIn(const Credentials& credentials) {
  const auto dirty = [](std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
  };
  if (dirty(credentials.access_key_id)) return "access key id";
  if (dirty(credentials.secret_access_key)) return "secret access key";
  if (dirty(credentials.session_token)) return "session token";
  return "";
}

}  // namespace tsm::aws
