// What the parts of one running unload share. Refers to everything; made by RunUnload and outlives
// the parts. The members' own rules say what several threads may do with them.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>

#include "partition_rows.h"
#include "run_progress.h"
#include "tsm/core/start_limiter.h"
#include "tsm/unload/unload_run.h"

namespace tsm::unload {

class RunContext {
 public:
  RunContext(const UnloadPlan& run_plan, UnloadLedger& run_ledger, const UnloadConduct& run_conduct,
             const UnloadServices& run_services, const UnloadInterrupts& run_interrupts);

  const UnloadPlan& plan;
  UnloadLedger& ledger;
  const UnloadConduct& conduct;
  const UnloadServices& services;
  StartLimiter starts;
  RunProgress progress;
  PartitionRows partition_rows;

  // No new UNLOAD may start.
  std::stop_token drain() const { return drain_.get_token(); }
  // Calls under way are given up: the operator insists, or the run has failed.
  std::stop_token stop() const { return stop_.get_token(); }
  // The operator wants running queries cancelled (a failed run leaves them to a resume).
  bool cancels_queries() const { return interrupts_.stop.stop_requested(); }

  // Ends the run; the first error counts.
  void Fail(Error error);
  std::optional<Error> failure() const;

  // Housekeeping that every waiting loop does now and then.
  Status Tick();

  UnixNanos Now() const;  // wall clock
  const TablePlan& table(const SliceRef& ref) const { return plan.tables[ref.table]; }

 private:
  void TellDrain() const;

  const UnloadInterrupts& interrupts_;
  std::stop_source drain_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> on_drain_;
  std::stop_callback<std::function<void()>> on_stop_;
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace tsm::unload
