#include "ts_local/batch_load.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "ts_local/api_error.h"
#include "ts_local/batch_load_request.h"
#include "ts_local/batch_load_run.h"
#include "ts_local/batch_task_list.h"
#include "ts_local/fault_rules.h"
#include "ts_local/json_fields.h"

namespace ts_local {
namespace {

using nlohmann::json;
using Entry = BatchTaskList::Entry;

constexpr int kWorkers = 4;

void AddTimes(const BatchTask& task, json* out) {
  (*out)["CreationTime"] = EpochSeconds(task.created_ms);
  (*out)["LastUpdatedTime"] = EpochSeconds(task.updated_ms);
  if (task.resumable_until_ms > 0) {
    (*out)["ResumableUntil"] = EpochSeconds(task.resumable_until_ms);
  }
}

BatchRunRules RulesOf(FaultRules* faults) {
  BatchRunRules rules;
  const auto fault = faults == nullptr ? std::nullopt : faults->Next(kTaskStep, Protocol::kJson);
  if (!fault) return rules;
  rules.mishap = fault->kind == Fault::Kind::kFailTask ? BatchRunRules::Mishap::kFail
                                                       : BatchRunRules::Mishap::kStop;
  rules.share = fault->share;
  return rules;
}

// What Describe shows of a task of somebody else's.
json OthersConfiguration() {
  return json::parse(R"({
    "DataSourceConfiguration": {"DataFormat": "CSV", "DataSourceS3Configuration":
      {"BucketName": "somebody-elses-bucket", "ObjectKeyPrefix": "somebody-elses-load/"}},
    "ReportConfiguration": {"ReportS3Configuration":
      {"BucketName": "somebody-elses-bucket", "ObjectKeyPrefix": "somebody-elses-reports"}},
    "DataModelConfiguration": {"DataModel": {"TimeColumn": "time", "TimeUnit": "MILLISECONDS",
      "DimensionMappings": [{"SourceColumn": "d", "DestinationColumn": "d"}],
      "MultiMeasureMappings": {"TargetMultiMeasureName": "m", "MultiMeasureAttributeMappings":
        [{"SourceColumn": "v", "TargetMultiMeasureAttributeName": "v",
          "MeasureValueType": "DOUBLE"}]}}}})");
}

}  // namespace

struct BatchLoad::Impl {
  Impl(TableStore& table_store, Storage& s3, NowNs clock, const BatchLoadLimits& all_limits,
       FaultRules* fault_rules)
      : tables(table_store),
        storage(s3),
        now(std::move(clock)),
        limits(all_limits),
        faults(fault_rules),
        partitions(limits.magnetic_partitions, limits.RealNs(limits.magnetic_partition_seconds)),
        tasks(tables.dir(), limits, now()) {
    for (std::string& id : tasks.Waiting()) queue.push_back(std::move(id));
    for (int i = 0; i < kWorkers; ++i) workers.emplace_back([this] { Work(); });
  }

  ~Impl() {
    StopAll();
    for (std::thread& worker : workers) worker.join();
  }

  void StopAll() {
    {
      const std::lock_guard lock(mutex);
      (void)tasks.At(now());  // what has come to its end stays there after the next start
      stopping = true;
    }
    wake.notify_all();
  }

  // The lock must be held.
  Entry& Find(const std::string& region, const std::string& id) {
    Entry* found = tasks.Find(id, now());
    if (found == nullptr || found->task.region != region) {
      throw ApiError(400, "ResourceNotFoundException",
                     "The batch load task " + id + " does not exist.");
    }
    return *found;
  }

  void Enqueue(const std::string& id) {
    queue.push_back(id);
    wake.notify_one();
  }

  void Work() {
    std::unique_lock lock(mutex);
    while (true) {
      wake.wait(lock, [this] { return stopping || !queue.empty(); });
      if (stopping) return;
      Entry* entry = tasks.Find(queue.front(), now());
      queue.pop_front();
      const BatchTask copy = entry->task;
      BatchRunRules rules = RulesOf(faults);
      rules.partitions = &partitions;
      rules.now_ns = now;
      rules.source = Hide(copy);
      tasks.Begin(entry, now());
      lock.unlock();
      BatchOutcome outcome = Run(copy, rules, entry);
      lock.lock();
      if (outcome.interrupted) return;  // stays IN_PROGRESS on disk: the next start stops it
      tasks.End(entry, std::move(outcome), now());
      Show(copy, rules.source, entry);
    }
  }

  // The source of a run's rows, hidden, where they are not seen at once.
  std::int64_t Hide(const BatchTask& task) {
    if (limits.visible_seconds <= 0) return TableStore::kNoSource;
    last_source = std::max(last_source + 1, now() / 1'000'000);
    tables.HideSource({task.region, task.database, task.table}, last_source);
    return last_source;
  }

  void Show(const BatchTask& task, std::int64_t source, const Entry* entry) {
    if (source == TableStore::kNoSource) return;
    const std::int64_t end = entry->course ? entry->course->end_ns : now();
    tables.ShowSource({task.region, task.database, task.table}, source,
                      end + limits.RealNs(limits.visible_seconds));
  }

