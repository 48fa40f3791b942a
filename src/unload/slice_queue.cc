#include "slice_queue.h"

#include <algorithm>
#include <utility>

namespace tsm::unload {

void SliceQueue::Push(Item item) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(item));
}

void SliceQueue::PushFront(Item item) {
  const std::lock_guard lock(mutex_);
  waiting_.push_front(std::move(item));
}

std::optional<SliceQueue::Item> SliceQueue::Take(Time now) {
  const std::lock_guard lock(mutex_);
  const auto due = std::find_if(waiting_.begin(), waiting_.end(),
                                [&](const Item& item) { return item.not_before <= now; });
  if (due == waiting_.end()) return std::nullopt;
  Item item = std::move(*due);
  waiting_.erase(due);
  ++working_;
  return item;
}

void SliceQueue::Done() {
  const std::lock_guard lock(mutex_);
  --working_;
}

bool SliceQueue::IsFinished() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty() && working_ == 0;
}

}  // namespace tsm::unload
