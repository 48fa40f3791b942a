// Timestamps as Timestream and AWS write them, to and from nanoseconds since the Unix epoch (UTC).
// Pure functions. Range: 1970-01-01 to 2262-04-11, what 64 bits of nanoseconds hold.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"

namespace tsm {

// "YYYY-MM-DD[( |T)hh:mm[:ss[.f{1,9}]]][Z]" -> nanoseconds; kInvalidInput names what is wrong. A
// day that does not exist (February 30) is refused.
Result<UnixNanos> ParseTimestamp(std::string_view text);

// "2024-02-26 17:24:38.270000000": always nine decimals, as contracts.md 4 asks of SQL literals.
std::string FormatTimestamp(UnixNanos time);

// "20240226T172438Z", SigV4's x-amz-date.
std::string FormatAmzDate(std::chrono::system_clock::time_point time);

// FormatAmzDate's shape, or nothing where the text has another or the calendar no such moment.
std::optional<std::chrono::system_clock::time_point> ParseAmzDate(std::string_view text);

// The Date header's one shape that servers may still send, "Mon, 26 Feb 2024 17:24:38 GMT", the
// weekday being the right one; nothing for any other text.
// https://www.rfc-editor.org/rfc/rfc7231#section-7.1.1.1
std::optional<std::chrono::system_clock::time_point> ParseHttpDate(std::string_view text);

// "2024-02-26T17:24:38Z".
std::string FormatIso8601(std::chrono::system_clock::time_point time);

// "1 h 02 min", "3 min 05 s", "4.2 s", "120 ms": for people.
std::string FormatDuration(std::chrono::nanoseconds duration);

}  // namespace tsm
