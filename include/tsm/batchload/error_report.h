// The report that a batch-load task leaves where rows, files or the task itself failed.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-using-error-reports.html
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"

namespace tsm::batchload {

struct FileError {
  std::string file;
  std::string reason;
  // Lines of the file, first and last, as the service counts them: the header is line 1.
  std::vector<std::pair<std::int64_t, std::int64_t>> lines;
};

struct ErrorReport {
  std::string task_id;
  std::vector<std::string> task_errors;
  std::vector<FileError> file_errors;
};

// kBadReply where it is no such document. Task errors of a shape that is not documented are kept as
// their JSON text.
Result<ErrorReport> ParseErrorReport(std::string_view json);

// At most `limit` errors, one line each: "file.csv, lines 2-3, 7: reason"; then how many more.
std::vector<std::string> FirstErrors(const ErrorReport& report, std::size_t limit);

// Rows that a report tells of, by the lines that it names: one named twice counts once, the header
// does not count.
struct RejectedRows {
  std::uint64_t rows = 0;
  // False where an error names no lines: how many rows it cost is not told.
  bool complete = true;
};
RejectedRows CountRejected(const ErrorReport& report);

// What a reason means for the operator. The service documents the first one's text; the others go
// by words that such texts have.
enum class ErrorMeaning { kUnknown, kTime, kType, kVersion };
ErrorMeaning MeaningOf(std::string_view reason);
// Of all reasons, each once.
std::vector<ErrorMeaning> MeaningsOf(const ErrorReport& report);

// Where the report lies and what it says.
struct FetchedReport {
  s3::S3Uri uri;
  std::vector<std::string> first_errors;
  ErrorReport report;
  std::string body;  // as it lies there; "" where it is too large to be read here
};

// Finds the report among the objects under bucket/prefix by the task's id in its key (the key's
// layout is not documented) and reads it. kNotFound where there is none.
Result<FetchedReport> FetchReport(s3::S3Client& s3, const s3::BucketName& bucket,
                                  const std::string& prefix, const std::string& task_id,
                                  std::stop_token stop);

}  // namespace tsm::batchload
