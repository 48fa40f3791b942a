// The JSON form of a data model: reading with the place of every mistake, and writing.
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tsm/core/text.h"
#include "tsm/model/data_model.h"

namespace tsm::model {
namespace {

using Json = nlohmann::ordered_json;

// The service's limit on every name and column of a data model (StringValue256, SchemaName).
constexpr std::size_t kMaxTextBytes = 256;

Error At(const std::string& path, const std::string& what) {
  return MakeError(ErrorKind::kInvalidInput, path + ": " + what);
}

std::string Item(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

std::string TypeOf(const Json& json) { return json.type_name(); }

// Reads one object's members. The first mistake sticks; later reads give nothing.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json.is_object()) Fail(path_, "must be an object, is " + TypeOf(json));
  }

  bool failed() const { return failed_; }
  const Error& error() const { return error_; }
  std::string PathOf(const std::string& key) const { return path_ + "." + key; }
  void Fail(const std::string& path, const std::string& what) {
    if (failed_) return;
    failed_ = true;
    error_ = At(path, what);
  }
  void Fail(Error error) {
    if (failed_) return;
    failed_ = true;
    error_ = std::move(error);
  }

  // "" where absent; a required text that is absent is a mistake.
  std::string Text(const std::string& key, bool required) {
    const Json* member = Member(key, required);
    if (member == nullptr) return "";
    if (!member->is_string()) {
      Fail(PathOf(key), "must be text, is " + TypeOf(*member));
      return "";
    }
    auto text = member->get<std::string>();
    if (text.empty()) Fail(PathOf(key), "must not be empty");
    if (text.size() > kMaxTextBytes) {
      Fail(PathOf(key), "has " + std::to_string(text.size()) + " bytes, Timestream takes " +
                            std::to_string(kMaxTextBytes));
    }
    return text;
  }

  template <typename Value>
  std::optional<Value> OneOf(const std::string& key, std::initializer_list<Value> values,
                             bool required) {
    const std::string text = Text(key, required);
    if (failed_ || text.empty()) return std::nullopt;
    std::string known;
    for (Value value : values) {
      if (Name(value) == text) return value;
      known += (known.empty() ? "" : ", ") + std::string(Name(value));
    }
    Fail(PathOf(key), "is \"" + text + "\", must be one of " + known);
    return std::nullopt;
  }

  // The array of that name, or null where absent.
  const Json* Array(const std::string& key, bool required) {
    const Json* member = Member(key, required);
    if (member == nullptr) return nullptr;
    if (!member->is_array()) {
      Fail(PathOf(key), "must be an array, is " + TypeOf(*member));
      return nullptr;
    }
    if (member->empty()) {
      Fail(PathOf(key), "must not be empty");
      return nullptr;
    }
    return member;
  }

  const Json* Member(const std::string& key, bool required) {
    known_.insert(key);
    if (failed_) return nullptr;
    const auto found = json_.find(key);
    if (found != json_.end() && !found->is_null()) return &*found;
    if (required) Fail(PathOf(key), "is needed");
    return nullptr;
  }

  // After every known key was asked for: nothing else may stand there.
  void RefuseOthers() {
    if (failed_) return;
    for (const auto& [key, value] : json_.items()) {
      if (known_.count(key) != 0) continue;
      std::string known;
      for (const std::string& name : known_) known += (known.empty() ? "" : ", ") + name;
      Fail(PathOf(key), "is no key of a data model here (known: " + known + ")");
    }
  }

