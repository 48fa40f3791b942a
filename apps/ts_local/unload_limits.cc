#include "ts_local/unload_limits.h"

#include <algorithm>
#include <sstream>

#include "ts_local/api_error.h"

namespace ts_local {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr double kHurry = 0.9;
// Fifty pauses in a second at the most: rows that are due sooner are written ahead of their time,
// so that many UNLOADs at once cost next to nothing.
constexpr Seconds kWorthWaiting{0.02};

// The service's words for this are documented nowhere.
ApiError TimedOut() {
  return {400, "QueryExecutionException", "The query timed out: it ran longer than 60 minutes"};
}

}  // namespace

bool IsPaced(const UnloadLimits& limits) {
  return limits.seconds > 0 || limits.seconds_per_million_rows > 0;
}

void UnloadGate::Start(const std::string& region) {
  if (limits_.starts_per_second <= 0) return;
  const Seconds apart{kHurry / (limits_.starts_per_second * limits_.time_scale)};
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  const auto last = last_.find(region);
  if (last != last_.end() && now - last->second < apart) {
    std::ostringstream text;
    text << limits_.starts_per_second;
    throw ApiError(
        400, "ThrottlingException",
        "Rate of UNLOAD queries exceeded: at most " + text.str() + " may start in a second");
  }
  last_[region] = now;
}

UnloadPace::UnloadPace(const UnloadLimits& limits, QueryRun* run, std::int64_t total_rows)
    : limits_(limits), run_(run), total_rows_(total_rows) {}

double UnloadPace::DueAfter(std::int64_t rows) const {
  const auto done = static_cast<double>(rows);
  const double share = total_rows_ > 0 ? std::min(1.0, done / static_cast<double>(total_rows_)) : 1;
  return share * limits_.seconds + done * limits_.seconds_per_million_rows / 1e6;
}

bool UnloadPace::WaitFor(double due) {
  const Seconds wait{std::min(due, limits_.timeout_seconds) / limits_.time_scale};
  const auto until = start_ + std::chrono::duration_cast<Clock::duration>(wait);
  if (until - Clock::now() > kWorthWaiting) run_->WaitUntil(until);
  if (run_->control()->cancelled) return false;
  if (due > limits_.timeout_seconds) throw TimedOut();
  return true;
}

bool UnloadPace::Row() {
  ++rows_;
  if (!IsPaced(limits_)) {
    const double passed = Seconds(Clock::now() - start_).count() * limits_.time_scale;
    if (passed > limits_.timeout_seconds) throw TimedOut();
    return !run_->control()->cancelled;
  }
  if (!WaitFor(DueAfter(rows_))) return false;
  run_->ShowProgress(100.0 * static_cast<double>(rows_) /
                     static_cast<double>(std::max(total_rows_, rows_)));
  return true;
}

void UnloadPace::End() {
  if (IsPaced(limits_)) WaitFor(DueAfter(rows_));
}

}  // namespace ts_local
