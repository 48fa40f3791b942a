// What batch load takes here and how long: quotas, the time of a task, how it may be resumed, what
// the magnetic store bears and when its rows are seen. Times are the service's: --time_scale of
// them pass in one real second. Plain values.
// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html
#pragma once

#include <cstddef>
#include <cstdint>

namespace ts_local {

struct BatchLoadLimits {
  double time_scale = 1;  // service seconds in one real second

  // Active tasks, of which one more is refused with ServiceQuotaExceededException.
  std::size_t table_tasks = 5;
  std::size_t account_tasks = 10;

  // How long a task takes, all added up; all 0: as long as it really takes.
  double seconds = 0;
  double seconds_per_gb = 0;            // GB of 2^30 bytes
  double seconds_per_million_rows = 0;  // rows of its files, good or bad

  // How long a stopped task may be resumed is documented nowhere.
  double resumable_seconds = 24 * 3600;
  double pending_resume_seconds = 0;  // PENDING_RESUME lasts so long

  // Active magnetic-store partitions of a database, by the rows of batch load alone; 0: no limit.
  std::size_t magnetic_partitions = 0;
  double magnetic_partition_seconds = 6 * 3600;  // a partition is active so long after a row

  double visible_seconds = 0;  // Query sees a run's rows so long after its end

  bool Paced() const { return seconds > 0 || seconds_per_gb > 0 || seconds_per_million_rows > 0; }
  // Of service seconds.
  std::int64_t RealNs(double service_seconds) const {
    const double ns = service_seconds / time_scale * 1e9;
    return ns < 9e18 ? static_cast<std::int64_t>(ns) : INT64_MAX / 2;
  }
};

}  // namespace ts_local
