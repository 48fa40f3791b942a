#include "support/fake_table.h"

#include <algorithm>
#include <numeric>

namespace tsm::test {

using timestream::ColumnRole;
using timestream::NextPartition;
using timestream::PartitionBegin;
using timestream::PartitionNumber;
using timestream::PartitionStart;
using timestream::PartitionUnit;
using unload::TimeRange;

namespace {

// Products of a partition's nanoseconds and its rows.
__extension__ using Wide = unsigned __int128;

// How many of the rows meet `test`, which depends on the row modulo `cycle` alone.
std::uint64_t CountCyclic(RowSpan span, std::uint64_t cycle,
                          const std::function<bool(std::uint64_t)>& test) {
  const auto below = [&](std::uint64_t end) {
    std::uint64_t whole = 0;
    std::uint64_t rest = 0;
    for (std::uint64_t i = 0; i < cycle; ++i) {
      if (!test(i)) continue;
      ++whole;
      if (i < end % cycle) ++rest;
    }
    return end / cycle * whole + rest;
  };
  return below(span.end) - below(span.first);
}

bool HasValues(std::uint64_t row, const FakeGrouping& grouping,
               const std::vector<std::size_t>& values) {
  for (std::size_t i = 0; i < grouping.columns.size(); ++i) {
    if (row % grouping.columns[i]->values.size() != values[i]) return false;
  }
  return true;
}

}  // namespace

FakeTable::FakeTable(timestream::TableRef table, PartitionUnit unit)
    : ref(std::move(table)), unit_(unit) {
  columns = {{"city", "varchar", ColumnRole::kDimension, {"Oslo", "Rome"}, 0},
             {"measure_name", "varchar", ColumnRole::kMeasureName, {"climate"}, 0},
             {"time", "timestamp", ColumnRole::kTimestamp, {}, 0},
             {"temperature", "double", ColumnRole::kMulti, {}, 4}};
  measures = {{"climate", "multi", {{"city", "varchar"}}}};
}

void FakeTable::Set(UnixNanos time, std::uint64_t rows) {
  const std::int64_t number = PartitionNumber(unit_, time);
  if (rows == 0) {
    rows_.erase(number);
  } else {
    rows_[number] = rows;
  }
}

void FakeTable::Fill(UnixNanos from, std::size_t count, std::uint64_t rows) {
  const std::int64_t first = PartitionNumber(unit_, from);
  for (std::size_t i = 0; i < count; ++i) rows_[first + static_cast<std::int64_t>(i)] = rows;
}

void FakeTable::Expire(UnixNanos time) {
  rows_.erase(rows_.begin(), rows_.lower_bound(PartitionNumber(unit_, time)));
}

// Row i lies at begin + floor(i * length / rows), so that as many as ceil(d * rows / length) lie
// less than d behind the begin.
RowSpan FakeTable::Rows(std::int64_t number, std::uint64_t rows, const TimeRange& range) const {
  const UnixNanos begin = PartitionBegin(unit_, number);
  const auto length = static_cast<Wide>(PartitionBegin(unit_, number + 1) - begin);
  const auto before = [&](UnixNanos time) -> std::uint64_t {
    if (time <= begin) return 0;
    const Wide count = (static_cast<Wide>(time - begin) * rows + length - 1) / length;
    return count < rows ? static_cast<std::uint64_t>(count) : rows;
  };
  return {before(range.from), before(range.end)};
}

UnixNanos FakeTable::TimeOf(std::int64_t number, std::uint64_t rows, std::uint64_t row) const {
  const UnixNanos begin = PartitionBegin(unit_, number);
  const auto length = static_cast<Wide>(PartitionBegin(unit_, number + 1) - begin);
  return begin + static_cast<UnixNanos>(length * row / rows);
}

void FakeTable::Walk(const TimeRange& range,
                     const std::function<void(std::int64_t, std::uint64_t, RowSpan)>& visit) const {
  if (range.from >= range.end) return;
  const std::int64_t last = PartitionNumber(unit_, range.end - 1);
  for (auto at = rows_.lower_bound(PartitionNumber(unit_, range.from));
       at != rows_.end() && at->first <= last; ++at) {
    const RowSpan span = Rows(at->first, at->second, range);
    if (span.first < span.end) visit(at->first, at->second, span);
  }
}

std::uint64_t FakeTable::CountRows(const TimeRange& range) const {
  std::uint64_t sum = 0;
  Walk(range, [&](std::int64_t, std::uint64_t, RowSpan span) { sum += span.end - span.first; });
  return sum;
}

std::uint64_t FakeTable::CountRows() const {
  return std::accumulate(rows_.begin(), rows_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& entry) { return sum + entry.second; });
}

