// What a failed UNLOAD says of its cause: whether a smaller one would do, or a later one. The one
// place that reads messages: for these causes the service has no codes of their own. Pure.
// https://docs.aws.amazon.com/timestream/latest/developerguide/troubleshoot-export-unload.html
#pragma once

#include <string_view>

#include "tsm/core/error.h"

namespace tsm::unload {

enum class FailureCause {
  kPartitions,    // more partitions than one UNLOAD may write
  kMemory,        // "exceeds maximum available memory"
  kTimeout,       // ran for 60 minutes
  kS3Throttling,  // "Amazon S3 is throttling the writes from UNLOAD command"
  kUnknown,
};

std::string_view Name(FailureCause cause);  // "partitions", "memory", "timeout", ...

// Of kQueryFailed and kValidation; any other kind is kUnknown. The wording of the partition limit
// and of the timeout is documented nowhere and not verified against the service; an operator who
// meets another wording has --max_partitions, and a query that failed for unknown cause is split
// too once it has failed twice.
FailureCause CauseOf(const Error& error);

// A slice of fewer partitions or rows may succeed.
bool IsTooLarge(FailureCause cause);

}  // namespace tsm::unload
