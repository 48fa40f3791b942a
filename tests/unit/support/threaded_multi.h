// A Multi over a transport that has none: a thread for each request. For fakes that answer in their
// own time. `longest` of Wait is not kept, for that time may be simulated.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "tsm/http/multi.h"
#include "tsm/http/transport.h"

namespace tsm::test {

class ThreadedMulti final : public http::Multi {
 public:
  explicit ThreadedMulti(http::Transport& transport) : transport_(transport) {}
  ~ThreadedMulti() override;

  void Start(std::uint64_t id, http::Request request) override;
  std::vector<Answered> Wait(std::chrono::milliseconds longest, std::stop_token stop) override;
  std::size_t under_way() const override { return threads_.size(); }

 private:
  http::Transport& transport_;
  std::stop_source stop_;
  std::map<std::uint64_t, std::jthread> threads_;
  std::mutex mutex_;
  std::condition_variable over_changed_;
  std::vector<Answered> over_;
};

}  // namespace tsm::test
