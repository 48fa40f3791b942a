// The reconcile loop of a load (load_run.h): one call at a time, each when it is due. Creates have
// one pace, describes, listings and resumes together another. For one thread.
//   load_loop.cc    what is due next, the beginning and the end
//   load_create.cc  groups become tasks
//   load_listing.cc tasks of others, and tasks whose create was not answered
//   load_follow.cc  a task's states
//   load_end.cc     what an ended task has come to
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "load_tell.h"
#include "task_listing.h"
#include "task_outcome.h"
#include "task_pace.h"
#include "task_slots.h"
#include "tsm/batchload/load_run.h"

namespace tsm::batchload {

class LoadLoop {
 public:
  LoadLoop(const LoadPlan& plan, LoadLedger& ledger, const LoadConduct& conduct,
           const LoadServices& services, ReadyGroups& ready, const GroupKeys& keys,
           const LoadInterrupts& interrupts);

  LoadRunResult Run();

 private:
  using Moment = std::chrono::steady_clock::time_point;
  using Nanos = std::chrono::nanoseconds;

  // Announced, not yet known to be taken.
  struct Sending {
    std::size_t group = 0;
    std::string token;
    std::int64_t record_version = 0;
    UnixNanos announced = 0;
    Moment not_before{};
    int refusals = 0;
    // The service may have taken it: not sent again before a listing that began after this.
    std::optional<Moment> unclear;
  };
  struct Running {
    std::size_t group = 0;
    std::string task;
    UnixNanos created = 0;
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> rows;
    Moment look_at{};
    timestream::TaskStatus status = timestream::TaskStatus::kCreated;
    timestream::ProgressReport progress;
    timestream::ProgressReport saved;  // as the ledger has it
    Moment saved_at{};
    int failed_looks = 0;
    int resumes = 0;  // without progress
    std::optional<Moment> resume_at;
    bool followed = true;  // from its create on, without a stop: its length tells of others'
  };
  struct Table {
    std::set<std::size_t> queue;
    Moment not_before{};
    int refusals = 0;  // of what comes before a create: the look at the prefix
  };

  // load_loop.cc
  void Begin();
  void BeginGroup(std::size_t group, const GroupState& state);
  void RetryFailed(std::size_t group, const GroupState& state);
  void TellRetries();
  void TakeReady();
  void Queue(std::size_t group);
  bool IsOver();
  bool IsIdle() const { return queued_ == 0 && sending_.empty() && running_.empty(); }
  bool Act();
  bool Rest();
  void Tick();
  void CheckPatience();
  void End();
  LiveProgress Live() const;
  void Fail(Error error);
  bool Booked(const Status& status);
  Moment Now() const { return services_.clock.Steady(); }
  UnixNanos WallNow() const;
  Nanos Jittered(Nanos wait) const;
  static Nanos Doubled(Nanos base, int times, Nanos most);
  void BeginCall() { call_at_ = Now() + call_interval_; }
  bool WaitForCall();
  void OnCallEnd(const Error* error);
  // An error that passes by itself; one that would meet every further call.
  static bool IsPassing(const Error& error);
  static bool IsEveryones(const Error& error);
  std::size_t TableOf(std::size_t group) const { return plan_.groups[group].table; }
  // Tables of the plan may share a target, and with it its slots.
  std::size_t SlotOf(std::size_t group) const { return slot_of_[TableOf(group)]; }

  // load_create.cc
  std::optional<Moment> CreateDue() const;
  std::optional<std::size_t> NextGroup(Moment now) const;
  void SettleCanary();
  void Create();
  void Announce(std::size_t group);
  bool CheckPrefix(std::size_t group);
  void Send(std::size_t index);
  void OnCreated(std::size_t index, const std::string& task, bool found);
  void OnCreateError(std::size_t index, const Error& error);
  void Postpone(Sending& sending, const Error& error);
  void OnCreateRefused(const Sending& sending, const Error& error);
  timestream::BatchLoadRequest RequestFor(const Sending& sending) const;
  bool IsFirstOfTable(std::size_t group) const;
  bool AllOutsidePattern(std::size_t table) const;

  // load_listing.cc
  std::optional<Moment> ListDue() const;
  void List();
  void OnListed();
  void CountOthers();
  void TellOthers();
  void FindUnclear();
  std::optional<std::string> FindTask(const Sending& sending, bool* sure);
  bool IsTaskOf(const timestream::BatchLoadTaskSummary& task, const Sending& sending, bool* sure);

  // load_follow.cc
  std::optional<Moment> LookDue() const;
  void Look();
  void Describe(Running& running);
  bool OnSeen(Running& running, const timestream::BatchLoadTask& task);
  void OnLookError(Running& running, const Error& error);
  bool OnStopped(Running& running, const timestream::BatchLoadTask& task);
  void Resume(Running& running);
  void Save(Running& running, const timestream::BatchLoadTask& task);
  Nanos UntilNextLook(const Running& running) const;

  // load_end.cc
  bool OnSucceeded(const Running& running, const timestream::BatchLoadTask& task);
  bool OnFailed(const Running& running, const timestream::BatchLoadTask& task);
  void Finish(const Running& running, const timestream::ProgressReport& progress,
              const TaskVerdict& verdict);
  bool GetReport(const Running& running, std::optional<FetchedReport>* report);
  void ShowReport(const Running& running, const FetchedReport& report);
  std::string SaveReport(const Running& running, const FetchedReport& report);
  std::string Meaning(ErrorMeaning meaning, std::size_t table);
  const std::string& TableLimits(std::size_t table);
  void FailGroup(std::size_t group, const std::string& task,
                 const timestream::ProgressReport& progress, const TaskVerdict& verdict,
                 const std::string& report_uri);
  void FailCanary(const std::string& why, bool proof);

  const LoadPlan& plan_;
  LoadLedger& ledger_;
  const LoadConduct& conduct_;
  const LoadServices& services_;
  ReadyGroups& ready_;
  const GroupKeys& keys_;
  const LoadInterrupts& interrupts_;
  std::stop_source wake_;  // ends a rest: drain or stop
  std::stop_callback<std::function<void()>> on_drain_;
  std::stop_callback<std::function<void()>> on_stop_;

  LoadTell tell_;
  std::vector<std::size_t> slot_of_;  // by table
  TaskSlots slots_;
  std::vector<TaskPace> pace_;  // by table
  TaskListing listing_;
  LoadRunResult result_;
  std::vector<Table> tables_;
  std::vector<Sending> sending_;
  std::vector<Running> running_;
  std::vector<bool> known_;  // queued, begun or ended, by group
  std::size_t queued_ = 0;
  std::optional<std::size_t> canary_;                                   // until it has passed
  std::map<std::string, std::pair<std::string, std::string>> foreign_;  // by TaskId: what it loads
  std::set<std::string> unknown_states_;
  std::map<std::size_t, std::string> limits_;  // by table, for messages
  std::vector<std::size_t> retried_;
  Moment create_at_{};
  Moment call_at_{};
  Nanos call_interval_{0};
  Moment list_after_{};  // not sooner, after a listing that failed
  int failed_lists_ = 0;
  bool listed_last_ = false;  // the last paced call was a page of a listing
  int slow_creates_ = 0;      // throttled in a row
  Moment moved_{};            // when something last moved, or waited for a good reason
  std::string last_refusal_;
};

}  // namespace tsm::batchload
