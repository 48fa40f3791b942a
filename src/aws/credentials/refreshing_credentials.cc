#include "tsm/aws/credentials/refreshing_credentials.h"

#include <algorithm>
#include <utility>

#include "tsm/core/time_text.h"

namespace tsm::aws {

namespace {

using std::chrono::minutes;

bool SameKeys(const Credentials& a, const Credentials& b) {
  return a.access_key_id == b.access_key_id && a.session_token == b.session_token;
}

}  // namespace

RefreshingCredentials::RefreshingCredentials(std::unique_ptr<CredentialSource> source,
                                             const Clock& clock, const ClockSkew& skew,
                                             Random& random)
    : source_(std::move(source)), clock_(clock), skew_(skew), random_(random) {}

bool RefreshingCredentials::Holds() const {
  if (!current_) return false;
  if (!current_->expiration || skew_.Now(clock_) < *current_->expiration) return true;
  return held_until_ && clock_.Steady() < *held_until_;
}

RefreshingCredentials::Need RefreshingCredentials::NeedNow() const {
  if (!current_) return Need::kMandatory;
  if (!current_->expiration) return Need::kNothing;
  if (held_until_ && clock_.Steady() < *held_until_) return Need::kNothing;
  const auto left = *current_->expiration - skew_.Now(clock_);
  const auto lifetime = *current_->expiration - fetched_at_;
  const auto within = [&](minutes window, int share) {
    return left < std::min<std::chrono::system_clock::duration>(window, lifetime / share);
  };
  Need need = Need::kNothing;
  if (within(kAdvisoryWindow, 4)) need = Need::kAdvisory;
  if (within(kMandatoryWindow, 6) || left <= left.zero()) need = Need::kMandatory;
  const bool paused = failed_at_ && clock_.Steady() - *failed_at_ < kPauseAfterFailure;
  return paused && Holds() ? Need::kNothing : need;
}

Result<Credentials> RefreshingCredentials::Get(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const Need need = NeedNow();
    if (need == Need::kNothing || (need == Need::kAdvisory && refreshing_)) return *current_;
    if (!refreshing_) return Refresh(lock, stop);
    const std::uint64_t seen = round_;
    if (!refreshed_.wait(lock, stop, [&] { return round_ != seen; })) {
      return MakeError(ErrorKind::kCancelled, "stopped while credentials were being renewed");
    }
    // All who waited share the one outcome: each asking anew would queue up behind the same outage.
    if (failure_ && !Holds()) return *failure_;
  }
}

Result<Credentials> RefreshingCredentials::Refresh(std::unique_lock<std::mutex>& lock,
                                                   std::stop_token stop) {
  refreshing_ = true;
  lock.unlock();
  Result<Credentials> fetched = source_->Fetch(std::move(stop));
  lock.lock();
  refreshing_ = false;
  ++round_;
  refreshed_.notify_all();
  failure_.reset();
  if (fetched) return Take(*std::move(fetched));
  // The stop was this caller's alone: one of those who waited asks the source next.
  if (fetched.error().kind == ErrorKind::kCancelled) return fetched;
  return Tolerate(std::move(fetched).error());
}

Result<Credentials> RefreshingCredentials::Take(Credentials fetched) {
  const auto now = skew_.Now(clock_);
  const bool expired = fetched.expiration && *fetched.expiration <= now;
  if (expired && (Holds() || !source_->outlives_expiration())) {
    return Tolerate(MakeError(ErrorKind::kExpiredCredentials,
                              fetched.source + ": it gave credentials that had expired at " +
                                  FormatIso8601(*fetched.expiration) + ", and now it is " +
                                  FormatIso8601(now) + " (is this machine's clock right?)"));
  }
  current_ = std::move(fetched);
  fetched_at_ = now;
  failed_at_.reset();
  held_until_.reset();
  if (expired) Hold();
  return *current_;
}

Result<Credentials> RefreshingCredentials::Tolerate(Error failure) {
  failed_at_ = clock_.Steady();
  if (Holds()) return *current_;
  if (current_ && source_->outlives_expiration()) {
    Hold();
    return *current_;
  }
  failure_ =
      current_ ? std::move(failure).With("renewing the expired credentials of " + current_->source)
               : std::move(failure);
  return *failure_;
}

void RefreshingCredentials::Hold() {
  const std::chrono::duration<double, std::ratio<60>> more(2 + 8 * random_.Unit());
  held_until_ = clock_.Steady() + minutes(10) +
                std::chrono::duration_cast<std::chrono::steady_clock::duration>(more);
}

bool RefreshingCredentials::Renew(const Credentials& refused) {
  const std::lock_guard lock(mutex_);
  if (current_ && SameKeys(*current_, refused)) current_.reset();
  return true;
}

}  // namespace tsm::aws
