#include "support/fake_batch_load_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tsm/core/text.h"

namespace tsm::test {

namespace {

using nlohmann::json;
using std::chrono::nanoseconds;

http::Response Reply(const json& body) { return {200, {}, body.dump()}; }

http::Response Refuse(const std::string& code, const std::string& message) {
  return {
      400, {}, json{{"__type", "com.amazonaws.timestream#" + code}, {"message", message}}.dump()};
}

std::string Parameter(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.query) {
    if (key == name) return value;
  }
  return "";
}

double Seconds(UnixNanos time) { return static_cast<double>(time) / 1e9; }

bool IsActive(const FakeLoadTask& task) {
  return task.ended == 0 && task.status != "PROGRESS_STOPPED";
}

double PartDone(const FakeLoadTask& task) {
  if (task.work == 0) return 1;
  return std::min(1.0, static_cast<double>(task.worked) / static_cast<double>(task.work));
}

// Answers that come by the thousand are written as text: reading and writing JSON objects would
// take most of a long test's time.
std::string ProgressOf(const FakeLoadTask& task) {
  const auto share = [&](std::uint64_t all) {
    return std::to_string(static_cast<std::uint64_t>(static_cast<double>(all) * PartDone(task)));
  };
  const std::uint64_t processed = task.rows - task.fate.unprocessed;
  return R"({"RecordsProcessed":)" + share(processed) + R"(,"RecordsIngested":)" +
         share(processed - task.fate.rejected) + R"(,"ParseFailures":0,"FileFailures":0,)" +
         R"("RecordIngestionFailures":)" + share(task.fate.rejected) + R"(,"BytesMetered":)" +
         share(task.bytes) + "}";
}

std::string Member(const char* name, const std::string& text) {
  return '"' + std::string(name) + "\":\"" + text + "\",";
}

std::string TimeMember(const char* name, UnixNanos time) {
  return '"' + std::string(name) + "\":" + std::to_string(Seconds(time));
}

}  // namespace

FakeAnswer FakeBatchLoadService::Take(const http::Request& request, UnixNanos now) {
  const std::lock_guard lock(mutex_);
  Settle(now);
  const FakeCall call = CallOf(request);
  if (call.name == "CreateBatchLoadTask") return {Create(request.body, now), "", {}};
  if (call.name == "DescribeBatchLoadTask") return {Describe(call.subject), "", {}};
  if (call.name == "ListBatchLoadTasks") return {List(request.body), "", {}};
  if (call.name == "ResumeBatchLoadTask") return {Resume(call.subject, now), "", {}};
  if (call.name == "DescribeTable") return {DescribeTable(request.body), "", {}};
  return {AnswerS3(request), "", {}};
}

FakeAnswer FakeBatchLoadService::Again(const std::string& /*held*/, UnixNanos /*now*/) {
  return {Refuse("InternalServerException", "nothing is held"), "", {}};
}

http::Response FakeBatchLoadService::AnswerS3(const http::Request& request) {
  const std::string path = PercentDecode(request.path.substr(1));
  const std::size_t slash = path.find('/');
  if (slash != std::string::npos) {
    const auto file = files_.find(path.substr(slash + 1));
    if (file == files_.end()) {
      return {404, {}, "<Error><Code>NoSuchKey</Code><Message>no key</Message></Error>"};
    }
    return {200, {}, file->second.body};
  }
  const std::string prefix = Parameter(request, "prefix");
  const std::string after = Parameter(request, "continuation-token");
  std::string body;
  std::string last;
  std::size_t count = 0;
  bool truncated = false;
  auto file = after.empty() ? files_.lower_bound(prefix) : files_.upper_bound(after);
  for (; file != files_.end() && file->first.starts_with(prefix); ++file) {
    if (count++ == 1000) {
      truncated = true;
      break;
    }
    last = file->first;
    body += "<Contents><Key>" + PercentEncode(last, true) + "</Key><Size>" +
            std::to_string(file->second.bytes) + "</Size><ETag>\"e\"</ETag></Contents>";
  }
  body = "<?xml version=\"1.0\"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>" +
         std::string(truncated ? "true" : "false") + "</IsTruncated>" +
         (truncated ? "<NextContinuationToken>" + last + "</NextContinuationToken>" : "") + body;
  return {200, {}, body + "</ListBucketResult>"};
}

