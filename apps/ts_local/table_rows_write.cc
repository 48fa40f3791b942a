#include <algorithm>

#include "ts_local/record_rules.h"
#include "ts_local/table_rows.h"
#include "ts_local/table_rows_statements.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

std::string TypeOf(const Record& record) {
  return record.multi ? "multi" : std::string(TypeName(record.measures.front().first.type));
}

}  // namespace

WriteResult TableRows::Write(const TableProperties& properties, std::int64_t now_ns,
                             const std::vector<Record>& records, std::int64_t source) {
  WriteResult result;
  const std::lock_guard lock(write_mutex_);
  source_ = source;
  const std::int64_t cutoff = RetentionCutoff(properties, now_ns);
  if (cutoff / kDayNs != last_purge_day_) PurgeLocked(cutoff);

  Added added;
  try {
    Transaction transaction(writer_);
    for (std::size_t i = 0; i < records.size(); ++i) {
      const Record& record = records[i];
      bool magnetic = false;
      std::optional<RowRejection> rejection;
      std::string late = CheckTime(properties, now_ns, record.time_ns, &magnetic);
      if (late.empty()) {
        rejection = WriteOne(properties, record, &added);
      } else {
        rejection.emplace();
        rejection->reason = std::move(late);
        rejection->outside_window = true;
      }
      if (rejection) {
        rejection->index = i;
        rejection->magnetic = magnetic;
        result.rejections.push_back(std::move(*rejection));
        continue;
      }
      ++result.ingested;
      ++(magnetic ? result.magnetic_store : result.memory_store);
    }
    transaction.Commit();
  } catch (...) {
    Undo(added);
    throw;
  }
  return result;
}

std::optional<RowRejection> TableRows::WriteOne(const TableProperties& properties,
                                                const Record& record, Added* added) {
  RowRejection rejection;
  rejection.reason = CheckRecord(record);
  if (rejection.reason.empty()) rejection.reason = CheckPartitionKey(properties, record);
  if (!rejection.reason.empty()) return rejection;

  if (!ResolveNames(record, &rejection.reason)) {
    if (rejection.reason.empty()) rejection.reason = CheckNewNames(record);
    if (!rejection.reason.empty()) return rejection;
    // A name must not come into being by a record that its version will refuse.
    if (const auto existing = ExistingVersion(record); existing && *existing >= record.version) {
      return VersionRejection(record.version, *existing);
    }
    AddNames(record, added);
    ResolveNames(record, &rejection.reason);
  }
  EncodeKey(record);
  EncodeRow();
  std::int64_t existing = 0;
  if (Upsert(FindOrAddSeries(added), record, &existing) == WriteOutcome::kVersionConflict) {
    return VersionRejection(record.version, existing);
  }
  return std::nullopt;
}

// Both texts are AWS's, as users quote them: aws/aws-sdk-pandas#2018 and
// dpattmann/prometheus-timestream-adapter#87.
RowRejection TableRows::VersionRejection(std::int64_t version, std::int64_t existing) {
  RowRejection rejection;
  rejection.existing_version = existing;
  if (version == existing) {
    rejection.reason =
        "A record already exists with the same time, dimensions, measure name, and record version. "
        "A higher record version must be specified in order to update the measure value. "
        "Specifying record version is supported by the latest SDKs.";
  } else {
    rejection.reason = "The record version " + std::to_string(version) +
                       " is lower than the existing version " + std::to_string(existing) +
                       ". A higher version is required to update the measure value.";
  }
  return rejection;
}

bool TableRows::ResolveNames(const Record& record, std::string* reason) {
  bool known = true;
  dimensions_.clear();
  for (const auto& [name, value] : record.dimensions) {
    const auto found = dimension_ids_.find(name);
    if (found == dimension_ids_.end()) {
      known = false;
    } else {
      dimensions_.push_back({found->second, value});
    }
  }
  const auto by_id = [](const SeriesDimension& a, const SeriesDimension& b) { return a.id < b.id; };
  if (!std::is_sorted(dimensions_.begin(), dimensions_.end(), by_id)) {
    std::sort(dimensions_.begin(), dimensions_.end(), by_id);
  }

  const auto measure = measure_types_.find(record.measure_name);
  if (measure == measure_types_.end()) {
    known = false;
  } else if (measure->second != TypeOf(record)) {
    // The service's own words for a changed type are unknown.
    *reason = "The measure " + record.measure_name + " already exists with the type " +
              measure->second + ".";
    return false;
  }

  values_.clear();
  for (const auto& [column, value] : record.measures) {
    const auto found = column_ids_.find(column.name);
    if (found == column_ids_.end()) {
      known = false;
      continue;
    }
    const MeasureColumn& existing = columns_[found->second];
    if (existing.type != column.type || existing.multi != column.multi) {
      *reason = "The measure value " + column.name + " already exists with the type " +
                std::string(TypeName(existing.type)) + ".";
      return false;
    }
    values_.emplace_back(found->second, &value);
  }
  if (!std::is_sorted(values_.begin(), values_.end())) std::sort(values_.begin(), values_.end());
  return known;
}