 private:
  const Json& json_;
  std::string path_;
  std::set<std::string> known_;
  bool failed_ = false;
  Error error_;
};

constexpr std::initializer_list<MeasureType> kScalarTypes = {
    MeasureType::kDouble, MeasureType::kBigint, MeasureType::kBoolean, MeasureType::kVarchar,
    MeasureType::kTimestamp};
constexpr std::initializer_list<MeasureType> kAllTypes = {
    MeasureType::kDouble,  MeasureType::kBigint,    MeasureType::kBoolean,
    MeasureType::kVarchar, MeasureType::kTimestamp, MeasureType::kMulti};
constexpr std::initializer_list<TimeUnit> kTimeUnits = {
    TimeUnit::kMilliseconds, TimeUnit::kSeconds, TimeUnit::kMicroseconds, TimeUnit::kNanoseconds};

Result<DimensionMapping> ReadDimension(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  DimensionMapping mapping;
  mapping.source_column = reader.Text("SourceColumn", true);
  mapping.destination_column = reader.Text("DestinationColumn", false);
  reader.RefuseOthers();
  if (reader.failed()) return reader.error();
  return mapping;
}

Result<AttributeMapping> ReadAttribute(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  AttributeMapping mapping;
  mapping.source_column = reader.Text("SourceColumn", true);
  mapping.target_name = reader.Text("TargetMultiMeasureAttributeName", false);
  mapping.type = reader.OneOf("MeasureValueType", kScalarTypes, false);
  reader.RefuseOthers();
  if (reader.failed()) return reader.error();
  return mapping;
}

// Appends the array's items as `read` gives them; the first mistake goes to the reader.
template <typename Value>
std::vector<Value> ReadItems(ObjectReader& reader, const std::string& key, bool required,
                             Result<Value> (*read)(const Json&, const std::string&)) {
  std::vector<Value> values;
  const Json* array = reader.Array(key, required);
  if (array == nullptr) return values;
  for (std::size_t i = 0; i < array->size(); ++i) {
    Result<Value> value = read((*array)[i], Item(reader.PathOf(key), i));
    if (!value) {
      reader.Fail(value.error());
      break;
    }
    values.push_back(std::move(*value));
  }
  return values;
}

Result<MultiMeasureMappings> ReadMulti(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  MultiMeasureMappings multi;
  multi.target_name = reader.Text("TargetMultiMeasureName", false);
  multi.attributes =
      ReadItems<AttributeMapping>(reader, "MultiMeasureAttributeMappings", true, ReadAttribute);
  reader.RefuseOthers();
  if (reader.failed()) return reader.error();
  return multi;
}

Result<MixedMeasureMapping> ReadMixed(const Json& json, const std::string& path) {
  ObjectReader reader(json, path);
  MixedMeasureMapping mapping;
  mapping.measure_name = reader.Text("MeasureName", false);
  mapping.source_column = reader.Text("SourceColumn", false);
  mapping.target_name = reader.Text("TargetMeasureName", false);
  mapping.type = reader.OneOf("MeasureValueType", kAllTypes, true).value_or(MeasureType::kDouble);
  mapping.attributes = ReadItems<AttributeMapping>(
      reader, "MultiMeasureAttributeMappings", mapping.type == MeasureType::kMulti, ReadAttribute);
  reader.RefuseOthers();
  if (reader.failed()) return reader.error();
  return mapping;
}

Result<DataModel> ReadModel(const Json& json) {
  ObjectReader reader(json, "$");
  DataModel model;
  model.time_column = reader.Text("TimeColumn", true);
  model.time_unit = reader.OneOf("TimeUnit", kTimeUnits, false);
  model.dimensions = ReadItems<DimensionMapping>(reader, "DimensionMappings", true, ReadDimension);
  if (const Json* multi = reader.Member("MultiMeasureMappings", false); multi != nullptr) {
    Result<MultiMeasureMappings> read = ReadMulti(*multi, "$.MultiMeasureMappings");
    if (!read) return read.error();
    model.multi = std::move(*read);
  }
  model.mixed = ReadItems<MixedMeasureMapping>(reader, "MixedMeasureMappings", false, ReadMixed);
  model.measure_name_column = reader.Text("MeasureNameColumn", false);
  reader.RefuseOthers();
  if (reader.failed()) return reader.error();
  return model;
}

// nlohmann-json keeps the last of two equal keys; the operator may have meant the first.
Result<Json> ParseWithoutRepeats(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  std::string repeated;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key &&
        !keys.back().insert(parsed.get<std::string>()).second && repeated.empty()) {
      repeated = parsed.get<std::string>();
    }
    return true;
  };
  try {
    Json json = Json::parse(text, watch);
    if (!repeated.empty()) {
      return MakeError(ErrorKind::kInvalidInput,
                       "the key \"" + repeated + "\" stands twice in one object");
    }
    return json;
  } catch (const Json::exception& failure) {
    // "[json.exception.parse_error.101] parse error at line 3, column 5: …"
    std::string_view what = failure.what();
    if (const auto end = what.find("] "); end != std::string_view::npos)
      what.remove_prefix(end + 2);
    return MakeError(ErrorKind::kInvalidInput, "not valid JSON: " + OneLine(what, 300));
  }
}

