#include "ts_local/batch_load.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>
#include <vector>

#include "ts_local/api_error.h"
#include "ts_local/batch_load_request.h"
#include "ts_local/batch_load_run.h"
#include "ts_local/batch_task.h"
#include "ts_local/json_fields.h"

namespace ts_local {
namespace {

using nlohmann::json;

constexpr int kWorkers = 4;
constexpr std::size_t kMaxActivePerTable = 5;
constexpr std::size_t kMaxActivePerAccount = 10;
// How long a stopped task may be resumed is documented nowhere.
constexpr std::int64_t kResumableMs = 24LL * 3600 * 1000;

std::string NewTaskId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 32; ++i) id += "0123456789ABCDEF"[random() % 16];
  return id;
}

void AddTimes(const BatchTask& task, json* out) {
  (*out)["CreationTime"] = EpochSeconds(task.created_ms);
  (*out)["LastUpdatedTime"] = EpochSeconds(task.updated_ms);
  if (task.resumable_until_ms > 0) {
    (*out)["ResumableUntil"] = EpochSeconds(task.resumable_until_ms);
  }
}

}  // namespace

struct BatchLoad::Impl {
  Impl(TableStore& table_store, Storage& s3, NowNs clock)
      : tables(table_store), storage(s3), now(std::move(clock)), store(tables.dir()) {
    for (BatchTask& task : store.Load()) {
      if (task.status == kInProgress) {
        Stop(&task);
        store.Update(task);
      } else if (task.Active()) {
        queue.push_back(task.id);
      }
      std::string id = task.id;
      tasks.emplace(std::move(id), std::move(task));
    }
    for (int i = 0; i < kWorkers; ++i) workers.emplace_back([this] { Work(); });
  }

  ~Impl() {
    StopAll();
    for (std::thread& worker : workers) worker.join();
  }

  void StopAll() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_all();
  }

  std::int64_t NowMs() const { return now() / 1'000'000; }

  void Stop(BatchTask* task) const {
    task->status = kProgressStopped;
    task->updated_ms = NowMs();
    task->resumable_until_ms = task->updated_ms + kResumableMs;
  }

  // The lock must be held.
  BatchTask& Find(const std::string& region, const std::string& id) {
    const auto found = tasks.find(id);
    if (found == tasks.end() || found->second.region != region) {
      throw ApiError(400, "ResourceNotFoundException",
                     "The batch load task " + id + " does not exist.");
    }
    return found->second;
  }

  void CheckQuota(const BatchTask& wanted) const {
    std::size_t of_table = 0;
    std::size_t of_account = 0;
    for (const auto& [id, task] : tasks) {
      if (!task.Active() || task.region != wanted.region) continue;
      ++of_account;
      if (task.database == wanted.database && task.table == wanted.table) ++of_table;
    }
    // AWS's page says that new tasks are throttled "until more resources are available"; that this
    // is a ServiceQuotaExceededException is our reading of the operation's error list, unverified.
    if (of_table >= kMaxActivePerTable) {
      throw ApiError(400, "ServiceQuotaExceededException",
                     "The table has 5 active batch load tasks, which is the quota.");
    }
    if (of_account >= kMaxActivePerAccount) {
      throw ApiError(400, "ServiceQuotaExceededException",
                     "The account has 10 active batch load tasks, which is the quota.");
    }
  }

  void Save(BatchTask* task) {
    task->updated_ms = NowMs();
    store.Update(*task);
  }

  void Work() {
    std::unique_lock lock(mutex);
    while (true) {
      wake.wait(lock, [this] { return stopping || !queue.empty(); });
      if (stopping) return;
      BatchTask& task = tasks.at(queue.front());  // map nodes stay where they are
      queue.pop_front();
      task.status = kInProgress;
      task.counters = {};
      task.error.clear();
      task.resumable_until_ms = 0;
      Save(&task);
      const BatchTask copy = task;
      lock.unlock();
      const BatchOutcome outcome = Run(copy, &task);
      lock.lock();
      if (outcome.stopped) return;  // stays IN_PROGRESS on disk: the next start stops it
      task.status = outcome.succeeded ? kSucceeded : kFailed;
      task.error = outcome.error;
      task.counters = outcome.counters;
      Save(&task);
    }
  }

  // `shared` is the task in `tasks`, touched under the lock only.
  BatchOutcome Run(const BatchTask& task, BatchTask* shared) {
    BatchCounters latest;
    try {
      BatchLoadRun run(tables, storage, task);
      std::vector<std::string> keys;
      if (task.files_json.empty()) {
        std::string reason = run.ListFiles(&keys);
        if (!reason.empty()) return {false, false, std::move(reason), {}};
        const std::lock_guard lock(mutex);
        shared->files_json = json(keys).dump(-1, ' ', false, json::error_handler_t::replace);
        Save(shared);
      } else {
        keys = json::parse(task.files_json).get<std::vector<std::string>>();
      }
      return run.Load(keys, [&](const BatchCounters& counters) {
        const std::lock_guard lock(mutex);
        shared->counters = latest = counters;
        Save(shared);
        return !stopping;
      });
    } catch (const std::exception& error) {
      // The table or a bucket may be deleted under the load; the task says so, ts-local goes on.
      return {false, false, error.what(), latest};
    }
  }

  TableStore& tables;
  Storage& storage;
  const NowNs now;
  std::mutex mutex;  // guards all below but the threads
  BatchTaskStore store;
  std::map<std::string, BatchTask> tasks;
  std::deque<std::string> queue;  // ids
  std::condition_variable wake;
  bool stopping = false;
  std::vector<std::thread> workers;
};

