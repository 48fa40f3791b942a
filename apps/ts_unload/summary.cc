#include "ts_unload/summary.h"

#include <algorithm>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::apps {

namespace {

std::string Line(const std::string& label, const std::string& text) {
  constexpr std::size_t kWidth = 10;
  std::string line = label;
  line.resize(std::max(kWidth, label.size() + 1), ' ');
  return line + text;
}

std::string Range(const unload::UnloadStatement& statement) {
  if (!statement.from && !statement.end) return "all times";
  std::string text;
  if (statement.from) text += "from " + FormatTimestamp(*statement.from);
  if (statement.end) {
    text += std::string(text.empty() ? "" : " ") + "before " + FormatTimestamp(*statement.end);
  }
  return text;
}

std::string Source(const unload::UnloadSummary& summary) {
  const unload::UnloadStatement& statement = summary.plan.statement;
  std::string text = statement.table.str() + " in " + summary.region + ", " + Range(statement);
  const std::string_view unit = Name(statement.partition);
  if (!unit.empty()) text += ", by " + std::string(unit);
  return text;
}

std::string Files(const unload::UnloadSummary& summary) {
  std::string text = WithThousands(summary.files) + ", " + FormatBytes(summary.bytes);
  if (summary.partitions > 0) text += ", in " + WithThousands(summary.partitions) + " partitions";
  return text;
}

// Fit to be pasted: a word that a shell would change is quoted.
std::string ShellWord(const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./:=@,+").find(c) != std::string_view::npos;
  });
  if (plain && !text.empty()) return text;
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

// Words in capitals are for the operator to fill in.
std::string NextCommand(const unload::UnloadSummary& summary) {
  const unload::UnloadPlan& plan = summary.plan;
  return "ts-batchload --region " + summary.region + " --database TARGET_DATABASE --table " +
         ShellWord(plan.statement.table.table) +
         " --create_timestream_resource --partition_key DIMENSION --s3_target_bucket " +
         plan.bucket.str() + " --destination_s3_prefix " + ShellWord(plan.results_prefix) +
         " --data_model_file DATA_MODEL.json --create_error_logging_bucket "
         "--s3_target_error_bucket ERROR_BUCKET";
}

}  // namespace

std::vector<std::string> SummaryLines(const unload::UnloadSummary& summary) {
  std::vector<std::string> lines;
  lines.push_back(Line("unloaded", Source(summary)));
  lines.push_back(Line("rows", summary.rows == 0
                                   ? "0 rows: the table holds none in this range"
                                   : WithThousands(summary.rows) +
                                         ", equal to the manifest's and the query's count"));
  lines.push_back(Line("files", Files(summary)));
  lines.push_back(Line("query", summary.query_id));
  lines.push_back(
      Line("manifest", summary.manifest_uri.empty() ? "none written" : summary.manifest_uri));
  lines.push_back(Line("record", summary.plan.record_uri.str()));
  lines.push_back(Line("time", FormatDuration(summary.elapsed)));
  if (summary.rows > 0) lines.push_back(Line("next", NextCommand(summary)));
  return lines;
}

}  // namespace tsm::apps
