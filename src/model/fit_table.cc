// The data model against a table that exists: what a column is there can't be changed by a load.
#include <map>
#include <set>

#include "model_columns.h"
#include "tsm/core/text.h"
#include "tsm/model/data_model_fit.h"
#include "tsm/timestream/limits.h"

namespace tsm::model {
namespace {

using timestream::ColumnRole;
using timestream::Measure;
using timestream::SchemaColumn;

std::string Word(std::optional<MeasureType> type) {
  return type ? std::string(Name(*type)) : "unknown type";
}

std::string WhatIs(const SchemaColumn& column) {
  if (column.role == ColumnRole::kDimension) return "a dimension";
  return "a measure of type " + Word(ParseColumnType(column.type));
}

class TableFitter {
 public:
  TableFitter(const DataModel& model, const TargetColumns& target,
              const std::vector<Measure>& rows_of)
      : model_(model), target_(target), rows_of_(rows_of), columns_(MappedColumns(model)) {
    for (const SchemaColumn& column : target.schema.columns) {
      if (column.role == ColumnRole::kDimension) dimensions_.insert(column.name);
      if (column.role == ColumnRole::kMulti) attributes_.insert(column.name);
      by_lower_.emplace(ToLowerAscii(column.name), column.name);
    }
    for (const Measure& measure : target.measures) names_[measure.name].insert(measure.data_type);
  }

  Result<TableFit> Run() {
    for (const MappedColumn& column : columns_) {
      if (Status status = FitColumn(column); !status) return status.error();
    }
    if (Status status = FitMeasureNames(); !status) return status.error();
    if (Status status = CheckCounts(); !status) return status.error();
    Note("columns that " + target_.table + " does not have yet", fresh_);
    Note("columns that differ from one of " + target_.table +
             " in case only, and so become columns of their own",
         case_only_);
    Note("dimensions of " + target_.table + " that the loaded rows do not have", Unwritten());
    return std::move(fit_);
  }

 private:
  Status FitColumn(const MappedColumn& column) {
    if (column.as != MappedAs::kDimension && column.as != MappedAs::kAttribute) return Ok();
    const SchemaColumn* there = FindColumn(target_.schema, column.target);
    if (there == nullptr) {
      NoteNew(column);
      return Ok();
    }
    const bool dimension = column.as == MappedAs::kDimension;
    if (dimension != (there->role == ColumnRole::kDimension)) {
      return Refuse(column, *there, dimension ? "a dimension" : "a measure");
    }
    if (dimension || !column.type || ParseColumnType(there->type) == column.type) return Ok();
    return Refuse(column, *there, "one of type " + Word(column.type));
  }

  Status Refuse(const MappedColumn& column, const SchemaColumn& there,
                const std::string& wanted) const {
    return Misfit(Quoted(column.target) + " is " + WhatIs(there) + " in " + target_.table +
                  ", and the data model writes it as " + wanted + " (" + MappingOf(column) +
                  "): give it another name or the table's type, or load into another table");
  }

  void NoteNew(const MappedColumn& column) {
    std::set<std::string>& known = column.as == MappedAs::kDimension ? dimensions_ : attributes_;
    if (!known.insert(column.target).second || target_.schema.columns.empty()) return;
    const bool near = by_lower_.contains(ToLowerAscii(column.target));
    (near ? case_only_ : fresh_).push_back(column.target);
  }

  // "double", "multi": what rows of each measure name will be, as SHOW MEASURES would tell.
  std::map<std::string, std::set<std::string>> WrittenNames() const {
    std::map<std::string, std::set<std::string>> written;
    if (model_.multi && model_.measure_name_column.empty()) {
      written[model_.multi->target_name].insert("multi");
    } else if (model_.multi) {
      for (const Measure& measure : rows_of_) written[measure.name].insert("multi");
    }
    for (const MixedMeasureMapping& mapping : model_.mixed) {
      written[mapping.Target()].insert(ToLowerAscii(Name(mapping.type)));
    }
    return written;
  }

  Status FitMeasureNames() {
    for (const auto& [name, types] : WrittenNames()) {
      std::set<std::string>& there = names_[name];
      for (const std::string& type : types) {
        if (there.empty() || there.contains(type)) continue;
        std::string known;
        for (const std::string& one : there) known += (known.empty() ? "" : " and ") + Upper(one);
        return Misfit("the measure name " + Quoted(OneLine(name, 80)) + " is of type " + known +
                      " in " + target_.table + ", and the data model writes it as " + Upper(type) +
                      ": give another TargetMeasureName or the table's type, or load into another "
                      "table");
      }
      there.insert(types.begin(), types.end());
    }
    return Ok();
  }

  static std::string Upper(const std::string& type) {
    if (type == "multi") return "MULTI";
    return Word(ParseColumnType(type));
  }

  Status CheckCounts() const {
    const struct {
      std::size_t count;
      int most;
      const char* what;
    } limits[] = {
        {dimensions_.size(), timestream::kMaxDimensionsPerTable, "dimensions"},
        {attributes_.size(), timestream::kMaxMultiMeasuresPerTable, "multi-measure columns"},
        {names_.size(), timestream::kMaxMeasureNamesPerTable, "measure names"},
    };
    for (const auto& limit : limits) {
      if (limit.count <= static_cast<std::size_t>(limit.most)) continue;
      return Misfit(target_.table + " would have " + WithThousands(limit.count) + " " + limit.what +
                    ", with those it has already; a Timestream table takes " +
                    WithThousands(static_cast<std::uint64_t>(limit.most)));
    }
    return Ok();
  }

  std::vector<std::string> Unwritten() const {
    std::vector<std::string> names;
    for (const SchemaColumn& column : target_.schema.columns) {
      if (column.role == ColumnRole::kDimension && !model_.HasDimension(column.name)) {
        names.push_back(column.name);
      }
    }
    return names;
  }

  void Note(const std::string& before, const std::vector<std::string>& names) {
    if (!names.empty()) fit_.notes.push_back(before + ": " + QuotedList(names));
  }

  const DataModel& model_;
  const TargetColumns& target_;
  const std::vector<Measure>& rows_of_;
  std::vector<MappedColumn> columns_;
  std::set<std::string> dimensions_;  // of the table, then with the model's
  std::set<std::string> attributes_;
  std::map<std::string, std::string> by_lower_;
  std::map<std::string, std::set<std::string>> names_;  // measure name -> its types
  std::vector<std::string> fresh_;
  std::vector<std::string> case_only_;
  TableFit fit_;
};

}  // namespace

Result<TableFit> FitToTable(const DataModel& model, const TargetColumns& target,
                            const std::vector<Measure>& rows_of) {
  return TableFitter(model, target, rows_of).Run();
}

}  // namespace tsm::model
