// One UNLOAD as data; its only verb is ToSql. Plain value.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-concepts.html
#pragma once

#include <optional>
#include <string>

#include "tsm/core/clock.h"
#include "tsm/s3/names.h"
#include "tsm/timestream/table_ref.h"
#include "tsm/unload/unload_options.h"

namespace tsm::unload {

// Best for batch load are files of 100 MB to 1 GB; UNLOAD's sizes are approximate, so the 5 GB that
// batch load accepts at most stay far away.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-best-practices.html
inline constexpr const char* kMaxFileSize = "1GB";

struct UnloadStatement {
  timestream::TableRef table;
  std::optional<UnixNanos> from;  // inclusive
  std::optional<UnixNanos> end;   // exclusive
  PartitionUnit partition = PartitionUnit::kNone;
  bool order_by_time = false;
  // Names of the added columns; other than any column's of the table.
  std::string time_alias = "nanoseconds";
  std::string partition_alias = "partition_date";
  s3::S3Uri destination;

  // CSV with a header, not compressed. Identifiers quoted, literals escaped, times always with nine
  // decimals; the partition column stands last, as partitioned_by demands.
  std::string ToSql() const;
};

}  // namespace tsm::unload
