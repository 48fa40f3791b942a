// Keeps what a source gave and renews it in time, so that a run of many hours outlives one-hour
// sessions. In the advisory window before the expiration one thread renews while the others go on
// with the old ones, and a failure is tolerated; in the mandatory window all wait for the renewal.
// A failure there is an error once the old ones have expired, and not before: failing minutes early
// would end a run that the next attempt might have saved. Windows are AWS's (15 and 10 minutes) and
// shrink with the lifetime (a quarter, a sixth), so that a source of five-minute sessions is not
// asked for every request. Thread-safe; the parts it is given outlive it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "tsm/aws/clock_skew.h"
#include "tsm/aws/credentials/source.h"
#include "tsm/core/clock.h"
#include "tsm/core/random.h"

namespace tsm::aws {

class RefreshingCredentials final : public CredentialsProvider {
 public:
  static constexpr std::chrono::minutes kAdvisoryWindow{15};
  static constexpr std::chrono::minutes kMandatoryWindow{10};
  // After a failed renewal the source is left alone for so long (while the old ones still hold).
  static constexpr std::chrono::seconds kPauseAfterFailure{10};

  RefreshingCredentials(std::unique_ptr<CredentialSource> source, const Clock& clock,
                        const ClockSkew& skew, Random& random);

  // Credentials without expiration are fetched once. Expired ones of a source that
  // outlives_expiration() are given for 10 minutes and a random 2 to 10 more while the source
  // fails.
  Result<Credentials> Get(std::stop_token stop) override;
  bool Renew(const Credentials& refused) override;

 private:
  enum class Need { kNothing, kAdvisory, kMandatory };
  // All below are called with the mutex held; Refresh lets go of it while the source is asked.
  Need NeedNow() const;
  bool Holds() const;  // what there is may still be given
  Result<Credentials> Refresh(std::unique_lock<std::mutex>& lock, std::stop_token stop);
  Result<Credentials> Take(Credentials fetched);
  Result<Credentials> Tolerate(Error failure);
  void Hold();  // gives expired ones for a while

  std::unique_ptr<CredentialSource> source_;
  const Clock& clock_;
  const ClockSkew& skew_;
  Random& random_;
  std::mutex mutex_;
  std::condition_variable_any refreshed_;
  bool refreshing_ = false;
  std::uint64_t round_ = 0;       // renewals that have ended
  std::optional<Error> failure_;  // of the last one, where it left nothing to give
  std::optional<Credentials> current_;
  std::chrono::system_clock::time_point fetched_at_;
  std::optional<std::chrono::steady_clock::time_point> failed_at_;
  std::optional<std::chrono::steady_clock::time_point> held_until_;  // expired ones in an outage
};

}  // namespace tsm::aws
