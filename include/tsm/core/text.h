// Text helpers that several rooms need. Pure functions, ASCII rules, no locale.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tsm {

std::string ToLowerAscii(std::string_view text);
std::string_view TrimAscii(std::string_view text);
std::vector<std::string_view> Split(std::string_view text, char separator);
// All of them, in one allocation.
std::string Concat(std::initializer_list<std::string_view> parts);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);

// Whole text as a decimal integer, or nothing (empty, sign other than '-', overflow, rest).
std::optional<std::int64_t> ParseInt64(std::string_view text);

// RFC 3986 percent-encoding of every byte but A-Z a-z 0-9 - . _ ~ ; '/' kept where asked (S3
// paths).
std::string PercentEncode(std::string_view text, bool keep_slash = false);
// "%41" -> "A"; a '%' that starts no pair of hex digits stays as it is. '+' stays '+'.
std::string PercentDecode(std::string_view text);

std::string HexEncode(std::string_view bytes);

// "1,234,567".
std::string WithThousands(std::uint64_t number);
// "1.5 GB" (decimal units, as AWS counts).
std::string FormatBytes(std::uint64_t bytes);
// At most `limit` bytes, cut at a character, with "…" where cut; control characters made visible.
std::string OneLine(std::string_view text, std::size_t limit = 500);

}  // namespace tsm
