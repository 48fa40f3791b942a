// The service's partitions of time under the names that an unload uses.
#pragma once

#include "tsm/timestream/partition_calendar.h"
#include "tsm/timestream/partition_unit.h"

namespace tsm::unload {

using timestream::kFirstMoment;
using timestream::kLastMoment;
using timestream::kMaxPartitionsPerUnload;
using timestream::PartitionUnit;

}  // namespace tsm::unload
