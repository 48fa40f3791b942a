// Percent-encoding and queries as AWS's signing and S3 use them (RFC 3986: only A-Z a-z 0-9 - . _ ~
// stay as they are). Pure functions over bytes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ts_local {

// Upper-case hex. `keep_slash` leaves '/' as it is (paths).
std::string PercentEncode(std::string_view text, bool keep_slash = false);

// A '%' that no two hex digits follow stays as it is, as S3 reads it.
std::string PercentDecode(std::string_view text, bool plus_is_space = false);

// "a=1&b&c=" or a form body: names and values decoded, in order ("b" has the value "").
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view text);

// True where the bytes are well-formed UTF-8 (S3 keys must be).
bool IsUtf8(std::string_view text);

}  // namespace ts_local
