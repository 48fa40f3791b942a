#include "ts_unload/summary.h"

#include <algorithm>
#include <optional>

#include "common/shell_word.h"
#include "common/summary_text.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/unload/cost_estimate.h"

namespace tsm::apps {

using unload::TableSummary;
using unload::UnloadOutcome;
using unload::UnloadPlan;

namespace {

std::string RangeText(const std::optional<unload::TimeRange>& range) {
  if (!range) return "no rows";
  return "from " + FormatTimestamp(range->from) + " before " + FormatTimestamp(range->end);
}

std::string ByUnit(const UnloadPlan& plan) {
  const std::string_view unit = Name(plan.partition);
  return unit.empty() ? "" : ", by " + std::string(unit);
}

std::string ProofText(const TableSummary& table) {
  if (table.rows == 0 && !table.range) return "0 rows: the table holds none in this range";
  std::string text =
      WithThousands(table.rows) + ", equal to the manifests' and the queries' counts";
  if (table.verified == "equal") text += " and to the table's own";
  if (table.verified == "expired") text += "; of the table's own some have expired since";
  if (table.verified == "not asked") text += " (--verify none: the table's own was not asked)";
  return text;
}

void AddTable(const TableSummary& table, const UnloadPlan& plan, std::vector<std::string>& lines) {
  lines.push_back(Line(
      table.closed ? "unloaded" : "open",
      table.table.str() + " in " + plan.region + ", " + RangeText(table.range) + ByUnit(plan)));
  lines.push_back(Line("rows", table.closed ? ProofText(table) : WithThousands(table.rows)));
  lines.push_back(Line("files", WithThousands(table.files) + ", " + FormatBytes(table.bytes)));
  lines.push_back(
      Line("slices", Counted(table.slices, "slice") + ", " + Counted(table.attempts, "UNLOAD")));
  if (!table.manifest_uri.empty()) lines.push_back(Line("manifest", table.manifest_uri));
  lines.push_back(Line("record", table.record.str()));
  for (const std::string& remark : table.remarks) lines.push_back(Line("note", remark));
  for (const std::string& failure : table.failures) lines.push_back(Line("failed", failure));
}

// Of many tables a line each is enough.
void AddTableLine(const TableSummary& table, std::vector<std::string>& lines) {
  std::string text = table.table.str() + ": " + Counted(table.rows, "row") + ", " +
                     Counted(table.files, "file") + ", " + FormatBytes(table.bytes) + ", " +
                     Counted(table.slices, "slice") + ", " +
                     (table.closed ? "proof " + table.verified : "not finished");
  lines.push_back(Line(table.closed ? "unloaded" : "open", text));
  for (const std::string& remark : table.remarks) lines.push_back(Line("note", remark));
  for (const std::string& failure : table.failures) lines.push_back(Line("failed", failure));
}

std::string ResultText(const unload::UnloadSummary& summary) {
  switch (summary.outcome) {
    case UnloadOutcome::kDone:
      return "done, every slice's rows proven";
    case UnloadOutcome::kSomeFailed:
      return "some slices failed; each is listed above";
    case UnloadOutcome::kProofFailed:
      return "the proof failed; each place is listed above";
    case UnloadOutcome::kInterrupted:
      return "interrupted; what is done stays done";
  }
  return "";
}

std::string SliceLine(const unload::UnloadSlice& slice) {
  std::string line = "  " + slice.Id() + "  " + FormatTimestamp(slice.from) + " - " +
                     FormatTimestamp(slice.end) + "  " + Counted(slice.partitions, "partition");
  if (slice.rows) line += ", " + Counted(*slice.rows, "row");
  if (slice.bytes) line += ", about " + FormatBytes(*slice.bytes);
  return line;
}

void AddPlannedTable(const UnloadPlan& plan, const unload::TablePlan& table,
                     std::vector<std::string>& lines) {
  lines.push_back(Line("table", table.table().str() + " in " + plan.region + ", " +
                                    RangeText(table.range) + ByUnit(plan)));
  lines.push_back(Line("to", table.destination.str()));
  lines.push_back(Line("slices", Counted(table.slices.size(), "UNLOAD")));
  for (const unload::UnloadSlice& slice : table.slices) lines.push_back(SliceLine(slice));
  if (table.slices.empty()) return;
  const unload::UnloadSlice& first = table.slices.front();
  lines.push_back(Line(
      "SQL", unload::StatementOf(plan, table, first.from, first.end, table.destination).ToSql()));
  if (table.slices.size() > 1) {
    lines.push_back(Line("", "(slice " + first.Id() +
                                 "; the others differ in their times, and each writes below " +
                                 table.destination.str() + "/results/ to a folder of its own)"));
  }
}

unload::CostQuestion CostOf(const unload::PlannedUnload& planned,
                            const unload::UnloadOptions& options) {
  unload::CostQuestion question;
  question.unloads = planned.plan.CountSlices();
  question.side_queries = planned.queries;
  question.prices = options.prices;
  question.compressed = options.format.compression == unload::Compression::kGzip;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  bool known = true;
  for (const unload::TablePlan& table : planned.plan.tables) {
    if (planned.plan.verify != unload::Verify::kNone) ++question.side_queries;
    for (const unload::UnloadSlice& slice : table.slices) {
      question.partitions += slice.partitions;
      known = known && slice.rows.has_value();
      rows += slice.rows.value_or(0);
      bytes += slice.bytes.value_or(0);
    }
  }
  if (known) {
    question.rows = rows;
    question.bytes = bytes;
  }
  return question;
}

// Whether ts-batchload can load the files, gzip by inflating them on the way.
bool IsLoadable(const unload::UnloadFormat& format) {
  return format.format == unload::FileFormat::kCsv && format.include_header &&
         unload::IsBatchLoadDelimiter(format.field_delimiter);
}

}  // namespace

std::vector<std::string> PlanLines(const unload::PlannedUnload& planned,
                                   const unload::UnloadOptions& options) {
  std::vector<std::string> lines;
  for (const unload::TablePlan& table : planned.plan.tables) {
    AddPlannedTable(planned.plan, table, lines);
  }
  lines.push_back(Line("queries", Counted(planned.plan.CountSlices(), "UNLOAD") + ", at most " +
                                      std::to_string(options.run.parallel) +
                                      " at once, started at most every " +
                                      FormatDuration(options.run.start_interval)));
  for (const std::string& remark : planned.remarks) lines.push_back(Line("note", remark));
  for (const std::string& line : EstimateLines(CostOf(planned, options))) {
    lines.push_back(Line("", line));
  }
  lines.push_back(Line("dry run", "nothing was unloaded, and nothing in S3 was changed"));
  return lines;
}

std::vector<std::string> SummaryLines(const unload::UnloadSummary& summary,
                                      const UnloadPlan& plan) {
  constexpr std::size_t kFewTables = 3;
  std::vector<std::string> lines;
  for (const TableSummary& table : summary.tables) {
    if (summary.tables.size() <= kFewTables) {
      AddTable(table, plan, lines);
    } else {
      AddTableLine(table, lines);
    }
  }
  if (plan.has_index()) lines.push_back(Line("index", plan.IndexUri().str()));
  lines.push_back(Line("time", FormatDuration(summary.elapsed)));
  lines.push_back(Line("result", ResultText(summary)));
  return lines;
}

std::string ResumeCommand(const UnloadFlags& flags, const UnloadPlan& plan) {
  std::vector<std::string> words = {"ts-unload", "resume", plan.run_id};
  AddClientFlags(flags.session, words);
  AddFlag("--parallel", flags.input.parallel, words);
  AddFlag("--start_interval", flags.input.start_interval, words);
  AddFlag("--give_up_after", flags.input.give_up_after, words);
  if (flags.input.keep_partial) words.emplace_back("--keep_partial");
  AddFlag("--state_dir", flags.input.state_dir, words);
  if (plan.state == unload::StateStore::kS3) {
    AddFlag("--region", plan.region, words);  // elsewhere there is no plan to tell it
    AddFlag("--state", "s3", words);
    AddFlag("--s3_uri", plan.root.str(), words);
  }
  return ShellLine(words);
}

std::string NextCommand(const UnloadFlags& flags, const UnloadPlan& plan,
                        const unload::UnloadSummary& summary) {
  std::uint64_t rows = 0;
  for (const TableSummary& table : summary.tables) rows += table.rows;
  if (rows == 0 || !IsLoadable(plan.format)) return "";
  std::vector<std::string> words = {"ts-batchload", "--region", plan.region};
  AddClientFlags(flags.session, words);
  AddFlag("--database", "TARGET_DATABASE", words);
  if (!plan.has_index()) AddFlag("--table", plan.tables.front().table().table, words);
  words.emplace_back("--create_timestream_resource");
  AddFlag("--partition_key", "DIMENSION", words);
  const std::string key = plan.root.key.str();
  const std::string prefix = key.empty() ? key : key + "/";
  if (plan.format.compression == unload::Compression::kGzip) {
    words.emplace_back("--copy_s3_bucket");
    AddFlag("--s3_source_bucket_location", plan.root.bucket.str(), words);
    words.insert(words.end(), {"--source_s3_prefix", prefix, "--create_destination_bucket"});
    AddFlag("--s3_target_bucket", "TARGET_BUCKET", words);
  } else {
    AddFlag("--s3_target_bucket", plan.root.bucket.str(), words);
    words.insert(words.end(), {"--destination_s3_prefix", prefix});
  }
  AddFlag("--unload_run", plan.run_id, words);
  AddFlag("--data_model_file", plan.has_index() ? "" : plan.data_model_out, words);
  words.emplace_back("--create_error_logging_bucket");
  AddFlag("--s3_target_error_bucket", "ERROR_BUCKET", words);
  return ShellLine(words);
}

}  // namespace tsm::apps
