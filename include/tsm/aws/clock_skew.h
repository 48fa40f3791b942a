// By how much the service's clock is ahead of this machine's, as its answers' Date headers tell.
// Signatures and expirations reckon with the service's time, so that a machine whose clock is wrong
// works. Zero until a refusal shows otherwise. Thread-safe; one per session, shared by its clients.
#pragma once

#include <atomic>
#include <chrono>

#include "tsm/core/clock.h"

namespace tsm::aws {

class ClockSkew {
 public:
  // Differences below this are left alone: S3 accepts 15 minutes, others 5.
  static constexpr std::chrono::minutes kTolerance{4};

  std::chrono::system_clock::time_point Now(const Clock& clock) const {
    return clock.Now() + std::chrono::duration_cast<std::chrono::system_clock::duration>(offset());
  }
  std::chrono::nanoseconds offset() const { return std::chrono::nanoseconds(offset_.load()); }
  void Set(std::chrono::nanoseconds offset) { offset_ = offset.count(); }

 private:
  std::atomic<std::int64_t> offset_{0};
};

}  // namespace tsm::aws
