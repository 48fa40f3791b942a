#include "tsm/unload/plan_unload.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "table_questions.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/unload/table_queries.h"

namespace tsm::unload {

namespace {

// Averages of text forms; a varchar's is a guess, and UNLOAD's sizes are approximate anyway.
constexpr std::uint64_t kBigintBytes = 10;
constexpr std::uint64_t kDoubleBytes = 18;
constexpr std::uint64_t kBooleanBytes = 5;
constexpr std::uint64_t kTimeBytes = 29;
constexpr std::uint64_t kEpochBytes = 20;
constexpr std::uint64_t kVarcharBytes = 16;

std::uint64_t BytesOf(const std::string& type) {
  if (type == "bigint") return kBigintBytes;
  if (type == "double") return kDoubleBytes;
  if (type == "boolean") return kBooleanBytes;
  if (type == "timestamp") return kTimeBytes;
  return kVarcharBytes;
}

class Planner {
 public:
  Planner(const UnloadOptions& options, const UnloadServices& services,
          timestream::WriteClient* write, std::stop_token stop)
      : options_(options), services_(services), write_(write), stop_(std::move(stop)) {}

  Result<PlannedUnload> Plan(const std::string& run_id);

 private:
  Result<std::vector<timestream::TableRef>> FindTables();
  Status SetRoot(const std::vector<timestream::TableRef>& tables);
  Status AskAccount(bool needed);
  Result<TablePlan> PlanTable(const timestream::TableRef& table, bool several);
  Result<timestream::TableSchema> Describe(const timestream::TableRef& table);
  Status SetRange(TablePlan& table);
  Status AskSurvey(TablePlan& table);
  // How many folders by columns there are within one of time.
  Result<std::uint64_t> AskPartitionValues(const TablePlan& table);
  Status SetSlices(TablePlan& table);
  Status Ask(
      const std::string& sql, const std::function<void()>& begin,
      const std::function<Status(const timestream::QueryPage&, const timestream::Row&)>& row);

