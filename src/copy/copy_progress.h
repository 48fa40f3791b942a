// Where a copy stands, told to the sink a few times a second however many files there are.
// Thread-safe; the sink, the clock and the patience outlive it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include "copy_patience.h"
#include "tsm/copy/copy_run.h"
#include "tsm/core/clock.h"
#include "tsm/core/progress.h"

namespace tsm::copy {

class CopyProgress {
 public:
  CopyProgress(const CopyTotals& totals, const CopyPatience& patience, const Clock& clock,
               ProgressSink& sink);

  void AddFile(bool was_there);
  void AddBytes(std::uint64_t bytes);
  void TakeBytesBack(std::uint64_t bytes);  // of an upload that failed
  void AddFailure();

  // `waiting`: files and parts that are to be tried again.
  void Update(const std::function<std::size_t()>& waiting);
  void Tell(std::size_t waiting);

  std::uint64_t files() const { return files_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t were_there() const { return were_there_; }
  std::uint64_t failed() const { return failed_; }

 private:
  const CopyTotals totals_;
  const CopyPatience& patience_;
  const Clock& clock_;
  ProgressSink& sink_;
  std::atomic<std::uint64_t> files_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> were_there_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::int64_t> next_{0};  // nanoseconds of the steady clock
};

}  // namespace tsm::copy
