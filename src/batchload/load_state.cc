#include "tsm/batchload/load_state.h"

#include <algorithm>
#include <utility>

#include "load_entry.h"
#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

using State = GroupState::State;
using Task = TaskAttempt::State;
using timestream::ProgressReport;
using timestream::TaskStatus;

Error Unfit(const JournalEntry& entry, const std::string& why) {
  const std::string which =
      entry.sequence == 0 ? "a new entry" : "entry " + std::to_string(entry.sequence);
  return MakeError(ErrorKind::kBadReply, which + " (" + OneLine(entry.kind, 40) + ") " + why);
}

bool HasProgressed(const ProgressReport& now, const ProgressReport& before) {
  return now.records_processed > before.records_processed ||
         now.records_ingested > before.records_ingested || now.bytes_metered > before.bytes_metered;
}

// What one group adds to the totals. `sign` is 1, or its complement to take it off again.
void Count(const GroupState& group, bool copies, std::uint64_t bytes, std::uint64_t files,
           std::uint64_t sign, LoadTotals& totals) {
  const auto add = [&](std::uint64_t& total, std::uint64_t number) { total += sign * number; };
  const auto positive = [](std::int64_t number) {
    return number < 0 ? 0 : static_cast<std::uint64_t>(number);
  };
  add(totals.sealed, group.sealed ? 1 : 0);
  add(totals.done, group.state == State::kDone ? 1 : 0);
  add(totals.failed, group.state == State::kFailed ? 1 : 0);
  add(totals.loading, group.state == State::kLoading ? 1 : 0);
  add(totals.copy_failed, group.copy_failure.empty() ? 0 : 1);
  add(totals.bytes_done, group.state == State::kDone ? bytes : 0);
  add(totals.rejected, group.rejected);
  add(totals.tasks, group.tasks.size());
  for (const TaskAttempt& task : group.tasks) {
    add(totals.bytes_metered, positive(task.progress.bytes_metered));
  }
  if (!group.tasks.empty()) {
    add(totals.processed, positive(group.tasks.back().progress.records_processed));
    add(totals.ingested, positive(group.tasks.back().progress.records_ingested));
  }
  if (!copies) return;
  add(totals.files_copied, group.sealed ? files : group.copied.size());
  if (group.sealed) add(totals.bytes_copied, group.sealed->bytes);
  add(totals.bytes_copied, group.copied_bytes);
}

Status CheckCopied(const JournalEntry& entry, const LoadPlan& plan, const LoadGroup& group,
                   const GroupState& state) {
  if (!plan.copy || state.sealed) return Unfit(entry, "copies a file of a group that is complete");
  const auto ordinal = CountIn(entry, "ordinal");
  if (!ordinal || *ordinal >= group.files) return Unfit(entry, "names no file of its group");
  const auto objects = CountIn(entry, "objects");
  if (!objects || *objects == 0 || (*objects > 1 && !plan.tables[group.table].gzip)) {
    return Unfit(entry, "has no good count of objects");
  }
  if (!CountIn(entry, "bytes")) return Unfit(entry, "has no count of bytes");
  return Ok();
}

Status CheckSealed(const JournalEntry& entry, const LoadPlan& plan, const LoadGroup& group,
                   const GroupState& state) {
  if (!plan.copy || state.sealed) return Unfit(entry, "seals a group that is complete");
  if (state.copied.size() != group.files) {
    return Unfit(entry, "seals a group whose files are not all there");
  }
  const auto objects = CountIn(entry, "objects");
  if (!objects || !CountIn(entry, "bytes")) return Unfit(entry, "does not count what is there");
  const auto inflated = NumbersIn(entry, "inflated");
  const auto inflated_bytes = NumbersIn(entry, "inflated_bytes");
  if (!inflated || !inflated_bytes ||
      (!inflated_bytes->empty() && inflated_bytes->size() != inflated->size())) {
    return Unfit(entry, "has no good list of inflated objects");
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t number : *inflated) sum += number;
  const bool fits = plan.tables[group.table].gzip
                        ? inflated->size() == group.files && sum == *objects
                        : inflated->empty() && *objects == group.files;
  return fits ? Ok() : Unfit(entry, "has other objects than its group has files");
}

