// The rules of a data model that look at more than one place.
#include <map>
#include <set>
#include <string>

#include "tsm/model/data_model.h"
#include "tsm/timestream/limits.h"

namespace tsm::model {
namespace {

Error At(const std::string& path, const std::string& what) {
  return MakeError(ErrorKind::kInvalidInput, path + ": " + what);
}

std::string Item(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

// Names that become columns of the table.
// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html#limits.system_identifier
Status CheckColumnName(const std::string& path, const std::string& name, std::size_t max_bytes) {
  if (name.size() > max_bytes) {
    return At(path, "the name \"" + name + "\" has " + std::to_string(name.size()) +
                        " bytes, Timestream takes " + std::to_string(max_bytes));
  }
  if (name == "time" || name == "measure_value" || name == "ts_non_existent_col") {
    return At(path, "the name \"" + name + "\" is reserved by Timestream");
  }
  for (const char* prefix : {"ts_", "measure_name", "measure_value"}) {
    if (name.starts_with(prefix)) {
      return At(path, "the name \"" + name + "\" starts with \"" + prefix +
                          "\", which Timestream reserves");
    }
  }
  if (name.find(':') != std::string::npos) {
    return At(path, "the name \"" + name + "\" holds a colon, which Timestream does not allow");
  }
  return Ok();
}

// Measure names are values of the column measure_name, not columns: only their length counts.
Status CheckMeasureName(const std::string& path, const std::string& name) {
  if (name.size() <= timestream::kMaxMeasureNameBytes) return Ok();
  return At(path, "the measure name has " + std::to_string(name.size()) +
                      " bytes, Timestream takes " +
                      std::to_string(timestream::kMaxMeasureNameBytes));
}

using Names = std::map<std::string, std::string>;  // name -> path of its mapping

Result<Names> CheckDimensions(const DataModel& model) {
  const std::string root = "$.DimensionMappings";
  if (model.dimensions.empty()) return At(root, "at least one dimension is needed");
  if (model.dimensions.size() > static_cast<std::size_t>(timestream::kMaxDimensionsPerTable)) {
    return At(root, "has " + std::to_string(model.dimensions.size()) +
                        " entries, a Timestream table takes " +
                        std::to_string(timestream::kMaxDimensionsPerTable) + " dimensions");
  }
  Names names;
  for (std::size_t i = 0; i < model.dimensions.size(); ++i) {
    const std::string path = Item(root, i);
    const std::string& name = model.dimensions[i].Destination();
    if (Status status = CheckColumnName(path, name, timestream::kMaxDimensionNameBytes); !status) {
      return status.error();
    }
    const auto [other, fresh] = names.emplace(name, path);
    if (!fresh) {
      return At(path, "the dimension \"" + name + "\" is already written by " + other->second);
    }
  }
  return names;
}

Status CheckAttributes(const std::vector<AttributeMapping>& attributes, const std::string& root,
                       const Names& dimensions) {
  if (attributes.empty()) return At(root, "at least one measure is needed");
  if (attributes.size() > static_cast<std::size_t>(timestream::kMaxMeasuresPerMultiMeasureRecord)) {
    return At(root, "has " + std::to_string(attributes.size()) +
                        " entries, a multi-measure record takes " +
                        std::to_string(timestream::kMaxMeasuresPerMultiMeasureRecord));
  }
  Names names;
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    const std::string path = Item(root, i);
    const std::string& name = attributes[i].Target();
    if (Status status = CheckColumnName(path, name, timestream::kMaxMeasureNameBytes); !status) {
      return status;
    }
    if (const auto dimension = dimensions.find(name); dimension != dimensions.end()) {
      return At(path, "the measure \"" + name + "\" has the name of the dimension at " +
                          dimension->second);
    }
    const auto [other, fresh] = names.emplace(name, path);
    if (!fresh)
      return At(path, "the measure \"" + name + "\" is already written by " + other->second);
  }
  return Ok();
}

Status CheckMulti(const DataModel& model, const Names& dimensions) {
  const std::string root = "$.MultiMeasureMappings";
  if (model.multi->target_name.empty() && model.measure_name_column.empty()) {
    return At(root, "TargetMultiMeasureName is needed where the model names no MeasureNameColumn");
  }
  if (Status status = CheckMeasureName(root + ".TargetMultiMeasureName", model.multi->target_name);
      !status) {
    return status;
  }
  return CheckAttributes(model.multi->attributes, root + ".MultiMeasureAttributeMappings",
                         dimensions);
}

Status CheckMixedItem(const DataModel& model, const MixedMeasureMapping& mapping,
                      const std::string& path, const Names& dimensions) {
  if (!model.measure_name_column.empty() && mapping.measure_name.empty()) {
    return At(path,
              "MeasureName is needed where the model names a MeasureNameColumn: it tells which "
              "rows the mapping is for");
  }
  const bool is_multi = mapping.type == MeasureType::kMulti;
  if (!is_multi && mapping.source_column.empty()) {
    return At(path,
              "SourceColumn is needed for a measure of type " + std::string(Name(mapping.type)));
  }
  if (mapping.type == MeasureType::kTimestamp) {
    return At(path,
              "the type TIMESTAMP belongs to multi-measure records: write it as an attribute of a "
              "mapping of type MULTI");
  }
  if (!is_multi && !mapping.attributes.empty()) {
    return At(path + ".MultiMeasureAttributeMappings",
              "belongs to MeasureValueType MULTI, not to " + std::string(Name(mapping.type)));
  }
  if (mapping.Target().empty()) return At(path, "MeasureName or TargetMeasureName is needed");
  if (Status status = CheckMeasureName(path, mapping.Target()); !status) return status;
  if (Status status = CheckMeasureName(path + ".MeasureName", mapping.measure_name); !status) {
    return status;
  }
  if (!is_multi) return Ok();
  return CheckAttributes(mapping.attributes, path + ".MultiMeasureAttributeMappings", dimensions);
}

// A column of the table has one type, whichever measure names write it.
class AttributeTypes {
 public:
  Status Add(const std::vector<AttributeMapping>& attributes, const std::string& root) {
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      const std::string path = Item(root, i);
      const std::string& name = attributes[i].Target();
      const auto [other, fresh] = seen_.emplace(name, Seen{attributes[i].type, path});
      if (fresh || other->second.type == attributes[i].type) continue;
      return At(path, "the measure \"" + name + "\" has another MeasureValueType than at " +
                          other->second.path + ": a column of the table has one");
    }
    if (seen_.size() <= static_cast<std::size_t>(timestream::kMaxMultiMeasuresPerTable)) {
      return Ok();
    }
    return At(root, "the model writes " + std::to_string(seen_.size()) +
                        " multi-measure columns, a Timestream table takes " +
                        std::to_string(timestream::kMaxMultiMeasuresPerTable));
  }

