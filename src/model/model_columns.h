// A data model as one flat list of what it maps, and words for messages, for all that compares a
// model with something else. Plain values; `MappedColumn` refers to nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/error.h"
#include "tsm/model/data_model.h"
#include "tsm/timestream/table_schema.h"

namespace tsm::model {

enum class MappedAs { kTime, kMeasureName, kDimension, kAttribute, kSingle };

struct MappedColumn {
  MappedAs as = MappedAs::kDimension;
  std::string path;    // "$.DimensionMappings[1].SourceColumn"
  std::string source;  // the files' column
  std::string target;  // dimension, attribute or (kSingle) measure name; "" of time and name
  std::optional<MeasureType> type;
};

// In the model's order: time, measure name, dimensions, measures. A mixed mapping of type MULTI
// gives its attributes.
std::vector<MappedColumn> MappedColumns(const DataModel& model);

// The path without its last member: of a mapping as a whole.
std::string MappingOf(const MappedColumn& column);

inline std::string Quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

// "a", "b" and 3 more: a table may have 8,192 measure names.
std::string QuotedList(const std::vector<std::string>& names, std::size_t limit = 5);

Error Misfit(const std::string& what);  // kInvalidInput

// "double" as DESCRIBE writes it.
std::optional<MeasureType> ParseColumnType(std::string_view type);

bool IsMeasureColumn(const timestream::SchemaColumn& column);

const timestream::SchemaColumn* FindColumn(const timestream::TableSchema& schema,
                                           std::string_view name);

}  // namespace tsm::model
