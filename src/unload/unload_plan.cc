#include "tsm/unload/unload_plan.h"

#include <algorithm>

#include "tsm/run/run_record.h"

namespace tsm::unload {

namespace {

std::string FolderOf(const s3::S3Uri& uri) { return uri.key.empty() ? "" : uri.key.str() + "/"; }

}  // namespace

std::string TablePlan::folder() const { return FolderOf(destination); }
std::string TablePlan::results_prefix() const { return folder() + "results/"; }
std::string TablePlan::record_prefix() const {
  return folder() + std::string(run::kRunRecordPrefix);
}

s3::ObjectKey UnloadPlan::RecordKey(const TablePlan& table) const {
  return s3::ObjectKey(table.record_prefix() + run_id + ".json");
}

s3::S3Uri UnloadPlan::RecordUri(const TablePlan& table) const {
  return {table.destination.bucket, RecordKey(table)};
}

s3::S3Uri UnloadPlan::IndexUri() const {
  return {root.bucket,
          s3::ObjectKey(FolderOf(root) + std::string(run::kRunRecordPrefix) + run_id + ".json")};
}

std::string UnloadPlan::StatePrefix() const { return FolderOf(root) + "tsm-state-" + run_id + "/"; }

std::size_t UnloadPlan::CountSlices() const {
  std::size_t count = 0;
  for (const TablePlan& table : tables) count += table.slices.size();
  return count;
}

std::string UnloadPlan::Title() const {
  std::string text =
      tables.size() == 1 ? tables.front().table().str() : std::to_string(tables.size()) + " tables";
  if (partition != PartitionUnit::kNone) text += " by " + std::string(Name(partition));
  std::string place = root.str();
  while (place.ends_with('/')) place.pop_back();
  return text + " to " + place;
}

std::vector<timestream::SchemaColumn> SelectedColumns(const TablePlan& table) {
  const std::vector<std::string>& chosen = table.select.columns;
  std::vector<timestream::SchemaColumn> columns;
  for (const timestream::SchemaColumn& column : table.schema.columns) {
    const bool selected =
        chosen.empty() || std::find(chosen.begin(), chosen.end(), column.name) != chosen.end();
    if (selected) columns.push_back(column);
  }
  return columns;
}

s3::S3Uri DestinationOf(const s3::S3Uri& root, const timestream::TableRef& table, bool several) {
  if (!several) return root;
  return {root.bucket, s3::ObjectKey(FolderOf(root) + table.database + "/" + table.table)};
}

UnloadStatement StatementOf(const UnloadPlan& plan, const TablePlan& table, UnixNanos from,
                            UnixNanos end, const s3::S3Uri& to) {
  UnloadStatement statement;
  statement.select = table.select;
  statement.from = from;
  statement.end = end;
  statement.format = plan.format;
  statement.destination = to;
  return statement;
}

}  // namespace tsm::unload
