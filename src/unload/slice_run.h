// One go at one slice: takes up what an earlier attempt left or starts a new UNLOAD, follows it to
// its end, proves it. What it learns goes through the ledger before it acts on it. One object per
// go, used by one thread.
#pragma once

#include <optional>
#include <string>

#include "attempt_files.h"
#include "run_context.h"
#include "tsm/unload/failure_cause.h"
#include "unload_query.h"

namespace tsm::unload {

enum class SliceOutcome {
  kDone,
  kSplit,    // its halves are to run instead
  kAgain,    // throttled or a passing failure: later
  kFailed,   // for good, as far as this run goes
  kStopped,  // the run ends
};

class SliceRun {
 public:
  // `may_be_flat`: the destination held nothing when the run claimed it. `setbacks`: passing
  // failures of this slice in a row.
  SliceRun(RunContext& context, SliceRef ref, bool may_be_flat, std::size_t setbacks);

  // An error ends the run.
  Result<SliceOutcome> Execute();

  // What a passing failure said, for the day on which it has passed too often.
  const std::string& last_trouble() const { return last_trouble_; }
  // Whether the service told anything new: a page, a query id, a new attempt's fate.
  bool moved() const { return moved_; }

 private:
  Result<SliceOutcome> PickUp(const Attempt& attempt);
  Result<std::optional<SliceOutcome>> Adopt(const Attempt& attempt);
  Status Cancel(const Attempt& attempt);
  Result<SliceOutcome> Replace(const Attempt& attempt, const std::string& note);
  // Of a query that is cancelled, or can't be.
  Result<SliceOutcome> Supersede(const Attempt& attempt, const std::string& note);
  Result<SliceOutcome> Start();
  Attempt NewAttempt();
  Result<SliceOutcome> Follow(const Attempt& attempt, UnloadCall call);
  Status SeePage(const std::string& attempt_id, const timestream::QueryPage& page);

  Result<SliceOutcome> AfterFailure(const Attempt& attempt, const UnloadCall& call,
                                    const Error& error);
  Result<SliceOutcome> AfterStop(const Attempt& attempt);
  Result<SliceOutcome> AfterQueryFailure(const Attempt& attempt, const Error& error);
  Result<SliceOutcome> AfterRefusal(const Attempt& attempt, const UnloadCall& call,
                                    const Error& error);
  Result<SliceOutcome> AfterPassing(const Attempt& attempt, const Error& error);
  Result<SliceOutcome> EndAttempt(const Attempt& attempt, const std::string& note,
                                  SliceOutcome outcome);
  Result<SliceOutcome> Split(const Attempt& attempt, FailureCause cause, const std::string& note);

  Result<SliceOutcome> Prove(const Attempt& attempt, const std::string& query_id,
                             const UnloadReply& reply);
  // kProof: what differs, each difference told to the sink.
  Result<SliceDone> Check(const Attempt& attempt, const std::string& query_id,
                          const UnloadReply& reply, bool rows_are_replied);
  Result<SliceOutcome> Finish(const SliceDone& done);
  Result<SliceOutcome> GiveUp(const std::string& why, bool proof);

  std::string SqlOf(const Attempt& attempt) const;
  std::size_t FailedAttempts() const;

  RunContext& context_;
  const SliceRef ref_;
  const bool may_be_flat_;
  const std::size_t setbacks_;
  bool taken_up_ =
      false;  // the open attempt was begun before: by another process, or before a wait
  std::string last_trouble_;
  bool moved_ = false;
};

}  // namespace tsm::unload
