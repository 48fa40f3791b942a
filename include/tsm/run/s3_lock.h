// The lock that keeps a run with `--state s3` to one process across machines: an object
// `<prefix>lock` that its holder writes anew every minute. Who finds it not renewed for ten minutes
// takes it over; a holder that finds it taken has to stop starting calls. Every write holds only
// while the object is the one that was read, so of two processes one wins, whatever their clocks
// say: ages are S3's own, Last-Modified against the Date of the same answer. Nobody has to wait for
// a process of the same machine that was killed: that it is gone can be seen there.
// Thread-safe; S3Client and Clock are the caller's and outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "tsm/core/clock.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"

namespace tsm::run {

inline constexpr std::chrono::seconds kLockRenewal{60};
// A lock that was not renewed for so long may be taken over.
inline constexpr std::chrono::seconds kLockExpiry{600};
// After a renewal that failed for a passing reason.
inline constexpr std::chrono::seconds kLockRetry{10};
// A holder that could not renew stops relying on its lock so long before others may take it.
inline constexpr std::chrono::seconds kLockMargin{60};

// Who holds a lock. Host and pid are for people; the id decides.
struct LockOwner {
  std::string host;
  std::int64_t pid = 0;
  std::string id;  // random, one per process
  // The kernel's boot and the space that pids are of: where both are one's own, pid can be looked
  // for. "" where they can't be told.
  std::string machine = {};

  std::string Text() const;  // "pid 4711 on host-a"
};

LockOwner ThisProcess(Random& random);

class S3Lock {
 public:
  // Creates the lock object, or takes over one that has expired or whose process has ended on this
  // machine. `prefix` is that of the run's state, with its '/'. A lock that already is `owner`'s is
  // taken up again. kInTheWay: somebody holds it, named with its age, when it may be taken over and
  // what to do where its process is known to be gone; or what is there is no lock.
  static Result<std::unique_ptr<S3Lock>> Acquire(s3::S3Client& s3, s3::BucketName bucket,
                                                 const std::string& prefix, LockOwner owner,
                                                 const Clock& clock, std::stop_token stop);

  S3Lock(const S3Lock&) = delete;
  S3Lock& operator=(const S3Lock&) = delete;

  // To be called before each call that must not run twice, and at least once a minute: the lock has
  // no thread of its own. Does nothing until kLockRenewal is over, then one PUT.
  // kInTheWay: the lock is another's by now, or was removed: every later call fails alike, and the
  // run must start no further call. Any other error: the lock could not be renewed, but the next
  // call may succeed; those that may pass are returned only where the lock is about to expire.
  Status RenewIfDue(std::stop_token stop);

  // Removes the object where it is still this lock's, so that the next process need not wait. A
  // failure does no harm but that wait. Needs a token that is not stopped, after an interrupt too.
  Status Release(std::stop_token stop);

  // Whose lock Acquire took over.
  const std::optional<LockOwner>& taken_over_from() const { return taken_over_from_; }

 private:
  struct Held;  // what a read of the object gives
  // A moment by both clocks: the monotonic one stands still while a machine is suspended.
  struct Moment {
    std::chrono::steady_clock::time_point steady;
    std::chrono::system_clock::time_point wall;
  };

  S3Lock(s3::S3Client& s3, s3::BucketName bucket, s3::ObjectKey key, LockOwner owner,
         const Clock& clock);

  Moment Now() const;
  std::chrono::nanoseconds Since(const Moment& moment) const;
  std::string Body() const;
  Status Write(const s3::PutOptions& condition, std::stop_token stop);
  Result<Held> Read(std::stop_token stop);
  bool HasEnded(const LockOwner& owner) const;
  // One round of Acquire: true where the lock is held, false where the next round may do better.
  Result<bool> TryAcquire(std::stop_token stop);
  Error InUse(const Held& held) const;
  Status Renew(std::stop_token stop);
  Error Lose(const std::string& why);

  s3::S3Client& s3_;
  const s3::BucketName bucket_;
  const s3::ObjectKey key_;
  const LockOwner owner_;
  const Clock& clock_;
  std::optional<LockOwner> taken_over_from_;

  std::mutex mutex_;  // guards all below
  std::string etag_;
  std::uint64_t writes_ = 0;  // makes each body, and so each ETag, another one
  Moment written_;            // when the last write that succeeded was sent
  Moment tried_;              // the last renewal that failed
  std::optional<Error> failure_;
  std::optional<Error> lost_;
};

}  // namespace tsm::run
