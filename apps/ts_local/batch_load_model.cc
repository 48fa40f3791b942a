#include "ts_local/batch_load_model.h"

#include <nlohmann/json.hpp>
#include <set>

#include "ts_local/json_fields.h"
#include "ts_local/record_rules.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

using nlohmann::json;

std::string Filled(const json& object, const char* name) {
  std::string text = RequiredText(object, name);
  if (text.empty()) throw Invalid(std::string("The data model's ") + name + " may not be empty");
  return text;
}

// The member, or `fallback`, which is then written into the model.
std::string FilledOr(json* object, const char* name, const std::string& fallback) {
  if (Member(*object, name) == nullptr) (*object)[name] = fallback;
  return Filled(*object, name);
}

json& ArrayOf(json* object, const char* name, const char* message) {
  if (OptionalArray(*object, name) == nullptr || (*object)[name].empty()) throw Invalid(message);
  for (const json& element : (*object)[name]) {
    if (!element.is_object()) throw Invalid(std::string(name) + " must hold objects");
  }
  return (*object)[name];
}

// Column names of the target: each once, none of the service's own.
class TargetNames {
 public:
  void Add(const std::string& name, std::size_t max_bytes) {
    const std::string reason = CheckColumnName(name, max_bytes);
    if (!reason.empty()) throw Invalid("The data model cannot be used. " + reason);
    if (!names_.insert(name).second) {
      throw Invalid("The data model maps two columns to " + name);
    }
  }
  bool Has(const std::string& name) const { return names_.contains(name); }

 private:
  std::set<std::string> names_;
};

void ParseDimensions(json* model, DataModel* out, TargetNames* names) {
  json& list = ArrayOf(model, "DimensionMappings",
                       "The data model must have at least one dimension mapping");
  if (list.size() > kMaxDimensions) throw Invalid("The data model has more than 128 dimensions");
  for (json& mapping : list) {
    DimensionMapping dimension;
    dimension.source = Filled(mapping, "SourceColumn");
    dimension.destination = FilledOr(&mapping, "DestinationColumn", dimension.source);
    names->Add(dimension.destination, kMaxDimensionNameBytes);
    out->dimensions.push_back(std::move(dimension));
  }
}

