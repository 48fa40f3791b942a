#include "ts_unload/run_events.h"

#include <chrono>

#include "tsm/core/time_text.h"

namespace tsm::apps {

using unload::TableSummary;
using unload::UnloadOutcome;

namespace {

std::string NameOf(UnloadOutcome outcome) {
  switch (outcome) {
    case UnloadOutcome::kDone:
      return "done";
    case UnloadOutcome::kSomeFailed:
      return "some_failed";
    case UnloadOutcome::kProofFailed:
      return "proof_failed";
    case UnloadOutcome::kInterrupted:
      return "interrupted";
  }
  return "";
}

Event TableEnded(const TableSummary& table) {
  Event event;
  event.kind = "table_ended";
  event.fields = {{"table", table.table.str()},
                  {"done", table.closed},
                  {"verified", table.verified},
                  {"rows", table.rows},
                  {"bytes", table.bytes},
                  {"files", table.files},
                  {"slices", table.slices},
                  {"attempts", table.attempts},
                  {"destination", table.destination.str()},
                  {"record", table.record.str()}};
  return event;
}

void AddTroubles(const TableSummary& table, const std::string& severity,
                 const std::vector<std::string>& texts, std::vector<Event>& events) {
  for (const std::string& text : texts) {
    Event event;
    event.kind = "trouble";
    event.fields = {{"table", table.table.str()}, {"severity", severity}, {"text", text}};
    events.push_back(std::move(event));
  }
}

Event SlicePlanned(const std::string& table, const unload::UnloadSlice& slice) {
  Event event;
  event.kind = "slice_planned";
  event.fields = {{"table", table},
                  {"slice", slice.Id()},
                  {"from", FormatTimestamp(slice.from)},
                  {"end", FormatTimestamp(slice.end)},
                  {"partitions", slice.partitions}};
  if (slice.rows) event.fields.emplace_back("rows", *slice.rows);
  if (slice.bytes) event.fields.emplace_back("bytes", *slice.bytes);
  return event;
}

}  // namespace

std::vector<Event> EndEvents(const unload::UnloadSummary& summary, const RunEnd& end) {
  std::vector<Event> events;
  TableSummary sum;
  std::uint64_t closed = 0;
  for (const TableSummary& table : summary.tables) {
    events.push_back(TableEnded(table));
    AddTroubles(table, "warning", table.remarks, events);
    AddTroubles(table, "error", table.failures, events);
    if (table.closed) ++closed;
    sum.slices += table.slices;
    sum.attempts += table.attempts;
    sum.rows += table.rows;
    sum.bytes += table.bytes;
    sum.files += table.files;
  }
  Event event = RunEnded(NameOf(summary.outcome), end);
  event.fields.insert(event.fields.end(),
                      {{"tables", std::uint64_t{summary.tables.size()}},
                       {"tables_done", closed},
                       {"slices", sum.slices},
                       {"attempts", sum.attempts},
                       {"rows", sum.rows},
                       {"bytes", sum.bytes},
                       {"files", sum.files},
                       {"seconds", std::chrono::duration<double>(summary.elapsed).count()}});
  AddPlaces(end, event);
  events.push_back(std::move(event));
  return events;
}

std::vector<Event> PlanEvents(const unload::PlannedUnload& planned) {
  std::vector<Event> events;
  for (const unload::TablePlan& table : planned.plan.tables) {
    const std::string name = table.table().str();
    Event event;
    event.kind = "table_planned";
    event.fields = {{"table", name},
                    {"destination", table.destination.str()},
                    {"slices", std::uint64_t{table.slices.size()}}};
    if (!table.slices.empty()) {
      const unload::UnloadSlice& first = table.slices.front();
      event.fields.emplace_back(
          "sql",
          StatementOf(planned.plan, table, first.from, first.end, table.destination).ToSql());
    }
    events.push_back(std::move(event));
    for (const unload::UnloadSlice& slice : table.slices) {
      events.push_back(SlicePlanned(name, slice));
    }
  }
  Event event = RunEnded("dry_run", RunEnd{});
  event.fields.emplace_back("tables", std::uint64_t{planned.plan.tables.size()});
  event.fields.emplace_back("slices", std::uint64_t{planned.plan.CountSlices()});
  events.push_back(std::move(event));
  return events;
}

}  // namespace tsm::apps
