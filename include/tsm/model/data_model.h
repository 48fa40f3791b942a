// The data model of a batch load: which CSV column becomes time, dimension or measure. Parsed from
// the JSON that CreateBatchLoadTask takes as DataModel and checked against the service's documented
// rules, so that a mistake costs no request. Plain values, freely copied; no calls.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-data-model-mappings.html
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"

namespace tsm::model {

enum class TimeUnit { kSeconds, kMilliseconds, kMicroseconds, kNanoseconds };
enum class MeasureType { kDouble, kBigint, kBoolean, kVarchar, kTimestamp, kMulti };

// As the API writes them: "NANOSECONDS", "DOUBLE".
std::string_view Name(TimeUnit unit);
std::string_view Name(MeasureType type);

// An absent target name is not sent; the service then takes the source column's name.
struct DimensionMapping {
  std::string source_column;
  std::string destination_column;  // "" where absent

  const std::string& Destination() const {
    return destination_column.empty() ? source_column : destination_column;
  }
};

struct AttributeMapping {
  std::string source_column;
  std::string target_name;          // TargetMultiMeasureAttributeName, "" where absent
  std::optional<MeasureType> type;  // never kMulti

  const std::string& Target() const { return target_name.empty() ? source_column : target_name; }
};

struct MultiMeasureMappings {
  std::string target_name;  // TargetMultiMeasureName; "" only with a MeasureNameColumn
  std::vector<AttributeMapping> attributes;
};

struct MixedMeasureMapping {
  std::string measure_name;   // "" only without a MeasureNameColumn
  std::string source_column;  // "" only with type kMulti
  std::string target_name;    // TargetMeasureName, "" where absent
  MeasureType type = MeasureType::kDouble;
  std::vector<AttributeMapping> attributes;  // with kMulti, and only then

  // The measure's name in the target: TargetMeasureName, else MeasureName, else SourceColumn.
  const std::string& Target() const;
};

// Exactly one of `multi` and `mixed` is given.
struct DataModel {
  std::string time_column;
  std::optional<TimeUnit> time_unit;  // the service's default is MILLISECONDS
  std::vector<DimensionMapping> dimensions;
  std::optional<MultiMeasureMappings> multi;
  std::vector<MixedMeasureMapping> mixed;
  std::string measure_name_column;  // "" where absent

  bool HasDimension(std::string_view name) const;
};

// Parses and checks. kInvalidInput names the place: line and column of malformed JSON, else the
// JSON path ("$.DimensionMappings[1].SourceColumn"). Unknown and repeated keys are refused: a
// misspelt "TimeUnits" would silently load milliseconds.
Result<DataModel> ParseDataModel(std::string_view json);

// The rules that need more than one place of the model: names, limits, duplicates, collisions.
// ParseDataModel has applied them already.
Status CheckDataModel(const DataModel& model);

// A customer-defined partition key of type DIMENSION must be written by a dimension mapping: with
// enforcement REQUIRED the service refuses the task otherwise. "measure_name" stands for the key of
// type MEASURE, which every row has. kInvalidInput.
// https://docs.aws.amazon.com/timestream/latest/developerguide/customer-defined-partition-keys-schema-validation.html
Status CheckPartitionKey(const DataModel& model, std::string_view partition_key);

// The DataModel object of CreateBatchLoadTask, with what the file gave and nothing added.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_DataModel.html
std::string ToRequestJson(const DataModel& model);

// The same object as a file for a person: indented, with a newline at its end. ParseDataModel
// reads it back.
std::string ToJson(const DataModel& model);

}  // namespace tsm::model
