// A batch load's data model: how the columns of a CSV file become records. ts-local's own reading
// of it, sharing nothing with the programs it judges.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-data-model-mappings.html
// Plain values; ParseDataModel is pure and throws ApiError(ValidationException) naming what is
// wrong.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ts_local/measure_text.h"
#include "ts_local/table_store.h"

namespace ts_local {

struct DimensionMapping {
  std::string source;
  std::string destination;
};

struct AttributeMapping {
  std::string source;
  MeasureColumn target;
};

// One record that a row becomes. A model of MultiMeasureMappings has one, of MixedMeasureMappings
// one per mapping.
struct MeasureMapping {
  // With MeasureNameColumn: the value that chooses this mapping; empty takes every row.
  std::string selector;
  // The record's measure name; empty: the value of MeasureNameColumn.
  std::string measure_name;
  bool multi = false;
  std::vector<AttributeMapping> attributes;
};

struct DataModel {
  std::string time_column;
  TimeUnit time_unit = TimeUnit::kMilliseconds;
  std::string measure_name_column;  // "" where none
  std::vector<DimensionMapping> dimensions;
  std::vector<MeasureMapping> measures;
};

// Checks the model and fills in its defaults (destination and target names, time unit), as
// DescribeBatchLoadTask shows them.
DataModel ParseDataModel(nlohmann::json* model);

// Refuses a model that cannot give a table its required partition key.
// https://docs.aws.amazon.com/timestream/latest/developerguide/customer-defined-partition-keys-schema-validation.html
void CheckModelAgainst(const DataModel& model, const TableProperties& properties);

}  // namespace ts_local
