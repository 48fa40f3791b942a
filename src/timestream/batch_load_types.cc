#include "tsm/timestream/batch_load_types.h"

#include <array>
#include <utility>

namespace tsm::timestream {
namespace {

constexpr std::array<std::pair<TaskStatus, std::string_view>, 6> kNames{{
    {TaskStatus::kCreated, "CREATED"},
    {TaskStatus::kInProgress, "IN_PROGRESS"},
    {TaskStatus::kFailed, "FAILED"},
    {TaskStatus::kSucceeded, "SUCCEEDED"},
    {TaskStatus::kProgressStopped, "PROGRESS_STOPPED"},
    {TaskStatus::kPendingResume, "PENDING_RESUME"},
}};

}  // namespace

TaskStatus ParseTaskStatus(std::string_view text) {
  for (const auto& [status, name] : kNames) {
    if (name == text) return status;
  }
  return TaskStatus::kUnknown;
}

std::string_view Name(TaskStatus status) {
  for (const auto& [known, name] : kNames) {
    if (known == status) return name;
  }
  return "UNKNOWN";
}

bool IsActive(TaskStatus status) {
  return status == TaskStatus::kCreated || status == TaskStatus::kInProgress ||
         status == TaskStatus::kPendingResume || status == TaskStatus::kUnknown;
}

}  // namespace tsm::timestream
