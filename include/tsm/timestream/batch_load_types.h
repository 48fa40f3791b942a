// The data of the batch-load calls.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_CreateBatchLoadTask.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/timestream/table_ref.h"

namespace tsm::timestream {

// https://docs.aws.amazon.com/timestream/latest/developerguide/API_CsvConfiguration.html
struct CsvConfiguration {
  std::string column_separator = ",";
  std::string quote_char = "\"";
  std::string escape_char = "\\";  // not verified against the service: aws facts on CSV round trips
  std::string null_value;          // "" is not sent: an empty field is null
  bool trim_white_space = false;
};

struct BatchLoadRequest {
  std::string client_token;
  TableRef table;
  std::string source_bucket;
  std::string source_prefix;  // 1 to 1,024 bytes
  CsvConfiguration csv;
  std::string data_model_json;  // the DataModel object
  std::string report_bucket;
  std::string report_prefix;                        // 1 to 928 bytes
  std::optional<std::int64_t> record_version = {};  // nothing: the service's default, 1
};

// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-using-error-reports.html
enum class TaskStatus {
  kCreated,
  kInProgress,
  kFailed,  // completed, but with errors: some rows may be loaded
  kSucceeded,
  kProgressStopped,  // not completed, may be resumed
  kPendingResume,    // a resume waits to start
  kUnknown,          // a state this version does not know: waits
};

TaskStatus ParseTaskStatus(std::string_view text);
std::string_view Name(TaskStatus status);
// CREATED, IN_PROGRESS, PENDING_RESUME and unknown states: holds one of the table's five places.
bool IsActive(TaskStatus status);

struct ProgressReport {
  std::int64_t records_processed = 0;
  std::int64_t records_ingested = 0;
  std::int64_t parse_failures = 0;  // also written "FileParseFailures"
  std::int64_t record_ingestion_failures = 0;
  std::int64_t file_failures = 0;
  std::int64_t bytes_metered = 0;
};

struct BatchLoadTask {
  std::string task_id;
  TableRef table;
  TaskStatus status = TaskStatus::kUnknown;
  std::string status_text;  // as sent
  std::string error_message;
  ProgressReport progress;
  std::string source_bucket;
  std::string source_prefix;
  std::string report_bucket;
  std::string report_prefix;
  double creation_time = 0;    // Unix seconds
  double resumable_until = 0;  // Unix seconds, 0 where absent
};

struct BatchLoadTaskSummary {
  std::string task_id;
  TableRef table;
  TaskStatus status = TaskStatus::kUnknown;
  double creation_time = 0;
  double resumable_until = 0;
};

struct BatchLoadTaskPage {
  std::vector<BatchLoadTaskSummary> tasks;
  std::string next_token;  // "" on the last page
};

}  // namespace tsm::timestream