  // `shared` is the task in `tasks`, touched under the lock only.
  BatchOutcome Run(const BatchTask& task, const BatchRunRules& rules, Entry* shared) {
    BatchCounters latest;
    try {
      BatchLoadRun run(tables, storage, task, rules);
      std::vector<std::string> keys;
      if (task.files_json.empty()) {
        std::string reason = run.ListFiles(&keys);
        if (!reason.empty()) return {false, kFailed, std::move(reason), {}, 0};
        const std::lock_guard lock(mutex);
        tasks.SetFiles(shared, json(keys).dump(-1, ' ', false, json::error_handler_t::replace));
      } else {
        keys = json::parse(task.files_json).get<std::vector<std::string>>();
      }
      return run.Load(keys, [&](const BatchCounters& counters) {
        const std::lock_guard lock(mutex);
        latest = counters;
        tasks.ShowLive(shared, counters, now());
        return !stopping;
      });
    } catch (const std::exception& error) {
      // The table or a bucket may be deleted under the load; the task says so, ts-local goes on.
      return {false, kFailed, error.what(), latest, 0};
    }
  }

  std::size_t Others(bool end) {
    const std::lock_guard lock(mutex);
    std::size_t active = 0;
    const std::int64_t at = now();
    for (const auto& [id, entry] : tasks.At(at)) {
      if (!BatchTaskList::IsOther(entry.task) || !entry.task.Active()) continue;
      if (end) {
        Entry* other = tasks.Find(id, at);
        other->course->end_ns = at;
        (void)tasks.Find(id, at);
      } else {
        ++active;
      }
    }
    return active;
  }

  TableStore& tables;
  Storage& storage;
  const NowNs now;
  const BatchLoadLimits limits;
  FaultRules* const faults;
  MagneticPartitions partitions;
  std::mutex mutex;  // guards all below but the threads
  BatchTaskList tasks;
  std::deque<std::string> queue;  // ids
  std::int64_t last_source = 0;
  std::condition_variable wake;
  bool stopping = false;
  std::vector<std::thread> workers;
};

BatchLoad::BatchLoad(TableStore& tables, Storage& storage, NowNs now, const BatchLoadLimits& limits,
                     FaultRules* rules)
    : impl_(std::make_unique<Impl>(tables, storage, std::move(now), limits, rules)) {}

BatchLoad::~BatchLoad() = default;

void BatchLoad::Stop() { impl_->StopAll(); }

json BatchLoad::Create(const Caller& caller, const json& request) {
  BatchTask task = ParseCreateRequest(caller, request, impl_->tables, impl_->storage);
  const std::lock_guard lock(impl_->mutex);
  const std::int64_t now = impl_->now();
  if (!task.client_token.empty()) {
    for (const auto& [id, other] : impl_->tasks.At(now)) {
      if (other.task.region != task.region || other.task.client_token != task.client_token) {
        continue;
      }
      if (other.task.request == task.request) return {{"TaskId", id}};
      // What the service answers here is documented nowhere.
      throw ApiError(400, "ConflictException",
                     "The ClientToken was used before with other parameters.");
    }
  }
  impl_->tasks.CheckQuota(task, now);
  const std::string id = impl_->tasks.Add(std::move(task), now).task.id;
  impl_->Enqueue(id);
  return {{"TaskId", id}};
}

json BatchLoad::Describe(const Caller& caller, const json& request) const {
  const std::string id = RequiredText(request, "TaskId");
  const std::lock_guard lock(impl_->mutex);
  const BatchTask& task = impl_->Find(caller.region, id).task;
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
  for (const auto& [id, entry] : impl_->tasks.At(impl_->now())) {
    const BatchTask& task = entry.task;
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
  Entry& entry = impl_->Find(caller.region, id);
  const std::int64_t now = impl_->now();
  if (entry.task.status != kProgressStopped) {
    throw Invalid("The batch load task " + id + " is " + entry.task.status +
                  " and cannot be resumed");
  }
  if (now / 1'000'000 >= entry.task.resumable_until_ms) {
    throw Invalid("The batch load task " + id +
                  " cannot be resumed any more: its ResumableUntil "
                  "has passed");
  }
  impl_->tasks.Resume(&entry, now);
  impl_->Enqueue(id);
  return json::object();
}

std::size_t BatchLoad::AddOthers(const OtherTasks& others) {
  {
    const std::lock_guard lock(impl_->mutex);
    const std::int64_t now = impl_->now();
    BatchTask task;
    task.region = others.region;
    task.database = others.database;
    task.table = others.table;
    task.configuration = OthersConfiguration().dump();
    for (std::size_t i = 0; i < others.count; ++i) {
      impl_->tasks.AddOther(task, now, now + impl_->limits.RealNs(others.seconds));
    }
  }
  return CountOthers();
}

std::size_t BatchLoad::EndOthers() {
  (void)impl_->Others(true);
  return CountOthers();
}

std::size_t BatchLoad::CountOthers() const { return impl_->Others(false); }

}  // namespace ts_local
