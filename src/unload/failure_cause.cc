#include "tsm/unload/failure_cause.h"

#include <array>
#include <string>

#include "tsm/core/text.h"

namespace tsm::unload {

namespace {

struct Wording {
  FailureCause cause;
  std::string_view first;
  std::string_view second;  // must be there too
};

constexpr std::array kWordings = {
    Wording{FailureCause::kMemory, "maximum available memory", ""},
    Wording{FailureCause::kS3Throttling, "s3 is throttling", ""},
    Wording{FailureCause::kPartitions, "partition", "limit"},
    Wording{FailureCause::kPartitions, "partition", "exceed"},
    Wording{FailureCause::kPartitions, "too many partitions", ""},
    Wording{FailureCause::kTimeout, "timed out", ""},
    Wording{FailureCause::kTimeout, "timeout", ""},
    Wording{FailureCause::kTimeout, "time limit", ""},
};

// A key that grows too long is told with partitioned_by or the key itself, whose words may be any,
// and no smaller slice helps.
constexpr std::array<std::string_view, 2> kKeyTooLong = {"key length", "s3 object key"};

}  // namespace

std::string_view Name(FailureCause cause) {
  switch (cause) {
    case FailureCause::kPartitions:
      return "partitions";
    case FailureCause::kMemory:
      return "memory";
    case FailureCause::kTimeout:
      return "timeout";
    case FailureCause::kS3Throttling:
      return "s3_throttling";
    case FailureCause::kUnknown:
      return "unknown";
  }
  return "unknown";
}

FailureCause CauseOf(const Error& error) {
  if (error.kind != ErrorKind::kQueryFailed && error.kind != ErrorKind::kValidation) {
    return FailureCause::kUnknown;
  }
  const std::string text = ToLowerAscii(error.message);
  for (const std::string_view words : kKeyTooLong) {
    if (text.find(words) != std::string::npos) return FailureCause::kUnknown;
  }
  for (const Wording& wording : kWordings) {
    if (text.find(wording.first) != std::string::npos &&
        text.find(wording.second) != std::string::npos) {
      return wording.cause;
    }
  }
  return FailureCause::kUnknown;
}

bool IsTooLarge(FailureCause cause) {
  return cause == FailureCause::kPartitions || cause == FailureCause::kMemory ||
         cause == FailureCause::kTimeout;
}

}  // namespace tsm::unload
