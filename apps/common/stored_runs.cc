#include "common/stored_runs.h"

#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "tsm/aws/environment.h"
#include "tsm/aws/signer.h"
#include "tsm/core/text.h"
#include "tsm/run/report_page.h"

namespace tsm::apps {

Result<std::filesystem::path> StateDir(const std::string& flag) {
  if (!flag.empty()) return std::filesystem::path(flag);
  return run::DefaultStateDir(aws::Environment::OfProcess());
}

Result<std::filesystem::path> FindRun(const std::filesystem::path& state_dir,
                                      const std::string& name, const std::string& tool) {
  Result<std::vector<run::StoredRun>> runs = run::ListRuns(state_dir);
  if (!runs) return runs.error();
  std::vector<const run::StoredRun*> matches;
  for (const run::StoredRun& stored : *runs) {
    if (stored.header && stored.header->tool != tool) continue;
    if (stored.run_id == name) return stored.directory;
    if (name == "last" || stored.run_id.starts_with(name)) matches.push_back(&stored);
  }
  if (matches.empty()) {
    return MakeError(ErrorKind::kNotFound, "no run " + OneLine(name, 120) + " in " +
                                               state_dir.string() + "; " + tool +
                                               " list shows the runs there");
  }
  // Newest first.
  if (name == "last" || matches.size() == 1) return matches.front()->directory;
  return MakeError(ErrorKind::kInvalidInput, std::to_string(matches.size()) + " runs begin with " +
                                                 OneLine(name, 120) + ", among them " +
                                                 matches[0]->run_id + " and " + matches[1]->run_id);
}

JournalHeader HeaderOf(const std::string& tool, const std::string& run_id,
                       const std::string& plan_text, const std::string& title) {
  JournalHeader header;
  header.tool = tool;
  header.run_id = run_id;
  header.fingerprint = aws::Sha256Hex(plan_text);
  header.plan = title;
  return header;
}

Error OfLocalFile(Error error) {
  if (error.kind == ErrorKind::kBadReply) error.kind = ErrorKind::kLocalIo;
  return error;
}

Result<std::unique_ptr<Journal>> ReopenJournal(const std::filesystem::path& directory,
                                               const JournalHeader& header,
                                               const Journal::Visitor& visit, const Clock& clock) {
  Result<std::unique_ptr<Journal>> journal = Journal::Open(directory, header, visit, clock);
  if (!journal) return OfLocalFile(journal.error());
  return journal;
}

UnixNanos LastSign(const std::filesystem::path& directory) {
  std::error_code failed;
  const auto written = std::filesystem::last_write_time(directory / kJournalFileName, failed);
  const auto time =
      failed ? std::chrono::system_clock::now() : std::chrono::file_clock::to_sys(written);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

run::RunReport UnreadableReport(const std::string& tool, const std::string& unit_name,
                                const run::StoredRun& found, const Error& error) {
  run::RunReport report;
  report.tool = tool;
  report.unit_name = unit_name;
  report.run_id = found.run_id;
  report.state = "unreadable";
  report.started = found.begun;
  report.written =
      std::chrono::duration_cast<std::chrono::nanoseconds>(SystemClock().Now().time_since_epoch())
          .count();
  report.troubles = {error.Text()};
  return report;
}

void DiscardRun(const std::filesystem::path& directory) {
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

void WriteReportFiles(const run::RunReport& report, const std::filesystem::path& directory,
                      ProgressSink& sink) {
  std::string page;
  run::WriteReportPage(report, [&](std::string_view part) { page += part; });
  Status written = run::WriteFileDurably(directory / run::kReportFileName, run::ToJson(report));
  if (written) written = run::WriteFileDurably(directory / run::kReportPageFileName, page);
  if (!written) sink.Warn("the report: " + written.error().Text());
}

std::string ReportPath(const std::filesystem::path& directory) {
  return (directory / run::kReportPageFileName).string();
}

}  // namespace tsm::apps
