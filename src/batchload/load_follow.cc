// The states of one task, from its first describe to its proof or its failure.
#include <algorithm>

#include "load_loop.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::batchload {
namespace {

using std::chrono::nanoseconds;
using timestream::BatchLoadTask;
using timestream::ProgressReport;
using timestream::TaskStatus;

constexpr nanoseconds kMaxDescribeBackoff = std::chrono::minutes(1);
// A resume is not put off to the very end of the time in which it is possible.
constexpr nanoseconds kResumeMargin = std::chrono::minutes(1);

std::uint64_t Positive(std::int64_t number) {
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

std::string Rows(std::uint64_t number) { return WithThousands(number); }

double UnixSeconds(const Clock& clock) {
  return std::chrono::duration<double>(clock.Now().time_since_epoch()).count();
}

std::string Counters(const ProgressReport& progress) {
  return Rows(Positive(progress.records_processed)) + " records processed, " +
         Rows(Positive(progress.records_ingested)) + " ingested, " +
         Rows(Positive(progress.parse_failures)) + " not parsed, " +
         Rows(Positive(progress.record_ingestion_failures)) + " refused, " +
         Rows(Positive(progress.file_failures)) + " files failed";
}

// A failed task may well have processed fewer records than its files hold; only a difference that
// none of its own counters accounts for is a broken proof.
bool IsExplained(const ProgressReport& progress, const std::string& error_message,
                 std::uint64_t expected) {
  const std::uint64_t processed = Positive(progress.records_processed);
  return processed == expected || processed + Positive(progress.parse_failures) == expected ||
         (processed < expected && (progress.file_failures > 0 || !error_message.empty()));
}

}  // namespace

void LoadLoop::DescribeDue() {
  for (std::size_t i = 0; i < running_.size() && !ended();) {
    Task& task = running_[i];
    const bool holds = Now() < task.describe_at ? true : Follow(task);
    if (holds) {
      ++i;
      continue;
    }
    ++finished_;
    finished_bytes_ += units_[task.unit].bytes;
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

bool LoadLoop::Follow(Task& task) {
  // One pace for describes and resumes together: five such calls a second per account.
  if (const Moment now = Now();
      now < describe_at_ && !parts_.clock.SleepFor(describe_at_ - now, stop_)) {
    return true;
  }
  if (task.resume_at && Now() >= *task.resume_at) return Resume(task);
  describe_at_ = Now() + timestream::kDescribeInterval;
  task.describe_at = Now() + options_.poll_interval;
  Result<BatchLoadTask> described = parts_.write.DescribeBatchLoadTask(task.id, stop_);
  if (!described) return OnDescribeError(task, described.error());
  task.failed_describes = 0;
  task.progress = described->progress;
  switch (described->status) {
    case TaskStatus::kSucceeded:
      OnSucceeded(task);
      return false;
    case TaskStatus::kFailed:
      OnFailed(task, *described);
      return false;
    case TaskStatus::kProgressStopped:
      return OnStopped(task, *described);
    case TaskStatus::kUnknown:
      if (unknown_states_.insert(described->status_text).second) {
        parts_.sink.Warn("task " + task.id + " is in the state " + OneLine(described->status_text) +
                         ", which this version does not know: waiting");
      }
      break;
    case TaskStatus::kCreated:
    case TaskStatus::kInProgress:
    case TaskStatus::kPendingResume:
      break;
  }
  task.resume_at.reset();
  return true;
}

bool LoadLoop::OnDescribeError(Task& task, const Error& error) {
  if (error.kind == ErrorKind::kCancelled) {
    summary_.interrupted = true;
    return true;
  }
  if (IsPassing(error)) {
    if (task.failed_describes == 0) {
      parts_.sink.Warn("the state of task " + task.id +
                       " is not known now, asking again: " + error.Text());
    }
    task.describe_at = Now() + std::max(options_.poll_interval,
                                        Backoff(options_.poll_interval, ++task.failed_describes,
                                                kMaxDescribeBackoff));
    return true;
  }
  if (IsFatal(error)) {
    summary_.fatal = error;
    give_up_ = true;
    return true;
  }
  Fail(task.unit, task.id, error);
  return false;
}

bool LoadLoop::OnStopped(Task& task, const BatchLoadTask& described) {
  if (described.resumable_until > 0 && UnixSeconds(parts_.clock) >= described.resumable_until) {
    Count(task.progress);
    const UnixNanos until = static_cast<UnixNanos>(described.resumable_until) * 1'000'000'000;
    Fail(task.unit, task.id,
         MakeError(ErrorKind::kService, "stopped, and since " + FormatTimestamp(until) +
                                            " it can't be resumed any more; " +
                                            Counters(task.progress)));
    return false;
  }
  if (!task.resume_at) PlanResume(task, described.resumable_until);
  return true;
}

void LoadLoop::PlanResume(Task& task, double resumable_until) {
  nanoseconds wait = Backoff(options_.resume_backoff, task.resumes, options_.max_resume_backoff);
  if (resumable_until > 0) {
    const auto left = std::chrono::duration_cast<nanoseconds>(
        std::chrono::duration<double>(resumable_until - UnixSeconds(parts_.clock)));
    wait = std::clamp(left - kResumeMargin, nanoseconds(0), wait);
  }
  task.resume_at = Now() + wait;
  task.describe_at = *task.resume_at;
  parts_.sink.Warn("task " + task.id + " (" + units_[task.unit].prefix +
                   ") stopped before its end; it is resumed in " + FormatDuration(wait));
}

bool LoadLoop::Resume(Task& task) {
  describe_at_ = Now() + timestream::kDescribeInterval;
  task.resume_at.reset();
  ++task.resumes;
  task.describe_at = Now() + options_.poll_interval;
  Status resumed = parts_.write.ResumeBatchLoadTask(task.id, stop_);
  if (resumed) {
    parts_.sink.Info("task " + task.id + " was resumed");
    return true;
  }
  const Error& error = resumed.error();
  if (error.kind == ErrorKind::kCancelled) {
    summary_.interrupted = true;
    return true;
  }
  // The next describe still says PROGRESS_STOPPED and plans the next resume.
  if (IsPassing(error)) return true;
  if (IsFatal(error)) {
    summary_.fatal = error;
    give_up_ = true;
    return true;
  }
  Count(task.progress);
  Fail(task.unit, task.id, error.With("resuming"));
  return false;
}

void LoadLoop::Count(const ProgressReport& progress) {
  summary_.processed += Positive(progress.records_processed);
  summary_.ingested += Positive(progress.records_ingested);
  summary_.bytes_metered += Positive(progress.bytes_metered);
}

void LoadLoop::OnSucceeded(const Task& task) {
  Count(task.progress);
  const LoadUnit& unit = units_[task.unit];
  const std::uint64_t processed = Positive(task.progress.records_processed);
  const std::uint64_t ingested = Positive(task.progress.records_ingested);
  if (unit.rows && processed != *unit.rows) {
    Fail(task.unit, task.id,
         MakeError(ErrorKind::kProof, Rows(processed) +
                                          " records were processed, the manifests say " +
                                          Rows(*unit.rows) + " rows"));
    return;
  }
  if (unit.rows && ingested != processed) {
    Fail(task.unit, task.id,
         MakeError(ErrorKind::kProof, "the task succeeded, but of " + Rows(processed) +
                                          " records processed " + Rows(ingested) +
                                          " were ingested"));
    return;
  }
  if (ingested != processed) {
    parts_.sink.Warn("task " + task.id + " (" + unit.prefix + ") succeeded, but of " +
                     Rows(processed) + " records processed " + Rows(ingested) +
                     " were ingested, and no manifest tells how many there must be");
  }
  ++summary_.succeeded;
  parts_.sink.Info("task " + task.id + " done: " + Rows(ingested) + " rows of " + unit.prefix);
}

void LoadLoop::OnFailed(const Task& task, const BatchLoadTask& described) {
  Count(task.progress);
  const LoadUnit& unit = units_[task.unit];
  std::string message = "completed with errors: " + Counters(task.progress);
  if (!described.error_message.empty()) message += "; " + OneLine(described.error_message);
  ErrorKind kind = ErrorKind::kService;
  if (unit.rows && !IsExplained(task.progress, described.error_message, *unit.rows)) {
    kind = ErrorKind::kProof;
    message += "; the manifests say " + Rows(*unit.rows) + " rows";
  }
  for (const std::string& line : ReportLines(task.id)) parts_.sink.Warn("  " + line);
  Fail(task.unit, task.id, MakeError(kind, std::move(message)));
}

std::vector<std::string> LoadLoop::ReportLines(const std::string& task_id) {
  Result<FetchedReport> report =
      FetchReport(parts_.s3, options_.report_bucket, options_.report_prefix, task_id, stop_);
  if (!report) return {"the report of task " + task_id + ": " + report.error().Text()};
  std::vector<std::string> lines = {"the report of task " + task_id + ", " + report->uri.str() +
                                    ":"};
  lines.insert(lines.end(), report->first_errors.begin(), report->first_errors.end());
  return lines;
}

void LoadLoop::Fail(std::size_t unit, const std::string& task_id, Error error) {
  const std::string& prefix = units_[unit].prefix;
  const std::string task = task_id.empty() ? "no task" : "task " + task_id;
  const std::string text = prefix + " (" + task + "): " + error.Text();
  parts_.sink.OnNotice({Severity::kError, text});
  parts_.notifier.Notify("The batch load of s3://" + options_.bucket.str() + "/" + prefix +
                             " into " + options_.table.str() + " (" + task +
                             ") failed: " + error.Text() + "\nReports: s3://" +
                             options_.report_bucket.str() + "/" + options_.report_prefix,
                         stop_);
  summary_.failures.push_back({prefix, task_id, std::move(error)});
}

}  // namespace tsm::batchload
