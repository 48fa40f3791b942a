// Virtual time for many threads: whoever sleeps blocks, and time leaps to the earliest sleeper's
// hour once no other thread of the process has anything left to do, whatever it waits in (another
// sleep, a lock, a queue, a join). One sleeper is woken at a time, in the order of hours and then
// of asking, so that a run takes the same course each time and hours pass in milliseconds.
// Thread-safe. Whether a thread has something to do is read in /proc/self/task (Linux).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "tsm/core/clock.h"

namespace tsm::test {

class SimulatedClock final : public Clock {
 public:
  // 2024-02-26T17:24:38Z unless another start is given.
  explicit SimulatedClock(
      std::chrono::system_clock::time_point start =
          std::chrono::system_clock::time_point(std::chrono::seconds(1'708'968'278)));
  ~SimulatedClock() override;  // nobody may sleep any more
  SimulatedClock(const SimulatedClock&) = delete;
  SimulatedClock& operator=(const SimulatedClock&) = delete;

  std::chrono::system_clock::time_point Now() const override;
  std::chrono::steady_clock::time_point Steady() const override;
  bool SleepFor(std::chrono::nanoseconds duration, std::stop_token stop) const override;

  // Since the start.
  std::chrono::nanoseconds elapsed() const;
  // How often time has leapt.
  std::uint64_t leaps() const;

  // While one lives time stands still: around what waits for another process.
  class Standstill {
   public:
    explicit Standstill(const SimulatedClock& clock);
    ~Standstill();
    Standstill(const Standstill&) = delete;
    Standstill& operator=(const Standstill&) = delete;

   private:
    const SimulatedClock& clock_;
  };

 private:
  struct Sleeper {
    std::condition_variable wake;
    bool woken = false;
    bool stopped = false;
  };
  using Turn = std::pair<std::chrono::nanoseconds, std::uint64_t>;  // when, and in which order

  void Drive(const std::stop_token& stop);
  bool MayLeap() const;
  bool EveryThreadSleeps() const;
  void Leap() const;
  void Wake(const Turn& turn, bool stopped) const;

  const std::chrono::system_clock::time_point start_;
  mutable std::mutex mutex_;  // guards all below
  mutable std::condition_variable_any changed_;
  mutable std::chrono::nanoseconds now_{0};
  mutable std::map<Turn, Sleeper*> sleepers_;
  mutable std::uint64_t asked_ = 0;    // sleeps ever begun
  mutable std::uint64_t changes_ = 0;  // of all that is here
  mutable std::size_t waking_ = 0;     // woken, but not yet out of SleepFor
  mutable std::size_t standstills_ = 0;
  mutable std::uint64_t leaps_ = 0;
  std::jthread driver_;  // last: it uses the others
};

}  // namespace tsm::test