// A task goes on: which state must it be in?
Status CheckTaskEntry(const JournalEntry& entry, const GroupState& state) {
  const TaskAttempt* open = state.open();
  if (open == nullptr) return Unfit(entry, "goes on with a group that has no open task");
  const bool is_intent = open->state == Task::kIntent;
  if (entry.kind == "task_created" || entry.kind == "task_lost") {
    if (!is_intent) return Unfit(entry, "takes a task twice");
    if (entry.kind == "task_created" && entry.Field("task").empty()) {
      return Unfit(entry, "has no task id");
    }
    return Ok();
  }
  if (is_intent) return Unfit(entry, "follows a task that the service has not taken");
  if (entry.kind == "resume") {
    if (open->status == TaskStatus::kProgressStopped) return Ok();
    return Unfit(entry, "resumes a task that has not stopped");
  }
  if (!ProgressIn(entry)) return Unfit(entry, "has no good counters");
  if (entry.kind == "group_done" && !CountIn(entry, "rejected")) {
    return Unfit(entry, "does not count the rejected rows");
  }
  return Ok();
}

Status CheckAnnounced(const JournalEntry& entry, const LoadPlan& plan, const GroupState& state) {
  if (!plan.load) return Unfit(entry, "loads, and the plan only copies");
  if (state.state != State::kPending || !state.sealed) {
    return Unfit(entry, "loads a group that is not waiting to be loaded");
  }
  if (entry.Field("client_token").empty()) return Unfit(entry, "has no client token");
  if (!CountIn(entry, "record_version")) return Unfit(entry, "has no record version");
  return Ok();
}

Status CheckFailed(const JournalEntry& entry, const GroupState& state) {
  if (state.state != State::kPending && state.state != State::kLoading) {
    return Unfit(entry, "fails a group that has ended");
  }
  if (ProgressIn(entry) && CountIn(entry, "rejected")) return Ok();
  return Unfit(entry, "has no good counters");
}

void End(TaskAttempt& task, Task state, const JournalEntry& entry) {
  task.state = state;
  task.ended = entry.time;
  task.note = std::string(entry.Field("note"));
  task.report_uri = std::string(entry.Field("report"));
}

void Copy(const JournalEntry& entry, GroupState& state) {
  CopiedEntry& file = state.copied[static_cast<std::uint32_t>(*CountIn(entry, "ordinal"))];
  file.objects = static_cast<std::uint32_t>(*CountIn(entry, "objects"));
  state.copied_bytes += *CountIn(entry, "bytes") - file.bytes;
  file.bytes = *CountIn(entry, "bytes");
  file.rows = CountIn(entry, "rows");
  if (state.copy_begun == 0) state.copy_begun = entry.time;
}

void Seal(const JournalEntry& entry, GroupState& state) {
  state.sealed = SealedGroup{static_cast<std::uint32_t>(*CountIn(entry, "objects")),
                             *CountIn(entry, "bytes"), CountIn(entry, "rows")};
  state.inflated_objects = *NumbersIn(entry, "inflated");
  state.inflated_bytes = *NumbersIn(entry, "inflated_bytes");
  state.copied.clear();
  state.copied_bytes = 0;
  state.copy_failure.clear();
  state.copy_ended = entry.time;
}

void Announce(const JournalEntry& entry, GroupState& state) {
  TaskAttempt task;
  task.client_token = std::string(entry.Field("client_token"));
  task.announced = entry.time;
  task.record_version = static_cast<std::int64_t>(*CountIn(entry, "record_version"));
  state.tasks.push_back(std::move(task));
  state.state = State::kLoading;
  state.rejected = 0;
}

void See(const JournalEntry& entry, TaskAttempt& task) {
  const ProgressReport progress = *ProgressIn(entry);
  if (HasProgressed(progress, task.progress)) task.resumes = 0;
  task.status = timestream::ParseTaskStatus(entry.Field("status"));
  task.progress = progress;
}

void Fail(const JournalEntry& entry, GroupState& state) {
  if (state.open() != nullptr) {
    TaskAttempt& task = state.tasks.back();
    if (task.state == Task::kRunning) task.progress = *ProgressIn(entry);
    End(task, Task::kFailed, entry);
  }
  state.state = State::kFailed;
  state.failure = std::string(entry.Field("note"));
  state.failed_proof = entry.Field("proof") == "true";
  state.rejected = *CountIn(entry, "rejected");
}

