#include "task_pace.h"

#include <algorithm>
#include <cmath>

namespace tsm::batchload {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::size_t kMostSamples = 32;
constexpr std::size_t kLeastSamples = 3;
// Of what a task has taken so far: a slot is idle for half of it on average.
constexpr double kStep = 0.02;
// A task's own progress counts from here on, and may be so far off.
constexpr double kLeastFraction = 0.1;
constexpr double kFractionSpread = 0.1;

}  // namespace

TaskPace::TaskPace(std::chrono::nanoseconds shortest, std::chrono::nanoseconds longest)
    : shortest_(std::min(shortest, longest)), longest_(longest) {}

void TaskPace::Learn(std::uint64_t bytes, std::chrono::nanoseconds took) {
  samples_.push_back({static_cast<double>(bytes), Seconds(took).count()});
  if (samples_.size() > kMostSamples) samples_.pop_front();
  fit_ = FitSamples();
}

// Least squares, with neither a negative base nor a negative rate.
std::optional<TaskPace::Fit> TaskPace::FitSamples() const {
  if (samples_.size() < kLeastSamples) return std::nullopt;
  const auto count = static_cast<double>(samples_.size());
  double bytes = 0;
  double seconds = 0;
  for (const Sample& sample : samples_) {
    bytes += sample.bytes / count;
    seconds += sample.seconds / count;
  }
  double both = 0;
  double square = 0;
  for (const Sample& sample : samples_) {
    both += (sample.bytes - bytes) * (sample.seconds - seconds);
    square += (sample.bytes - bytes) * (sample.bytes - bytes);
  }
  Fit fit;
  if (square > 0) fit.per_byte = std::max(both / square, 0.0);
  fit.base = seconds - fit.per_byte * bytes;
  if (fit.base < 0) {
    fit.base = 0;
    fit.per_byte = bytes > 0 ? seconds / bytes : 0;
  }
  double errors = 0;
  for (const Sample& sample : samples_) {
    const double expected = fit.base + fit.per_byte * sample.bytes;
    if (expected <= 0) return std::nullopt;
    const double error = (sample.seconds - expected) / expected;
    errors += error * error;
  }
  fit.spread = std::sqrt(errors / count);
  return fit;
}

std::optional<Seconds> TaskPace::Expect(std::uint64_t bytes) const {
  if (!fit_) return std::nullopt;
  return Seconds(fit_->base + fit_->per_byte * static_cast<double>(bytes));
}

std::chrono::nanoseconds TaskPace::Wait(const Seen& seen) const {
  const double elapsed = std::max(Seconds(seen.elapsed).count(), 0.0);
  // Before this moment of its life it will hardly have ended.
  double earliest = 0;
  if (seen.fraction >= kLeastFraction) {
    earliest = elapsed / std::min(seen.fraction, 1.0) * (1 - kFractionSpread);
  } else if (fit_) {
    earliest = Expect(seen.bytes)->count() * (1 - 2 * fit_->spread - kStep);
  }
  const double wait = std::max(elapsed * kStep, earliest - elapsed);
  return std::clamp(std::chrono::duration_cast<std::chrono::nanoseconds>(
                        Seconds(std::min(wait, Seconds(longest_).count()))),
                    shortest_, longest_);
}

}  // namespace tsm::batchload
