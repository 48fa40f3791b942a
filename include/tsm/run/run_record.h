// The record that ts-unload leaves beside a table's data, `<destination>/tsm-run-<run id>.json`:
// what was asked, what was run, what was proven. Written when the run claims the destination
// (`started`), again after the proof (`done`). Of a run of several tables one more object of that
// name, above them all, is the index. Versioned JSON, documented in README. Files stay in the
// manifests: nothing here grows with their number. Pure; the caller reads and writes the objects.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"
#include "tsm/timestream/table_measures.h"
#include "tsm/timestream/table_ref.h"
#include "tsm/timestream/table_schema.h"

namespace tsm::run {

// What this program writes; it reads version 1 too (one UNLOAD, as slice "0001").
inline constexpr int kRunRecordVersion = 2;
inline constexpr std::string_view kRunRecordPrefix = "tsm-run-";

enum class RunState { kStarted, kDone };

// A slice of the table's time with the one UNLOAD that holds its rows.
struct RecordSlice {
  std::string id;       // "0007a"
  std::string attempt;  // "" in version 1
  UnixNanos from = 0;   // inclusive
  UnixNanos end = 0;    // exclusive
  std::string to;       // UNLOAD's TO: results/ and manifest lie below it
  std::string query_id;
  std::string manifest_uri;  // "" where the service wrote none for no rows
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
};

// How the files are written, in UNLOAD's own words.
struct RecordFormat {
  std::string format = "CSV";
  std::string compression = "NONE";
  std::string field_delimiter = ",";
  std::string escaped_by = "\\";
  bool include_header = true;
};

// A column and the name that something made of it has in the files.
using RecordAlias = std::pair<std::string, std::string>;

struct RunRecord {
  std::string run_id;
  std::string tool_version;
  std::string account;  // "" where it was not asked
  std::string region;
  timestream::TableRef source;
  std::optional<UnixNanos> from;  // inclusive; empty: no rows were found (version 1: open)
  std::optional<UnixNanos> end;   // exclusive
  std::string partition;          // "hour", "day", "month", "year" or ""
  std::string partition_alias;    // "partition_date"
  std::vector<RecordAlias> partitioned_by;
  std::vector<std::string> columns;     // chosen ones; empty: all
  std::string where;                    // an extra predicate
  std::string time_alias;               // to_nanoseconds(time)
  std::vector<RecordAlias> timestamps;  // TIMESTAMP measures, as epoch nanoseconds
  RecordFormat format;
  timestream::TableSchema schema;
  std::vector<timestream::Measure> measures;
  RunState state = RunState::kStarted;
  std::string started_at;  // ISO 8601
  // From here on only with state done.
  std::string finished_at;
  std::vector<RecordSlice> slices;  // in the order of time
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  std::string verify;          // "none", "count", "content"
  std::string verified;        // "equal", "expired", "not asked"
  std::string content_prefix;  // with content: where the aggregates of each slice lie, a key prefix
  std::map<std::string, std::uint64_t, std::less<>> non_null;  // rows that have the column
};

std::string ToJson(const RunRecord& record);
// kBadReply where it is no record of a table (an index is told apart), kInvalidInput where it is of
// a version that this program does not read.
Result<RunRecord> ParseRunRecord(std::string_view json);

// The index of a run of several tables: where each one's record lies.
struct RunIndex {
  std::string run_id;
  std::string tool_version;
  std::string region;
  RunState state = RunState::kStarted;
  std::vector<std::pair<timestream::TableRef, std::string>> records;  // s3:// URIs
};
std::string ToJson(const RunIndex& index);
Result<RunIndex> ParseRunIndex(std::string_view json);
bool IsRunIndex(std::string_view json);

// "tsm-run-<run id>.json" as the last segment of a key.
bool IsRunRecordKey(std::string_view key);

}  // namespace tsm::run
