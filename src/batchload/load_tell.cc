#include "load_tell.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::batchload {

namespace {

constexpr std::chrono::milliseconds kEvery{200};

std::uint64_t Positive(std::int64_t number) {
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

}  // namespace

LoadTell::LoadTell(const LoadPlan& plan, const LoadLedger& ledger, const Clock& clock,
                   ProgressSink& sink)
    : plan_(plan),
      ledger_(ledger),
      clock_(clock),
      sink_(sink),
      started_(clock.Steady()),
      waiting_(plan.tables.size()) {
  for (const LoadGroup& group : plan.groups) all_bytes_ += group.bytes;
}

std::string LoadTell::Name(std::size_t index) const {
  const LoadGroup& group = plan_.groups[index];
  std::string name = group.id;
  if (!group.label.empty()) name += " (" + group.label + ")";
  if (plan_.tables.size() == 1) return name;
  return plan_.tables[group.table].target.str() + " " + name;
}

Event LoadTell::OfTask(std::string_view kind, std::size_t group, const std::string& task) const {
  Event event;
  event.kind = kind;
  event.fields.emplace_back("table", plan_.tables[plan_.groups[group].table].target.str());
  event.fields.emplace_back("group", plan_.groups[group].id);
  event.fields.emplace_back("task", task);
  return event;
}

void LoadTell::TaskCreated(std::size_t group, const std::string& task, bool found) {
  Event event = OfTask("task_created", group, task);
  event.fields.emplace_back("prefix", plan_.groups[group].prefix);
  event.fields.emplace_back("found", found);
  sink_.OnEvent(event);
  sink_.Info(found ? Name(group) + " was already taken: it is task " + task
                   : Name(group) + " is task " + task);
}

void LoadTell::TaskSeen(std::size_t group, const std::string& task, const std::string& status,
                        const timestream::ProgressReport& progress) {
  Event event = OfTask("task_status", group, task);
  event.fields.emplace_back("status", status);
  event.fields.emplace_back("processed", Positive(progress.records_processed));
  event.fields.emplace_back("ingested", Positive(progress.records_ingested));
  sink_.OnEvent(event);
}

void LoadTell::TaskStopped(std::size_t group, const std::string& task,
                           std::chrono::nanoseconds wait) {
  Event event = OfTask("task_stopped", group, task);
  event.fields.emplace_back("resume_in_seconds", std::chrono::duration<double>(wait).count());
  sink_.OnEvent(event);
  sink_.Warn(Name(group) + ": task " + task +
             " stopped before its end, as it does where too many partitions of the magnetic store "
             "are active; it is resumed in " +
             FormatDuration(wait));
}

void LoadTell::TaskResumed(std::size_t group, const std::string& task) {
  sink_.OnEvent(OfTask("task_resumed", group, task));
  sink_.Info(Name(group) + ": task " + task + " was resumed");
}

void LoadTell::GroupDone(std::size_t group, const std::string& task,
                         const timestream::ProgressReport& progress, std::uint64_t rejected) {
  Event event = OfTask("group_done", group, task);
  event.fields.emplace_back("processed", Positive(progress.records_processed));
  event.fields.emplace_back("ingested", Positive(progress.records_ingested));
  event.fields.emplace_back("rejected", rejected);
  event.fields.emplace_back("metered", Positive(progress.bytes_metered));
  sink_.OnEvent(event);
  sink_.Info(Name(group) + " done: " + WithThousands(Positive(progress.records_ingested)) +
             " rows" + (rejected > 0 ? ", " + WithThousands(rejected) + " rejected" : ""));
}

void LoadTell::GroupFailed(std::size_t group, const std::string& task, const std::string& why,
                           const std::string& report_uri) {
  Event event = OfTask("group_failed", group, task);
  event.fields.emplace_back("note", why);
  event.fields.emplace_back("report", report_uri);
  sink_.OnEvent(event);
  sink_.OnNotice(
      {Severity::kError, Name(group) + (task.empty() ? "" : ", task " + task) + " failed: " + why});
}

void LoadTell::Waiting(std::size_t table, const std::string& where,
                       const std::vector<std::string>& tasks) {
  if (tasks == waiting_[table]) return;
  const std::string target = plan_.tables[table].target.str();
  if (tasks.empty()) {
    sink_.Info("tasks of others no longer keep " + target + " waiting");
  } else {
    sink_.Warn("waiting: " + std::to_string(tasks.size()) +
               (tasks.size() == 1 ? " task of others is active " : " tasks of others are active ") +
               where + " (" + NameSome(tasks) + ")");
    Event event;
    event.kind = "waiting_for_others";
    event.fields.emplace_back("table", target);
    event.fields.emplace_back("tasks", static_cast<std::uint64_t>(tasks.size()));
    sink_.OnEvent(event);
  }
  waiting_[table] = tasks;
}

void LoadTell::Update(const LiveProgress& live, bool in_any_case) {
  const auto now = clock_.Steady();
  if (!in_any_case && told_ && now - *told_ < kEvery) return;
  told_ = now;
  const LoadTotals totals = ledger_.Totals();
  const double bytes = static_cast<double>(totals.bytes_done) + live.bytes;
  if (!bytes_at_start_) bytes_at_start_ = bytes;
  Progress progress;
  progress.phase = "load";
  progress.done = totals.done;
  progress.total = totals.groups;
  progress.bytes_done = static_cast<std::uint64_t>(bytes);
  progress.bytes_total = all_bytes_;
  progress.rows_done = Positive(static_cast<std::int64_t>(totals.ingested) + live.fresh_rows);
  if (all_bytes_ > 0) progress.fraction = std::min(bytes / static_cast<double>(all_bytes_), 1.0);
  const std::chrono::duration<double> spent = now - started_;
  const double fresh = bytes - *bytes_at_start_;
  const double left = static_cast<double>(all_bytes_) - bytes;
  if (fresh > 0 && left > 0 && spent.count() >= 1) {
    progress.left = std::chrono::duration_cast<std::chrono::seconds>(spent * (left / fresh));
  }
  progress.detail =
      std::to_string(live.running) + " running, " + std::to_string(live.queued) + " queued";
  if (totals.failed > 0) progress.detail += ", " + std::to_string(totals.failed) + " failed";
  sink_.OnProgress(progress);
}

}  // namespace tsm::batchload
