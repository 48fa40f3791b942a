// The active magnetic-store partitions of each database. What a partition is the service does not
// say; here it is a UTC day of a table. It is active from its first row until some hours after its
// last. Thread-safe.
// https://docs.aws.amazon.com/timestream/latest/developerguide/troubleshoot-writethrottles.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "ts_local/table_store.h"

namespace ts_local {

class MagneticPartitions {
 public:
  // `limit` 0: any number.
  MagneticPartitions(std::size_t limit, std::int64_t active_ns)
      : limit_(limit), active_ns_(active_ns) {}

  // A row of that time goes to the table's magnetic store. False, and nothing changes, where this
  // needs one partition more than may be active.
  bool Use(const TableName& table, std::int64_t time_ns, std::int64_t now_ns);
  bool limited() const { return limit_ > 0; }

 private:
  using Database = std::pair<std::string, std::string>;    // region, database
  using Partition = std::pair<std::string, std::int64_t>;  // table, day
  const std::size_t limit_;
  const std::int64_t active_ns_;
  std::mutex mutex_;
  std::map<Database, std::map<Partition, std::int64_t>> active_;  // active until
};

}  // namespace ts_local
