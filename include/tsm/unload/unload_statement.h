// One UNLOAD as data; its only verb is ToSql. Plain value.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-concepts.html
#pragma once

#include <optional>
#include <string>

#include "tsm/core/clock.h"
#include "tsm/s3/names.h"
#include "tsm/unload/table_select.h"
#include "tsm/unload/unload_format.h"

namespace tsm::unload {

struct UnloadStatement {
  TableSelect select;
  std::optional<UnixNanos> from;  // inclusive
  std::optional<UnixNanos> end;   // exclusive
  UnloadFormat format;
  s3::S3Uri destination;

  // Identifiers quoted, literals escaped, times always with nine decimals; the partition columns
  // stand last, as partitioned_by demands: first the time's, then the others in their order.
  std::string ToSql() const;
};

}  // namespace tsm::unload
