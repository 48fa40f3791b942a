#include "ts_batchload/run_events.h"

#include <chrono>

namespace tsm::apps {

namespace {

Event TableEnded(const TableOutcome& table) {
  Event event;
  event.kind = "table_ended";
  event.fields = {{"table", table.target.str()},
                  {"done", table.done_whole},
                  {"verified", table.verified},
                  {"files", table.files},
                  {"bytes", table.bytes},
                  {"groups", table.groups},
                  {"groups_done", table.done},
                  {"groups_failed", table.failed},
                  {"rows_processed", table.processed},
                  {"rows_ingested", table.ingested},
                  {"rows_rejected", table.rejected}};
  if (table.rows) event.fields.emplace_back("rows_expected", *table.rows);
  return event;
}

void AddTroubles(const TableOutcome& table, const std::string& severity,
                 const std::vector<std::string>& texts, std::vector<Event>& events) {
  for (const std::string& text : texts) {
    Event event;
    event.kind = "trouble";
    event.fields = {{"table", table.target.str()}, {"severity", severity}, {"text", text}};
    events.push_back(std::move(event));
  }
}

std::string NameOf(const LoadOutcome& outcome) {
  switch (CodeOf(outcome)) {
    case ExitCode::kDone:
      return "done";
    case ExitCode::kSomeFailed:
      return "some_failed";
    case ExitCode::kProofFailed:
      return "proof_failed";
    case ExitCode::kInterrupted:
      return "interrupted";
    default:
      return "failed";
  }
}

}  // namespace

std::vector<Event> EndEvents(const LoadOutcome& outcome, const RunEnd& end) {
  std::vector<Event> events;
  std::uint64_t done = 0;
  std::uint64_t groups = 0;
  std::uint64_t groups_done = 0;
  std::uint64_t ingested = 0;
  for (const TableOutcome& table : outcome.tables) {
    events.push_back(TableEnded(table));
    AddTroubles(table, "warning", table.remarks, events);
    AddTroubles(table, "error", table.failures, events);
    if (table.done_whole) ++done;
    groups += table.groups;
    groups_done += table.done;
    ingested += table.ingested;
  }
  Event event = RunEnded(NameOf(outcome), end);
  event.fields.insert(event.fields.end(),
                      {{"tables", std::uint64_t{outcome.tables.size()}},
                       {"tables_done", done},
                       {"groups", groups},
                       {"groups_done", groups_done},
                       {"tasks", outcome.tasks},
                       {"rows_ingested", ingested},
                       {"bytes_metered", outcome.bytes_metered},
                       {"seconds", std::chrono::duration<double>(outcome.elapsed).count()}});
  if (outcome.copies) {
    event.fields.emplace_back("files_copied", outcome.copies->files);
    event.fields.emplace_back("bytes_copied", outcome.copies->bytes);
  }
  if (outcome.fatal) event.fields.emplace_back("error", outcome.fatal->Text());
  AddPlaces(end, event);
  events.push_back(std::move(event));
  return events;
}

}  // namespace tsm::apps
