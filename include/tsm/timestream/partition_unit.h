// By what an unload splits time into folders. Plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tsm::timestream {

// By what the result is split into folders `partition_date=…/`; boundaries are UTC.
enum class PartitionUnit { kNone, kHour, kDay, kMonth, kYear };

// "hour", "day", "month", "year", "" for none.
std::string_view Name(PartitionUnit unit);
// The unit of that name; nothing where there is none.
std::optional<PartitionUnit> ParsePartitionUnit(std::string_view name);

// More partitions than these fail an UNLOAD.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-limits.html
inline constexpr std::uint64_t kMaxPartitionsPerUnload = 100;

}  // namespace tsm::timestream
