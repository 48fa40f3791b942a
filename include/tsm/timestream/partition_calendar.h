// Where the partitions of a table's time begin and end, in UTC, and what UNLOAD names their
// folders. Pure functions; arithmetic only, so a range of centuries by the hour costs no more than
// a day. Any 64-bit time is taken. A boundary beyond what 64 bits of nanoseconds hold is
// kLastMoment (or kFirstMoment): the range that such a partition has ends there.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/core/clock.h"
#include "tsm/timestream/partition_unit.h"

namespace tsm::timestream {

// 2262-04-11 23:47:16.854775807.
inline constexpr UnixNanos kLastMoment = std::numeric_limits<UnixNanos>::max();
inline constexpr UnixNanos kFirstMoment = std::numeric_limits<UnixNanos>::min();

// Partitions in the order of time, counted from the one that begins at 1970-01-01. With kNone all
// of time is one partition, number 0.
std::int64_t PartitionNumber(PartitionUnit unit, UnixNanos time);
// Where partition `number` begins; the opposite of PartitionNumber.
UnixNanos PartitionBegin(PartitionUnit unit, std::int64_t number);

// Where the partition of `time` begins, and where the next one does.
UnixNanos PartitionStart(PartitionUnit unit, UnixNanos time);
UnixNanos NextPartition(PartitionUnit unit, UnixNanos time);

// How many partitions `from <= time < end` touches; 0 where it is empty.
std::uint64_t CountPartitions(PartitionUnit unit, UnixNanos from, UnixNanos end);

// date_format's text for UnloadStatement: "%Y-%m-%d" for days; "" for kNone. No blank and no colon,
// for it stands in every key.
// https://docs.aws.amazon.com/timestream/latest/developerguide/date-time-functions.html
std::string_view PartitionDateFormat(PartitionUnit unit);

// What that makes of a time from 1970 on: "2024-02-26-17", "2024-02-26", "2024-02", "2024"; "" for
// kNone.
std::string PartitionText(PartitionUnit unit, UnixNanos time);
// Where the partition of that text begins; nothing where the text has another shape, or there is no
// such time from 1970 to 2262.
std::optional<UnixNanos> ParsePartitionText(PartitionUnit unit, std::string_view text);

}  // namespace tsm::timestream
