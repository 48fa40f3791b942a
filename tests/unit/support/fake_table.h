// A table of the fake Timestream (fake_unload_service.h): so many rows per partition of time,
// evenly spread over it, so that a count of any range, partition or value is arithmetic and a
// billion rows cost nothing. Plain data; the service's lock guards it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/timestream/partition_calendar.h"
#include "tsm/timestream/table_measures.h"
#include "tsm/timestream/table_ref.h"
#include "tsm/timestream/table_schema.h"
#include "tsm/unload/slice_plan.h"

namespace tsm::test {

struct FakeColumn {
  std::string name;
  std::string type = "varchar";
  timestream::ColumnRole role = timestream::ColumnRole::kDimension;
  // Row i of a partition has the value i modulo their number.
  std::vector<std::string> values = {"a"};
  std::uint64_t null_every = 0;  // row i is null where this divides it; 0: never
};

// Rows `first` up to `end` of a partition.
struct RowSpan {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

// What a query groups by: a unit of time (kNone: not by time) and columns.
struct FakeGrouping {
  timestream::PartitionUnit unit = timestream::PartitionUnit::kNone;
  std::vector<const FakeColumn*> columns;
};

// One group: the rows that share a partition of time and the columns' values.
struct FakeGroup {
  UnixNanos start = 0;              // of the partition
  std::vector<std::size_t> values;  // places in the columns' values
  std::uint64_t rows = 0;
  std::vector<std::uint64_t> non_null;  // of the columns asked for
};

class FakeTable {
 public:
  // `unit`: by what rows are set; no query may ask for a finer one.
  explicit FakeTable(timestream::TableRef ref = {"db", "t"},
                     timestream::PartitionUnit unit = timestream::PartitionUnit::kDay);

  timestream::TableRef ref;
  std::vector<FakeColumn> columns;  // in DESCRIBE's order: city, measure_name, time, temperature
  std::vector<timestream::Measure> measures;
  std::uint64_t bytes_per_row = 100;      // in the files
  std::uint64_t files_per_partition = 1;  // of a folder, at most one per row

  timestream::PartitionUnit unit() const { return unit_; }
  // The partition that holds `time` has so many rows from now on; 0: none.
  void Set(UnixNanos time, std::uint64_t rows);
  // `count` partitions from the one that holds `from` on.
  void Fill(UnixNanos from, std::size_t count, std::uint64_t rows);
  // Retention: what lies before `time`, which is the beginning of a partition, is gone.
  void Expire(UnixNanos time);

  std::uint64_t CountRows(const unload::TimeRange& range) const;
  std::uint64_t CountRows() const;
  // min and max of the time; nothing where the range has no row.
  std::optional<std::pair<UnixNanos, UnixNanos>> Ends(const unload::TimeRange& range) const;
  const FakeColumn* Find(std::string_view name) const;

  // Groups that have rows, in the order of time and of values.
  std::vector<FakeGroup> Group(const unload::TimeRange& range, const FakeGrouping& grouping,
                               const std::vector<const FakeColumn*>& counted = {}) const;

 private:
  RowSpan Rows(std::int64_t number, std::uint64_t rows, const unload::TimeRange& range) const;
  UnixNanos TimeOf(std::int64_t number, std::uint64_t rows, std::uint64_t row) const;
  // Every partition that has rows of the range, with the part of the range in it.
  void Walk(const unload::TimeRange& range,
            const std::function<void(std::int64_t number, std::uint64_t rows, RowSpan span)>& visit)
      const;
  void AddGroups(UnixNanos start, RowSpan span, const FakeGrouping& grouping,
                 const std::vector<const FakeColumn*>& counted,
                 std::vector<FakeGroup>& groups) const;

  timestream::PartitionUnit unit_;
  std::map<std::int64_t, std::uint64_t> rows_;  // by the partition's number
};

}  // namespace tsm::test
