#include "count_check.h"

#include <algorithm>
#include <utility>

#include "attempt_files.h"
#include "table_questions.h"
#include "tsm/core/text.h"
#include "tsm/timestream/partition_calendar.h"

namespace tsm::unload {

namespace {

std::string TimeOf(const std::string& partition) {
  return partition.substr(0, partition.find('/'));
}

// Of texts of one kind: dates, or numbers of slices that may have grown longer.
bool IsBefore(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// The slice as planned, whole, that holds a moment.
std::string PlannedSliceAt(const TablePlan& table, UnixNanos time) {
  for (const UnloadSlice& slice : table.slices) {
    if (slice.from <= time && time < slice.end) return slice.Id();
  }
  return "";
}

// The partition of a count, named as the files' folders name it.
std::string KeyOf(const TablePlan& table, const std::vector<std::string>& values) {
  const TableSelect& select = table.select;
  if (select.partition == PartitionUnit::kNone && select.partitioned_by.empty()) {
    const auto day = ParsePartitionText(SurveyUnit(select.partition), values.front());
    if (!day) return values.front();
    return PlannedSliceAt(table, std::max(*day, table.range->from));
  }
  const std::size_t first = select.partition == PartitionUnit::kNone ? 1 : 0;
  std::string key;
  for (std::size_t i = first; i < values.size(); ++i) {
    if (i > first) key += '/';
    key += values[i];
  }
  return key;
}

std::vector<std::string> ColumnsOf(const TablePlan& table) {
  std::vector<std::string> names;
  for (const timestream::SchemaColumn& column : SelectedColumns(table)) {
    names.push_back(column.name);
  }
  return names;
}

// Manifests of slices that an earlier process finished are read once more, one at a time.
Status CompletePartitionRows(RunContext& context, std::size_t table) {
  std::vector<std::pair<SliceRef, std::pair<Attempt, std::string>>> missing;
  context.ledger.Look([&](const UnloadState& state) {
    for (const auto& [id, slice] : state.table(table).slices) {
      const SliceRef ref{table, id};
      if (slice.state != SliceState::State::kDone || context.partition_rows.Has(ref)) continue;
      if (slice.done.manifest_uri.empty()) continue;
      missing.push_back({ref, {*slice.Find(slice.done.attempt), slice.done.manifest_uri}});
    }
  });
  for (const auto& [ref, found] : missing) {
    Result<run::Manifest> manifest = ReadManifest(found.second, context.services, context.stop());
    if (!manifest) return manifest.error();
    context.partition_rows.Add(ref, found.first, *manifest);
    if (Status kept = context.Tick(); !kept) return kept;
  }
  return Ok();
}

void Sort(const CountDifference& difference, bool expired, CountReport& report) {
  if (difference.counted > difference.unloaded) {
    report.changed.push_back(difference);
  } else {
    (expired ? report.expired : report.wrong).push_back(difference);
  }
}

}  // namespace

std::string CountDifference::str() const {
  return partition + ": " + WithThousands(unloaded) + " rows unloaded, the table now has " +
         WithThousands(counted);
}

CountReport CompareCounts(const PartitionRows::Counts& unloaded,
                          const PartitionRows::Counts& counted, bool by_time) {
  CountReport report;
  std::string oldest_left;
  for (const auto& [partition, rows] : counted) {
    if (rows > 0 && (oldest_left.empty() || IsBefore(TimeOf(partition), oldest_left))) {
      oldest_left = TimeOf(partition);
    }
  }
  // Side by side, for there may be a hundred thousand of each.
  auto before = unloaded.begin();
  auto now = counted.begin();
  while (before != unloaded.end() || now != counted.end()) {
    CountDifference difference;
    const bool take_before =
        now == counted.end() || (before != unloaded.end() && before->first <= now->first);
    const bool take_now =
        before == unloaded.end() || (now != counted.end() && now->first <= before->first);
    difference.partition = take_before ? before->first : now->first;
    if (take_before) difference.unloaded = (before++)->second;
    if (take_now) difference.counted = (now++)->second;
    if (difference.unloaded == difference.counted) continue;
    const bool at_the_old_end =
        oldest_left.empty() || !IsBefore(oldest_left, TimeOf(difference.partition));
    Sort(difference, !by_time || at_the_old_end, report);
  }
  return report;
}

Result<CountReport> CheckCounts(RunContext& context, std::size_t index) {
  const TablePlan& table = context.plan.tables[index];
  if (Status complete = CompletePartitionRows(context, index); !complete) return complete.error();
  Result<TableCount> count = CountRange(
      context.services, table.select, *table.range, ColumnsOf(table),
      [&](const std::vector<std::string>& values) { return KeyOf(table, values); },
      context.conduct.settings.give_up_after, context.stop());
  if (!count) return count.error();
  const bool folders_by_column_alone =
      table.select.partition == PartitionUnit::kNone && !table.select.partitioned_by.empty();
  CountReport report =
      CompareCounts(context.partition_rows.Of(index), count->rows, !folders_by_column_alone);
  report.non_null = std::move(count->non_null);
  return report;
}

std::vector<SliceRef> SlicesOf(const RunContext& context, std::size_t index,
                               const std::string& partition) {
  const TablePlan& table = context.plan.tables[index];
  const PartitionUnit unit = table.select.partition;
  std::vector<SliceRef> refs;
  context.ledger.Look([&](const UnloadState& state) {
    for (const auto& [id, slice] : state.table(index).slices) {
      if (slice.state != SliceState::State::kDone) continue;
      bool holds = true;
      if (const auto start = ParsePartitionText(unit, TimeOf(partition));
          unit != PartitionUnit::kNone && start) {
        holds = slice.slice.from < NextPartition(unit, *start) && *start < slice.slice.end;
      } else if (table.select.partitioned_by.empty()) {
        holds = PlannedSlice(id) == partition;
      }
      if (holds) refs.push_back({index, id});
    }
  });
  return refs;
}

}  // namespace tsm::unload