http::Response FakeBatchLoadService::Create(const std::string& text, UnixNanos now) {
  const json body = json::parse(text);
  const std::string token = body.value("ClientToken", "");
  const auto known = by_token_.find(token);
  if (known != by_token_.end() &&
      now - tasks_[known->second].created <= rules.token_window.count()) {
    const FakeLoadTask& task = tasks_[known->second];
    if (task.body != text) return Refuse("ConflictException", "the token is another request's");
    return Reply({{"TaskId", task.id}});
  }
  FakeLoadTask task;
  task.table = {body.at("TargetDatabaseName"), body.at("TargetTableName")};
  int on_table = 0;
  int all = 0;
  for (const std::size_t open : open_) {
    if (!IsActive(tasks_[open])) continue;
    ++all;
    if (tasks_[open].table == task.table) ++on_table;
  }
  if (on_table >= rules.table_tasks || all >= rules.account_tasks) {
    return Refuse("ServiceQuotaExceededException", "too many active batch load tasks");
  }
  const json& source = body.at("DataSourceConfiguration").at("DataSourceS3Configuration");
  task.id = "TASK" + std::to_string(100000 + tasks_.size());
  task.token = token;
  task.body = text;
  task.bucket = source.at("BucketName");
  task.prefix = source.at("ObjectKeyPrefix");
  task.report_prefix =
      body.at("ReportConfiguration").at("ReportS3Configuration").value("ObjectKeyPrefix", "");
  if (body.contains("RecordVersion")) task.record_version = body.at("RecordVersion").get<int>();
  for (auto file = files_.lower_bound(task.prefix);
       file != files_.end() && file->first.starts_with(task.prefix); ++file) {
    task.rows += file->second.rows;
    task.bytes += file->second.bytes;
  }
  task.created = task.since = now;
  const nanoseconds takes =
      rules.base + rules.per_megabyte * static_cast<std::int64_t>(task.bytes / 1'000'000);
  if (rules.fate) {
    if (auto fate = rules.fate(task, tasks_.size())) task.fate = *std::move(fate);
  }
  task.work = task.fate.takes.value_or(takes).count();
  by_token_[token] = by_id_[task.id] = tasks_.size();
  open_.insert(tasks_.size());
  tasks_.push_back(std::move(task));
  most_at_once_ = std::max(most_at_once_, static_cast<std::size_t>(all) + 1);
  return Reply({{"TaskId", tasks_.back().id}});
}

http::Response FakeBatchLoadService::Describe(const std::string& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return Refuse("ResourceNotFoundException", "no such task");
  const FakeLoadTask& task = tasks_[found->second];
  std::string text = R"({"BatchLoadTaskDescription":{)" + Member("TaskId", task.id) +
                     Member("TaskStatus", task.status) +
                     Member("TargetDatabaseName", task.table.database) +
                     Member("TargetTableName", task.table.table) +
                     R"("DataSourceConfiguration":{"DataSourceS3Configuration":{)" +
                     Member("BucketName", task.bucket) + R"("ObjectKeyPrefix":")" + task.prefix +
                     R"("}},"ProgressReport":)" + ProgressOf(task) + ",";
  if (task.ended != 0 && !task.fate.error_message.empty()) {
    text += Member("ErrorMessage", task.fate.error_message);
  }
  if (task.status == "PROGRESS_STOPPED") {
    text += TimeMember("ResumableUntil", task.resumable_until) + ",";
  }
  return {200, {}, text + TimeMember("CreationTime", task.created) + "}}"};
}

http::Response FakeBatchLoadService::List(const std::string& body) {
  const json asked = json::parse(body);
  std::size_t at = static_cast<std::size_t>(std::stoul(asked.value("NextToken", "0")));
  std::string listed;
  for (std::size_t n = 0; at < tasks_.size() && n < rules.tasks_per_page; ++at, ++n) {
    const FakeLoadTask& task = tasks_[at];
    listed += (n == 0 ? "{" : ",{") + Member("TaskId", task.id) +
              Member("TaskStatus", task.status) + Member("DatabaseName", task.table.database) +
              Member("TableName", task.table.table) + TimeMember("CreationTime", task.created) +
              "}";
  }
  std::string text = R"({"BatchLoadTasks":[)" + listed + "]";
  if (at < tasks_.size()) text += R"(,"NextToken":")" + std::to_string(at) + '"';
  return {200, {}, text + "}"};
}

http::Response FakeBatchLoadService::Resume(const std::string& id, UnixNanos now) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return Refuse("ResourceNotFoundException", "no such task");
  FakeLoadTask& task = tasks_[found->second];
  if (task.status != "PROGRESS_STOPPED" || now >= task.resumable_until) {
    return Refuse("ValidationException", "the task can't be resumed");
  }
  ++task.resumes;
  task.status = "PENDING_RESUME";
  task.pending_until = now + rules.pending_for.count();
  return Reply(json::object());
}

http::Response FakeBatchLoadService::DescribeTable(const std::string& text) const {
  const json body = json::parse(text);
  return Reply(
      {{"Table",
        {{"DatabaseName", body.at("DatabaseName")},
         {"TableName", body.at("TableName")},
         {"Arn", "arn"},
         {"TableStatus", "ACTIVE"},
         {"RetentionProperties",
          {{"MemoryStoreRetentionPeriodInHours", 24},
           {"MagneticStoreRetentionPeriodInDays", magnetic_store_days}}},
         {"MagneticStoreWriteProperties", {{"EnableMagneticStoreWrites", magnetic_writes}}}}}});
}

