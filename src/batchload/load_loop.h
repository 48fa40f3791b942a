// The reconcile loop behind RunLoad: describes the running tasks as they come due, fills free
// slots, waits for the next due moment. One thread; owns the table of tasks.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tsm/batchload/error_report.h"
#include "tsm/batchload/load_run.h"

namespace tsm::batchload {

class LoadLoop {
 public:
  LoadLoop(const LoadOptions& options, const std::vector<LoadUnit>& units, const LoadParts& parts,
           std::stop_token stop);
  LoadSummary Run();

 private:
  using Moment = std::chrono::steady_clock::time_point;

  struct Task {
    std::size_t unit = 0;
    std::string id;
    timestream::ProgressReport progress;
    Moment describe_at;        // next call for this task: a describe, or the planned resume
    int failed_describes = 0;  // in a row
    int resumes = 0;
    std::optional<Moment> resume_at;  // set while the task stands stopped
  };

  // load_loop.cc: slots, pace, creating.
  void FillSlots();
  void Create();
  void OnCreateRefused(const Error& error);
  timestream::BatchLoadRequest RequestFor(const LoadUnit& unit, const std::string& token) const;
  bool SleepUntilDue();
  void ReportProgress();
  void EndEarly();

  // load_follow.cc: one task's states to its end. Each gives true where the task holds its slot on.
  void DescribeDue();
  bool Follow(Task& task);
  bool OnDescribeError(Task& task, const Error& error);
  bool OnStopped(Task& task, const timestream::BatchLoadTask& described);
  bool Resume(Task& task);
  void PlanResume(Task& task, double resumable_until);
  void OnSucceeded(const Task& task);
  void OnFailed(const Task& task, const timestream::BatchLoadTask& described);
  void Fail(std::size_t unit, const std::string& task_id, Error error);
  void Count(const timestream::ProgressReport& progress);
  std::vector<std::string> ReportLines(const std::string& task_id);

  Moment Now() const { return parts_.clock.Steady(); }
  std::chrono::nanoseconds Backoff(std::chrono::nanoseconds base, int step,
                                   std::chrono::nanoseconds max) const;
  bool ended() const { return stop_.stop_requested() || summary_.interrupted || give_up_; }

  const LoadOptions& options_;
  const std::vector<LoadUnit>& units_;
  const LoadParts& parts_;
  std::stop_token stop_;

  LoadSummary summary_;
  std::vector<Task> running_;
  std::size_t next_ = 0;     // units before it were tried
  std::string next_token_;   // of units_[next_], kept over its repeated creates
  int refused_creates_ = 0;  // in a row
  Moment create_at_{};       // no create before
  Moment describe_at_{};     // no describe before: the calls' own pace
  bool give_up_ = false;     // nothing can be followed any more
  std::size_t finished_ = 0;
  std::uint64_t finished_bytes_ = 0;
  std::uint64_t all_bytes_ = 0;
  std::set<std::string> unknown_states_;  // told once each
};

// Kinds that pass by themselves: the call is made again later.
bool IsPassing(const Error& error);
// Kinds that hit every further call alike.
bool IsFatal(const Error& error);

}  // namespace tsm::batchload