  const UnloadOptions& options_;
  const UnloadServices& services_;
  timestream::WriteClient* write_;
  std::stop_token stop_;
  PlannedUnload planned_;
};

Result<PlannedUnload> Planner::Plan(const std::string& run_id) {
  UnloadPlan& plan = planned_.plan;
  plan.run_id = run_id;
  plan.tool_version = services_.tool_version;
  plan.region = services_.region;
  plan.created =
      std::chrono::duration_cast<std::chrono::nanoseconds>(services_.clock.Now().time_since_epoch())
          .count();
  plan.format = options_.format;
  plan.partition = options_.partition;
  plan.iam_role_arn = options_.iam_role_arn;
  plan.verify = options_.run.verify;
  plan.state = options_.run.state;
  plan.data_model_out = options_.data_model_out;
  plan.append = options_.run.append;

  Result<std::vector<timestream::TableRef>> tables = FindTables();
  if (!tables) return tables.error();
  if (Status set = SetRoot(*tables); !set) return set.error();
  for (const timestream::TableRef& table : *tables) {
    Result<TablePlan> planned = PlanTable(table, tables->size() > 1);
    if (!planned) return planned.error();
    plan.tables.push_back(*std::move(planned));
  }
  for (std::string& remark : options_.format.BatchLoadRemarks()) {
    planned_.remarks.push_back(std::move(remark));
  }
  return std::move(planned_);
}

Result<std::vector<timestream::TableRef>> Planner::FindTables() {
  const TableScope& scope = options_.scope;
  if (!scope.tables.empty()) return scope.tables;
  std::vector<std::string> databases = {scope.database};
  if (scope.database.empty()) {
    Result<std::vector<std::string>> listed = write_->ListDatabases(stop_);
    if (!listed) return listed.error();
    databases = *std::move(listed);
  }
  std::vector<timestream::TableRef> tables;
  for (const std::string& database : databases) {
    Result<std::vector<std::string>> listed = write_->ListTables(database, stop_);
    if (!listed) return listed.error();
    for (const std::string& name : *listed) {
      const timestream::TableRef table{database, name};
      if (scope.Selects(table)) tables.push_back(table);
    }
  }
  if (tables.empty()) {
    return MakeError(ErrorKind::kNotFound,
                     "no table in " + services_.region + " is selected by " + scope.str());
  }
  std::sort(tables.begin(), tables.end());
  return tables;
}

// The account is in the default bucket's name; in the record it is a courtesy.
Status Planner::AskAccount(bool needed) {
  if (!needed && options_.dry_run) return Ok();
  Result<sts::CallerIdentity> caller = services_.sts.GetCallerIdentity(stop_);
  if (caller) {
    planned_.plan.account = caller->account;
    return Ok();
  }
  const ErrorKind kind = caller.error().kind;
  if (!needed && (kind == ErrorKind::kTransient || kind == ErrorKind::kAccessDenied)) {
    services_.progress.Warn("the account is not known: " + caller.error().Text());
    return Ok();
  }
  return caller.error();
}

Status Planner::SetRoot(const std::vector<timestream::TableRef>& tables) {
  UnloadPlan& plan = planned_.plan;
  if (Status asked = AskAccount(!options_.destination); !asked) return asked;
  if (options_.destination) {
    plan.root = *options_.destination;
    return Ok();
  }
  Result<s3::BucketName> bucket = DefaultBucket(tables.front(), plan.account);
  if (!bucket) return bucket.error();
  plan.root = {*bucket, s3::ObjectKey()};
  plan.default_bucket = true;
  return Ok();
}

Result<TablePlan> Planner::PlanTable(const timestream::TableRef& name, bool several) {
  TablePlan table;
  Result<timestream::TableSchema> schema = Describe(name);
  if (!schema) return schema.error();
  table.schema = *std::move(schema);
  Result<std::vector<timestream::Measure>> measures =
      timestream::ShowMeasures(services_.query, name, stop_);
  if (!measures) return measures.error();
  table.measures = *std::move(measures);
  Result<TableSelect> select = MakeTableSelect(options_, name, table.schema);
  if (!select) return select.error();
  table.select = *std::move(select);
  for (std::string& remark : SelectRemarks(table.select, table.schema)) {
    planned_.remarks.push_back(name.str() + ": " + std::move(remark));
  }
  table.destination = DestinationOf(planned_.plan.root, name, several);
  if (Status set = SetRange(table); !set) return set.error();
  if (!table.range) return table;
  if (Status set = SetSlices(table); !set) return set.error();
  return table;
}

Result<timestream::TableSchema> Planner::Describe(const timestream::TableRef& table) {
  Result<timestream::TableSchema> schema =
      timestream::DescribeSchema(services_.query, table, stop_);
  if (schema) return schema;
  Error error = schema.error();
  // The names were checked, so the statement is good: what it names is not there.
  if (error.kind == ErrorKind::kValidation || error.kind == ErrorKind::kQueryFailed) {
    error.kind = ErrorKind::kNotFound;
  }
  if (error.kind != ErrorKind::kNotFound) return error;
  return std::move(error).With("table " + table.str() + " is not known in " + services_.region);
}

Status Planner::Ask(
    const std::string& sql, const std::function<void()>& begin,
    const std::function<Status(const timestream::QueryPage&, const timestream::Row&)>& row) {
  ++planned_.queries;
  // An operator waits for the plan: what does not pass soon is told.
  constexpr std::chrono::nanoseconds kPatience = std::chrono::minutes(2);
  return AskRows(services_, sql, kPatience, begin, row, stop_);
}

Status Planner::SetRange(TablePlan& table) {
  if (options_.from && options_.end) {
    table.range = TimeRange{*options_.from, *options_.end};
    return Ok();
  }
  table.range_asked = true;
  timestream::QueryPage answer;
  Status asked = Ask(
      RangeSql(table.select, options_.from, options_.end), [&] { answer = {}; },
      [&](const timestream::QueryPage& page, const timestream::Row& row) -> Status {
        answer.columns = page.columns;
        answer.rows.push_back(row);
        return Ok();
      });
  if (!asked) {
    // The predicate is the one part of the question that is the operator's own.
    return asked.error().With(
        "asking for the range of " + table.table().str() +
        (options_.where.empty() ? "" : ", --where " + OneLine(options_.where, 200)));
  }
  Result<std::optional<TimeRange>> range = ParseRange(answer);
  if (!range) return range.error();
  if (!*range) return Ok();
  table.range =
      TimeRange{options_.from.value_or((*range)->from), options_.end.value_or((*range)->end)};
  return Ok();
}

Status Planner::AskSurvey(TablePlan& table) {
  Survey survey;
  Status asked = Ask(
      SurveySql(table.select, *table.range), [&] { survey.clear(); },
      [&](const timestream::QueryPage& page, const timestream::Row& row) -> Status {
        Result<SurveyedPartition> partition = ParseSurveyRow(table.select.partition, page, row);
        if (!partition) return partition.error();
        survey.push_back(*partition);
        return Ok();
      });
  if (!asked) return asked.error().With("surveying " + table.table().str());
  std::sort(survey.begin(), survey.end(),
            [](const auto& a, const auto& b) { return a.start < b.start; });
  table.survey = std::move(survey);
  return Ok();
}

Result<std::uint64_t> Planner::AskPartitionValues(const TablePlan& table) {
  std::uint64_t values = 0;
  Status asked = Ask(
      PartitionValuesSql(table.select, *table.range), [&] { values = 0; },
      [&](const timestream::QueryPage& page, const timestream::Row& row) -> Status {
        ++values;
        return CheckPartitionValues(table.select, page, row);
      });
  if (!asked)
    return asked.error().With("asking for the partition values of " + table.table().str());
  return std::max<std::uint64_t>(values, 1);
}

Status Planner::SetSlices(TablePlan& table) {
  SliceQuestion question;
  question.range = *table.range;
  question.unit = table.select.partition;
  question.recent_first = options_.slices.recent_first;
  question.limits.max_partitions = options_.slices.max_partitions;
  if (!table.select.partitioned_by.empty()) {
    Result<std::uint64_t> values = AskPartitionValues(table);
    if (!values) return values.error();
    if (*values > question.limits.max_partitions && question.unit == PartitionUnit::kNone) {
      return MakeError(ErrorKind::kInvalidInput,
                       "--partitioned_by: the columns have " + WithThousands(*values) +
                           " different values in the range, an UNLOAD writes at most " +
                           WithThousands(question.limits.max_partitions) +
                           " partitions; choose other columns, or add --partition");
    }
    question.limits.max_partitions =
        std::max<std::uint64_t>(question.limits.max_partitions / *values, 1);
  }
  question.bytes_per_row = EstimateRowBytes(table);
  if (options_.slices.survey) {
    if (Status asked = AskSurvey(table); !asked) return asked;
    question.survey = table.survey;
    question.limits.max_rows =
        std::max<std::uint64_t>(options_.slices.target_bytes / *question.bytes_per_row, 1);
  }
  Result<std::vector<UnloadSlice>> slices = PlanSlices(question);
  if (!slices) return slices.error();
  table.slices = *std::move(slices);
  return Ok();
}

}  // namespace

std::uint64_t EstimateRowBytes(const TablePlan& table) {
  std::uint64_t bytes = kEpochBytes;
  for (const timestream::SchemaColumn& column : SelectedColumns(table)) {
    bytes += BytesOf(column.type) + 1;  // its delimiter
  }
  return bytes + kEpochBytes * table.select.timestamps.size();
}

Result<PlannedUnload> PlanUnload(const UnloadOptions& options, const UnloadServices& services,
                                 timestream::WriteClient* write, const std::string& run_id,
                                 std::stop_token stop) {
  return Planner(options, services, write, std::move(stop)).Plan(run_id);
}

}  // namespace tsm::unload
