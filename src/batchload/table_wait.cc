#include <algorithm>

#include "tsm/batchload/load_plan.h"
#include "tsm/batchload/load_run.h"

namespace tsm::batchload {
namespace {

bool IsPassing(ErrorKind kind) {
  return kind == ErrorKind::kTransient || kind == ErrorKind::kThrottled;
}

}  // namespace

Status WaitForIdleTable(const timestream::TableRef& table, std::chrono::nanoseconds poll_interval,
                        const LoadParts& parts, std::stop_token stop) {
  std::vector<std::string> told;
  bool looked = false;
  while (true) {
    // All states in one listing: asked one state at a time, a task could move on between two calls.
    Result<std::vector<timestream::BatchLoadTaskSummary>> tasks =
        parts.write.ListBatchLoadTasks("", stop);
    if (!tasks && !(looked && IsPassing(tasks.error().kind))) {
      return tasks.error().With("looking for active tasks on " + table.str());
    }
    if (tasks) {
      looked = true;
      std::vector<std::string> active;
      for (const timestream::BatchLoadTaskSummary& task : *tasks) {
        if (task.table == table && timestream::IsActive(task.status))
          active.push_back(task.task_id);
      }
      if (active.empty()) {
        if (!told.empty()) parts.sink.Info("no task is active on " + table.str() + " any more");
        return Ok();
      }
      std::sort(active.begin(), active.end());
      if (active != told) {
        parts.sink.Warn("waiting: " + std::to_string(active.size()) +
                        (active.size() == 1 ? " batch-load task is" : " batch-load tasks are") +
                        " active on " + table.str() + " (" + NameSome(active) + ")");
        told = std::move(active);
      }
      Progress progress;
      progress.phase = "wait";
      progress.detail = std::to_string(told.size()) + " active on " + table.str();
      parts.sink.OnProgress(progress);
    }
    if (!parts.clock.SleepFor(poll_interval, stop)) {
      return MakeError(ErrorKind::kCancelled,
                       "interrupted while waiting for tasks on " + table.str());
    }
  }
}

}  // namespace tsm::batchload
