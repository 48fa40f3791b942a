// The data model against the table that was unloaded: what the target will have otherwise.
#include <algorithm>
#include <map>
#include <set>

#include "model_columns.h"
#include "tsm/core/text.h"
#include "tsm/model/data_model_fit.h"

namespace tsm::model {
namespace {

using timestream::ColumnRole;
using timestream::Measure;
using timestream::SchemaColumn;

constexpr std::size_t kShownBytes = 80;

std::string Shown(std::string_view name) { return Quoted(OneLine(name, kShownBytes)); }

std::string Word(std::optional<MeasureType> type) {
  return type ? std::string(Name(*type)) : "the service's choice";
}

// What values must be like, or lose, where a type changes.
std::string Consequence(std::optional<MeasureType> from, std::optional<MeasureType> to) {
  if (to == MeasureType::kVarchar || !to) return "";
  if (from == MeasureType::kBigint && to == MeasureType::kDouble) {
    return ", which holds whole numbers exactly up to 9,007,199,254,740,992 only";
  }
  if (to == MeasureType::kBigint) return ", which refuses rows whose value is no whole number";
  if (to == MeasureType::kTimestamp) return ", which refuses rows whose value is no time as number";
  return ", which refuses rows whose value does not read as one";
}

class SourceFitter {
 public:
  SourceFitter(const DataModel& model, const ModelSource& source, const RowCounts& counts)
      : model_(model),
        source_(source),
        counts_(counts),
        columns_(MappedColumns(model)),
        left_out_(source.left_out.begin(), source.left_out.end()) {
    std::set<std::string> seen;
    for (const Measure& measure : source.measures) {
      if (seen.insert(measure.name).second) names_.push_back(measure.name);
      types_.insert(measure.data_type);
    }
  }

  Result<SourceFit> Run() {
    if (Status status = FitTime(); !status) return status.error();
    for (const SchemaColumn& column : source_.schema.columns) {
      if (column.role == ColumnRole::kDimension) FitDimension(column);
      if (IsMeasureColumn(column)) FitMeasure(column);
    }
    FitMeasureNames();
    FitMergedNames();
    return std::move(fit_);
  }

 private:
  const SchemaColumn* ColumnOf(ColumnRole role) const {
    for (const SchemaColumn& column : source_.schema.columns) {
      if (column.role == role) return &column;
    }
    return nullptr;
  }

  Status FitTime() {
    const SchemaColumn* time = ColumnOf(ColumnRole::kTimestamp);
    if (time == nullptr || source_.time_column.empty()) return Ok();
    if (model_.time_column == time->name) {
      return Misfit("$.TimeColumn: " + Quoted(time->name) +
                    " holds text in the unloaded files, and batch load takes times as whole "
                    "numbers: name " +
                    Quoted(source_.time_column) + " with TimeUnit NANOSECONDS");
    }
    if (model_.time_column != source_.time_column) {
      fit_.key_changes.push_back("the time is read from " + Shown(model_.time_column) +
                                 ", not from the rows' own time (" + Quoted(source_.time_column) +
                                 ")");
      return Ok();
    }
    if (model_.time_unit == TimeUnit::kNanoseconds) return Ok();
    const std::string unit(
        Name(model_.time_unit.value_or(TimeUnit::kMilliseconds)));  // the service's default
    return Misfit("$.TimeUnit: " + Quoted(source_.time_column) +
                  " holds nanoseconds, and the data model reads " + unit +
                  (model_.time_unit ? "" : ", the default") +
                  ": write \"TimeUnit\": " + "\"NANOSECONDS\"");
  }

  // What the model makes of a column of the files, each thing once: mappings of type MULTI repeat
  // their attributes.
  std::vector<MappedColumn> UsesOf(const std::string& column) const {
    std::vector<MappedColumn> uses;
    std::set<std::pair<MappedAs, std::string>> seen;
    for (const MappedColumn& mapped : columns_) {
      if (mapped.source != column) continue;
      if (mapped.as == MappedAs::kTime || mapped.as == MappedAs::kMeasureName) continue;
      if (seen.emplace(mapped.as, mapped.target).second) uses.push_back(mapped);
    }
    return uses;
  }

  void Change(std::string text) { fit_.changes.push_back(std::move(text)); }

  // Known to have no value in any row.
  bool IsEmpty(const std::string& column) const {
    const auto found = counts_.non_null.find(column);
    return counts_.rows > 0 && found != counts_.non_null.end() && found->second == 0;
  }

