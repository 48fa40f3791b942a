#include "table_close.h"

#include <set>
#include <utility>

#include "content_record.h"
#include "count_check.h"
#include "leftovers.h"
#include "tsm/core/text.h"
#include "unload_claim.h"

namespace tsm::unload {

namespace {

// Enough for a person; each is in the events.
constexpr std::size_t kMaxTold = 10;

void Tell(RunContext& context, std::size_t table, Severity severity, std::string_view kind,
          const std::string& what, const std::vector<CountDifference>& differences,
          std::vector<std::string>& lines) {
  if (differences.empty()) return;
  std::size_t told = 0;
  for (const CountDifference& difference : differences) {
    Event event;
    event.kind = kind;
    event.fields.emplace_back("table", context.plan.tables[table].table().str());
    event.fields.emplace_back("partition", difference.partition);
    event.fields.emplace_back("unloaded", difference.unloaded);
    event.fields.emplace_back("counted", difference.counted);
    context.services.progress.OnEvent(event);
    if (told++ >= kMaxTold) continue;
    const std::string line = what + ": " + difference.str();
    context.services.progress.OnNotice({severity, line});
    lines.push_back(line);
  }
  if (told > kMaxTold) {
    lines.push_back("and " + WithThousands(told - kMaxTold) +
                    " more partitions, named in the events");
  }
}

// "equal", "expired", "not asked"; "" where the proof failed, with `findings` saying where.
Result<std::string> VerifyTable(RunContext& context, std::size_t table, TableFindings& findings,
                                std::map<std::string, std::uint64_t, std::less<>>& non_null) {
  if (context.plan.verify == Verify::kNone) return std::string("not asked");
  if (!context.plan.tables[table].range) return std::string("equal");
  Result<CountReport> report = CheckCounts(context, table);
  if (!report) return report.error();
  non_null = std::move(report->non_null);
  Tell(context, table, Severity::kError, "source_changed", "source changed after its slice",
       report->changed, findings.failures);
  Tell(context, table, Severity::kError, "count_differs", "count differs", report->wrong,
       findings.failures);
  Tell(context, table, Severity::kWarning, "expired", "expired by retention", report->expired,
       findings.remarks);
  findings.source_changed = !report->changed.empty();
  if (!findings.failures.empty()) return std::string();
  return std::string(report->expired.empty() ? "equal" : "expired");
}

}  // namespace

Result<TableFindings> CloseTable(RunContext& context, std::size_t table) {
  TableFindings findings;
  const std::string name = context.plan.tables[table].table().str();
  for (std::string& line : SweepTable(context, table)) {
    context.services.progress.Warn(line);
    findings.remarks.push_back(std::move(line));
  }
  std::map<std::string, std::uint64_t, std::less<>> non_null;
  Result<std::string> verified = VerifyTable(context, table, findings, non_null);
  if (!verified) return verified.error().With("proving the unload of " + name);
  if (verified->empty()) return findings;
  if (Status counted = context.ledger.CountedTable(table, *verified, non_null); !counted) {
    return counted.error();
  }
  if (context.plan.verify == Verify::kContent && context.plan.tables[table].range) {
    if (Status put = PutContent(context, table); !put) return put.error();
  }
  if (Status put = PutRecord(context, table, run::RunState::kDone); !put) return put.error();
  if (Status closed = context.ledger.CloseTable(table); !closed) return closed.error();
  Event event;
  event.kind = "table_closed";
  event.fields.emplace_back("table", name);
  event.fields.emplace_back("record", context.plan.RecordUri(context.plan.tables[table]).str());
  event.fields.emplace_back("verified", *verified);
  context.services.progress.OnEvent(event);
  return findings;
}

Result<std::size_t> RedoChanged(RunContext& context, std::size_t table) {
  Result<CountReport> report = CheckCounts(context, table);
  if (!report) return report.error();
  std::set<SliceRef> slices;
  for (const CountDifference& difference : report->changed) {
    for (SliceRef& ref : SlicesOf(context, table, difference.partition)) slices.insert(ref);
  }
  for (const SliceRef& ref : slices) {
    if (Status redone = context.ledger.RedoSlice(ref); !redone) return redone.error();
    context.partition_rows.Forget(ref.table);
    context.services.progress.Info("slice " + ref.slice + " of " +
                                   context.table(ref).table().str() + " is unloaded again");
  }
  return slices.size();
}

}  // namespace tsm::unload
