// The plan as --dry_run and `check` print it.
#include <string>
#include <vector>

#include "common/summary_text.h"
#include "ts_batchload/plan_load.h"
#include "tsm/batchload/load_run.h"
#include "tsm/core/text.h"

namespace tsm::apps {

using batchload::LoadGroup;
using batchload::TableLoad;

namespace {

void AddTable(const PlannedLoad& planned, std::size_t index, std::vector<std::string>& lines) {
  const TableLoad& table = planned.plan.tables[index];
  std::string source = table.source ? table.source->str() + ", " : "";
  lines.push_back(Line("source", source + table.listed));
  if (!table.record_uri.empty()) lines.push_back(Line("record", table.record_uri));
  if (planned.plan.load) {
    lines.push_back(Line("target", table.target.str() + " in " + planned.plan.region +
                                       (planned.found.tables[index] ? "" : ", to be created")));
  }
  lines.push_back(Line("files", Counted(table.files, "file") + ", " + FormatBytes(table.bytes) +
                                    (table.gzip ? " of gzip" : "") +
                                    (table.rows ? ", " + Counted(*table.rows, "row") : "")));
}

void AddGroups(const batchload::LoadPlan& plan, std::vector<std::string>& lines) {
  constexpr std::size_t kShown = 5;
  lines.push_back(Line("groups", Counted(plan.groups.size(), "group") +
                                     ", a batch-load task each, by " +
                                     std::string(Name(plan.group_by))));
  for (std::size_t i = 0; i < plan.groups.size(); ++i) {
    if (i == kShown && plan.groups.size() > kShown + 1) {
      lines.push_back("  and " + WithThousands(plan.groups.size() - kShown) + " more");
      break;
    }
    const LoadGroup& group = plan.groups[i];
    lines.push_back("  " + group.id + "  s3://" + plan.target_bucket.str() + "/" + group.prefix +
                    "  " + Counted(group.files, "file") + ", " + FormatBytes(group.bytes) +
                    (group.rows ? ", " + Counted(*group.rows, "row") : ""));
  }
  if (const auto canary = batchload::CanaryOf(plan)) {
    lines.push_back(Line("canary", plan.groups[*canary].id + " loads alone first"));
  }
}

void AddMissing(const PlannedLoad& planned, std::vector<std::string>& lines) {
  if (planned.found.target_missing) {
    lines.push_back(Line("create", "the bucket " + planned.plan.target_bucket.str()));
  }
  if (planned.found.report_missing) {
    lines.push_back(Line("create", "the bucket " + planned.plan.report_bucket.str()));
  }
  for (const std::string& database : planned.found.missing_databases) {
    lines.push_back(Line("create", "the database " + database));
  }
  for (std::size_t i = 0; i < planned.wishes.tables.size(); ++i) {
    if (planned.found.tables[i]) continue;
    const auto& wish = planned.wishes.tables[i];
    lines.push_back(Line("create", "the table " + wish.table.str() + ", partition key " +
                                       batchload::KeyText(wish.partition_key)));
  }
}

}  // namespace

std::vector<std::string> PlanLines(const PlannedLoad& planned, const BatchLoadSettings& settings) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < planned.plan.tables.size(); ++i) AddTable(planned, i, lines);
  if (settings.copy) {
    lines.push_back(Line("copy", Counted(planned.plan.files(), "file") + " to s3://" +
                                     settings.target_bucket.str() + "/" +
                                     settings.destination_prefix));
  }
  if (planned.plan.load) AddGroups(planned.plan, lines);
  AddMissing(planned, lines);
  for (const std::string& remark : planned.remarks) lines.push_back(Line("note", remark));
  lines.push_back(Line("checked", "nothing was copied, created or loaded"));
  return lines;
}

}  // namespace tsm::apps
