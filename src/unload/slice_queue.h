// The slices that wait, in the order in which they are to run, and how many are being worked on.
// Thread-safe.
#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>

#include "tsm/unload/unload_ledger.h"

namespace tsm::unload {

class SliceQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Item {
    SliceRef ref;
    Time not_before{};         // it failed in passing: not sooner
    Time moved{};              // when something last moved
    std::size_t setbacks = 0;  // passing failures since then
  };

  void Push(Item item);
  void PushFront(Item item);
  // The first whose time has come; it then counts as worked on until Done.
  std::optional<Item> Take(Time now);
  void Done();
  // Nothing waits and nothing is worked on: nothing more will come.
  bool IsFinished() const;

 private:
  mutable std::mutex mutex_;
  std::deque<Item> waiting_;
  std::size_t working_ = 0;
};

}  // namespace tsm::unload
