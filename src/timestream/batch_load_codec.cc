#include "batch_load_codec.h"

#include "json_codec.h"

namespace tsm::timestream {
namespace {

using nlohmann::json;

constexpr int kListPageSize = 100;  // the most that ListBatchLoadTasks gives

json EncodeCsv(const CsvConfiguration& csv) {
  json encoded = {{"ColumnSeparator", csv.column_separator},
                  {"QuoteChar", csv.quote_char},
                  {"EscapeChar", csv.escape_char},
                  {"TrimWhiteSpace", csv.trim_white_space}};
  if (!csv.null_value.empty()) encoded["NullValue"] = csv.null_value;
  return encoded;
}

json EncodeLocation(const std::string& bucket, const std::string& prefix) {
  json location = {{"BucketName", bucket}};
  if (!prefix.empty()) location["ObjectKeyPrefix"] = prefix;
  return location;
}

// The reports' objects are encrypted as the bucket's are by default; said as the original says it.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_ReportS3Configuration.html
json EncodeReport(const BatchLoadRequest& request) {
  json report = EncodeLocation(request.report_bucket, request.report_prefix);
  report["EncryptionOption"] = "SSE_S3";
  return report;
}

// AWS's CLI page shows other names than its API model; whichever comes is read.
std::int64_t EitherInteger(const json& object, const char* name, const char* other) {
  return Integer(object, object.contains(name) ? name : other);
}

ProgressReport DecodeProgress(const json& report) {
  return {.records_processed = Integer(report, "RecordsProcessed"),
          .records_ingested = Integer(report, "RecordsIngested"),
          .parse_failures = EitherInteger(report, "ParseFailures", "FileParseFailures"),
          .record_ingestion_failures = Integer(report, "RecordIngestionFailures"),
          .file_failures = Integer(report, "FileFailures"),
          .bytes_metered = EitherInteger(report, "BytesMetered", "BytesIngested")};
}

}  // namespace

Result<std::string> EncodeCreateBatchLoadTask(const BatchLoadRequest& request) {
  if (request.client_token.empty()) {
    return MakeError(ErrorKind::kInvalidInput, "a batch-load task needs a ClientToken");
  }
  json model = json::parse(request.data_model_json, nullptr, /*allow_exceptions=*/false);
  if (!model.is_object()) {
    return MakeError(ErrorKind::kInvalidInput, "the data model is no JSON object");
  }
  json body = {
      {"ClientToken", request.client_token},
      {"TargetDatabaseName", request.table.database},
      {"TargetTableName", request.table.table},
      {"DataModelConfiguration", {{"DataModel", std::move(model)}}},
      {"DataSourceConfiguration",
       {{"DataSourceS3Configuration", EncodeLocation(request.source_bucket, request.source_prefix)},
        {"CsvConfiguration", EncodeCsv(request.csv)},
        {"DataFormat", "CSV"}}},
      {"ReportConfiguration", {{"ReportS3Configuration", EncodeReport(request)}}}};
  if (request.record_version) body["RecordVersion"] = *request.record_version;
  return Encode(body);
}

Result<std::string> EncodeTaskId(const std::string& task_id) {
  return Encode(json{{"TaskId", task_id}});
}

Result<std::string> EncodeListBatchLoadTasks(const std::string& status,
                                             const std::string& next_token) {
  json body = {{"MaxResults", kListPageSize}};
  if (!status.empty()) body["TaskStatus"] = status;
  if (!next_token.empty()) body["NextToken"] = next_token;
  return Encode(body);
}

Result<std::string> DecodeTaskId(std::string_view body) {
  Result<json> reply = Decode(body);
  if (!reply) return std::move(reply).error();
  std::string id = Text(*reply, "TaskId");
  if (id.empty()) return BadReply("the reply carries no TaskId");
  return id;
}

Result<BatchLoadTask> DecodeBatchLoadTask(std::string_view body) {
  Result<json> reply = Decode(body);
  if (!reply) return std::move(reply).error();
  const json& described = Object(*reply, "BatchLoadTaskDescription");
  BatchLoadTask task;
  task.task_id = Text(described, "TaskId");
  task.status_text = Text(described, "TaskStatus");
  if (task.task_id.empty() || task.status_text.empty()) {
    return BadReply("the reply describes no task: TaskId or TaskStatus is missing");
  }
  task.table = {.database = Text(described, "TargetDatabaseName"),
                .table = Text(described, "TargetTableName")};
  task.status = ParseTaskStatus(task.status_text);
  task.error_message = Text(described, "ErrorMessage");
  task.progress = DecodeProgress(Object(described, "ProgressReport"));
  const json& source =
      Object(Object(described, "DataSourceConfiguration"), "DataSourceS3Configuration");
  task.source_bucket = Text(source, "BucketName");
  task.source_prefix = Text(source, "ObjectKeyPrefix");
  const json& report = Object(Object(described, "ReportConfiguration"), "ReportS3Configuration");
  task.report_bucket = Text(report, "BucketName");
  task.report_prefix = Text(report, "ObjectKeyPrefix");
  task.creation_time = Number(described, "CreationTime");
  task.resumable_until = Number(described, "ResumableUntil");
  return task;
}

Result<BatchLoadTaskPage> DecodeBatchLoadTasks(std::string_view body) {
  Result<json> reply = Decode(body);
  if (!reply) return std::move(reply).error();
  // Absent would read as "no task is active", on which a new load may start.
  if (!reply->contains("BatchLoadTasks") || !(*reply)["BatchLoadTasks"].is_array()) {
    return BadReply("the reply carries no BatchLoadTasks");
  }
  BatchLoadTaskPage page;
  page.next_token = Text(*reply, "NextToken");
  for (const json& entry : Array(*reply, "BatchLoadTasks")) {
    BatchLoadTaskSummary task;
    task.task_id = Text(entry, "TaskId");
    task.table = {.database = Text(entry, "DatabaseName"), .table = Text(entry, "TableName")};
    task.status = ParseTaskStatus(Text(entry, "TaskStatus"));
    task.creation_time = Number(entry, "CreationTime");
    task.resumable_until = Number(entry, "ResumableUntil");
    if (task.task_id.empty()) return BadReply("a listed task lacks its TaskId");
    page.tasks.push_back(std::move(task));
  }
  return page;
}

}  // namespace tsm::timestream
