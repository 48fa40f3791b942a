// One CSV file of a batch load: read, mapped through the data model and written to the table.
// Constant memory whatever the file's size. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ts_local/batch_load_model.h"
#include "ts_local/batch_load_report.h"
#include "ts_local/csv_reader.h"
#include "ts_local/magnetic_partitions.h"
#include "ts_local/storage.h"
#include "ts_local/table_store.h"

namespace ts_local {

// BatchLoadProgressReport's counts. A row of the file counts once, however many records it becomes:
// processed = ingested + parse_failures + record_failures. (What the service counts for a row that
// becomes several records is documented nowhere.)
struct BatchCounters {
  std::int64_t processed = 0;
  std::int64_t ingested = 0;
  std::int64_t parse_failures = 0;
  std::int64_t record_failures = 0;
  std::int64_t file_failures = 0;
  std::int64_t bytes = 0;
};

struct CsvConfiguration {
  CsvOptions options;
  std::string null_value;  // a field equal to it is absent, as an empty one is
};

class BatchLoadFile {
 public:
  struct Target {
    TableStore& tables;
    TableName table;
    std::int64_t version = 1;
    std::int64_t source = TableStore::kNoSource;  // of the rows, see TableStore::HideSource
    // Gets what the magnetic store did not take and the caller is not told of.
    std::function<void(const std::vector<RowRejection>&)> silently_rejected;
  };
  // Where a run ends before its files do.
  struct Bounds {
    std::int64_t stop_bytes = INT64_MAX;       // no row is begun once BatchCounters::bytes is there
    MagneticPartitions* partitions = nullptr;  // null: as many as there are
    std::function<std::int64_t()> now_ns;      // with `partitions`
    std::int64_t magnetic_before_ns = INT64_MIN;  // rows of an earlier time need a partition
    std::int64_t loaded_rows = 0;  // the first so many need none: an earlier run loaded them
  };
  enum class End { kWhole, kBound, kInterrupted };
  // Called now and then; false interrupts the load where it is.
  using Progress = std::function<bool()>;

  // All arguments must outlive it. `counters` and `report` are added to.
  BatchLoadFile(const Target& target, const Bounds& bounds, const DataModel& model,
                const CsvConfiguration& csv, BatchCounters* counters, BatchLoadReport* report);

  // Loads the object `key` as `bytes` gives it. Errors of the file and its rows go to the report;
  // ApiError where the table is gone.
  End Load(const std::string& key, Storage::Download* bytes, const Progress& progress);

 private:
  struct Mapping {
    const MeasureMapping* model = nullptr;
    std::vector<std::size_t> columns;  // of model->attributes
  };
  struct Row {
    std::int64_t first_line = 0;
    std::int64_t last_line = 0;
    bool rejected = false;
  };

  // The reason why the file cannot be used, else "". `end` where it ended.
  std::string LoadRows(CsvReader* reader, const Progress& progress, End* end);
  void LoadRow(const CsvRecord& row, std::size_t width);
  // Whether the magnetic store has a partition for the row, where it needs one.
  bool HasPartition(const CsvRecord& row);
  // Finds the model's columns in the header; the reason why the file cannot be used, else "".
  std::string BindHeader(const CsvRecord& header);
  std::string FindColumn(const std::string& name, std::size_t* column) const;
  // Appends the row's records; a reason where it has none.
  std::string MapRow(const CsvRecord& row);
  std::string MapRecord(const CsvRecord& row, const Mapping& mapping, std::int64_t time_ns,
                        bool* has_measure);
  bool Absent(const std::string& field) const;
  Record* NextRecord();
  void Flush();

  const Target& target_;
  const Bounds& bounds_;
  const DataModel& model_;
  const CsvConfiguration& csv_;
  BatchCounters* const counters_;
  BatchLoadReport* const report_;

  std::string file_;
  std::unordered_map<std::string, std::size_t> header_;
  std::vector<std::string> doubled_;  // names that the header has twice
  std::size_t time_column_ = 0;
  std::size_t name_column_ = 0;
  std::vector<std::size_t> dimension_columns_;
  std::vector<Mapping> mappings_;
  std::unordered_map<std::string, std::size_t> selectors_;  // measure name to mapping

  // Records and rows of the batch; those beyond the used ones are spare buffers.
  std::vector<Record> records_;
  std::size_t used_ = 0;
  std::vector<std::size_t> row_of_;  // by record
  std::vector<Row> rows_;
  std::size_t batch_bytes_ = 0;
};

}  // namespace ts_local
