// The batch-load calls in memory, behind a ScriptedTransport: every create and describe is answered
// by the test's own functions. Counts how many tasks were active at once.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tsm/http/message.h"

namespace tsm::test {

struct FakeTask {
  std::string id;
  std::string prefix;
  std::string token;
  int describes = 0;
  int resumes = 0;
  bool ended = false;
};

class FakeBatchLoad {
 public:
  using Json = nlohmann::json;

  // The TaskDescription's own fields: TaskStatus, ProgressReport, ResumableUntil, ErrorMessage.
  std::function<Json(FakeTask&)> describe = [](FakeTask& task) { return Succeeded(task, 10); };
  // An error answer in place of a new task, or nothing.
  std::function<std::optional<http::Response>(const Json&)> refuse_create;
  std::function<std::optional<http::Response>(FakeTask&)> refuse_describe;
  std::function<std::optional<http::Response>(FakeTask&)> refuse_resume;
  // What ListBatchLoadTasks gives.
  std::function<Json()> list = [] { return Json::array(); };

  static http::Response Error(int status, const std::string& code,
                              const std::string& message = "m") {
    return {status, {}, Json{{"__type", code}, {"message", message}}.dump()};
  }
  static Json Report(std::int64_t processed, std::int64_t ingested) {
    return {{"RecordsProcessed", processed}, {"RecordsIngested", ingested}, {"BytesMetered", 1}};
  }
  static Json Succeeded(FakeTask& task, std::int64_t rows) {
    task.ended = true;
    return {{"TaskStatus", "SUCCEEDED"}, {"ProgressReport", Report(rows, rows)}};
  }

  http::Response Handle(const http::Request& request) {
    const std::string target(http::FindHeader(request.headers, "x-amz-target"));
    const std::string operation = target.substr(target.find('.') + 1);
    const Json body = Json::parse(request.body);
    if (operation == "CreateBatchLoadTask") return Create(body);
    if (operation == "ListBatchLoadTasks") return Answer({{"BatchLoadTasks", list()}});
    FakeTask& task = tasks_.at(body.at("TaskId").get<std::string>());
    if (operation == "ResumeBatchLoadTask") {
      ++task.resumes;
      if (const auto refused = refuse_resume ? refuse_resume(task) : std::nullopt) return *refused;
      return Answer(Json::object());
    }
    ++task.describes;
    if (const auto refused = refuse_describe ? refuse_describe(task) : std::nullopt)
      return *refused;
    Json description = describe(task);
    description["TaskId"] = task.id;
    return Answer({{"BatchLoadTaskDescription", description}});
  }

  const std::vector<std::string>& created_prefixes() const { return prefixes_; }
  const std::vector<Json>& create_bodies() const { return bodies_; }
  std::size_t most_active() const { return most_active_; }
  FakeTask& task(const std::string& prefix) {
    return std::find_if(tasks_.begin(), tasks_.end(),
                        [&](const auto& item) { return item.second.prefix == prefix; })
        ->second;
  }

 private:
  static http::Response Answer(const Json& json) { return {200, {}, json.dump()}; }

  http::Response Create(const Json& body) {
    bodies_.push_back(body);
    if (const auto refused = refuse_create ? refuse_create(body) : std::nullopt) return *refused;
    FakeTask task;
    task.id = "TASK" + std::to_string(prefixes_.size());
    task.prefix = body["DataSourceConfiguration"]["DataSourceS3Configuration"]["ObjectKeyPrefix"];
    task.token = body["ClientToken"];
    prefixes_.push_back(task.prefix);
    active_.push_back(task.id);
    std::erase_if(active_, [this](const std::string& id) {
      const auto found = tasks_.find(id);
      return found != tasks_.end() && found->second.ended;
    });
    most_active_ = std::max(most_active_, active_.size());
    tasks_[task.id] = task;
    return Answer({{"TaskId", task.id}});
  }

  std::map<std::string, FakeTask> tasks_;
  std::vector<std::string> active_;
  std::vector<std::string> prefixes_;
  std::vector<Json> bodies_;
  std::size_t most_active_ = 0;
};

}  // namespace tsm::test
