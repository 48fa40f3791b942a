// One Timestream table's rows, series and columns: one SQLite file.
// Rows are clustered by (UTC day, series, time): a scan of a time range reads that range alone, and
// what retention expires is cut off at one end. A series is stored once and kept in memory besides.
// Thread-safe: one writer at a time; a scan sees the state at its start.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ts_local/row_codec.h"
#include "ts_local/sqlite_handle.h"
#include "ts_local/table_store.h"

namespace ts_local {

class TableRows {
 public:
  explicit TableRows(const std::string& file);
  ~TableRows();
  TableRows(const TableRows&) = delete;
  TableRows& operator=(const TableRows&) = delete;

  TableSchema Schema() const;
  std::vector<TableStore::MeasureInfo> Measures() const;
  WriteResult Write(const TableProperties& properties, std::int64_t now_ns,
                    const std::vector<Record>& records, std::int64_t source);
  using Sources = std::vector<std::int64_t>;
  // Rows with from_ns <= time < to_ns of no hidden source; see TableStore::Scan.
  void Scan(const TableSchema& schema, std::int64_t from_ns, std::int64_t to_ns,
            const Sources& hidden, const std::function<bool(const RowView&)>& visit) const;
  // See TableStore::Bounds.
  std::optional<TimeBounds> Bounds(std::int64_t from_ns, std::int64_t to_ns) const;
  // Deletes every row older than `cutoff_ns`.
  void Purge(std::int64_t cutoff_ns);

 private:
  struct Reader;
  class Lease;
  struct Statements;
  // What a batch has added to the memory so far, to be taken back if its transaction fails.
  struct Added {
    std::size_t dimensions = 0;
    std::size_t columns = 0;
    std::size_t series = 0;
    std::vector<std::string> measure_names;
  };
  void AddMissingColumns();
  void Load();
  void PurgeLocked(std::int64_t cutoff_ns);
  void Undo(const Added& added);
  // Nothing where the record is accepted.
  std::optional<RowRejection> WriteOne(const TableProperties& properties, const Record& record,
                                       Added* added);
  static RowRejection VersionRejection(std::int64_t version, std::int64_t existing);
  // Fills dimensions_ and values_ with the ids of the record's names; false where one is unknown.
  bool ResolveNames(const Record& record, std::string* reason);
  std::string CheckNewNames(const Record& record) const;
  void AddNames(const Record& record, Added* added);
  void EncodeKey(const Record& record);
  std::int64_t FindOrAddSeries(Added* added);
  void EncodeRow();
  // `existing_version` is set with kVersionConflict.
  WriteOutcome Upsert(std::int64_t series, const Record& record, std::int64_t* existing_version);
  // The version of the row that the record would replace.
  std::optional<std::int64_t> ExistingVersion(const Record& record);

  const std::string file_;

  std::mutex write_mutex_;  // guards writer_, statements_, the scratch members and last_purge_day_
  Connection writer_;
  std::unique_ptr<Statements> statements_;
  std::int64_t last_purge_day_ = -1;
  std::vector<SeriesDimension> dimensions_;
  std::vector<std::pair<std::uint32_t, const Value*>> values_;
  std::string series_key_;
  std::string row_;
  std::int64_t source_ = 0;  // of the batch that is being written

  // Changed only by the writer, with this lock held besides write_mutex_.
  mutable std::shared_mutex memory_mutex_;
  std::vector<std::string> dimension_names_;  // the id is the position
  std::unordered_map<std::string, std::uint32_t> dimension_ids_;
  std::vector<MeasureColumn> columns_;  // the id is the position
  std::unordered_map<std::string, std::uint32_t> column_ids_;
  // A measure name's type as SHOW MEASURES gives it: "multi" or a scalar's name.
  std::unordered_map<std::string, std::string> measure_types_;
  std::unordered_map<std::string, std::int64_t> series_ids_;
  std::vector<const std::string*> series_keys_;  // the id is the position plus one

  mutable std::mutex readers_mutex_;
  mutable std::vector<std::unique_ptr<Reader>> readers_;  // idle ones
};

}  // namespace ts_local
