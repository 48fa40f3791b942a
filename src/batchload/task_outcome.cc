#include "task_outcome.h"

#include <algorithm>

#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

using timestream::ProgressReport;

std::uint64_t Positive(std::int64_t number) {
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

std::string Rows(std::uint64_t number) { return WithThousands(number); }

// A failed task may well have processed fewer records than its files hold; only a difference that
// none of its own counters accounts for is a broken proof.
bool IsExplained(const ProgressReport& progress, const std::string& error_message,
                 std::uint64_t expected) {
  const std::uint64_t processed = Positive(progress.records_processed);
  return processed == expected || processed + Positive(progress.parse_failures) == expected ||
         (processed < expected &&
          (progress.file_failures > 0 || progress.parse_failures > 0 || !error_message.empty()));
}

}  // namespace

std::string CountersText(const ProgressReport& progress) {
  return Rows(Positive(progress.records_processed)) + " records processed, " +
         Rows(Positive(progress.records_ingested)) + " ingested, " +
         Rows(Positive(progress.parse_failures)) + " not parsed, " +
         Rows(Positive(progress.record_ingestion_failures)) + " refused, " +
         Rows(Positive(progress.file_failures)) + " files failed";
}

bool NeedsReport(const ProgressReport& progress) {
  return progress.records_ingested < progress.records_processed;
}

TaskVerdict JudgeSucceeded(const ProgressReport& progress, const std::optional<std::uint64_t>& rows,
                           const std::optional<RejectedRows>& rejected) {
  const std::uint64_t processed = Positive(progress.records_processed);
  const std::uint64_t ingested = Positive(progress.records_ingested);
  TaskVerdict verdict;
  verdict.proof = true;
  if (rows && processed != *rows) {
    verdict.why = Rows(processed) + " records were processed, the group's files have " +
                  Rows(*rows) + " rows";
    return verdict;
  }
  if (ingested > processed) {
    verdict.why = "the task succeeded, but has ingested " + Rows(ingested) + " of " +
                  Rows(processed) + " records processed";
    return verdict;
  }
  const std::uint64_t missing = processed - ingested;
  const std::uint64_t explained = rejected ? rejected->rows : 0;
  if (missing > explained) {
    verdict.why =
        "the task succeeded, but of " + Rows(processed) + " records processed " + Rows(ingested) +
        " were ingested, and its report " +
        (rejected ? "explains " + Rows(explained) + " of the " + Rows(missing) + " missing"
                  : std::string("is not there"));
    return verdict;
  }
  verdict.done = true;
  verdict.proof = false;
  verdict.rejected = missing;
  if (missing > 0) {
    verdict.why = "of " + Rows(processed) + " records " + Rows(missing) +
                  " were rejected, each named in the task's report";
  }
  return verdict;
}

TaskVerdict JudgeFailed(const timestream::BatchLoadTask& task,
                        const std::optional<std::uint64_t>& rows,
                        const std::optional<RejectedRows>& rejected) {
  const ProgressReport& progress = task.progress;
  TaskVerdict verdict;
  verdict.why = "the task completed with errors: " + CountersText(progress);
  if (!task.error_message.empty()) verdict.why += "; " + OneLine(task.error_message);
  if (rows && !IsExplained(progress, task.error_message, *rows)) {
    verdict.proof = true;
    verdict.why += "; the group's files have " + Rows(*rows) + " rows";
  }
  const std::uint64_t ingested = Positive(progress.records_ingested);
  const std::uint64_t all = std::max(rows.value_or(0), Positive(progress.records_processed));
  const std::uint64_t missing = all > ingested ? all - ingested : 0;
  if (rejected) verdict.rejected = std::min(rejected->rows, missing);
  return verdict;
}

}  // namespace tsm::batchload