std::vector<AttributeMapping> ParseAttributes(json* holder, const TargetNames& dimensions) {
  json& list = ArrayOf(holder, "MultiMeasureAttributeMappings",
                       "MultiMeasureAttributeMappings must have at least one mapping");
  if (list.size() > kMaxMeasuresPerRecord) {
    throw Invalid("MultiMeasureAttributeMappings may have at most 256 mappings");
  }
  std::vector<AttributeMapping> attributes;
  TargetNames targets;
  for (json& mapping : list) {
    AttributeMapping attribute;
    attribute.source = Filled(mapping, "SourceColumn");
    attribute.target.name = FilledOr(&mapping, "TargetMultiMeasureAttributeName", attribute.source);
    OptionalEnum(mapping, "MeasureValueType",
                 {"DOUBLE", "BIGINT", "BOOLEAN", "VARCHAR", "TIMESTAMP"});
    // Optional in the API's model, but what type the service would then take is documented nowhere.
    attribute.target.type = ParseScalarType(RequiredText(mapping, "MeasureValueType")).value();
    attribute.target.multi = true;
    targets.Add(attribute.target.name, kMaxMeasureNameBytes);
    if (dimensions.Has(attribute.target.name)) {
      throw Invalid("The data model maps a dimension and a measure to " + attribute.target.name);
    }
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

void ParseMulti(json* multi, DataModel* out, const TargetNames& names) {
  MeasureMapping mapping;
  mapping.multi = true;
  if (out->measure_name_column.empty()) {
    if (Member(*multi, "TargetMultiMeasureName") == nullptr) {
      throw Invalid("TargetMultiMeasureName is required where there is no MeasureNameColumn");
    }
    mapping.measure_name = Filled(*multi, "TargetMultiMeasureName");
  }
  mapping.attributes = ParseAttributes(multi, names);
  out->measures.push_back(std::move(mapping));
}

MeasureMapping ParseMixed(json* mixed, bool by_name, const TargetNames& names) {
  MeasureMapping mapping;
  OptionalEnum(*mixed, "MeasureValueType",
               {"DOUBLE", "BIGINT", "VARCHAR", "BOOLEAN", "TIMESTAMP", "MULTI"});
  const std::string type = RequiredText(*mixed, "MeasureValueType");
  mapping.multi = type == "MULTI";
  if (by_name) {
    if (Member(*mixed, "MeasureName") == nullptr) {
      throw Invalid(
          "MeasureName is required in every mixed mapping where there is a "
          "MeasureNameColumn");
    }
    mapping.selector = Filled(*mixed, "MeasureName");
  }
  std::string name = OptionalText(*mixed, "MeasureName").value_or("");
  if (name.empty()) name = OptionalText(*mixed, "SourceColumn").value_or("");
  if (Member(*mixed, "TargetMeasureName") == nullptr && name.empty()) {
    throw Invalid("A mixed mapping needs a MeasureName, a TargetMeasureName or a SourceColumn");
  }
  mapping.measure_name = FilledOr(mixed, "TargetMeasureName", name);
  if (mapping.measure_name.size() > kMaxMeasureNameBytes) {
    throw Invalid("A measure name may have at most 256 bytes");
  }
  if (mapping.multi) {
    mapping.attributes = ParseAttributes(mixed, names);
    return mapping;
  }
  if (Member(*mixed, "MultiMeasureAttributeMappings") != nullptr) {
    throw Invalid("MultiMeasureAttributeMappings are only for the type MULTI");
  }
  // "This data type is currently supported only for multi-measure records": supported-data-types.
  if (type == "TIMESTAMP") throw Invalid("The type TIMESTAMP is only allowed inside MULTI");
  const ScalarType scalar = ParseScalarType(type).value();
  mapping.attributes.push_back(
      {Filled(*mixed, "SourceColumn"),
       {"measure_value::" + std::string(TypeName(scalar)), scalar, false}});
  return mapping;
}

void ParseMixedList(json* model, DataModel* out, const TargetNames& names) {
  const bool by_name = !out->measure_name_column.empty();
  std::set<std::string> seen;
  for (json& mixed : ArrayOf(model, "MixedMeasureMappings",
                             "MixedMeasureMappings must have at least one mapping")) {
    MeasureMapping mapping = ParseMixed(&mixed, by_name, names);
    // Two records of one row with the same measure name would have the same key.
    const std::string& key = by_name ? mapping.selector : mapping.measure_name;
    if (!seen.insert(key).second) throw Invalid("Two mixed mappings are for the measure " + key);
    out->measures.push_back(std::move(mapping));
  }
}

}  // namespace

DataModel ParseDataModel(json* model) {
  if (!model->is_object()) throw Invalid("The data model is not a JSON object");
  DataModel out;
  if (Member(*model, "TimeColumn") == nullptr) throw Invalid("The data model has no TimeColumn");
  out.time_column = Filled(*model, "TimeColumn");
  OptionalEnum(*model, "TimeUnit", {"MILLISECONDS", "SECONDS", "MICROSECONDS", "NANOSECONDS"});
  out.time_unit = ParseTimeUnit(FilledOr(model, "TimeUnit", "MILLISECONDS")).value();
  if (Member(*model, "MeasureNameColumn") != nullptr) {
    out.measure_name_column = Filled(*model, "MeasureNameColumn");
  }
  TargetNames names;
  ParseDimensions(model, &out, &names);
  const bool multi = OptionalObject(*model, "MultiMeasureMappings") != nullptr;
  const bool mixed = Member(*model, "MixedMeasureMappings") != nullptr;
  if (multi == mixed) {
    throw Invalid(multi ? "Only one of MultiMeasureMappings and MixedMeasureMappings may be given"
                        : "The data model maps no measure");
  }
  if (multi) {
    ParseMulti(&(*model)["MultiMeasureMappings"], &out, names);
  } else {
    ParseMixedList(model, &out, names);
  }
  return out;
}

void CheckModelAgainst(const DataModel& model, const TableProperties& properties) {
  const auto& key = properties.partition_key;
  if (!key || key->is_measure || !key->required) return;
  for (const DimensionMapping& dimension : model.dimensions) {
    if (dimension.destination == key->name) return;
  }
  throw Invalid("The data model maps no column to the partition key " + key->name +
                ", which the table requires");
}

}  // namespace ts_local
