#include "tsm/timestream/schema_json.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace tsm::timestream {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array kAllRoles = {ColumnRole::kDimension, ColumnRole::kMeasureName,
                                  ColumnRole::kTimestamp, ColumnRole::kMeasureValue,
                                  ColumnRole::kMulti};

Error Bad(const std::string& what) {
  return MakeError(ErrorKind::kBadReply, "this is no list of " + what);
}

std::optional<std::string> Text(const json& object, const char* name) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::string Dump(const ordered_json& out) {
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Result<Measure> ParseMeasure(const json& entry) {
  const auto name = Text(entry, "name");
  const auto type = Text(entry, "data_type");
  const auto dimensions = entry.is_object() ? entry.find("dimensions") : entry.end();
  if (!name || !type || dimensions == entry.end() || !dimensions->is_array()) {
    return Bad("measures");
  }
  Measure measure{*name, *type, {}};
  for (const json& dimension : *dimensions) {
    auto dimension_name = Text(dimension, "name");
    auto dimension_type = Text(dimension, "type");
    if (!dimension_name || !dimension_type) return Bad("measures");
    measure.dimensions.push_back({*std::move(dimension_name), *std::move(dimension_type)});
  }
  return measure;
}

}  // namespace

std::string_view Name(ColumnRole role) {
  switch (role) {
    case ColumnRole::kDimension:
      return "DIMENSION";
    case ColumnRole::kMeasureName:
      return "MEASURE_NAME";
    case ColumnRole::kTimestamp:
      return "TIMESTAMP";
    case ColumnRole::kMeasureValue:
      return "MEASURE_VALUE";
    case ColumnRole::kMulti:
      return "MULTI";
  }
  return "";
}

std::string ToJson(const TableSchema& schema) {
  ordered_json out = ordered_json::array();
  for (const SchemaColumn& column : schema.columns) {
    out.push_back({{"name", column.name}, {"type", column.type}, {"role", Name(column.role)}});
  }
  return Dump(out);
}

Result<TableSchema> ParseTableSchema(std::string_view text) {
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_array()) return Bad("columns");
  TableSchema schema;
  for (const json& entry : parsed) {
    const auto name = Text(entry, "name");
    const auto type = Text(entry, "type");
    const auto role = Text(entry, "role");
    if (!name || !type || !role) return Bad("columns");
    std::optional<ColumnRole> known;
    for (const ColumnRole candidate : kAllRoles) {
      if (Name(candidate) == *role) known = candidate;
    }
    if (!known) return Bad("columns: '" + *role + "' is no attribute type");
    schema.columns.push_back({*name, *type, *known});
  }
  return schema;
}

std::string ToJson(const std::vector<Measure>& measures) {
  ordered_json out = ordered_json::array();
  for (const Measure& measure : measures) {
    ordered_json dimensions = ordered_json::array();
    for (const MeasureDimension& dimension : measure.dimensions) {
      dimensions.push_back({{"name", dimension.name}, {"type", dimension.type}});
    }
    out.push_back({{"name", measure.name},
                   {"data_type", measure.data_type},
                   {"dimensions", std::move(dimensions)}});
  }
  return Dump(out);
}

Result<std::vector<Measure>> ParseMeasures(std::string_view text) {
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_array()) return Bad("measures");
  std::vector<Measure> measures;
  for (const json& entry : parsed) {
    Result<Measure> measure = ParseMeasure(entry);
    if (!measure) return measure.error();
    measures.push_back(*std::move(measure));
  }
  return measures;
}

}  // namespace tsm::timestream
