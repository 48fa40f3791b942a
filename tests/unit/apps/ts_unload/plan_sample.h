// A plan as a run of one table by day would have it, for the tests of what ts-unload tells.
#pragma once

#include "tsm/core/time_text.h"
#include "tsm/unload/unload_plan.h"

namespace tsm::apps::test {

inline UnixNanos At(const std::string& text) { return *ParseTimestamp(text); }

inline unload::UnloadSlice Slice(std::size_t number, const std::string& from,
                                 const std::string& end, std::uint64_t partitions) {
  unload::UnloadSlice slice;
  slice.number = number;
  slice.from = At(from);
  slice.end = At(end);
  slice.partitions = partitions;
  return slice;
}

inline unload::TablePlan TableOf(const std::string& database, const std::string& table,
                                 const s3::S3Uri& destination) {
  unload::TablePlan plan;
  plan.select.table = {database, table};
  plan.select.partition = timestream::PartitionUnit::kDay;
  plan.destination = destination;
  plan.schema.columns = {{"city", "varchar", timestream::ColumnRole::kDimension},
                         {"measure_name", "varchar", timestream::ColumnRole::kMeasureName},
                         {"time", "timestamp", timestream::ColumnRole::kTimestamp},
                         {"load", "double", timestream::ColumnRole::kMulti}};
  plan.measures = {{"m", "multi", {}}};
  plan.range = unload::TimeRange{At("2024-01-01"), At("2024-01-03")};
  plan.slices = {Slice(1, "2024-01-01", "2024-01-03", 2)};
  return plan;
}

inline unload::UnloadPlan OneTable() {
  unload::UnloadPlan plan;
  plan.run_id = "20240226T172438Z-5f8b3c";
  plan.tool_version = "0.1.0";
  plan.account = "123456789012";
  plan.region = "eu-west-1";
  plan.created = At("2024-02-26 17:24:38");
  plan.partition = timestream::PartitionUnit::kDay;
  plan.root = *s3::S3Uri::Parse("s3://bucket/unload");
  plan.tables = {TableOf("sourcedb", "myTable", plan.root)};
  return plan;
}

}  // namespace tsm::apps::test
