#include "ts_local/write_records.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ts_local/json_fields.h"
#include "ts_local/measure_text.h"
#include "ts_local/rejected_data.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

using nlohmann::json;

constexpr const char* kRejected =
    "One or more records have been rejected. See RejectedRecords for details.";
constexpr std::size_t kMaxRecords = 100;
constexpr std::size_t kMaxText = 2048;

// A field of the record, else of the common attributes.
const json& Holder(const json& record, const json& common, const char* name) {
  return Member(record, name) != nullptr ? record : common;
}

Value ParseValue(ScalarType type, const std::string& text, TimeUnit unit) {
  if (text.empty() || text.size() > kMaxText) {
    throw Invalid("A measure value must have 1 to 2048 bytes");
  }
  auto value = ParseMeasure(type, text, unit);
  if (!value)
    throw Invalid("Invalid measure value '" + text + "' for the type " +
                  std::string(ScalarTypeName(type)));
  return *std::move(value);
}

void AddDimensions(const json& holder, Record* record) {
  const json* dimensions = OptionalArray(holder, "Dimensions");
  if (dimensions == nullptr) return;
  for (const json& dimension : *dimensions) {
    if (!dimension.is_object()) throw Invalid("A dimension must be an object");
    OptionalEnum(dimension, "DimensionValueType", {"VARCHAR"});
    std::string name = RequiredText(dimension, "Name");
    std::string value = RequiredText(dimension, "Value");
    const auto same = [&](const auto& other) { return other.first == name; };
    if (std::any_of(record->dimensions.begin(), record->dimensions.end(), same)) {
      throw Invalid("Duplicate dimensions are not allowed: " + name);
    }
    record->dimensions.emplace_back(std::move(name), std::move(value));
  }
}

void AddMultiMeasures(const json& record, const json& common, TimeUnit unit, Record* out) {
  out->multi = true;
  const json* values = OptionalArray(Holder(record, common, "MeasureValues"), "MeasureValues");
  if (values == nullptr || values->empty()) {
    throw Invalid("A record of type MULTI must have MeasureValues");
  }
  if (Member(Holder(record, common, "MeasureValue"), "MeasureValue") != nullptr) {
    throw Invalid("A record of type MULTI may not have a MeasureValue");
  }
  for (const json& measure : *values) {
    if (!measure.is_object()) throw Invalid("A measure value must be an object");
    const std::string type = RequiredText(measure, "Type");
    const auto scalar = ParseScalarType(type);
    if (!scalar) throw Invalid("Invalid measure value type '" + type + "' inside MULTI");
    const std::string name = RequiredText(measure, "Name");
    if (name.empty()) throw Invalid("A measure value's name may not be empty");
    out->measures.emplace_back(MeasureColumn{name, *scalar, true},
                               ParseValue(*scalar, RequiredText(measure, "Value"), unit));
  }
}

Record ParseRecord(const json& record, const json& common) {
  Record out;
  AddDimensions(common, &out);
  AddDimensions(record, &out);
  if (out.dimensions.empty()) throw Invalid("At least one dimension is required for a record");
  out.measure_name = RequiredText(Holder(record, common, "MeasureName"), "MeasureName");
  if (out.measure_name.empty()) throw Invalid("A measure name may not be empty");
  out.version = OptionalInt(Holder(record, common, "Version"), "Version", 1, INT64_MAX).value_or(1);

  const json& unit_holder = Holder(record, common, "TimeUnit");
  const auto unit_text = OptionalEnum(unit_holder, "TimeUnit",
                                      {"MILLISECONDS", "SECONDS", "MICROSECONDS", "NANOSECONDS"});
  const TimeUnit unit = ParseTimeUnit(unit_text.value_or("MILLISECONDS")).value();
  const std::string time_text = RequiredText(Holder(record, common, "Time"), "Time");
  const auto time = ParseEpoch(time_text, unit);
  if (!time) throw Invalid("Invalid time for record: '" + time_text + "'");
  out.time_ns = *time;

  const auto type = OptionalEnum(Holder(record, common, "MeasureValueType"), "MeasureValueType",
                                 {"DOUBLE", "BIGINT", "VARCHAR", "BOOLEAN", "TIMESTAMP", "MULTI"})
                        .value_or("DOUBLE");
  if (type == "MULTI") {
    AddMultiMeasures(record, common, unit, &out);
    return out;
  }
  if (const json* values = OptionalArray(Holder(record, common, "MeasureValues"), "MeasureValues");
      values != nullptr && !values->empty()) {
    throw Invalid("MeasureValues are only allowed for the type MULTI");
  }
  // "This data type is currently supported only for multi-measure records": supported-data-types.
  if (type == "TIMESTAMP") throw Invalid("The type TIMESTAMP is only allowed inside MULTI");
  const ScalarType scalar = ParseScalarType(type).value();
  const std::string text = RequiredText(Holder(record, common, "MeasureValue"), "MeasureValue");
  out.measures.emplace_back(
      MeasureColumn{"measure_value::" + std::string(TypeName(scalar)), scalar, false},
      ParseValue(scalar, text, unit));
  return out;
}

}  // namespace

RejectedRecordsError::RejectedRecordsError(const std::vector<RowRejection>& rejections)
    : ApiError(419, "RejectedRecordsException", kRejected) {
  json body = {{"__type", "com.amazonaws.timestream.v20181101#RejectedRecordsException"},
               {"Message", kRejected},
               {"message", kRejected},
               {"RejectedRecords", json::array()}};
  for (const RowRejection& rejection : rejections) {
    body["RejectedRecords"].push_back(RejectionJson(rejection));
  }
  body_ = body.dump();
}

std::vector<Record> ParseRecords(const json& request) {
  const json* list = OptionalArray(request, "Records");
  if (list == nullptr || list->empty() || list->size() > kMaxRecords) {
    throw Invalid(
        "1 validation error detected: Value at 'records' failed to satisfy constraint: "
        "Member must have length between 1 and 100");
  }
  const json* common = OptionalObject(request, "CommonAttributes");
  const json none = json::object();
  std::vector<Record> records;
  for (const json& record : *list) {
    if (!record.is_object()) throw Invalid("A record must be an object");
    records.push_back(ParseRecord(record, common == nullptr ? none : *common));
  }
  return records;
}

json WriteRecords(const Caller& caller, const json& request, TableStore& tables, Storage& storage,
                  std::int64_t now_ns) {
  const TableName name{caller.region, RequiredName(request, "DatabaseName"),
                       RequiredName(request, "TableName")};
  const TableInfo table = tables.GetTable(name);
  WriteResult result = tables.Write(name, ParseRecords(request));
  const auto split = std::stable_partition(result.rejections.begin(), result.rejections.end(),
                                           [](const auto& r) { return !IsSilent(r); });
  const std::vector<RowRejection> late(split, result.rejections.end());
  result.rejections.erase(split, result.rejections.end());
  ReportSilentRejections(table, late, storage, now_ns);
  if (!result.rejections.empty()) throw RejectedRecordsError(result.rejections);
  const auto late_count = static_cast<std::int64_t>(late.size());
  return {{"RecordsIngested",
           {{"Total", result.ingested + late_count},
            {"MemoryStore", result.memory_store},
            {"MagneticStore", result.magnetic_store + late_count}}}};
}

}  // namespace ts_local