 private:
  struct Seen {
    std::optional<MeasureType> type;
    std::string path;
  };
  std::map<std::string, Seen> seen_;
};

Status CheckMixed(const DataModel& model, const Names& dimensions) {
  Names rows;
  std::set<std::string> names;
  AttributeTypes types;
  for (std::size_t i = 0; i < model.mixed.size(); ++i) {
    const MixedMeasureMapping& mapping = model.mixed[i];
    const std::string path = Item("$.MixedMeasureMappings", i);
    if (Status status = CheckMixedItem(model, mapping, path, dimensions); !status) return status;
    const std::string attributes = path + ".MultiMeasureAttributeMappings";
    if (Status status = types.Add(mapping.attributes, attributes); !status) return status;
    // The rows of a mapping: with a MeasureNameColumn those of one measure name, whose values may
    // be of several types, each in a column of its own; else all, and the target tells them apart.
    const std::string& name =
        model.measure_name_column.empty() ? mapping.Target() : mapping.measure_name;
    const auto [other, fresh] = rows.emplace(name + '\0' + std::string(Name(mapping.type)), path);
    if (!fresh) {
      return At(path, "the measure \"" + name + "\" of type " + std::string(Name(mapping.type)) +
                          " is already written by " + other->second);
    }
    names.insert(mapping.Target());
  }
  if (names.size() > static_cast<std::size_t>(timestream::kMaxMeasureNamesPerTable)) {
    return At("$.MixedMeasureMappings", "the model writes " + std::to_string(names.size()) +
                                            " measure names, a Timestream table takes " +
                                            std::to_string(timestream::kMaxMeasureNamesPerTable));
  }
  return Ok();
}

}  // namespace

Status CheckDataModel(const DataModel& model) {
  if (model.time_column.empty()) return At("$.TimeColumn", "is needed");
  Result<Names> dimensions = CheckDimensions(model);
  if (!dimensions) return dimensions.error();
  if (model.multi.has_value() && !model.mixed.empty()) {
    return At("$", "MultiMeasureMappings and MixedMeasureMappings exclude each other");
  }
  if (model.multi.has_value()) return CheckMulti(model, *dimensions);
  if (model.mixed.empty()) {
    return At("$", "one of MultiMeasureMappings and MixedMeasureMappings is needed");
  }
  return CheckMixed(model, *dimensions);
}

Status CheckPartitionKey(const DataModel& model, std::string_view partition_key) {
  // The key of type MEASURE: every row has a measure name.
  if (partition_key == "measure_name" || model.HasDimension(partition_key)) return Ok();
  const std::string key(partition_key);
  std::string known;
  for (const DimensionMapping& mapping : model.dimensions) {
    known += (known.empty() ? "" : ", ") + mapping.Destination();
  }
  return MakeError(ErrorKind::kInvalidInput,
                   "the partition key \"" + key +
                       "\" is the destination of no dimension mapping of the data model (it has " +
                       known + ")");
}

}  // namespace tsm::model