void Finish(const JournalEntry& entry, GroupState& state) {
  TaskAttempt& task = state.tasks.back();
  task.progress = *ProgressIn(entry);
  task.status = TaskStatus::kSucceeded;
  End(task, Task::kSucceeded, entry);
  state.state = State::kDone;
  state.rejected = *CountIn(entry, "rejected");
}

void Retry(const JournalEntry& entry, GroupState& state) {
  state.state = State::kPending;
  state.failure.clear();
  state.failed_proof = false;
  state.rejected = 0;
  state.record_version = static_cast<std::int64_t>(CountIn(entry, "record_version").value_or(0));
}

constexpr std::string_view kDifference = "difference ";

void Prove(const JournalEntry& entry, TableLoadState& table) {
  table.verified = std::string(entry.Field("verified"));
  table.differences.clear();
  for (const auto& [name, value] : entry.fields) {
    if (name.starts_with(kDifference)) table.differences.push_back(value);
  }
}

}  // namespace

const TaskAttempt* GroupState::open() const {
  if (tasks.empty()) return nullptr;
  const TaskAttempt& last = tasks.back();
  return last.state == Task::kIntent || last.state == Task::kRunning ? &last : nullptr;
}

std::string JournalName(const LoadPlan& plan, std::size_t table) {
  const timestream::TableRef& target = plan.tables[table].target;
  std::string name = target.database + "/" + target.table;
  const auto before =
      std::count_if(plan.tables.begin(), plan.tables.begin() + static_cast<std::ptrdiff_t>(table),
                    [&](const TableLoad& other) { return other.target == target; });
  if (before > 0) name += "#" + std::to_string(before + 1);
  return name;
}

LoadState::LoadState(const LoadPlan& plan)
    : plan_(&plan), groups_(plan.groups.size()), tables_(plan.tables.size()) {
  for (std::size_t i = 0; i < plan.groups.size(); ++i) {
    const LoadGroup& group = plan.groups[i];
    index_.emplace(group.id, i);
    if (!plan.copy) groups_[i].sealed = SealedGroup{group.files, group.bytes, group.rows};
    Count(groups_[i], plan.copy, group.bytes, group.files, 1, totals_);
  }
  totals_.groups = plan.groups.size();
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    tables_index_.emplace(JournalName(plan, i), i);
  }
}

bool LoadState::IsComplete(std::size_t table) const {
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (plan_->groups[i].table != table) continue;
    if (plan_->load ? groups_[i].state != State::kDone : !groups_[i].sealed) return false;
  }
  return true;
}

bool LoadState::HasUpload(const JournalEntry& entry) const {
  return std::any_of(uploads_.begin(), uploads_.end(), [&](const OpenUpload& upload) {
    return upload.upload_id == entry.Field("upload_id") && upload.key.str() == entry.Field("key");
  });
}

Status LoadState::Check(const JournalEntry& entry) const {
  if (entry.kind == "canary_passed") {
    return canary_passed_ ? Unfit(entry, "passes the canary twice") : Ok();
  }
  if (entry.kind == "upload") {
    if (entry.Field("key").empty() || entry.Field("upload_id").empty() || HasUpload(entry)) {
      return Unfit(entry, "begins no upload of its own");
    }
    return Ok();
  }
  if (entry.kind == "upload_over") {
    return HasUpload(entry) ? Ok() : Unfit(entry, "ends an upload that never began");
  }
  if (entry.kind == "counted_before" || entry.kind == "proved" || entry.kind == "table_closed") {
    return CheckTableEntry(entry);
  }
  const auto found = index_.find(entry.Field("group"));
  if (found == index_.end()) {
    return Unfit(entry, "names the group '" + OneLine(entry.Field("group"), 60) +
                            "', which is not in the plan");
  }
  return CheckGroupEntry(entry, found->second);
}

