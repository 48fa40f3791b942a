// The runs of both programs as they lie in the state directory: found by name, their headers made,
// their journals opened. Nothing here makes a request.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tsm/core/clock.h"
#include "tsm/core/journal.h"
#include "tsm/core/progress.h"
#include "tsm/core/result.h"
#include "tsm/run/run_report.h"
#include "tsm/run/state_dir.h"

namespace tsm::apps {

inline constexpr const char* kPlanFileName = "plan.json";
// A survey of a million partitions, ten thousand slices and as many load groups are far below it.
inline constexpr std::size_t kMaxPlanBytes = std::size_t{256} << 20U;

// --state_dir or its default.
Result<std::filesystem::path> StateDir(const std::string& flag);

// The directory of the tool's run that `name` means: a run id, the unique beginning of one, or
// "last". kNotFound; kInvalidInput where several begin so.
Result<std::filesystem::path> FindRun(const std::filesystem::path& state_dir,
                                      const std::string& name, const std::string& tool);

// `title`: the plan in a line.
JournalHeader HeaderOf(const std::string& tool, const std::string& run_id,
                       const std::string& plan_text, const std::string& title);

// A damaged file of a run is this machine's, not a service's, answer: kBadReply becomes kLocalIo.
Error OfLocalFile(Error error);

// The journal of a run that goes on, every entry shown to `visit`.
Result<std::unique_ptr<Journal>> ReopenJournal(const std::filesystem::path& directory,
                                               const JournalHeader& header,
                                               const Journal::Visitor& visit, const Clock& clock);

// When the journal was last written to: the last sign of a run that is not going on.
UnixNanos LastSign(const std::filesystem::path& directory);

// Of a run whose journal or plan is damaged, or of another version: it is there all the same.
// `unit_name` as in RunReport.
run::RunReport UnreadableReport(const std::string& tool, const std::string& unit_name,
                                const run::StoredRun& found, const Error& error);

// Where nothing of a run has happened its directory is litter.
void DiscardRun(const std::filesystem::path& directory);

// report.json and report.html, or a warning: a report never fails a run.
void WriteReportFiles(const run::RunReport& report, const std::filesystem::path& directory,
                      ProgressSink& sink);
std::string ReportPath(const std::filesystem::path& directory);

}  // namespace tsm::apps
