// Foreign text made safe for HTML, as content and inside quoted attributes. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tsm::run {

// & < > " ' as character references. Bytes that are not UTF-8, control characters (but for tab and
// line end) and the marks that turn the direction of what follows become U+FFFD: a name must not
// look like another one.
std::string HtmlText(std::string_view text);

}  // namespace tsm::run