void FakeBatchLoadService::Settle(UnixNanos now) {
  for (auto open = open_.begin(); open != open_.end();) {
    FakeLoadTask& task = tasks_[*open];
    Settle(task, now);
    open = task.ended != 0 ? open_.erase(open) : std::next(open);
  }
}

void FakeBatchLoadService::Settle(FakeLoadTask& task, UnixNanos now) {
  if (task.status == "PROGRESS_STOPPED") return;
  if (task.status == "PENDING_RESUME") {
    if (now < task.pending_until) return;
    task.since = task.pending_until;
    task.status = "IN_PROGRESS";
    if (task.fate.stuck) task.fate.stops.insert(task.fate.stops.begin(), PartDone(task));
  }
  if (task.status == "CREATED" && now - task.created >= rules.created_for.count()) {
    task.status = "IN_PROGRESS";
  }
  const UnixNanos worked = task.worked + (now - task.since);
  if (!task.fate.stops.empty()) {
    const auto until =
        static_cast<UnixNanos>(task.fate.stops.front() * static_cast<double>(task.work));
    if (worked >= until) {
      const UnixNanos at = task.since + (until - task.worked);
      task.worked = until;
      task.status = "PROGRESS_STOPPED";
      task.resumable_until = at + task.fate.resumable.count();
      task.fate.stops.erase(task.fate.stops.begin());
      ++task.stops;
      return;
    }
  }
  if (worked >= task.work) return EndTask(task, task.since + (task.work - task.worked));
  task.worked = worked;
  task.since = now;
}

void FakeBatchLoadService::EndTask(FakeLoadTask& task, UnixNanos at) {
  task.worked = task.work;
  task.status = task.fate.status;
  if (task.status != "SUCCEEDED" && task.status != "FAILED") return;
  task.ended = at;
  if (!task.fate.report.empty()) {
    files_[task.report_prefix + "/BatchLoadTask-" + task.id + "/report.json"] = {
        task.fate.report.size(), 0, task.fate.report};
  }
}

void FakeBatchLoadService::Put(const std::string& key, FakeFile file) {
  const std::lock_guard lock(mutex_);
  files_[key] = std::move(file);
}

void FakeBatchLoadService::Remove(const std::string& key) {
  const std::lock_guard lock(mutex_);
  files_.erase(key);
}

void FakeBatchLoadService::AddOther(const timestream::TableRef& table, const std::string& id,
                                    UnixNanos created, UnixNanos ends, const std::string& prefix) {
  const std::lock_guard lock(mutex_);
  FakeLoadTask task;
  task.id = id;
  task.table = table;
  task.bucket = "bkt";
  task.prefix = prefix;
  task.of_others = true;
  task.created = task.since = created;
  task.work = ends - created;
  by_id_[id] = tasks_.size();
  open_.insert(tasks_.size());
  tasks_.push_back(std::move(task));
}

std::vector<FakeLoadTask> FakeBatchLoadService::tasks() {
  const std::lock_guard lock(mutex_);
  std::vector<FakeLoadTask> own;
  for (const FakeLoadTask& task : tasks_) {
    if (!task.of_others) own.push_back(task);
  }
  return own;
}

std::size_t FakeBatchLoadService::most_at_once() {
  const std::lock_guard lock(mutex_);
  return most_at_once_;
}

nanoseconds FakeBatchLoadService::makespan() {
  const std::vector<FakeLoadTask> all = tasks();
  if (all.empty()) return {};
  UnixNanos end = 0;
  for (const FakeLoadTask& task : all) end = std::max(end, task.ended);
  return nanoseconds(end - all.front().created);
}

std::vector<nanoseconds> FakeBatchLoadService::Times() {
  std::vector<nanoseconds> times;
  for (const FakeLoadTask& task : tasks()) times.emplace_back(task.ended - task.created);
  std::sort(times.rbegin(), times.rend());
  return times;
}

nanoseconds FakeBatchLoadService::longest() {
  const std::vector<nanoseconds> times = Times();
  return times.empty() ? nanoseconds(0) : times.front();
}

nanoseconds FakeBatchLoadService::best_makespan(std::size_t parallel) {
  const std::vector<nanoseconds> times = Times();
  if (times.empty()) return {};
  nanoseconds work{0};
  for (const nanoseconds time : times) work += time;
  nanoseconds best = std::max(work / static_cast<std::int64_t>(parallel),
                              std::chrono::seconds(times.size() - 1) + times.back());
  // Of the k * parallel + 1 longest, k + 1 fall to one slot.
  for (std::size_t k = 0; k * parallel < times.size(); ++k) {
    nanoseconds one_slot{0};
    for (std::size_t i = 0; i <= k; ++i) one_slot += times[k * parallel - i];
    best = std::max(best, one_slot);
  }
  return best;
}

std::map<std::string, int> FakeBatchLoadService::loads() {
  std::map<std::string, int> loads;
  for (const FakeLoadTask& task : tasks()) {
    if (task.status == "SUCCEEDED") ++loads[task.prefix];
  }
  return loads;
}

}  // namespace tsm::test
