#include "support/threaded_multi.h"

#include <utility>

namespace tsm::test {

ThreadedMulti::~ThreadedMulti() {
  stop_.request_stop();
  threads_.clear();  // joins
}

void ThreadedMulti::Start(std::uint64_t id, http::Request request) {
  threads_[id] = std::jthread([this, id, request = std::move(request)] {
    Answered answered{id, request, transport_.Send(request, stop_.get_token())};
    const std::lock_guard lock(mutex_);
    over_.push_back(std::move(answered));
    over_changed_.notify_one();
  });
}

std::vector<http::Multi::Answered> ThreadedMulti::Wait(std::chrono::milliseconds /*longest*/,
                                                       std::stop_token stop) {
  const std::stop_callback pass_on(stop, [this] { stop_.request_stop(); });
  std::vector<Answered> over;
  if (threads_.empty()) return over;
  {
    std::unique_lock lock(mutex_);
    over_changed_.wait(lock, [this] { return !over_.empty(); });
    over.swap(over_);
  }
  for (const Answered& answered : over) threads_.erase(answered.id);
  return over;
}

}  // namespace tsm::test