  void FitDimension(const SchemaColumn& column) {
    const std::string name = "the dimension " + Shown(column.name);
    bool kept = false;
    for (const MappedColumn& use : UsesOf(column.name)) {
      kept = kept || use.as == MappedAs::kDimension;
      if (use.as != MappedAs::kDimension) {
        Change(name + " is written as the measure " + Shown(use.target));
      } else if (use.target != column.name) {
        Change(name + " becomes " + Shown(use.target));
      }
    }
    if (kept) return;
    const std::string lost =
        name + (left_out_.contains(column.name) ? " is not in the files"
                                                : " is not loaded as a dimension");
    if (IsEmpty(column.name)) {
      Change(lost + "; no row has it");
    } else {
      fit_.key_changes.push_back(lost);
    }
  }

  // The files' column of a measure: of a TIMESTAMP its number, where there is one.
  std::vector<MappedColumn> UsesOfMeasure(const SchemaColumn& column) const {
    std::vector<MappedColumn> uses = UsesOf(column.name);
    const auto alias = source_.timestamp_aliases.find(column.name);
    if (alias == source_.timestamp_aliases.end()) return uses;
    const std::vector<MappedColumn> more = UsesOf(alias->second);
    uses.insert(uses.end(), more.begin(), more.end());
    return uses;
  }

  void FitMeasure(const SchemaColumn& column) {
    const std::vector<MappedColumn> uses = UsesOfMeasure(column);
    if (uses.empty()) {
      LostMeasure(column);
      return;
    }
    for (const MappedColumn& use : uses) {
      if (use.as == MappedAs::kDimension) {
        Change("the measure " + Shown(column.name) + " is written as the dimension " +
               Shown(use.target));
      } else {
        FitMeasureUse(column, use);
      }
    }
  }

  void LostMeasure(const SchemaColumn& column) {
    // A table keeps the columns of measures that have expired.
    const bool single = column.role == ColumnRole::kMeasureValue;
    const bool used = types_.empty() || types_.contains(single ? column.type : "multi");
    if (!used || IsEmpty(column.name)) return;
    Change("the measure " + Shown(column.name) +
           (left_out_.contains(column.name) ? " is not in the files" : " is not loaded") +
           "; batch load refuses rows that have no other");
  }

  void FitMeasureUse(const SchemaColumn& column, const MappedColumn& use) {
    const std::string name = "the measure " + Shown(column.name);
    const bool single = column.role == ColumnRole::kMeasureValue;
    if (single && use.as == MappedAs::kAttribute) {
      Change("the values of " + Shown(column.name) + " become the multi-measure attribute " +
             Shown(use.target));
    } else if (!single && use.as == MappedAs::kSingle) {
      Change(name + " becomes the single measure " + Shown(use.target));
    } else if (!single && use.target != column.name) {
      Change(name + " becomes " + Shown(use.target));
    }
    const std::optional<MeasureType> type = ParseColumnType(column.type);
    if (use.type != type) {
      Change(name + " changes from " + Word(type) + " to " + Word(use.type) +
             Consequence(type, use.type));
    }
    if (type == MeasureType::kTimestamp && use.type == type && use.source == column.name) {
      const auto alias = source_.timestamp_aliases.find(column.name);
      Change(name + " is read from text; AWS documents times as whole numbers only" +
             (alias == source_.timestamp_aliases.end()
                  ? ""
                  : ": map " + Shown(alias->second) + " instead"));
    }
  }

  void FitMeasureNames() {
    const SchemaColumn* column = ColumnOf(ColumnRole::kMeasureName);
    if (column == nullptr || names_.empty()) return;
    bool as_dimension = false;
    for (const MappedColumn& use : UsesOf(column->name)) {
      as_dimension = as_dimension || use.as == MappedAs::kDimension;
      Change("the measure name is also written as the " +
             std::string(use.as == MappedAs::kDimension ? "dimension " : "measure ") +
             Shown(use.target));
    }
    if (model_.measure_name_column == column->name) {
      FitSelectedNames();
      return;
    }
    if (!model_.measure_name_column.empty()) {
      Change("the measure name is read from " + Shown(model_.measure_name_column) + ", not from " +
             Quoted(column->name));
    }
    if (names_.size() > 1 && !as_dimension) {
      fit_.key_changes.push_back("the measure names " + QuotedList(names_) +
                                 " are not carried over (no MeasureNameColumn " +
                                 Quoted(column->name) + ")");
    }
    if (!model_.measure_name_column.empty()) return;
    if (model_.multi && names_.size() == 1 && model_.multi->target_name != names_[0]) {
      Change("the measure name " + Shown(names_[0]) + " becomes " +
             Shown(model_.multi->target_name));
    }
  }

