// What a task has come to: its counters, its report, and the group's outcome.
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "load_loop.h"
#include "tsm/core/local_file.h"
#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

// The report may become visible a moment after the state.
constexpr int kReportLooks = 3;
constexpr std::chrono::seconds kReportWait{2};

}  // namespace

// False where its report can't be read now: the task is looked at again.
bool LoadLoop::OnSucceeded(const Running& running, const timestream::BatchLoadTask& task) {
  std::optional<FetchedReport> report;
  if (NeedsReport(task.progress) && !GetReport(running, &report)) return false;
  std::optional<RejectedRows> rejected;
  if (report) rejected = CountRejected(report->report);
  TaskVerdict verdict = JudgeSucceeded(task.progress, running.rows, rejected);
  const bool is_canary = canary_ == running.group;
  if (is_canary && verdict.done && verdict.rejected > 0) {
    verdict.done = false;
    verdict.proof = true;
  }
  if (report) ShowReport(running, *report);
  if (verdict.done) {
    Finish(running, task.progress, verdict);
  } else {
    FailGroup(running.group, running.task, task.progress, verdict, report ? report->uri.str() : "");
  }
  return true;
}

void LoadLoop::Finish(const Running& running, const timestream::ProgressReport& progress,
                      const TaskVerdict& verdict) {
  if (!verdict.why.empty()) {
    services_.sink.Warn(tell_.Name(running.group) + ": " + verdict.why);
  }
  if (!Booked(ledger_.FinishGroup(running.group, progress, verdict.rejected))) return;
  slots_.Succeeded(SlotOf(running.group));
  if (running.followed) {
    pace_[TableOf(running.group)].Learn(running.bytes, Nanos(WallNow() - running.created));
  }
  tell_.GroupDone(running.group, running.task, progress, verdict.rejected);
  if (canary_ != running.group || !Booked(ledger_.PassCanary())) return;
  canary_.reset();
  services_.sink.Info(tell_.Name(running.group) +
                      ", loaded alone, is as expected: the other groups start");
}

bool LoadLoop::OnFailed(const Running& running, const timestream::BatchLoadTask& task) {
  std::optional<FetchedReport> report;
  if (!GetReport(running, &report)) return false;
  std::optional<RejectedRows> rejected;
  if (report) rejected = CountRejected(report->report);
  TaskVerdict verdict = JudgeFailed(task, running.rows, rejected);
  if (report && !report->first_errors.empty()) {
    verdict.why += "; first error: " + report->first_errors.front();
  }
  if (report) ShowReport(running, *report);
  FailGroup(running.group, running.task, task.progress, verdict, report ? report->uri.str() : "");
  return true;
}

// False where it is not known whether there is one: without it the task would look worse than it
// is.
bool LoadLoop::GetReport(const Running& running, std::optional<FetchedReport>* report) {
  for (int look = 1;; ++look) {
    Result<FetchedReport> fetched = FetchReport(
        services_.s3, plan_.report_bucket, plan_.report_prefix, running.task, interrupts_.stop);
    if (fetched) {
      *report = *std::move(fetched);
      return true;
    }
    const Error& error = fetched.error();
    if (error.kind == ErrorKind::kCancelled) return false;
    const bool again = error.kind == ErrorKind::kNotFound && look < kReportLooks;
    if (again && services_.clock.SleepFor(kReportWait, wake_.get_token())) continue;
    services_.sink.Warn(tell_.Name(running.group) + ": " + error.Text());
    last_refusal_ = error.Text();
    return !IsPassing(error) && !wake_.stop_requested();
  }
}

void LoadLoop::ShowReport(const Running& running, const FetchedReport& report) {
  const std::string saved = SaveReport(running, report);
  services_.sink.Warn("the report of task " + running.task + " (" +
                      (saved.empty() ? report.uri.str() : saved) + "):");
  for (const std::string& line : report.first_errors) services_.sink.Warn("  " + line);
  for (const ErrorMeaning meaning : MeaningsOf(report.report)) {
    services_.sink.Warn("  " + Meaning(meaning, TableOf(running.group)));
  }
}

