// Databases, tables and rows of ts-local's Timestream, per region, in SQLite below DIR/timestream.
// A series (dimensions and measure name) is stored once; a row is (series id, time, version,
// values), so that 20 million rows stay workable. Thread-safe: one writer at a time, scans beside
// it see the state at their start. Errors are ApiError with Timestream's codes. Quotas and rules:
// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ts_local {

enum class ScalarType { kVarchar, kDouble, kBigint, kBoolean, kTimestamp };

// A moment in nanoseconds since the Unix epoch, UTC.
struct Timestamp {
  std::int64_t ns = 0;
  auto operator<=>(const Timestamp&) const = default;
};

// One value; std::monostate is null.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Timestamp>;

struct TableName {
  std::string region;
  std::string database;
  std::string table;
};

struct PartitionKey {
  bool is_measure = false;  // Type MEASURE (the measure name) or DIMENSION
  std::string name;         // dimension name
  bool required = false;    // EnforcementInRecord REQUIRED
};

struct TableProperties {
  std::int64_t memory_hours = 6;
  std::int64_t magnetic_days = 73000;
  bool magnetic_writes = false;
  std::string rejected_bucket;  // MagneticStoreRejectedDataLocation, "" where none
  std::string rejected_prefix;
  std::string rejected_encryption;
  std::optional<PartitionKey> partition_key;  // empty: the service's default, the measure name
};

struct TableInfo {
  TableName name;
  TableProperties properties;
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
};

struct DatabaseInfo {
  std::string region;
  std::string name;
  std::string kms_key_id;
  std::int64_t table_count = 0;
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
};

struct MeasureColumn {
  std::string name;  // attribute of a multi-measure, or "measure_value::double" and kin
  ScalarType type = ScalarType::kDouble;
  bool multi = false;  // attribute of a multi-measure record
};

// The columns that exist because something was written: a measure never written is no column.
struct TableSchema {
  std::vector<std::string> dimensions;  // in order of first appearance
  std::vector<MeasureColumn> measures;  // in order of first appearance
};

// One row as a scan sees it; valid only during the callback.
struct RowView {
  // As TableSchema::dimensions of the scan's schema; nullopt where this series lacks the dimension.
  const std::vector<std::optional<std::string>>& dimensions;
  const std::string& measure_name;
  std::int64_t time_ns;
  const std::vector<Value>& measures;  // as TableSchema::measures
};

// The times of the oldest and of the newest row.
struct TimeBounds {
  std::int64_t min_ns = 0;
  std::int64_t max_ns = 0;
};

// One record to write.
struct Record {
  std::vector<std::pair<std::string, std::string>> dimensions;
  std::string measure_name;
  std::int64_t time_ns = 0;
  std::int64_t version = 1;
  bool multi = false;
  // Attributes of a multi-measure record; one, named "measure_value::<type>", of a single-measure
  // one.
  std::vector<std::pair<MeasureColumn, Value>> measures;
};

enum class WriteOutcome {
  kInserted,
  kUpdated,          // higher version replaced the row
  kSame,             // identical data, version not lower: no rejection, nothing changes
  kVersionConflict,  // other data at a version that is not higher
};

struct RowRejection {
  std::size_t index = 0;  // into the batch
  std::string reason;     // in AWS's words
  std::optional<std::int64_t> existing_version;
  bool outside_window = false;  // too old or too new for the store; `reason` says for which
  bool magnetic = false;        // the record belongs to the magnetic store
};

struct WriteResult {
  std::int64_t ingested = 0;      // accepted, identical ones included
  std::int64_t memory_store = 0;  // of these, by store
  std::int64_t magnetic_store = 0;
  std::vector<RowRejection> rejections;
};

class TableStore {
 public:
  // Clock in nanoseconds since the epoch, for retention; injected so that tests choose the day.
  using NowNs = std::function<std::int64_t()>;
  TableStore(const std::string& dir, NowNs now);
  ~TableStore();
  TableStore(const TableStore&) = delete;
  TableStore& operator=(const TableStore&) = delete;

  void CreateDatabase(const std::string& region, const std::string& name,
                      const std::string& kms_key_id);  // ConflictException
  DatabaseInfo GetDatabase(const std::string& region,
                           const std::string& name) const;               // ResourceNotFound
  std::vector<DatabaseInfo> Databases(const std::string& region) const;  // in name order
  void UpdateDatabase(const std::string& region, const std::string& name,
                      const std::string& kms_key_id);
  // ValidationException if it has tables.
  void DeleteDatabase(const std::string& region, const std::string& name);

  void CreateTable(const TableName& name, const TableProperties& properties);  // ConflictException
  void UpdateTable(const TableName& name, const TableProperties& properties);
  TableInfo GetTable(const TableName& name) const;  // ResourceNotFound
  std::vector<TableInfo> Tables(const std::string& region, const std::string& database) const;
  void DeleteTable(const TableName& name);

  // The folder of the store's files, for what lives beside the tables (batch-load tasks).
  const std::string& dir() const;

  TableSchema Schema(const TableName& name) const;

  struct MeasureInfo {  // one row of SHOW MEASURES
    std::string measure_name;
    std::string data_type;  // "double", ..., "multi"
    std::vector<std::string> dimensions;
  };
  std::vector<MeasureInfo> Measures(const TableName& name) const;

  // Writes a batch: checks retention windows of both stores (magnetic writes off rejects what is
  // older than the memory store), the future window of 15 minutes, partition key enforcement,
  // limits of names and counts, type agreement with the existing column, versions. Good records of
  // a batch are written even where others are rejected, as the service does.
  // New rows are of `source`.
  WriteResult Write(const TableName& name, const std::vector<Record>& records,
                    std::int64_t source = kNoSource);

  // Rows may come from a numbered source, whose rows can be hidden from Scan and Bounds. What is
  // hidden is forgotten when ts-local ends: all rows are then seen. A row that a source has
  // overwritten is not hidden by it.
  static constexpr std::int64_t kNoSource = 0;
  void HideSource(const TableName& name, std::int64_t source);
  void ShowSource(const TableName& name, std::int64_t source, std::int64_t from_ns);

  // Rows with from_ns <= time < to_ns that retention has not expired, in no promised order, until
  // `visit` returns false. `schema` is what Schema() returned: columns added later are not seen.
  void Scan(const TableName& name, const TableSchema& schema, std::int64_t from_ns,
            std::int64_t to_ns, const std::function<bool(const RowView&)>& visit) const;

  // The bounds of what Scan would visit, found by the index: quick whatever the table's size.
  // Nothing where it would visit no row.
  std::optional<TimeBounds> Bounds(const TableName& name, std::int64_t from_ns,
                                   std::int64_t to_ns) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts_local
