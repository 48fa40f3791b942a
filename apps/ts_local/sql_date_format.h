// date_format's and date_trunc's own small languages. Pure; UTC throughout.
// https://docs.aws.amazon.com/timestream/latest/developerguide/date-time-functions.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ts_local {

// `format` in MySQL's specifiers (%Y %m %d %H %i %s ...). A specifier that Trino does not support
// (%D %U %u %V %w %X) or does not know is an ApiError QueryExecutionException.
void AppendDateFormat(std::int64_t ns, std::string_view format, std::string* out);

// Start of the second, minute, hour, day, week (Monday), month, quarter or year that holds `ns`.
// Another unit is an ApiError QueryExecutionException; a week that began before 1970 too.
std::int64_t TruncateTime(std::string_view unit, std::int64_t ns);

}  // namespace ts_local
