// --state s3: the memory of a run beside its data, so that another machine can go on with it: plan
// and journal as objects below `tsm-state-<run id>/`, and a lock that keeps the run to one process.
// Thread-safe but for Begin, TakeOver and Release; the S3 client, clock and random outlive it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/core/journal.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/run/s3_journal.h"
#include "tsm/run/s3_lock.h"
#include "tsm/s3/s3_client.h"

namespace tsm::apps {

struct S3StatePlace {
  s3::S3Client& s3;
  const Clock& clock;
  Random& random;
  s3::BucketName bucket;
  std::string prefix;  // "<folder>tsm-state-<run id>/"
};

class S3State {
 public:
  // Of a new run: takes the lock, puts plan and header.
  static Result<std::unique_ptr<S3State>> Begin(const S3StatePlace& place,
                                                const std::string& plan_text,
                                                const JournalHeader& header, std::stop_token stop);

  // Of a run that goes on here: takes the lock, and makes the run directory what S3 has, whatever
  // this machine knew of it. kNotFound where there is no such run; kInTheWay where it goes on
  // elsewhere.
  static Result<std::unique_ptr<S3State>> TakeOver(const S3StatePlace& place,
                                                   const std::filesystem::path& directory,
                                                   std::stop_token stop);

  // Files of the run directory that the plan refers to, in pieces of a few MB, so that neither side
  // holds one whole; TakeOver puts them back.
  Status PutFiles(const std::filesystem::path& directory, const std::vector<std::string>& names,
                  std::stop_token stop);

  Status Put(const JournalEntry& entry, std::stop_token stop);
  // Keeps the lock alive; kInTheWay once another process has it.
  Status Tick(std::stop_token stop) { return lock_->RenewIfDue(std::move(stop)); }
  // Whose lock TakeOver took over.
  const std::optional<run::LockOwner>& taken_over_from() const { return lock_->taken_over_from(); }
  void Release();
  // Deletes all but the lock: of a run in which nothing has happened it is litter.
  Status Discard(std::stop_token stop);

 private:
  S3State(std::unique_ptr<run::S3Lock> lock, const S3StatePlace& place, std::uint64_t offset)
      : place_(place),
        lock_(std::move(lock)),
        journal_(place.s3, place.bucket, place.prefix, offset) {}

  const S3StatePlace place_;
  std::unique_ptr<run::S3Lock> lock_;
  run::S3Journal journal_;
};

}  // namespace tsm::apps
