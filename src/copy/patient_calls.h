// Calls of S3 that belong together, so that what passes is waited for in place: a file that is
// half inflated is not begun again for one throttled part. Thread-safe; all it is given outlives
// it.
#pragma once

#include <stop_token>
#include <utility>

#include "copy_errors.h"
#include "copy_patience.h"
#include "tsm/core/clock.h"
#include "tsm/core/result.h"

namespace tsm::copy {

class PatientCalls {
 public:
  PatientCalls(CopyPatience& patience, const Clock& clock, std::stop_token stop)
      : patience_(patience), clock_(clock), stop_(std::move(stop)) {}

  const std::stop_token& stop() const { return stop_; }

  // Calls until the outcome is a success or an error that does not pass. Where nothing has moved
  // for long the error is the passing one.
  template <typename Call>
  auto operator()(const Call& call) const -> decltype(call()) {
    for (int setbacks = 1;; ++setbacks) {
      const CopyPatience::Time began = patience_.Now();
      auto outcome = call();
      if (outcome) {
        patience_.Succeeded();
        return outcome;
      }
      if (!IsPassing(outcome.error())) return outcome;
      const auto wait = patience_.Setback(outcome.error(), began, setbacks);
      if (!wait) return outcome;
      if (!clock_.SleepFor(*wait, stop_)) {
        return MakeError(ErrorKind::kCancelled, "stopped before another attempt");
      }
    }
  }

 private:
  CopyPatience& patience_;
  const Clock& clock_;
  const std::stop_token stop_;
};

}  // namespace tsm::copy
