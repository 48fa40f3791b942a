// When a running task is worth a look: seldom while it can't have ended yet, as far as earlier
// tasks and its own progress tell, and often about its end, so that its slot is not idle for long.
// Not thread-safe; pure but for what it learns.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace tsm::batchload {

class TaskPace {
 public:
  // No look sooner than `shortest` or later than `longest` after the last one.
  TaskPace(std::chrono::nanoseconds shortest, std::chrono::nanoseconds longest);

  // A task of so many bytes took so long.
  void Learn(std::uint64_t bytes, std::chrono::nanoseconds took);

  struct Seen {
    std::chrono::nanoseconds elapsed{0};  // since the task was created
    std::uint64_t bytes = 0;
    double fraction = 0;  // of its rows that are processed; 0: not known
  };
  // From a look to the next one.
  std::chrono::nanoseconds Wait(const Seen& seen) const;

  // How long a task takes, once enough of them have ended.
  std::optional<std::chrono::duration<double>> Expect(std::uint64_t bytes) const;

 private:
  struct Sample {
    double bytes = 0;
    double seconds = 0;
  };
  // seconds = base + per_byte * bytes, and how far tasks are from it, as a share of it.
  struct Fit {
    double base = 0;
    double per_byte = 0;
    double spread = 0;
  };
  std::optional<Fit> FitSamples() const;

  std::chrono::nanoseconds shortest_;
  std::chrono::nanoseconds longest_;
  std::deque<Sample> samples_;  // the newest last
  std::optional<Fit> fit_;
};

}  // namespace tsm::batchload
