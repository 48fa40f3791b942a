#include "ts_local/magnetic_partitions.h"

namespace ts_local {

bool MagneticPartitions::Use(const TableName& table, std::int64_t time_ns, std::int64_t now_ns) {
  constexpr std::int64_t kPartitionNs = 86'400'000'000'000;
  if (!limited()) return true;
  const Partition wanted(table.table, time_ns / kPartitionNs);
  const std::lock_guard lock(mutex_);
  auto& active = active_[{table.region, table.database}];
  if (const auto found = active.find(wanted); found != active.end() && found->second > now_ns) {
    found->second = now_ns + active_ns_;
    return true;
  }
  std::erase_if(active, [&](const auto& entry) { return entry.second <= now_ns; });
  if (active.size() >= limit_) return false;
  active[wanted] = now_ns + active_ns_;
  return true;
}

}  // namespace ts_local
