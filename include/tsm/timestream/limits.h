// Quotas of Amazon Timestream for LiveAnalytics, each under its documented name.
// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html
#pragma once

#include <chrono>
#include <cstdint>

namespace tsm::timestream {

inline constexpr std::uint64_t kGigabyte = 1'000'000'000;

// UNLOAD: https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-limits.html
inline constexpr int kMaxUnloadPartitions = 100;
inline constexpr std::size_t kMaxQueryBytes = 262'144;

// Batch load.
inline constexpr std::uint64_t kMaxBatchLoadTaskBytes = 100 * kGigabyte;
inline constexpr int kMaxBatchLoadTaskFiles = 100;
inline constexpr std::uint64_t kMaxBatchLoadFileBytes = 5 * kGigabyte;
inline constexpr int kMaxActiveTasksPerTable = 5;
inline constexpr int kMaxActiveTasksPerAccount = 10;
inline constexpr int kMaxReportPrefixBytes = 928;
inline constexpr int kMaxObjectKeyPrefixBytes = 1024;

// Create, Update, Delete: 1 request a second; Describe, List: 5 a second (that the batch-load calls
// count among these is inferred, not documented).
inline constexpr std::chrono::milliseconds kCreateInterval{1000};
inline constexpr std::chrono::milliseconds kDescribeInterval{200};

inline constexpr std::int64_t kMinMemoryStoreHours = 1;
inline constexpr std::int64_t kMaxMemoryStoreHours = 8'766;
inline constexpr std::int64_t kMinMagneticStoreDays = 1;
inline constexpr std::int64_t kMaxMagneticStoreDays = 73'000;

inline constexpr std::size_t kMaxDimensionNameBytes = 60;
inline constexpr std::size_t kMaxMeasureNameBytes = 256;
inline constexpr std::size_t kMaxDatabaseOrTableNameBytes = 256;
inline constexpr int kMaxDimensionsPerTable = 128;
inline constexpr int kMaxMeasuresPerMultiMeasureRecord = 256;
inline constexpr int kMaxMultiMeasuresPerTable = 1'024;
inline constexpr int kMaxMeasureNamesPerTable = 8'192;

}  // namespace tsm::timestream
