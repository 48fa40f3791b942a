#include "ts_unload/model_files.h"

#include <algorithm>

#include "tsm/model/data_model_generate.h"
#include "tsm/run/state_dir.h"

namespace tsm::apps {

namespace {

model::ModelSource SourceOf(const unload::TablePlan& table) {
  model::ModelSource source;
  source.schema = table.schema;
  source.measures = table.measures;
  source.time_column = table.select.time_alias;
  for (const unload::AliasedColumn& timestamp : table.select.timestamps) {
    source.timestamp_aliases.emplace(timestamp.column, timestamp.alias);
  }
  const auto selected = SelectedColumns(table);
  for (const timestream::SchemaColumn& column : table.schema.columns) {
    const bool carried = std::any_of(selected.begin(), selected.end(),
                                     [&](const auto& other) { return other.name == column.name; });
    if (!carried) source.left_out.push_back(column.name);
  }
  return source;
}

}  // namespace

Status WriteDataModel(const unload::UnloadPlan& plan, ProgressSink& sink) {
  if (plan.data_model_out.empty()) return Ok();
  const unload::TablePlan& table = plan.tables.front();
  Result<model::GeneratedModel> generated = GenerateDataModel(SourceOf(table));
  if (!generated) {
    sink.Warn("--data_model_out: no data model for " + table.table().str() + ": " +
              generated.error().message);
    return Ok();
  }
  for (const std::string& note : generated->notes) sink.Warn("data model: " + note);
  Status written = run::WriteFileDurably(plan.data_model_out, ToJson(generated->model));
  if (!written) return written.error().With("--data_model_out");
  sink.Info("data model written to " + plan.data_model_out);
  return Ok();
}

}  // namespace tsm::apps