  // Mixed mappings choose rows by measure name.
  void FitSelectedNames() {
    if (model_.mixed.empty()) return;
    std::set<std::string> selected;
    std::set<std::pair<std::string, std::string>> renamed;
    for (const MixedMeasureMapping& mapping : model_.mixed) {
      selected.insert(mapping.measure_name);
      if (mapping.Target() == mapping.measure_name) continue;
      if (!renamed.emplace(mapping.measure_name, mapping.Target()).second) continue;
      Change("the measure name " + Shown(mapping.measure_name) + " becomes " +
             Shown(mapping.Target()));
    }
    std::vector<std::string> without;
    for (const std::string& name : names_) {
      if (!selected.contains(name)) without.push_back(name);
    }
    if (!without.empty()) {
      Change("rows of the measure names " + QuotedList(without) +
             " have no mapping in MixedMeasureMappings, so that batch load refuses them");
    }
  }

  // Shown by the model alone: rows of two measure names with one name in the target.
  void FitMergedNames() {
    if (model_.measure_name_column.empty()) return;
    std::map<std::string, std::vector<std::string>> by_target;
    for (const MixedMeasureMapping& mapping : model_.mixed) {
      std::vector<std::string>& from = by_target[mapping.Target()];
      if (!std::count(from.begin(), from.end(), mapping.measure_name)) {
        from.push_back(mapping.measure_name);
      }
    }
    for (const auto& [target, from] : by_target) {
      if (from.size() < 2) continue;
      fit_.key_changes.push_back("the measure names " + QuotedList(from) + " all become " +
                                 Shown(target));
    }
  }

  const DataModel& model_;
  const ModelSource& source_;
  const RowCounts& counts_;
  std::vector<MappedColumn> columns_;
  std::set<std::string> left_out_;
  std::vector<std::string> names_;  // measure names, each once
  std::set<std::string> types_;     // of measures: "double", "multi"
  SourceFit fit_;
};

}  // namespace

Result<SourceFit> FitToSource(const DataModel& model, const ModelSource& source,
                              const RowCounts& counts) {
  return SourceFitter(model, source, counts).Run();
}

Status CheckKeyChanges(const std::vector<std::string>& key_changes, bool allow) {
  if (key_changes.empty() || allow) return Ok();
  return Misfit("the data model changes what tells rows apart (dimensions, measure name, time): " +
                Join(key_changes, "; ") +
                ". Rows that have the same key then replace or reject each other: map what is "
                "missing, or give --allow_key_change");
}

timestream::PartitionKey MakePartitionKey(const std::string& name, bool required) {
  if (name == "measure_name") return {.is_measure = true, .name = "", .required = false};
  return {.is_measure = false, .name = name, .required = required};
}

std::uint64_t RowsWithoutKey(const DataModel& model, const std::string& key,
                             const ModelSource& source, const RowCounts& counts) {
  for (const DimensionMapping& mapping : model.dimensions) {
    if (mapping.Destination() != key) continue;
    std::string column = mapping.source_column;
    for (const auto& [name, alias] : source.timestamp_aliases) {
      if (alias == column) column = name;
    }
    const auto found = counts.non_null.find(column);
    if (found == counts.non_null.end() || found->second >= counts.rows) return 0;
    return counts.rows - found->second;
  }
  return 0;
}

Status FitPartitionKey(const DataModel& model, const timestream::PartitionKey& key,
                       const ModelSource& source, const RowCounts& counts) {
  if (key.is_measure) return Ok();
  if (Status status = CheckPartitionKey(model, key.name); !status) return status;
  const std::uint64_t without = RowsWithoutKey(model, key.name, source, counts);
  if (!key.required || without == 0) return Ok();
  return Misfit("the partition key " + Quoted(key.name) + " is null or absent in " +
                WithThousands(without) + " of " + WithThousands(counts.rows) +
                " rows, which a table with enforcement REQUIRED refuses: give "
                "--partition_key_enforcement optional, or a key that every row has");
}

}  // namespace tsm::model