// "" where it was not saved.
std::string LoadLoop::SaveReport(const Running& running, const FetchedReport& report) {
  if (conduct_.report_dir.empty() || report.body.empty()) return "";
  const std::filesystem::path directory = conduct_.report_dir;
  const std::filesystem::path path =
      directory / (plan_.groups[running.group].id + "-" + running.task + ".json");
  Status made = MakeDirectories(directory);
  if (made) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << report.body;
    file.close();
    if (file) return path.string();
    made = tsm::FileError(path, "written", errno);
  }
  services_.sink.Warn("the report is not saved: " + made.error().Text());
  return "";
}

std::string LoadLoop::Meaning(ErrorMeaning meaning, std::size_t table) {
  const std::string again = "`ts-batchload resume " + plan_.run_id + " --retry_failed`";
  switch (meaning) {
    case ErrorMeaning::kTime:
      return "rows are older or newer than the table takes (" + TableLimits(table) +
             "): where they are older, lengthen its retention or enable its magnetic-store "
             "writes, then " +
             again;
    case ErrorMeaning::kType:
      return "values do not have the types that the data model gives their columns: compare the "
             "named lines with the data model; a changed model needs a run of its own";
    case ErrorMeaning::kVersion:
      return "the table has such rows with other values and the same or a higher version: " +
             again + " --record_version N, with N above theirs, overwrites them";
    case ErrorMeaning::kUnknown:
      break;
  }
  return "";
}

const std::string& LoadLoop::TableLimits(std::size_t index) {
  const auto known = limits_.find(index);
  if (known != limits_.end()) return known->second;
  const timestream::TableRef& table = plan_.tables[index].target;
  const Result<timestream::TableDescription> described =
      services_.write.DescribeTable(table, interrupts_.stop);
  std::string text = table.str() + " can't be described: ";
  if (described) {
    const timestream::TableSettings& settings = described->settings;
    text = table.str() + " keeps " + std::to_string(settings.memory_store_hours) +
           " hours in the memory store and " + std::to_string(settings.magnetic_store_days) +
           " days in the magnetic store, and its magnetic-store writes are " +
           (settings.magnetic_writes ? "enabled" : "not enabled");
  } else {
    text += described.error().Text();
  }
  return limits_.emplace(index, std::move(text)).first->second;
}

void LoadLoop::FailGroup(std::size_t group, const std::string& task,
                         const timestream::ProgressReport& progress, const TaskVerdict& verdict,
                         const std::string& report_uri) {
  if (!Booked(ledger_.FailGroup(group, progress, verdict.why, verdict.proof, verdict.rejected,
                                report_uri))) {
    return;
  }
  moved_ = Now();
  tell_.GroupFailed(group, task, verdict.why, report_uri);
  const LoadGroup& planned = plan_.groups[group];
  services_.notifier.Notify(
      "The batch load of s3://" + plan_.target_bucket.str() + "/" + planned.prefix + " into " +
          plan_.tables[planned.table].target.str() + " (" + planned.id +
          (task.empty() ? ", no task" : ", task " + task) + ") failed: " + verdict.why +
          "\nReports: s3://" + plan_.report_bucket.str() + "/" + plan_.report_prefix,
      interrupts_.stop);
  if (canary_ == group) FailCanary(verdict.why, verdict.proof);
}

void LoadLoop::FailCanary(const std::string& why, bool proof) {
  Fail(MakeError(proof ? ErrorKind::kProof : ErrorKind::kService,
                 tell_.Name(*canary_) +
                     ", which is loaded alone before all others, failed: " + why +
                     "; nothing else was started. Mend the cause, then `ts-batchload resume " +
                     plan_.run_id + " --retry_failed`"));
  result_.canary_failed = true;
}

}  // namespace tsm::batchload
