#include "model_columns.h"

#include <algorithm>

namespace tsm::model {
namespace {

using timestream::ColumnRole;
using timestream::SchemaColumn;

std::string Item(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

void AddAttributes(const std::vector<AttributeMapping>& attributes, const std::string& root,
                   std::vector<MappedColumn>& columns) {
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    columns.push_back({MappedAs::kAttribute,
                       Item(root + ".MultiMeasureAttributeMappings", i) + ".SourceColumn",
                       attributes[i].source_column, attributes[i].Target(), attributes[i].type});
  }
}

}  // namespace

std::vector<MappedColumn> MappedColumns(const DataModel& model) {
  std::vector<MappedColumn> columns;
  columns.push_back(
      {MappedAs::kTime, "$.TimeColumn", model.time_column, "", MeasureType::kTimestamp});
  if (!model.measure_name_column.empty()) {
    columns.push_back({MappedAs::kMeasureName, "$.MeasureNameColumn", model.measure_name_column, "",
                       MeasureType::kVarchar});
  }
  for (std::size_t i = 0; i < model.dimensions.size(); ++i) {
    const DimensionMapping& mapping = model.dimensions[i];
    columns.push_back({MappedAs::kDimension, Item("$.DimensionMappings", i) + ".SourceColumn",
                       mapping.source_column, mapping.Destination(), MeasureType::kVarchar});
  }
  if (model.multi) AddAttributes(model.multi->attributes, "$.MultiMeasureMappings", columns);
  for (std::size_t i = 0; i < model.mixed.size(); ++i) {
    const MixedMeasureMapping& mapping = model.mixed[i];
    const std::string path = Item("$.MixedMeasureMappings", i);
    if (mapping.type == MeasureType::kMulti) {
      AddAttributes(mapping.attributes, path, columns);
    } else {
      columns.push_back({MappedAs::kSingle, path + ".SourceColumn", mapping.source_column,
                         mapping.Target(), mapping.type});
    }
  }
  return columns;
}

std::string MappingOf(const MappedColumn& column) {
  return column.path.substr(0, column.path.rfind('.'));
}

std::string QuotedList(const std::vector<std::string>& names, std::size_t limit) {
  std::string text;
  const std::size_t shown = std::min(names.size(), limit);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + Quoted(names[i]);
  if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

Error Misfit(const std::string& what) { return MakeError(ErrorKind::kInvalidInput, what); }

std::optional<MeasureType> ParseColumnType(std::string_view type) {
  if (type == "double") return MeasureType::kDouble;
  if (type == "bigint") return MeasureType::kBigint;
  if (type == "boolean") return MeasureType::kBoolean;
  if (type == "varchar") return MeasureType::kVarchar;
  if (type == "timestamp") return MeasureType::kTimestamp;
  return std::nullopt;
}

bool IsMeasureColumn(const SchemaColumn& column) {
  return column.role == ColumnRole::kMeasureValue || column.role == ColumnRole::kMulti;
}

const SchemaColumn* FindColumn(const timestream::TableSchema& schema, std::string_view name) {
  const auto found =
      std::find_if(schema.columns.begin(), schema.columns.end(),
                   [name](const SchemaColumn& column) { return column.name == name; });
  return found == schema.columns.end() ? nullptr : &*found;
}

}  // namespace tsm::model