std::string TableRows::CheckNewNames(const Record& record) const {
  std::size_t dimensions = dimension_names_.size();
  for (const auto& [name, value] : record.dimensions) {
    if (dimension_ids_.contains(name)) continue;
    std::string reason = CheckColumnName(name, kMaxDimensionNameBytes);
    if (!reason.empty()) return reason;
    if (column_ids_.contains(name)) return "The dimension " + name + " has the name of a measure.";
    ++dimensions;
  }
  if (dimensions > kMaxDimensions) return "A table may have at most 128 dimensions.";
  if (!measure_types_.contains(record.measure_name) && measure_types_.size() >= kMaxMeasureNames) {
    return "A table may have at most 8192 measure names.";
  }
  std::size_t columns = columns_.size();
  for (const auto& [column, value] : record.measures) {
    if (column_ids_.contains(column.name)) continue;
    if (!column.multi) continue;  // "measure_value::double" and kin are the service's own names
    std::string reason = CheckColumnName(column.name, kMaxMeasureNameBytes);
    if (!reason.empty()) return reason;
    const auto same = [&name = column.name](const auto& dimension) {
      return dimension.first == name;
    };
    if (dimension_ids_.contains(column.name) ||
        std::any_of(record.dimensions.begin(), record.dimensions.end(), same)) {
      return "The measure " + column.name + " has the name of a dimension.";
    }
    ++columns;
  }
  if (columns > kMaxMultiColumns) return "A table may have at most 1024 multi-measure attributes.";
  return {};
}

void TableRows::AddNames(const Record& record, Added* added) {
  const std::unique_lock lock(memory_mutex_);
  for (const auto& [name, value] : record.dimensions) {
    const auto id = static_cast<std::uint32_t>(dimension_names_.size());
    if (!dimension_ids_.emplace(name, id).second) continue;
    dimension_names_.push_back(name);
    ++added->dimensions;
    statements_->add_dimension.Bind(1, std::int64_t{id}).Bind(2, std::string_view(name)).Run();
  }
  for (const auto& [column, value] : record.measures) {
    const auto id = static_cast<std::uint32_t>(columns_.size());
    if (!column_ids_.emplace(column.name, id).second) continue;
    columns_.push_back(column);
    ++added->columns;
    statements_->add_column.Bind(1, std::int64_t{id})
        .Bind(2, std::string_view(column.name))
        .Bind(3, static_cast<std::int64_t>(column.type))
        .Bind(4, std::int64_t{column.multi})
        .Run();
  }
  const std::string type = TypeOf(record);
  if (measure_types_.emplace(record.measure_name, type).second) {
    added->measure_names.push_back(record.measure_name);
    statements_->add_measure.Bind(1, std::string_view(record.measure_name))
        .Bind(2, std::string_view(type))
        .Run();
  }
}

void TableRows::EncodeKey(const Record& record) {
  series_key_.clear();
  EncodeSeries(record.measure_name, dimensions_, &series_key_);
}

void TableRows::EncodeRow() {
  row_.clear();
  for (const auto& [id, value] : values_) AppendValue(id, *value, &row_);
}

std::int64_t TableRows::FindOrAddSeries(Added* added) {
  const auto found = series_ids_.find(series_key_);
  if (found != series_ids_.end()) return found->second;
  const std::unique_lock lock(memory_mutex_);
  const auto id = static_cast<std::int64_t>(series_keys_.size()) + 1;
  const auto entry = series_ids_.emplace(series_key_, id).first;
  series_keys_.push_back(&entry->first);
  ++added->series;
  statements_->add_series.Bind(1, id).BindBlob(2, series_key_).Run();
  return id;
}

std::optional<std::int64_t> TableRows::ExistingVersion(const Record& record) {
  if (dimensions_.size() != record.dimensions.size()) return std::nullopt;
  EncodeKey(record);
  const auto found = series_ids_.find(series_key_);
  if (found == series_ids_.end()) return std::nullopt;
  Statement& select = statements_->select;
  select.Bind(1, record.time_ns / kDayNs).Bind(2, found->second).Bind(3, record.time_ns);
  std::optional<std::int64_t> version;
  if (select.Step()) version = select.Int(0);
  select.Reset();
  return version;
}

WriteOutcome TableRows::Upsert(std::int64_t series, const Record& record,
                               std::int64_t* existing_version) {
  const std::int64_t day = record.time_ns / kDayNs;
  const auto run = [&](Statement& statement) {
    statement.Bind(1, day).Bind(2, series).Bind(3, record.time_ns).Bind(4, record.version);
    statement.BindBlob(5, row_);
    if (&statement == &statements_->insert) statement.Bind(6, source_);
    statement.Run();
  };
  run(statements_->insert);
  if (writer_.Changes() == 1) return WriteOutcome::kInserted;

  Statement& select = statements_->select;
  select.Bind(1, day).Bind(2, series).Bind(3, record.time_ns).Step();
  const std::int64_t version = select.Int(0);
  const bool same = select.Blob(1) == row_;
  select.Reset();
  if (record.version > version) {
    run(statements_->update);
    return same ? WriteOutcome::kSame : WriteOutcome::kUpdated;
  }
  if (same && record.version == version) return WriteOutcome::kSame;
  *existing_version = version;
  return WriteOutcome::kVersionConflict;
}

void TableRows::PurgeLocked(std::int64_t cutoff_ns) {
  statements_->purge.Bind(1, cutoff_ns / kDayNs).Bind(2, cutoff_ns).Run();
  last_purge_day_ = cutoff_ns / kDayNs;
}

void TableRows::Undo(const Added& added) {
  const std::unique_lock lock(memory_mutex_);
  for (std::size_t i = 0; i < added.dimensions; ++i) {
    dimension_ids_.erase(dimension_names_.back());
    dimension_names_.pop_back();
  }
  for (std::size_t i = 0; i < added.columns; ++i) {
    column_ids_.erase(columns_.back().name);
    columns_.pop_back();
  }
  for (std::size_t i = 0; i < added.series; ++i) {
    const std::string key = *series_keys_.back();
    series_keys_.pop_back();
    series_ids_.erase(key);
  }
  for (const std::string& name : added.measure_names) measure_types_.erase(name);
}

}  // namespace ts_local
