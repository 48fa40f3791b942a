#include "ts_local/unload_limits.h"

#include <algorithm>
#include <sstream>

#include "ts_local/api_error.h"

namespace ts_local {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr double kHurry = 0.9;
constexpr Seconds kWorthWaiting{0.001};

// The service's words for this are documented nowhere.
ApiError TimedOut() {
  return {400, "QueryExecutionException", "The query timed out: it ran longer than 60 minutes"};
}

}  // namespace

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

bool UnloadPace::Row() {
  ++rows_;
  if (limits_.seconds_per_million_rows <= 0) {
    const double passed = Seconds(Clock::now() - start_).count() * limits_.time_scale;
    if (passed > limits_.timeout_seconds) throw TimedOut();
    return !run_->control()->cancelled;
  }
  const double due = static_cast<double>(rows_) * limits_.seconds_per_million_rows / 1e6;
  const Seconds wait{std::min(due, limits_.timeout_seconds) / limits_.time_scale};
  const auto until = start_ + std::chrono::duration_cast<Clock::duration>(wait);
  if (until - Clock::now() > kWorthWaiting) run_->WaitUntil(until);
  if (run_->control()->cancelled) return false;
  if (due > limits_.timeout_seconds) throw TimedOut();
  run_->ShowProgress(100.0 * static_cast<double>(rows_) /
                     static_cast<double>(std::max(total_rows_, rows_)));
  return true;
}

}  // namespace ts_local