BatchLoad::BatchLoad(TableStore& tables, Storage& storage, NowNs now)
    : impl_(std::make_unique<Impl>(tables, storage, std::move(now))) {}

BatchLoad::~BatchLoad() = default;

void BatchLoad::Stop() { impl_->StopAll(); }

json BatchLoad::Create(const Caller& caller, const json& request) {
  BatchTask task = ParseCreateRequest(caller, request, impl_->tables, impl_->storage);
  const std::lock_guard lock(impl_->mutex);
  if (!task.client_token.empty()) {
    for (const auto& [id, other] : impl_->tasks) {
      if (other.region != task.region || other.client_token != task.client_token) continue;
      if (other.request == task.request) return {{"TaskId", id}};
      // What the service answers here is documented nowhere.
      throw ApiError(400, "ConflictException",
                     "The ClientToken was used before with other parameters.");
    }
  }
  impl_->CheckQuota(task);
  task.id = NewTaskId();
  task.created_ms = task.updated_ms = impl_->NowMs();
  impl_->store.Insert(&task);
  const std::string id = task.id;
  impl_->tasks.emplace(id, std::move(task));
  impl_->queue.push_back(id);
  impl_->wake.notify_one();
  return {{"TaskId", id}};
}

json BatchLoad::Describe(const Caller& caller, const json& request) const {
  const std::string id = RequiredText(request, "TaskId");
  const std::lock_guard lock(impl_->mutex);
  const BatchTask& task = impl_->Find(caller.region, id);
  json description = json::parse(task.configuration);
  description["TaskId"] = task.id;
  description["TaskStatus"] = task.status;
  description["TargetDatabaseName"] = task.database;
  description["TargetTableName"] = task.table;
  description["RecordVersion"] = task.version;
  description["ProgressReport"] = {
      {"RecordsProcessed", task.counters.processed},
      {"RecordsIngested", task.counters.ingested},
      {"ParseFailures", task.counters.parse_failures},
      {"RecordIngestionFailures", task.counters.record_failures},
      {"FileFailures", task.counters.file_failures},
      {"BytesMetered", task.counters.bytes},
  };
  if (!task.error.empty()) description["ErrorMessage"] = task.error.substr(0, 2048);
  AddTimes(task, &description);
  return {{"BatchLoadTaskDescription", std::move(description)}};
}

json BatchLoad::List(const Caller& caller, const json& request) const {
  const auto limit =
      static_cast<std::size_t>(OptionalInt(request, "MaxResults", 1, 100).value_or(100));
  const auto status =
      OptionalEnum(request, "TaskStatus",
                   {kCreated, kInProgress, kFailed, kSucceeded, kProgressStopped, kPendingResume});
  // The token is the seq of the last task shown; the next page goes on below it.
  std::int64_t below = INT64_MAX;
  if (const auto token = OptionalText(request, "NextToken")) {
    const auto seq = ParseEpoch(*token, TimeUnit::kNanoseconds);
    if (!seq) throw Invalid("Invalid NextToken");
    below = *seq;
  }
  const std::lock_guard lock(impl_->mutex);
  std::vector<const BatchTask*> found;
  for (const auto& [id, task] : impl_->tasks) {
    if (task.region == caller.region && task.seq < below && (!status || task.status == *status)) {
      found.push_back(&task);
    }
  }
  std::sort(found.begin(), found.end(),
            [](const BatchTask* a, const BatchTask* b) { return a->seq > b->seq; });
  json list = json::array();
  for (std::size_t i = 0; i < std::min(limit, found.size()); ++i) {
    const BatchTask& task = *found[i];
    json entry = {{"TaskId", task.id},
                  {"TaskStatus", task.status},
                  {"DatabaseName", task.database},
                  {"TableName", task.table}};
    AddTimes(task, &entry);
    list.push_back(std::move(entry));
  }
  json response = {{"BatchLoadTasks", std::move(list)}};
  if (found.size() > limit) response["NextToken"] = std::to_string(found[limit - 1]->seq);
  return response;
}

json BatchLoad::Resume(const Caller& caller, const json& request) {
  const std::string id = RequiredText(request, "TaskId");
  const std::lock_guard lock(impl_->mutex);
  BatchTask& task = impl_->Find(caller.region, id);
  if (task.status != kProgressStopped || impl_->NowMs() >= task.resumable_until_ms) {
    throw Invalid("The batch load task " + id + " is " + task.status + " and cannot be resumed");
  }
  task.status = kPendingResume;
  impl_->Save(&task);
  impl_->queue.push_back(id);
  impl_->wake.notify_one();
  return json::object();
}

}  // namespace ts_local
