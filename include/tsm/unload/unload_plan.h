// What a run will do, decided before anything is done: per table the selection, the range and its
// slices, where each lies in S3, and how the run goes about it. Plain values; the file plan.json of
// the run directory holds them, so that a resume does what was planned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/s3/names.h"
#include "tsm/timestream/table_measures.h"
#include "tsm/timestream/table_schema.h"
#include "tsm/unload/slice_plan.h"
#include "tsm/unload/table_select.h"
#include "tsm/unload/unload_options.h"
#include "tsm/unload/unload_statement.h"

namespace tsm::unload {

struct TablePlan {
  TableSelect select;
  timestream::TableSchema schema;
  std::vector<timestream::Measure> measures;
  s3::S3Uri destination;            // key without a trailing '/'
  std::optional<TimeRange> range;   // nothing: the table holds no rows in what was asked
  bool range_asked = false;         // an end of the range was asked of the table, not of the flags
  std::vector<UnloadSlice> slices;  // in the order in which they are to run
  std::optional<Survey> survey;

  const timestream::TableRef& table() const { return select.table; }
  std::string folder() const;          // of the destination: "" or ends in '/'
  std::string results_prefix() const;  // "<folder>results/": below it lie all data files
  std::string record_prefix() const;   // "<folder>tsm-run-": what every run's record begins with
};

struct UnloadPlan {
  std::string run_id;
  std::string tool_version;
  std::string account;  // "" where it was not asked
  std::string region;
  UnixNanos created = 0;
  UnloadFormat format;
  PartitionUnit partition = PartitionUnit::kNone;
  std::string iam_role_arn;
  Verify verify = Verify::kCount;
  StateStore state = StateStore::kLocal;
  std::string data_model_out;
  bool append = false;
  s3::S3Uri root;               // of several tables' index; with one table its destination
  bool default_bucket = false;  // of the default name: made where it is missing
  std::vector<TablePlan> tables;

  bool has_index() const { return tables.size() > 1; }
  s3::ObjectKey RecordKey(const TablePlan& table) const;
  s3::S3Uri RecordUri(const TablePlan& table) const;
  s3::S3Uri IndexUri() const;
  std::string StatePrefix() const;  // "<root folder>tsm-state-<run id>/", for --state s3
  std::size_t CountSlices() const;
  std::string Title() const;  // "sourcedb.myTable by day to s3://bucket/unload", one line
};

// The table's columns that its files hold, as the schema has them.
std::vector<timestream::SchemaColumn> SelectedColumns(const TablePlan& table);

// Where a table of a run of one or of several tables goes: `<root>` or `<root>/<database>/<table>`.
s3::S3Uri DestinationOf(const s3::S3Uri& root, const timestream::TableRef& table, bool several);

// An UNLOAD of the plan. `to` has no trailing '/'.
UnloadStatement StatementOf(const UnloadPlan& plan, const TablePlan& table, UnixNanos from,
                            UnixNanos end, const s3::S3Uri& to);

// plan.json, format 1, and back. kBadReply where it is no plan, kInvalidInput where it is of
// another format.
std::string ToJson(const UnloadPlan& plan);
Result<UnloadPlan> ParseUnloadPlan(std::string_view json);

}  // namespace tsm::unload
