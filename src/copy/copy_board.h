// Hands out the jobs of a copy, as many at once as its patience allows: first what waited and is
// due, then parts of uploads that were begun, then new files. So the uploads that are open, and
// what is held of files, stay few. New files go to the workers, one to each, or all to the one
// worker that has many under way (TakeTogether); the others then do what it has handed over.
// Thread-safe; all it is given outlives it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "copy_job.h"
#include "copy_patience.h"
#include "tsm/copy/copy_run.h"
#include "tsm/core/clock.h"

namespace tsm::copy {

class CopyBoard {
 public:
  // Gives files that are to be copied, one after another. Called by several threads at once.
  using NextFile = std::function<Result<std::optional<run::SpooledFile>>()>;

  // `together`: new files are taken by TakeTogether alone.
  CopyBoard(CopyPatience& patience, NextFile next_file, const Clock& clock,
            const CopyInterrupts& interrupts, bool together);
  CopyBoard(const CopyBoard&) = delete;
  CopyBoard& operator=(const CopyBoard&) = delete;

  // Workers. One more is wanted where there is work and everyone is busy; a worker that is told to
  // enter has been counted, and leaves where Take gives nothing.
  bool WantsWorker();
  void Left();  // a worker that was counted could not be made
  std::optional<Job> Take();
  // For the one worker that has many files under way. `may_wait`: it has none, so it waits for one,
  // and leaves where nothing is given. Else nothing means that nothing is there now.
  std::optional<Job> TakeTogether(bool may_wait);
  // A file of TakeTogether is over for its worker, and another worker's job at once.
  void HandOver(Job job);
  // The job is over, whatever came of it. Called after what follows from it was told below.
  void Finish();

  // The job is tried again after `wait`; false where its upload has failed meanwhile.
  bool Again(Job job, std::chrono::nanoseconds wait);
  void Abandon();  // a job was given up because of a stop
  void Open(const std::shared_ptr<Upload>& upload);
  // What the worker of a part has to do now.
  enum class Next { kNothing, kComplete, kGiveUp };
  // kComplete for the last part.
  Next PartDone(const Job& job, std::string etag);
  // The upload is lost; kGiveUp for the last of its jobs that are under way. `out`: whether the
  // job counts as one.
  Next PartFailed(const Job& job, Error error);
  // Ends the run: no further job is handed out.
  void End(Error why);

  // Keeps time for the jobs that wait, until the last worker has left: in the caller's thread.
  // `tick` is called now and then.
  void Keep(const std::function<void()>& tick);

  std::size_t waiting() const;
  std::optional<Error> fatal() const;
  // Files were left undone because of a stop or drain.
  bool left_files() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  using Queue = std::multimap<Time, Job>;  // by when they are due

  bool Stopped() const { return fatal_.has_value() || interrupts_.stop.stop_requested(); }
  bool Draining() const { return Stopped() || interrupts_.drain.stop_requested(); }
  bool MayRead() const;
  bool HasWork() const;
  bool OthersAreNext() const;
  std::optional<Job> TakeDue(Queue& queue);
  std::optional<Job> TakePart();
  std::optional<Job> Read(std::unique_lock<std::mutex>& lock);
  std::size_t Waiting() const { return waiting_.size() + waiting_together_.size(); }
  void DropWaiting(const Upload& upload);
  void Leave();
  std::chrono::nanoseconds UntilNext() const;
  void Wake();

  CopyPatience& patience_;
  const NextFile next_file_;
  const Clock& clock_;
  const CopyInterrupts interrupts_;
  const bool together_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::stop_source alarm_;  // ends the sleep of the one who keeps time
  Time alarm_at_;
  Queue waiting_;
  Queue waiting_together_;                    // for TakeTogether
  std::deque<std::shared_ptr<Upload>> open_;  // with parts to hand out
  std::size_t workers_ = 0;
  std::size_t idle_ = 0;    // of them, in Take
  bool asked_for_ = false;  // the worker of TakeTogether waits
  std::size_t under_way_ = 0;
  bool exhausted_ = false;
  bool abandoned_ = false;
  std::optional<Error> fatal_;
  // Last: they may call at once.
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
  std::optional<std::stop_callback<std::function<void()>>> on_drain_;
};

}  // namespace tsm::copy
