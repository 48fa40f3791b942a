// By what an unload splits time into folders. Plain value.
#pragma once

#include <cstdint>
#include <string_view>

namespace tsm::unload {

// By what the result is split into folders `partition_date=…/`; boundaries are UTC.
enum class PartitionUnit { kNone, kHour, kDay, kMonth, kYear };

// "hour", "day", "month", "year", "" for none.
std::string_view Name(PartitionUnit unit);

// More partitions than these fail an UNLOAD.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-limits.html
inline constexpr std::uint64_t kMaxPartitionsPerUnload = 100;

}  // namespace tsm::unload
