#include "column_map.h"

#include <algorithm>
#include <map>
#include <set>

#include "tsm/core/text.h"

namespace tsm::verify {

namespace {

using timestream::ColumnRole;
using timestream::SchemaColumn;

constexpr std::string_view kTime = "time";
constexpr std::string_view kMeasureName = "measure_name";
constexpr std::string_view kMultiType = "multi";

// One place of the data model: a column of the files and the target's column that it becomes.
struct Use {
  std::string file_column;
  std::string target;
  bool every_row = true;     // else only the rows of `measure_name`
  std::string measure_name;  // in the files
  bool same_values = true;   // false: measure names that the model changes
};

std::string SingleColumn(model::MeasureType type) {
  return "measure_value::" + ToLowerAscii(model::Name(type));
}

void AddMixed(const model::MixedMeasureMapping& mapping, std::vector<Use>& uses) {
  const bool every_row = mapping.measure_name.empty();
  if (mapping.type != model::MeasureType::kMulti) {
    uses.push_back(
        {mapping.source_column, SingleColumn(mapping.type), every_row, mapping.measure_name, true});
  }
  for (const model::AttributeMapping& attribute : mapping.attributes) {
    uses.push_back(
        {attribute.source_column, attribute.Target(), every_row, mapping.measure_name, true});
  }
}

bool ChangesMeasureNames(const model::DataModel& model) {
  if (model.multi && !model.multi->target_name.empty()) return true;
  return std::any_of(model.mixed.begin(), model.mixed.end(),
                     [](const auto& mapping) { return mapping.Target() != mapping.measure_name; });
}

std::vector<Use> UsesOf(const model::DataModel& model) {
  std::vector<Use> uses;
  if (!model.measure_name_column.empty()) {
    uses.push_back({model.measure_name_column, std::string(kMeasureName), true, "",
                    !ChangesMeasureNames(model)});
  }
  for (const model::DimensionMapping& dimension : model.dimensions) {
    uses.push_back({dimension.source_column, dimension.Destination(), true, "", true});
  }
  if (model.multi) {
    for (const model::AttributeMapping& attribute : model.multi->attributes) {
      uses.push_back({attribute.source_column, attribute.Target(), true, "", true});
    }
  }
  for (const model::MixedMeasureMapping& mapping : model.mixed) AddMixed(mapping, uses);
  return uses;
}

Status CheckTime(const run::RunRecord& record, const model::DataModel& model) {
  if (model.time_column == record.time_alias && model.time_unit == model::TimeUnit::kNanoseconds) {
    return Ok();
  }
  return MakeError(ErrorKind::kInvalidInput,
                   "the content of " + record.source.str() +
                       " can't be compared: the data model takes the rows' time from '" +
                       OneLine(model.time_column, 80) + "', and only '" + record.time_alias +
                       "' in NANOSECONDS keeps it as it was; prove the load by --verify count");
}

class Mapper {
 public:
  Mapper(const run::RunRecord& record, const model::DataModel& model,
         const timestream::TableSchema& target)
      : record_(record), target_(target), uses_(UsesOf(model)) {
    for (const Use& use : uses_) writers_[use.target].insert(use.file_column);
  }

  ColumnMap Map() {
    for (const SchemaColumn& column : record_.schema.columns) {
      const auto& chosen = record_.columns;
      if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), column.name) == chosen.end()) {
        continue;
      }
      if (column.role == ColumnRole::kTimestamp && column.name == kTime) {
        Add(column, std::string(kTime), "");
      } else {
        MapColumn(column);
      }
    }
    return std::move(map_);
  }

 private:
  void Remark(const SchemaColumn& column, const std::string& why) {
    map_.not_compared.push_back(OneLine(column.name, 80) + ": " + why);
  }

  // A TIMESTAMP measure stands in the files as text and, under its alias, as a number.
  std::string AliasOf(const std::string& column) const {
    for (const auto& [name, alias] : record_.timestamps) {
      if (name == column) return alias;
    }
    return "";
  }

  std::vector<const Use*> UsesOfColumn(const std::string& column) const {
    const std::string alias = AliasOf(column);
    std::vector<const Use*> found;
    for (const Use& use : uses_) {
      if (!alias.empty() && use.file_column == alias) found.push_back(&use);
    }
    for (const Use& use : uses_) {
      if (use.file_column == column) found.push_back(&use);
    }
    return found;
  }

  void MapColumn(const SchemaColumn& column) {
    const std::vector<const Use*> uses = UsesOfColumn(column.name);
    if (uses.empty()) return Remark(column, "the data model does not load it");
    const auto whole =
        std::find_if(uses.begin(), uses.end(), [](const Use* use) { return use->every_row; });
    const Use& use = whole == uses.end() ? *uses.front() : **whole;
    if (!use.every_row) {
      const bool scattered = std::any_of(
          uses.begin(), uses.end(), [&](const Use* other) { return other->target != use.target; });
      if (scattered) return Remark(column, "the data model loads it into several columns");
      if (const std::string name = NameLeftOut(column, uses); !name.empty()) {
        return Remark(column, "the data model does not load it for the measure name '" +
                                  OneLine(name, 80) + "'");
      }
    }
    if (writers_.at(use.target).size() > 1) {
      return Remark(column, "the data model loads other columns into '" + use.target + "' too");
    }
    Add(column, use.target, use.same_values ? "" : "the data model gives measures other names");
  }

  // A measure name whose rows may have a value in the column, but that no use is for.
  std::string NameLeftOut(const SchemaColumn& column, const std::vector<const Use*>& uses) const {
    std::string_view type;  // "": rows of any
    if (column.role == ColumnRole::kMulti) type = kMultiType;
    if (column.role == ColumnRole::kMeasureValue) type = column.type;
    for (const timestream::Measure& measure : record_.measures) {
      if (!type.empty() && measure.data_type != type) continue;
      const bool used = std::any_of(uses.begin(), uses.end(), [&](const Use* use) {
        return use->measure_name == measure.name;
      });
      if (!used) return measure.name;
    }
    return "";
  }

  // `changed`: why its values are others than they were, "" where they are the same.
  void Add(const SchemaColumn& column, const std::string& target, std::string changed) {
    if (!targets_.insert(target).second) {
      return Remark(column, "another column is compared with '" + target + "' already");
    }
    const auto found =
        std::find_if(target_.columns.begin(), target_.columns.end(),
                     [&](const SchemaColumn& other) { return other.name == target; });
    ComparedColumn compared{column.name, target, column.type, found == target_.columns.end()};
    if (!compared.missing && changed.empty() && found->type != column.type) {
      changed = "it is " + column.type + " in the source and " + found->type + " in the target";
    }
    if (!changed.empty()) {
      compared.type.clear();
      Remark(column, changed + ", so that its values are only counted");
    }
    map_.columns.push_back(std::move(compared));
  }

  const run::RunRecord& record_;
  const timestream::TableSchema& target_;
  const std::vector<Use> uses_;
  std::map<std::string, std::set<std::string>> writers_;  // target -> columns of the files
  std::set<std::string> targets_;
  ColumnMap map_;
};

}  // namespace

const ComparedColumn* ColumnMap::Find(std::string_view source) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(),
                   [&](const ComparedColumn& column) { return column.source == source; });
  return found == columns.end() ? nullptr : &*found;
}

Result<ColumnMap> MapColumns(const run::RunRecord& record, const model::DataModel& model,
                             const timestream::TableSchema& target) {
  if (Status time = CheckTime(record, model); !time) return time.error();
  return Mapper(record, model, target).Map();
}

}  // namespace tsm::verify
