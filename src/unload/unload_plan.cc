#include "tsm/unload/unload_plan.h"

#include <algorithm>

#include "tsm/core/text.h"
#include "tsm/run/run_record.h"
#include "tsm/timestream/limits.h"

namespace tsm::unload {

std::string FreeColumnName(const timestream::TableSchema& schema, std::string_view wanted) {
  auto taken = [&schema](const std::string& name) {
    const std::string lower = ToLowerAscii(name);
    return std::any_of(schema.columns.begin(), schema.columns.end(),
                       [&lower](const auto& column) { return ToLowerAscii(column.name) == lower; });
  };
  std::string name(wanted);
  for (int suffix = 2; taken(name); ++suffix) {
    name = std::string(wanted) + "_" + std::to_string(suffix);
  }
  return name;
}

Result<UnloadPlan> MakeUnloadPlan(const UnloadOptions& options, const s3::S3Uri& destination,
                                  const timestream::TableSchema& schema,
                                  const std::string& run_id) {
  UnloadPlan plan;
  plan.run_id = run_id;
  plan.bucket = destination.bucket;

  UnloadStatement& statement = plan.statement;
  statement.table = options.table;
  statement.from = options.from;
  statement.end = options.end;
  statement.partition = options.partition;
  statement.order_by_time = options.order_by_time;
  statement.time_alias = FreeColumnName(schema, statement.time_alias);
  statement.partition_alias = FreeColumnName(schema, statement.partition_alias);
  statement.destination = destination;
  plan.sql = statement.ToSql();
  if (plan.sql.size() > timestream::kMaxQueryBytes) {
    return MakeError(ErrorKind::kInvalidInput,
                     "the UNLOAD statement has " + WithThousands(plan.sql.size()) +
                         " bytes; Timestream takes " + WithThousands(timestream::kMaxQueryBytes));
  }

  const std::string folder = destination.key.empty() ? "" : destination.key.str() + "/";
  plan.results_prefix = folder + "results/";
  plan.record_prefix = folder + std::string(run::kRunRecordPrefix);
  plan.record_key = s3::ObjectKey(plan.record_prefix + run_id + ".json");
  plan.record_uri = s3::S3Uri{destination.bucket, plan.record_key};
  return plan;
}

}  // namespace tsm::unload
