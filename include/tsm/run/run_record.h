// The record that ts-unload leaves beside the data, `<s3_uri>/tsm-run-<run id>.json`: what was
// asked, what was run, what was proven. Written before the query (`started`), again after the proof
// (`done`). Versioned JSON, documented in README. Pure; the caller reads and writes the object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::run {

inline constexpr int kRunRecordVersion = 1;
inline constexpr std::string_view kRunRecordPrefix = "tsm-run-";

enum class RunState { kStarted, kDone };

struct RunRecord {
  std::string run_id;
  std::string tool_version;
  std::string account;
  std::string region;
  timestream::TableRef source;
  std::optional<UnixNanos> from;  // inclusive; empty: from the first row
  std::optional<UnixNanos> end;   // exclusive; empty: to the last
  std::string partition;          // "hour", "day", "month", "year" or ""
  std::string sql;
  std::string client_token;
  RunState state = RunState::kStarted;
  std::string started_at;  // ISO 8601
  // From here on only with state done.
  std::string finished_at;
  std::string query_id;
  std::string manifest_uri;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
};

std::string ToJson(const RunRecord& record);
Result<RunRecord> ParseRunRecord(std::string_view json);

// "tsm-run-<run id>.json" as the last segment of a key.
bool IsRunRecordKey(std::string_view key);

}  // namespace tsm::run
