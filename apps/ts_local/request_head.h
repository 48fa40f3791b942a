// The head of an HTTP/1.1 request (request line and header fields) read from its raw bytes.
// ts-local reads it itself because cpp-httplib 0.11 percent-decodes every header value, splits the
// target, applies Range and unpacks form and gzip bodies: nothing a signature can be checked
// against. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ts_local/message.h"

namespace ts_local {

// `head` ends with the empty line. nullopt where it is no HTTP/1.x request head. The body stays
// empty.
std::optional<Request> ParseRequestHead(std::string_view head);

// The head that the HTTP library gets instead: method, "/" and only the fields that say how the
// body is framed and whether the connection stays. A body without length (DELETE) gets the length
// 0.
std::string LibraryHead(const Request& request);

}  // namespace ts_local
