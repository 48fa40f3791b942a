// The account's batch-load tasks as one listing tells them, asked page by page so that its caller
// keeps the pace and has other calls between two pages. Not thread-safe.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_ListBatchLoadTasks.html
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "tsm/timestream/write_client.h"

namespace tsm::batchload {

class TaskListing {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  explicit TaskListing(timestream::WriteClient& write) : write_(write) {}

  // Begins anew. Of tasks that are not active those are kept that were created at `since` (Unix
  // seconds) or later.
  void Begin(Moment now, double since);
  bool is_under_way() const { return under_way_; }
  // The next page; true with the last one. After an error the same page may be asked for again.
  Result<bool> Step(Moment now, std::stop_token stop);

  // Of the last listing that was complete.
  const std::vector<timestream::BatchLoadTaskSummary>& tasks() const { return tasks_; }
  std::optional<Moment> began() const { return began_; }
  std::optional<Moment> ended() const { return ended_; }

 private:
  timestream::WriteClient& write_;
  bool under_way_ = false;
  double since_ = 0;
  Moment beginning_{};
  std::string token_;
  std::vector<timestream::BatchLoadTaskSummary> found_;
  std::vector<timestream::BatchLoadTaskSummary> tasks_;
  std::optional<Moment> began_;
  std::optional<Moment> ended_;
};

}  // namespace tsm::batchload
