#include "ts_local/sql_exec.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace ts_local {
namespace {

// Rows between two updates of the shared counters.
constexpr std::int64_t kReportEvery = 256;

Cell ToCell(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return Cell::Varchar(*text);
  if (const auto* number = std::get_if<double>(&value)) return Cell::Double(*number);
  if (const auto* bigint = std::get_if<std::int64_t>(&value)) return Cell::Bigint(*bigint);
  if (const auto* boolean = std::get_if<bool>(&value)) return Cell::Boolean(*boolean);
  if (const auto* time = std::get_if<Timestamp>(&value)) return Cell::Time(time->ns);
  return {};
}

// Groups are kept in memory until the last row is read; this much of it is there for them.
constexpr std::size_t kMaxGroupBytes = std::size_t{1} << 30U;
constexpr std::size_t kGroupOverhead = 160;  // hash entry, two vectors, allocations

}  // namespace

struct SelectQuery::Group {
  PackedRow key;
  std::vector<AggregateState> states;
};

std::int64_t SelectQuery::LoadRow(const RowView& row, std::vector<Cell>* cells) const {
  std::int64_t bytes = 0;
  for (const std::size_t slot : used_slots_) {
    Cell& cell = (*cells)[slot];
    if (slot < dimensions_) {
      const std::optional<std::string>& dimension = row.dimensions[slot];
      cell = dimension ? Cell::Varchar(*dimension) : Cell();
    } else if (slot == dimensions_) {
      cell = Cell::Varchar(row.measure_name);
    } else if (slot == dimensions_ + 1) {
      cell = Cell::Time(row.time_ns);
    } else {
      cell = ToCell(row.measures[slot - dimensions_ - 2]);
    }
    bytes += cell.type() == SqlType::kVarchar ? static_cast<std::int64_t>(cell.text().size()) : 8;
  }
  return bytes;
}

void SelectQuery::ScanRows(const ScanFunction& scan, RunControl* control,
                           const std::function<bool(const EvalContext&)>& each) const {
  std::vector<Cell> cells(scope_.size());
  Scratch scratch;
  const EvalContext context{cells.data(), &scratch};
  if (!has_table_) {
    each(context);
    return;
  }
  if (range_.from >= range_.to) return;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  const auto report = [&rows, &bytes, control] {
    control->rows_scanned += rows;
    control->bytes_scanned += bytes;
    rows = 0;
    bytes = 0;
  };
  scan(range_.from, range_.to, [&](const RowView& row) {
    if (control->cancelled.load(std::memory_order_relaxed)) return false;
    scratch.Reset();
    bytes += LoadRow(row, &cells);
    if (++rows == kReportEvery) report();
    if (where_) {
      const Cell keep = where_->Eval(context);
      if (keep.is_null() || !keep.boolean()) return true;
    }
    return each(context);
  });
  report();
}

bool SelectQuery::AsksForTimeBounds() const {
  return keys_.empty() && range_is_all_ && !aggregates_.empty() &&
         std::all_of(aggregates_.begin(), aggregates_.end(), [this](const AggregateSpec& spec) {
           const bool extreme =
               spec.kind == AggregateKind::kMin || spec.kind == AggregateKind::kMax;
           return extreme && spec.argument->Slot() == dimensions_ + 1;
         });
}

std::vector<SelectQuery::Group> SelectQuery::BoundsOf(const BoundsFunction& bounds) const {
  std::vector<Group> groups;
  groups.push_back({PackedRow(), std::vector<AggregateState>(aggregates_.size())});
  if (range_.from >= range_.to) return groups;
  const auto found = bounds(range_.from, range_.to);
  if (!found) return groups;
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    groups[0].states[i].Add(aggregates_[i], Cell::Time(found->min_ns));
    groups[0].states[i].Add(aggregates_[i], Cell::Time(found->max_ns));
  }
  return groups;
}

std::vector<SelectQuery::Group> SelectQuery::Collect(const ScanFunction& scan,
                                                     RunControl* control) const {
  std::unordered_map<std::string, std::size_t> index;
  std::vector<Group> groups;
  std::vector<Cell> key_cells(keys_.size());
  std::string key;
  std::size_t bytes = 0;
  if (keys_.empty()) {  // aggregates over everything: one row even where nothing matched
    index.emplace("", 0);
    groups.push_back({PackedRow(), std::vector<AggregateState>(aggregates_.size())});
  }
  ScanRows(scan, control, [&](const EvalContext& context) {
    key.clear();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      key_cells[i] = keys_[i]->Eval(context);
      AppendCellKey(key_cells[i], &key);
    }
    const auto [found, added] = index.try_emplace(key, groups.size());
    if (added) {
      bytes += kGroupOverhead + 2 * key.size() + aggregates_.size() * sizeof(AggregateState);
      if (bytes > kMaxGroupBytes) {
        throw ExecutionError("The query computation exceeds maximum available memory");
      }
      groups.push_back({PackedRow(key_cells.data(), key_cells.size()),
                        std::vector<AggregateState>(aggregates_.size())});
    }
    Group& group = groups[found->second];
    for (std::size_t i = 0; i < aggregates_.size(); ++i) {
      const AggregateSpec& spec = aggregates_[i];
      group.states[i].Add(spec, spec.argument ? spec.argument->Eval(context) : Cell());
    }
    return true;
  });
  return groups;
}

void SelectQuery::PassGroups(const std::vector<Group>& groups, RunControl* control,
                             RowSink* sink) const {
  std::vector<Cell> cells(keys_.size() + aggregates_.size());
  std::vector<Cell> row(outputs_.size());
  Scratch scratch;
  const EvalContext context{cells.data(), &scratch};
  for (const Group& group : groups) {
    if (control->cancelled) return;
    scratch.Reset();
    for (std::size_t i = 0; i < keys_.size(); ++i) cells[i] = group.key.cells()[i];
    for (std::size_t i = 0; i < aggregates_.size(); ++i) {
      cells[keys_.size() + i] = group.states[i].Result(aggregates_[i]);
    }
    if (having_) {
      const Cell keep = having_->Eval(context);
      if (keep.is_null() || !keep.boolean()) continue;
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) row[i] = outputs_[i]->Eval(context);
    if (!sink->Add(row.data())) break;
  }
}

void SelectQuery::Run(const RowSource& rows, RunControl* control, const RowFunction& out) const {
  RowSink sink(shape_, out);
  if (grouped_) {
    const bool bounds = rows.bounds && AsksForTimeBounds();
    PassGroups(bounds ? BoundsOf(rows.bounds) : Collect(rows.scan, control), control, &sink);
  } else if (shape_.limit != 0) {
    std::vector<Cell> row(outputs_.size());
    ScanRows(rows.scan, control, [&](const EvalContext& context) {
      for (std::size_t i = 0; i < outputs_.size(); ++i) row[i] = outputs_[i]->Eval(context);
      return sink.Add(row.data());
    });
  }
  if (!control->cancelled) sink.Finish();
}

}  // namespace ts_local
