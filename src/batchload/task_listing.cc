#include "task_listing.h"

namespace tsm::batchload {

void TaskListing::Begin(Moment now, double since) {
  under_way_ = true;
  since_ = since;
  beginning_ = now;
  token_.clear();
  found_.clear();
}

Result<bool> TaskListing::Step(Moment now, std::stop_token stop) {
  Result<timestream::BatchLoadTaskPage> page =
      write_.ListBatchLoadTasksPage("", token_, std::move(stop));
  if (!page) {
    // A token that is no longer good: the next step begins at the first page.
    if (page.error().kind == ErrorKind::kValidation && !token_.empty()) {
      Begin(now, since_);
      return false;
    }
    return page.error();
  }
  for (timestream::BatchLoadTaskSummary& task : page->tasks) {
    if (timestream::IsActive(task.status) || task.creation_time >= since_) {
      found_.push_back(std::move(task));
    }
  }
  if (!page->next_token.empty()) {
    if (page->next_token == token_) {
      under_way_ = false;
      return MakeError(ErrorKind::kBadReply,
                       "ListBatchLoadTasks gives the same NextToken twice, so it has no end");
    }
    token_ = std::move(page->next_token);
    return false;
  }
  under_way_ = false;
  tasks_ = std::move(found_);
  began_ = beginning_;
  ended_ = now;
  return true;
}

}  // namespace tsm::batchload
