#include "ts_local/batch_course.h"

#include <algorithm>

namespace ts_local {
namespace {

std::int64_t Between(std::int64_t from, std::int64_t to, double share) {
  const double moved = static_cast<double>(to - from) * share;
  return from + std::max<std::int64_t>(0, static_cast<std::int64_t>(moved));
}

}  // namespace

double RunSeconds(const BatchLoadLimits& limits, const BatchCounters& from,
                  const BatchOutcome& outcome) {
  const auto bytes = static_cast<double>(outcome.counters.bytes - from.bytes);
  const auto rows = static_cast<double>(outcome.counters.processed - from.processed);
  const double share =
      outcome.total_bytes == 0 ? 1 : bytes / static_cast<double>(outcome.total_bytes);
  return std::max(0.0, std::clamp(share, 0.0, 1.0) * limits.seconds +
                           bytes / (1U << 30U) * limits.seconds_per_gb +
                           rows / 1e6 * limits.seconds_per_million_rows);
}

BatchCounters CountersAt(const BatchCourse& course, std::int64_t now_ns) {
  if (!course.outcome) return course.live;
  const BatchCounters& from = course.from;
  const BatchCounters& to = course.outcome->counters;
  const std::int64_t length = course.end_ns - course.begin_ns;
  const double share =
      length <= 0
          ? 1
          : std::clamp(static_cast<double>(now_ns - course.begin_ns) / static_cast<double>(length),
                       0.0, 1.0);
  BatchCounters shown;
  shown.ingested = Between(from.ingested, to.ingested, share);
  shown.parse_failures = Between(from.parse_failures, to.parse_failures, share);
  shown.record_failures = Between(from.record_failures, to.record_failures, share);
  // Summed, so that at every moment each processed row has one fate.
  shown.processed = shown.ingested + shown.parse_failures + shown.record_failures;
  shown.file_failures = Between(from.file_failures, to.file_failures, share);
  shown.bytes = Between(from.bytes, to.bytes, share);
  return shown;
}

}  // namespace ts_local