Json ToJson(const std::vector<AttributeMapping>& attributes) {
  Json array = Json::array();
  for (const AttributeMapping& mapping : attributes) {
    Json item = {{"SourceColumn", mapping.source_column}};
    if (!mapping.target_name.empty()) item["TargetMultiMeasureAttributeName"] = mapping.target_name;
    if (mapping.type) item["MeasureValueType"] = Name(*mapping.type);
    array.push_back(std::move(item));
  }
  return array;
}

Json ToJson(const MixedMeasureMapping& mapping) {
  Json item = Json::object();
  if (!mapping.measure_name.empty()) item["MeasureName"] = mapping.measure_name;
  if (!mapping.source_column.empty()) item["SourceColumn"] = mapping.source_column;
  if (!mapping.target_name.empty()) item["TargetMeasureName"] = mapping.target_name;
  item["MeasureValueType"] = Name(mapping.type);
  if (!mapping.attributes.empty()) {
    item["MultiMeasureAttributeMappings"] = ToJson(mapping.attributes);
  }
  return item;
}

Json ModelJson(const DataModel& model) {
  Json json = {{"TimeColumn", model.time_column}};
  if (model.time_unit) json["TimeUnit"] = Name(*model.time_unit);
  if (!model.measure_name_column.empty()) json["MeasureNameColumn"] = model.measure_name_column;
  Json dimensions = Json::array();
  for (const DimensionMapping& mapping : model.dimensions) {
    Json item = {{"SourceColumn", mapping.source_column}};
    if (!mapping.destination_column.empty()) item["DestinationColumn"] = mapping.destination_column;
    dimensions.push_back(std::move(item));
  }
  json["DimensionMappings"] = std::move(dimensions);
  if (model.multi) {
    Json multi = Json::object();
    if (!model.multi->target_name.empty())
      multi["TargetMultiMeasureName"] = model.multi->target_name;
    multi["MultiMeasureAttributeMappings"] = ToJson(model.multi->attributes);
    json["MultiMeasureMappings"] = std::move(multi);
  }
  if (!model.mixed.empty()) {
    Json mixed = Json::array();
    for (const MixedMeasureMapping& mapping : model.mixed) mixed.push_back(ToJson(mapping));
    json["MixedMeasureMappings"] = std::move(mixed);
  }
  return json;
}

}  // namespace

Result<DataModel> ParseDataModel(std::string_view json) {
  Result<Json> parsed = ParseWithoutRepeats(json);
  if (!parsed) return parsed.error();
  Result<DataModel> model = ReadModel(*parsed);
  if (!model) return model.error();
  if (Status status = CheckDataModel(*model); !status) return status.error();
  return model;
}

std::string ToRequestJson(const DataModel& model) {
  // A file's bytes that are no UTF-8 were refused by the parser; replace never applies.
  return ModelJson(model).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ToJson(const DataModel& model) {
  return ModelJson(model).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tsm::model
