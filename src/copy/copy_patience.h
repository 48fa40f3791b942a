// How many requests of a copy go out at once, and how long a copy that meets passing failures is
// tried. As TCP's window the number doubles per round of successes until S3 asks to slow down for
// the first time; it then halves, once per round trip, and rises by one per round. What has failed
// waits longer each time, and is given up only after nothing at all has moved for long.
// Thread-safe; clock and random outlive it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>

#include "tsm/core/clock.h"
#include "tsm/core/error.h"
#include "tsm/core/random.h"

namespace tsm::copy {

class CopyPatience {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `first` at once at first; raised to `most`, where that is more.
  CopyPatience(std::size_t first, std::size_t most, std::chrono::nanoseconds give_up_after,
               const Clock& clock, Random& random);

  std::size_t limit() const { return limit_; }
  std::size_t first() const { return first_; }
  std::size_t most() const { return most_; }
  Time Now() const { return clock_.Steady(); }

  // A request was taken.
  void Succeeded();
  // A request that went out at `began` failed for now; `setbacks` of its kind in a row, this one
  // included. How long to wait before the next try; nothing where it is time to give up.
  std::optional<std::chrono::nanoseconds> Setback(const Error& error, Time began, int setbacks);

 private:
  const std::size_t first_;
  const std::size_t most_;
  const std::chrono::nanoseconds give_up_after_;
  const Clock& clock_;
  Random& random_;
  std::atomic<std::size_t> limit_;
  std::mutex mutex_;  // guards all below
  std::size_t successes_ = 0;
  Time moved_;               // the last success
  std::optional<Time> cut_;  // when the limit was halved last
};

}  // namespace tsm::copy
