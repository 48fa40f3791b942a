// The demo's table and its data model, for the tests of what a model must fit.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tsm/model/data_model.h"
#include "tsm/model/data_model_generate.h"

namespace tsm::model {

inline timestream::SchemaColumn Dimension(std::string name) {
  return {std::move(name), "varchar", timestream::ColumnRole::kDimension};
}
inline timestream::SchemaColumn Multi(std::string name, std::string type) {
  return {std::move(name), std::move(type), timestream::ColumnRole::kMulti};
}
inline timestream::SchemaColumn Single(const std::string& type) {
  return {"measure_value::" + type, type, timestream::ColumnRole::kMeasureValue};
}

inline timestream::TableSchema Schema(std::vector<timestream::SchemaColumn> columns) {
  columns.push_back({"measure_name", "varchar", timestream::ColumnRole::kMeasureName});
  columns.push_back({"time", "timestamp", timestream::ColumnRole::kTimestamp});
  return {std::move(columns)};
}

inline std::vector<timestream::Measure> Measures(
    const std::vector<std::pair<std::string, std::string>>& names) {
  std::vector<timestream::Measure> measures;
  measures.reserve(names.size());
  for (const auto& [name, type] : names) measures.push_back({name, type, {}});
  return measures;
}

inline timestream::TableSchema DemoSchema() {
  return Schema({Dimension("city"), Dimension("device"), Dimension("floor"),
                 Multi("temperature", "double"), Multi("humidity", "double"),
                 Multi("samples", "bigint"), Multi("ok", "boolean"), Multi("note", "varchar"),
                 Multi("load", "double"), Multi("status", "varchar")});
}

inline ModelSource DemoSource() {
  ModelSource source;
  source.schema = DemoSchema();
  source.measures = Measures({{"climate", "multi"}, {"power", "multi"}});
  source.time_column = "nanoseconds";
  return source;
}

// A header as ts-unload writes it of the demo's table.
inline std::vector<std::string> DemoHeader() {
  return {"city",    "device", "floor", "measure_name", "time",   "temperature", "humidity",
          "samples", "ok",     "note",  "load",         "status", "nanoseconds"};
}

// A model by its JSON; a mistake in it fails the test.
inline DataModel Parsed(const std::string& json) {
  Result<DataModel> model = ParseDataModel(json);
  EXPECT_TRUE(model) << (model ? "" : model.error().Text());
  return model ? *std::move(model) : DataModel();
}

inline DataModel DemoModel() {
  Result<GeneratedModel> generated = GenerateDataModel(DemoSource());
  EXPECT_TRUE(generated) << (generated ? "" : generated.error().Text());
  return generated ? generated->model : DataModel();
}

// The mapping of the demo's model for a column.
inline DimensionMapping& DimensionOf(DataModel& model, const std::string& column) {
  for (DimensionMapping& mapping : model.dimensions) {
    if (mapping.source_column == column) return mapping;
  }
  ADD_FAILURE() << "no dimension " << column;
  return model.dimensions.front();
}
inline AttributeMapping& AttributeOf(DataModel& model, const std::string& column) {
  for (AttributeMapping& mapping : model.multi->attributes) {
    if (mapping.source_column == column) return mapping;
  }
  ADD_FAILURE() << "no attribute " << column;
  return model.multi->attributes.front();
}

}  // namespace tsm::model
