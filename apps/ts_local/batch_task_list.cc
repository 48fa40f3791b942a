#include "ts_local/batch_task_list.h"

#include <algorithm>
#include <random>

#include "ts_local/api_error.h"

namespace ts_local {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;

std::string NewTaskId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 32; ++i) id += "0123456789ABCDEF"[random() % 16];
  return id;
}

}  // namespace

BatchTaskList::BatchTaskList(const std::string& dir, const BatchLoadLimits& limits,
                             std::int64_t now_ns)
    : limits_(limits), store_(dir) {
  for (BatchTask& task : store_.Load()) {
    if (task.status == kInProgress) {
      if (IsOther(task)) {
        task.status = kSucceeded;
        task.updated_ms = now_ns / kMillisecondNs;
      } else {
        Stop(&task, now_ns);
      }
      store_.Update(task);
    }
    std::string id = task.id;
    entries_.emplace(std::move(id), Entry{std::move(task), std::nullopt, 0});
  }
}

std::vector<std::string> BatchTaskList::Waiting() const {
  std::vector<const BatchTask*> waiting;
  for (const auto& [id, entry] : entries_) {
    if (entry.task.Active() && !entry.course) waiting.push_back(&entry.task);
  }
  std::sort(waiting.begin(), waiting.end(),
            [](const BatchTask* a, const BatchTask* b) { return a->seq < b->seq; });
  std::vector<std::string> ids;
  ids.reserve(waiting.size());
  for (const BatchTask* task : waiting) ids.push_back(task->id);
  return ids;
}

void BatchTaskList::Stop(BatchTask* task, std::int64_t at_ns) const {
  task->status = kProgressStopped;
  task->updated_ms = at_ns / kMillisecondNs;
  task->resumable_until_ms = (at_ns + limits_.RealNs(limits_.resumable_seconds)) / kMillisecondNs;
}

void BatchTaskList::Save(BatchTask* task, std::int64_t at_ns) {
  task->updated_ms = at_ns / kMillisecondNs;
  store_.Update(*task);
}

const BatchTaskList::Entries& BatchTaskList::At(std::int64_t now_ns) {
  for (auto& [id, entry] : entries_) Advance(&entry, now_ns);
  return entries_;
}

BatchTaskList::Entry* BatchTaskList::Find(const std::string& id, std::int64_t now_ns) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return nullptr;
  Advance(&found->second, now_ns);
  return &found->second;
}

void BatchTaskList::Advance(Entry* entry, std::int64_t now_ns) {
  if (!entry->course || now_ns < entry->course->begin_ns) return;
  const BatchCourse& course = *entry->course;
  if (course.outcome && now_ns >= course.end_ns) return Finish(entry);
  BatchTask& task = entry->task;
  task.counters = CountersAt(course, now_ns);
  if (course.outcome) task.updated_ms = now_ns / kMillisecondNs;
  if (task.status == kInProgress) return;
  task.status = kInProgress;
  Save(&task, course.begin_ns);
}

void BatchTaskList::Finish(Entry* entry) {
  BatchTask& task = entry->task;
  const std::int64_t end_ns = entry->course->end_ns;
  const BatchOutcome& outcome = entry->course->outcome.value();
  task.counters = outcome.counters;
  task.error = outcome.error;
  task.status = outcome.status;
  entry->course.reset();
  if (task.status == kProgressStopped) Stop(&task, end_ns);
  Save(&task, end_ns);
}

BatchTaskList::Entry& BatchTaskList::Add(BatchTask task, std::int64_t now_ns) {
  task.id = NewTaskId();
  task.created_ms = task.updated_ms = now_ns / kMillisecondNs;
  store_.Insert(&task);
  std::string id = task.id;
  const std::int64_t created = limits_.Paced() ? limits_.RealNs(kCreatedSeconds) : 0;
  return entries_.emplace(std::move(id), Entry{std::move(task), std::nullopt, now_ns + created})
      .first->second;
}

void BatchTaskList::AddOther(BatchTask task, std::int64_t now_ns, std::int64_t end_ns) {
  Entry& entry = Add(std::move(task), now_ns);
  BatchCourse course;
  course.begin_ns = now_ns;
  course.outcome = BatchOutcome{false, kSucceeded, "", {}, 0};
  course.end_ns = end_ns;
  entry.course = std::move(course);
  Advance(&entry, now_ns);
}

void BatchTaskList::Begin(Entry* entry, std::int64_t now_ns) {
  BatchTask& task = entry->task;
  BatchCourse course;
  // By the service's time, not by when a worker of ours comes to it.
  course.begin_ns = entry->not_before_ns > 0 ? entry->not_before_ns : now_ns;
  course.from = course.live = task.counters;
  entry->course = std::move(course);
  Advance(entry, now_ns);
}

void BatchTaskList::ShowLive(Entry* entry, const BatchCounters& counters, std::int64_t now_ns) {
  // The pace of a paced task is known only when its files are loaded: until then it stands still.
  if (limits_.Paced() || !entry->course || counters.processed < entry->course->live.processed) {
    return;
  }
  entry->course->live = counters;
  Advance(entry, now_ns);
  Save(&entry->task, now_ns);
}

void BatchTaskList::End(Entry* entry, BatchOutcome outcome, std::int64_t now_ns) {
  BatchCourse& course = *entry->course;
  const double seconds = RunSeconds(limits_, course.from, outcome);
  course.end_ns = std::max(now_ns, course.begin_ns + limits_.RealNs(seconds));
  course.outcome = std::move(outcome);
  Advance(entry, now_ns);
}

void BatchTaskList::Resume(Entry* entry, std::int64_t now_ns) {
  entry->task.status = kPendingResume;
  entry->task.error.clear();
  entry->task.resumable_until_ms = 0;
  entry->not_before_ns = now_ns + limits_.RealNs(limits_.pending_resume_seconds);
  Save(&entry->task, now_ns);
}

void BatchTaskList::SetFiles(Entry* entry, const std::string& files_json) {
  entry->task.files_json = files_json;
  store_.Update(entry->task);
}

void BatchTaskList::CheckQuota(const BatchTask& wanted, std::int64_t now_ns) {
  std::size_t of_table = 0;
  std::size_t of_account = 0;
  for (const auto& [id, entry] : At(now_ns)) {
    const BatchTask& task = entry.task;
    if (!task.Active() || task.region != wanted.region) continue;
    ++of_account;
    if (task.database == wanted.database && task.table == wanted.table) ++of_table;
  }
  // AWS's page says that new tasks are throttled "until more resources are available"; that this
  // is a ServiceQuotaExceededException is our reading of the operation's error list, unverified.
  const auto refuse = [](const char* who, std::size_t quota) {
    throw ApiError(400, "ServiceQuotaExceededException",
                   std::string("The ") + who + " has " + std::to_string(quota) +
                       " active batch load tasks, which is the quota.");
  };
  if (of_table >= limits_.table_tasks) refuse("table", limits_.table_tasks);
  if (of_account >= limits_.account_tasks) refuse("account", limits_.account_tasks);
}

}  // namespace ts_local
