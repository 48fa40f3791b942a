#include "ts_batchload/summary.h"

#include <algorithm>

#include "common/shell_word.h"
#include "common/summary_text.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::apps {

namespace {

std::string RowsText(const TableOutcome& table) {
  std::string text = WithThousands(table.processed) + " processed, " +
                     WithThousands(table.ingested) + " ingested, ";
  text +=
      table.rows ? WithThousands(*table.rows) + " expected" : "how many there must be is not known";
  if (table.rejected > 0) text += ", " + WithThousands(table.rejected) + " rejected";
  return text;
}

std::string ProofText(const TableOutcome& table) {
  if (table.verified == "equal") return "the table holds what was unloaded, place by place";
  if (table.verified == "content equal") return "the columns' aggregates are equal";
  if (table.verified == "not asked") return "not asked (--verify none)";
  if (table.verified == "differs") return "differs; each place is listed";
  if (table.verified.empty()) return "not yet";
  return table.verified;
}

void AddTable(const TableOutcome& table, const LoadOutcome& outcome,
              std::vector<std::string>& lines) {
  lines.push_back(Line("source", table.source));
  lines.push_back(Line("target", outcome.load ? table.target.str() + " in " + outcome.region
                                              : "copies only, nothing was loaded"));
  lines.push_back(Line("files", WithThousands(table.files) + ", " + FormatBytes(table.bytes)));
  if (outcome.load) {
    lines.push_back(Line("groups", WithThousands(table.groups) + ": " + WithThousands(table.done) +
                                       " loaded, " + WithThousands(table.failed) + " failed, " +
                                       WithThousands(table.groups - table.done - table.failed) +
                                       " not finished"));
    lines.push_back(Line("rows", RowsText(table)));
    lines.push_back(Line("proof", ProofText(table)));
  }
  for (const std::string& remark : table.remarks) lines.push_back(Line("note", remark));
  for (const std::string& failure : table.failures) lines.push_back(Line("failed", failure));
}

// Of many tables a line each is enough.
void AddTableLine(const TableOutcome& table, std::vector<std::string>& lines) {
  lines.push_back(Line(table.done_whole ? "loaded" : "open",
                       table.target.str() + ": " + Counted(table.files, "file") + ", " +
                           std::to_string(table.done) + " of " + Counted(table.groups, "group") +
                           ", " + RowsText(table) +
                           (table.verified.empty() ? "" : ", proof " + table.verified)));
  for (const std::string& remark : table.remarks) lines.push_back(Line("note", remark));
  for (const std::string& failure : table.failures) lines.push_back(Line("failed", failure));
}

std::string ResultText(const LoadOutcome& outcome) {
  const auto failed = [&] {
    std::uint64_t sum = 0;
    for (const TableOutcome& table : outcome.tables) sum += table.failed;
    return sum;
  };
  switch (CodeOf(outcome)) {
    case ExitCode::kDone: {
      if (!outcome.load) return "done, every copy proven";
      const bool proven =
          std::all_of(outcome.tables.begin(), outcome.tables.end(), [](const TableOutcome& table) {
            return table.verified == "equal" || table.verified == "content equal";
          });
      return proven ? "done, every row proven" : "done, not all of it proven";
    }
    case ExitCode::kInterrupted:
      return "interrupted; what is copied and loaded stays";
    case ExitCode::kProofFailed:
      return "the proof failed; each difference is listed above";
    case ExitCode::kSomeFailed:
      return failed() > 0 ? "some groups failed; each is listed above"
                          : "not finished; what is open is said above";
    default:
      return "ended early";
  }
}

void AddCopies(const CopyResult& copies, std::vector<std::string>& lines) {
  std::string text = WithThousands(copies.files) + " files, " + FormatBytes(copies.bytes) + " in " +
                     FormatDuration(copies.duration);
  if (copies.were_there > 0) text += ", " + WithThousands(copies.were_there) + " were there";
  if (copies.failed > 0) text += ", " + WithThousands(copies.failed) + " failed";
  lines.push_back(Line("copied", text));
}

}  // namespace

std::vector<std::string> SummaryLines(const LoadOutcome& outcome) {
  constexpr std::size_t kFewTables = 3;
  std::vector<std::string> lines;
  for (const TableOutcome& table : outcome.tables) {
    if (outcome.tables.size() <= kFewTables) {
      AddTable(table, outcome, lines);
    } else {
      AddTableLine(table, lines);
    }
  }
  if (outcome.copies) AddCopies(*outcome.copies, lines);
  if (outcome.load) {
    lines.push_back(Line("tasks", WithThousands(outcome.tasks) + ", " +
                                      FormatBytes(outcome.bytes_metered) + " metered"));
  }
  for (const std::string& running : outcome.running) lines.push_back(Line("running", running));
  lines.push_back(Line("time", FormatDuration(outcome.elapsed)));
  lines.push_back(Line("result", ResultText(outcome)));
  return lines;
}

std::string ResumeCommand(const BatchLoadFlags& flags, const batchload::LoadPlan& plan,
                          bool retry_failed) {
  std::vector<std::string> words = {kBatchLoadTool, "resume", plan.run_id};
  if (retry_failed) words.emplace_back("--retry_failed");
  AddClientFlags(flags.session, words);
  AddFlag("--source_region", flags.session.source_region, words);
  AddFlag("--source_profile", flags.session.source_profile, words);
  AddFlag("--source_role_arn", flags.session.source_role_arn, words);
  const PaceFlags defaults;
  const PaceFlags& pace = flags.pace;
  const auto add = [&words](const char* flag, auto value, auto usual) {
    if (value == usual) return;
    std::string text = std::to_string(value);
    if (text.find('.') != std::string::npos) text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    AddFlag(flag, text, words);
  };
  add("--num_of_batchload_threads", pace.threads, defaults.threads);
  add("--account_tasks", pace.account_tasks, defaults.account_tasks);
  add("--poll_interval", pace.poll_interval, defaults.poll_interval);
  add("--start_interval", pace.start_interval, defaults.start_interval);
  if (pace.copy_concurrency) add("--copy_concurrency", *pace.copy_concurrency, std::int64_t{0});
  add("--multi_part_upload_chunk", pace.part_bytes, defaults.part_bytes);
  add("--stream_workers", pace.stream_workers, defaults.stream_workers);
  add("--max_resumes", pace.max_resumes, defaults.max_resumes);
  if (pace.give_up_after != defaults.give_up_after) {
    AddFlag("--give_up_after", pace.give_up_after, words);
  }
  if (pace.verify_wait != defaults.verify_wait) AddFlag("--verify_wait", pace.verify_wait, words);
  AddFlag("--sns_topic_arn", pace.sns_topic_arn, words);
  AddFlag("--state_dir", flags.state_dir, words);
  if (plan.state_in_s3) {
    AddFlag("--region", plan.region, words);  // elsewhere there is no plan to tell it
    AddFlag("--state", "s3", words);
    AddFlag("--s3_uri", "s3://" + plan.StateBucket().str() + "/tsm-state-" + plan.run_id, words);
  }
  return ShellLine(words);
}

}  // namespace tsm::apps