std::optional<std::pair<UnixNanos, UnixNanos>> FakeTable::Ends(const TimeRange& range) const {
  std::optional<std::pair<UnixNanos, UnixNanos>> ends;
  Walk(range, [&](std::int64_t number, std::uint64_t rows, RowSpan span) {
    if (!ends) ends.emplace(TimeOf(number, rows, span.first), 0);
    ends->second = TimeOf(number, rows, span.end - 1);
  });
  return ends;
}

const FakeColumn* FakeTable::Find(std::string_view name) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const FakeColumn& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

std::vector<FakeGroup> FakeTable::Group(const TimeRange& range, const FakeGrouping& grouping,
                                        const std::vector<const FakeColumn*>& counted) const {
  std::vector<FakeGroup> groups;
  Walk(range, [&](std::int64_t number, std::uint64_t rows, RowSpan) {
    // A partition of the table may hold several of those asked for.
    const UnixNanos end = std::min(range.end, PartitionBegin(unit_, number + 1));
    UnixNanos from = std::max(range.from, PartitionBegin(unit_, number));
    while (from < end) {
      const UnixNanos next = std::min(end, NextPartition(grouping.unit, from));
      const RowSpan span = Rows(number, rows, {from, next});
      const UnixNanos start =
          grouping.unit == PartitionUnit::kNone ? 0 : PartitionStart(grouping.unit, from);
      if (span.first < span.end) AddGroups(start, span, grouping, counted, groups);
      from = next;
    }
  });
  return groups;
}

// The groups of one start lie at the end of `groups`.
void FakeTable::AddGroups(UnixNanos start, RowSpan span, const FakeGrouping& grouping,
                          const std::vector<const FakeColumn*>& counted,
                          std::vector<FakeGroup>& groups) const {
  std::size_t combinations = 1;
  std::uint64_t cycle = 1;
  for (const FakeColumn* column : grouping.columns) {
    combinations *= column->values.size();
    cycle = std::lcm(cycle, column->values.size());
  }
  for (std::size_t combination = 0; combination < combinations; ++combination) {
    FakeGroup group{start, {}, 0, {}};
    std::size_t rest = combination;
    for (auto column = grouping.columns.rbegin(); column != grouping.columns.rend(); ++column) {
      group.values.insert(group.values.begin(), rest % (*column)->values.size());
      rest /= (*column)->values.size();
    }
    group.rows = CountCyclic(
        span, cycle, [&](std::uint64_t row) { return HasValues(row, grouping, group.values); });
    if (group.rows == 0) continue;
    for (const FakeColumn* column : counted) {
      const std::uint64_t nulls = column->null_every;
      group.non_null.push_back(
          nulls == 0 ? group.rows
                     : CountCyclic(span, std::lcm(cycle, nulls), [&](std::uint64_t row) {
                         return row % nulls != 0 && HasValues(row, grouping, group.values);
                       }));
    }
    const auto same = std::find_if(groups.rbegin(), groups.rend(), [&](const FakeGroup& other) {
      return other.start != start || other.values == group.values;
    });
    if (same == groups.rend() || same->start != start) {
      groups.push_back(std::move(group));
      continue;
    }
    same->rows += group.rows;
    for (std::size_t i = 0; i < counted.size(); ++i) same->non_null[i] += group.non_null[i];
  }
}

}  // namespace tsm::test