Status LoadState::CheckTableEntry(const JournalEntry& entry) const {
  const auto found = tables_index_.find(entry.Field("table"));
  if (found == tables_index_.end()) {
    return Unfit(entry, "names the table '" + OneLine(entry.Field("table"), 100) +
                            "', which is not in the plan");
  }
  if (entry.kind == "counted_before" && !CountIn(entry, "rows")) {
    return Unfit(entry, "has no count of rows");
  }
  if (entry.kind == "table_closed" && !IsComplete(found->second)) {
    return Unfit(entry, "closes a table with groups that are not done");
  }
  return Ok();
}

Status LoadState::CheckGroupEntry(const JournalEntry& entry, std::size_t index) const {
  const LoadGroup& group = plan_->groups[index];
  const GroupState& state = groups_[index];
  if (entry.kind == "copied") return CheckCopied(entry, *plan_, group, state);
  if (entry.kind == "sealed") return CheckSealed(entry, *plan_, group, state);
  if (entry.kind == "copy_failed") {
    return plan_->copy && !state.sealed ? Ok() : Unfit(entry, "fails a copy that is complete");
  }
  if (entry.kind == "task") return CheckAnnounced(entry, *plan_, state);
  if (entry.kind == "group_failed") return CheckFailed(entry, state);
  if (entry.kind == "retry") {
    return state.state == State::kFailed ? Ok() : Unfit(entry, "retries what has not failed");
  }
  if (!IsOfTask(entry.kind)) return Unfit(entry, "is of a kind that this program does not know");
  if (entry.kind == "task_created" && IsOwn(entry.Field("task"))) {
    return Unfit(entry, "has a task that is another group's");
  }
  return CheckTaskEntry(entry, state);
}

Status LoadState::Apply(const JournalEntry& entry) {
  if (Status fits = Check(entry); !fits) return fits;
  if (entry.kind == "canary_passed") {
    canary_passed_ = true;
  } else if (entry.kind == "upload" || entry.kind == "upload_over") {
    ApplyUpload(entry);
  } else if (const auto found = index_.find(entry.Field("group")); found != index_.end()) {
    const LoadGroup& group = plan_->groups[found->second];
    GroupState& state = groups_[found->second];
    Count(state, plan_->copy, group.bytes, group.files, ~std::uint64_t{0}, totals_);
    ApplyToGroup(entry, found->second);
    Count(state, plan_->copy, group.bytes, group.files, 1, totals_);
  } else {
    ApplyToTable(entry);
  }
  return Ok();
}

void LoadState::ApplyUpload(const JournalEntry& entry) {
  if (entry.kind == "upload") {
    uploads_.push_back(
        {s3::ObjectKey(std::string(entry.Field("key"))), std::string(entry.Field("upload_id"))});
    return;
  }
  std::erase_if(uploads_, [&](const OpenUpload& upload) {
    return upload.upload_id == entry.Field("upload_id") && upload.key.str() == entry.Field("key");
  });
}

void LoadState::ApplyToTable(const JournalEntry& entry) {
  TableLoadState& table = tables_[tables_index_.find(entry.Field("table"))->second];
  if (entry.kind == "counted_before") {
    table.rows_before = CountIn(entry, "rows");
  } else if (entry.kind == "proved") {
    Prove(entry, table);
  } else {
    table.closed = true;
  }
}

void LoadState::ApplyToGroup(const JournalEntry& entry, std::size_t index) {
  GroupState& state = groups_[index];
  if (entry.kind == "copied") return Copy(entry, state);
  if (entry.kind == "sealed") return Seal(entry, state);
  if (entry.kind == "copy_failed") return void(state.copy_failure = entry.Field("note"));
  if (entry.kind == "task") return Announce(entry, state);
  if (entry.kind == "group_failed") return Fail(entry, state);
  if (entry.kind == "group_done") return Finish(entry, state);
  if (entry.kind == "retry") return Retry(entry, state);
  TaskAttempt& task = state.tasks.back();
  if (entry.kind == "task_created") {
    task.task_id = std::string(entry.Field("task"));
    task.created = entry.time;
    task.state = Task::kRunning;
    task_ids_.insert(task.task_id);
  } else if (entry.kind == "task_lost") {
    End(task, Task::kLost, entry);
    state.state = State::kPending;
  } else if (entry.kind == "task_status") {
    See(entry, task);
  } else {
    ++task.resumes;
  }
}

}  // namespace tsm::batchload
