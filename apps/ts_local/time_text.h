// Times as S3 and HTTP write them. Pure functions; Unix milliseconds in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ts_local {

std::string IsoTime(std::int64_t unix_ms);   // "2026-03-21T01:02:03.000Z"
std::string HttpTime(std::int64_t unix_ms);  // "Sat, 21 Mar 2026 01:02:03 GMT"

// HttpTime's inverse, in milliseconds; nullopt where it is no such date.
std::optional<std::int64_t> ParseHttpTime(std::string_view text);

}  // namespace ts_local
