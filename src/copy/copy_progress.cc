#include "copy_progress.h"

#include <string>
#include <utility>

namespace tsm::copy {

namespace {

constexpr std::chrono::nanoseconds kEvery = std::chrono::milliseconds(200);

}  // namespace

CopyProgress::CopyProgress(const CopyTotals& totals, const CopyPatience& patience,
                           const Clock& clock, ProgressSink& sink)
    : totals_(totals), patience_(patience), clock_(clock), sink_(sink) {}

void CopyProgress::AddFile(bool was_there) {
  ++files_;
  if (was_there) ++were_there_;
}

void CopyProgress::AddBytes(std::uint64_t bytes) { bytes_ += bytes; }

void CopyProgress::TakeBytesBack(std::uint64_t bytes) { bytes_ -= bytes; }

void CopyProgress::AddFailure() { ++failed_; }

void CopyProgress::Update(const std::function<std::size_t()>& waiting) {
  const std::int64_t now = clock_.Steady().time_since_epoch().count();
  std::int64_t next = next_;
  if (now < next || !next_.compare_exchange_strong(next, now + kEvery.count())) return;
  Tell(waiting());
}

void CopyProgress::Tell(std::size_t waiting) {
  Progress progress;
  progress.phase = "copy";
  progress.done = files_;
  progress.total = totals_.files;
  progress.bytes_done = bytes_;
  progress.bytes_total = totals_.bytes;
  std::string detail;
  const auto add = [&detail](std::string text) {
    detail += (detail.empty() ? "" : ", ") + std::move(text);
  };
  if (const std::size_t limit = patience_.limit(); limit < patience_.first()) {
    add("slowed to " + std::to_string(limit) + " at once");
  }
  if (waiting > 0) add(std::to_string(waiting) + " to be tried again");
  if (failed_ > 0) add(std::to_string(failed_) + " failed");
  progress.detail = std::move(detail);
  sink_.OnProgress(progress);
}

}  // namespace tsm::copy
