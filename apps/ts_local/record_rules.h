// The service's limits on what a record may hold, apart from what its table already has.
// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html
// Pure functions; a reason is one sentence, empty where nothing is wrong. The wording of those that
// AWS documents nowhere is ours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ts_local/table_store.h"

namespace ts_local {

inline constexpr std::size_t kMaxDimensions = 128;         // per record and per table
inline constexpr std::size_t kMaxMeasureNames = 8192;      // per table
inline constexpr std::size_t kMaxMultiColumns = 1024;      // per table
inline constexpr std::size_t kMaxMeasuresPerRecord = 256;  // of a multi-measure record
inline constexpr std::size_t kMaxDimensionNameBytes = 60;
inline constexpr std::size_t kMaxMeasureNameBytes = 256;
inline constexpr std::size_t kMaxValueBytes = 2048;   // measure values of a record together
inline constexpr std::size_t kMaxSeriesBytes = 2048;  // dimension names and values together
inline constexpr std::int64_t kFutureWindowNs = 15LL * 60 * 1'000'000'000;
inline constexpr std::int64_t kHourNs = 3600LL * 1'000'000'000;
inline constexpr std::int64_t kDayNs = 24 * kHourNs;

// A column name that is new to its table: length, reserved names.
std::string CheckColumnName(std::string_view name, std::size_t max_bytes);

// Counts, sizes, doubled names and values of one record.
std::string CheckRecord(const Record& record);

// The partition key of the table, where records must have it.
std::string CheckPartitionKey(const TableProperties& properties, const Record& record);

// The windows of both stores. `magnetic` is set where the record belongs to the magnetic store.
std::string CheckTime(const TableProperties& properties, std::int64_t now_ns, std::int64_t time_ns,
                      bool* magnetic);

// now - days, not before 1970.
std::int64_t RetentionCutoff(const TableProperties& properties, std::int64_t now_ns);

}  // namespace ts_local
