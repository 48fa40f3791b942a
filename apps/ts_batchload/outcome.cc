#include "ts_batchload/outcome.h"

#include <algorithm>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::apps {
namespace {

bool HasBrokenProof(const BatchLoadOutcome& outcome) {
  return std::any_of(outcome.failures.begin(), outcome.failures.end(),
                     [](const batchload::LoadFailure& failure) {
                       return failure.error.kind == ErrorKind::kProof;
                     });
}

std::string RowsLine(const BatchLoadOutcome& outcome) {
  std::string line = "rows     " + WithThousands(outcome.load.processed) + " processed, " +
                     WithThousands(outcome.load.ingested) + " ingested, ";
  return line + (outcome.rows ? WithThousands(*outcome.rows) + " expected by the manifests"
                              : "not proven (--verify none)");
}

std::string ResultLine(const BatchLoadOutcome& outcome) {
  switch (CodeOf(outcome)) {
    case ExitCode::kDone:
      return outcome.rows ? "result   done, every group's rows proven"
                          : "result   done, not proven";
    case ExitCode::kInterrupted:
      return "result   interrupted; the same command waits for the tasks that run and loads again "
             "(rows that are there are written with the same values)";
    case ExitCode::kProofFailed:
      return "result   row counts differ";
    case ExitCode::kSomeFailed:
      return "result   " + std::to_string(outcome.failures.size()) + " of " +
             std::to_string(outcome.groups) +
             " groups failed; the same command loads all again "
             "(rows that are there are written with the same values)";
    default:
      return "result   ended early";
  }
}

}  // namespace

ExitCode CodeOf(const BatchLoadOutcome& outcome) {
  if (outcome.interrupted) return ExitCode::kInterrupted;
  if (outcome.fatal) return ExitCodeOf(*outcome.fatal);
  if (HasBrokenProof(outcome)) return ExitCode::kProofFailed;
  return outcome.failures.empty() ? ExitCode::kDone : ExitCode::kSomeFailed;
}

std::vector<std::string> SummaryLines(const BatchLoadOutcome& outcome) {
  const batchload::LoadSummary& load = outcome.load;
  std::vector<std::string> lines;
  lines.push_back("source   " + outcome.source);
  lines.push_back("target   " + outcome.table);
  lines.push_back("files    " + WithThousands(outcome.files) + ", " + FormatBytes(outcome.bytes));
  if (outcome.copied) {
    lines.push_back("copied   " + WithThousands(outcome.copied_files) + " files, " +
                    FormatBytes(outcome.copied_bytes) + " in " + FormatDuration(outcome.copy_time));
  }
  lines.push_back(
      "groups   " + WithThousands(outcome.groups) + ": " + WithThousands(load.succeeded) +
      " loaded, " + WithThousands(outcome.failures.size()) + " failed, " +
      WithThousands(outcome.groups - load.succeeded - outcome.failures.size()) + " not finished");
  lines.push_back("tasks    " + WithThousands(load.created) + " in " +
                  FormatDuration(load.duration) + ", " + FormatBytes(load.bytes_metered) +
                  " metered");
  lines.push_back(RowsLine(outcome));
  lines.push_back(ResultLine(outcome));
  for (const batchload::RunningTask& task : load.running) {
    lines.push_back("running  " + task.prefix + " (task " + task.task_id +
                    "): goes on in the service");
  }
  for (const batchload::LoadFailure& failure : outcome.failures) {
    lines.push_back("failed   " + failure.prefix +
                    (failure.task_id.empty() ? "" : " (task " + failure.task_id + ")") + ": " +
                    failure.error.Text());
  }
  return lines;
}

}  // namespace tsm::apps
