#include "copy_patience.h"

#include <algorithm>
#include <cmath>

namespace tsm::copy {

namespace {

constexpr double kFirstWait = 1.0;  // seconds
constexpr double kLongestWait = 120.0;

// S3 says both, with 503 and words about the request rate.
bool AsksToSlowDown(const Error& error) {
  return error.kind == ErrorKind::kThrottled || error.code == "ServiceUnavailable";
}

}  // namespace

CopyPatience::CopyPatience(std::size_t first, std::size_t most,
                           std::chrono::nanoseconds give_up_after, const Clock& clock,
                           Random& random)
    : first_(std::max<std::size_t>(first, 1)),
      most_(std::max(first_, most)),
      give_up_after_(give_up_after),
      clock_(clock),
      random_(random),
      limit_(first_),
      moved_(clock.Steady()) {}

void CopyPatience::Succeeded() {
  const Time now = clock_.Steady();
  const std::lock_guard lock(mutex_);
  moved_ = now;
  if (limit_ >= most_) return;
  if (cut_ && ++successes_ < limit_) return;
  successes_ = 0;
  ++limit_;
}

std::optional<std::chrono::nanoseconds> CopyPatience::Setback(const Error& error, Time began,
                                                              int setbacks) {
  const double unit = random_.Unit();
  const Time now = clock_.Steady();
  const std::lock_guard lock(mutex_);
  // A request that went out before the last cut tells of the same crowd.
  if (AsksToSlowDown(error) && (!cut_ || began > *cut_)) {
    limit_ = std::max<std::size_t>(limit_ / 2, 1);
    successes_ = 0;
    cut_ = now;
  }
  if (now - moved_ >= give_up_after_) return std::nullopt;
  const double grown = std::min(std::ldexp(kFirstWait, std::min(setbacks, 20) - 1), kLongestWait);
  const std::chrono::duration<double> wait(grown * (0.5 + unit / 2));
  return std::chrono::duration_cast<std::chrono::nanoseconds>(wait);
}

}  // namespace tsm::copy
