#include "visibility_wait.h"

#include <algorithm>

#include "tsm/core/time_text.h"

namespace tsm::verify {

namespace {

constexpr std::chrono::nanoseconds kShortestWait = std::chrono::milliseconds(1);
constexpr std::chrono::nanoseconds kLongestWait = std::chrono::minutes(10);
// A lock has to be renewed every minute.
constexpr std::chrono::nanoseconds kTickInterval = std::chrono::seconds(30);

}  // namespace

Patience PatienceOf(const VerifyServices& services) {
  return {services.clock, services.sink, services.tick, services.give_up_after};
}

VisibilityWait::VisibilityWait(const VerifyServices& services, std::chrono::nanoseconds whole,
                               std::chrono::nanoseconds first)
    : services_(services),
      end_(services.clock.Steady() + whole),
      next_(std::max(first, kShortestWait)) {}

std::chrono::nanoseconds VisibilityWait::left() const { return end_ - services_.clock.Steady(); }

Status VisibilityWait::Wait(const std::string& what, const std::stop_token& stop) {
  if (!told_) {
    services_.sink.Info(what + "; what a batch load wrote may take up to 6 hours to be seen, so " +
                        "it is asked again for up to " + FormatDuration(left()));
    told_ = true;
  }
  const std::chrono::duration<double, std::nano> shortened =
      next_ * (1 - services_.random.Unit() / 2);
  const auto wait = std::chrono::duration_cast<std::chrono::nanoseconds>(shortened);
  next_ = std::max(next_, std::min(next_ * 2, kLongestWait));
  return Sleep(std::clamp(wait, kShortestWait, std::max(left(), kShortestWait)), stop);
}

Status VisibilityWait::Sleep(std::chrono::nanoseconds duration, const std::stop_token& stop) {
  while (duration.count() > 0) {
    const std::chrono::nanoseconds piece = std::min(duration, kTickInterval);
    if (!services_.clock.SleepFor(piece, stop)) {
      return MakeError(ErrorKind::kCancelled, "stopped while waiting for loaded rows to be seen");
    }
    if (services_.tick) {
      if (Status kept = services_.tick(); !kept) return kept;
    }
    duration -= piece;
  }
  return Ok();
}

}  // namespace tsm::verify
