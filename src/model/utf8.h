// Whether bytes are text that a JSON document can carry. Pure.
#pragma once

#include <string_view>

namespace tsm::model {

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace tsm::model
