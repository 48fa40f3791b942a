#include "tsm/unload/unload_run.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "leftovers.h"
#include "run_context.h"
#include "slice_queue.h"
#include "slice_run.h"
#include "table_close.h"
#include "tsm/core/parallel.h"
#include "tsm/core/time_text.h"
#include "unload_claim.h"
#include "unload_destination.h"

namespace tsm::unload {

namespace {

// How often a worker without work looks again: a slice may have been split meanwhile.
constexpr std::chrono::nanoseconds kIdle = std::chrono::milliseconds(200);
// After a passing failure, doubled with each one in a row.
constexpr std::chrono::nanoseconds kFirstSetback = std::chrono::seconds(1);
constexpr std::chrono::nanoseconds kLongestSetback = std::chrono::minutes(2);

class UnloadRun {
 public:
  UnloadRun(const UnloadPlan& plan, UnloadLedger& ledger, const UnloadConduct& conduct,
            const UnloadServices& services, const UnloadInterrupts& interrupts)
      : context_(plan, ledger, conduct, services, interrupts),
        started_(services.clock.Steady()),
        findings_(plan.tables.size()) {}

  Result<UnloadSummary> Execute();

 private:
  Status Prepare();
  Status RetryFailed();
  Status Redo();
  void FillQueue();
  void Work();
  void WorkOn(SliceQueue::Item item);
  void Requeue(SliceQueue::Item item, const SliceRun& run);
  void QueueHalves(const SliceQueue::Item& item);
  // Closes a table that has nothing left to do; once, by whichever worker finished its last slice.
  void CloseIfComplete(std::size_t table);
  Result<TableFindings> ClosePatiently(std::size_t table);
  void CloseWhatIsLeft();
  UnloadSummary Summarize();
  TableSummary SummaryOf(std::size_t table, const TableState& state) const;

  RunContext context_;
  const std::chrono::steady_clock::time_point started_;
  SliceQueue queue_;
  std::vector<bool> empty_;  // per table: the destination held nothing when it was claimed
  std::mutex mutex_;         // guards the two below
  std::vector<bool> closing_;
  std::vector<TableFindings> findings_;
};

Result<UnloadSummary> UnloadRun::Execute() {
  if (Status ready = Prepare(); !ready) return ready.error();
  FillQueue();
  context_.progress.Tell();
  const std::size_t workers = context_.conduct.settings.parallel;
  ParallelFor(workers, workers, std::stop_token(), [this](std::size_t, std::stop_token) {
    Work();
    return true;
  });
  if (!context_.failure()) CloseWhatIsLeft();
  if (auto failure = context_.failure()) return *failure;
  UnloadSummary summary = Summarize();
  if (summary.outcome == UnloadOutcome::kDone) {
    if (Status put = PutIndex(context_, run::RunState::kDone); !put) return put.error();
  }
  return summary;
}

// The claim first: a run that is refused leaves the policy as it is.
Status UnloadRun::Prepare() {
  if (Status there = PrepareBucket(context_.plan, context_.services, context_.stop()); !there) {
    return there;
  }
  if (context_.conduct.redo_changed) {
    if (Status redone = Redo(); !redone) return redone;
  }
  Result<std::vector<bool>> empty = ClaimDestinations(context_);
  if (!empty) return empty.error();
  empty_ = *std::move(empty);
  closing_.assign(context_.plan.tables.size(), false);
  if (!context_.plan.iam_role_arn.empty()) {
    Status allowed = AllowRole(context_.plan.root.bucket, context_.plan.iam_role_arn,
                               context_.services, context_.stop());
    if (!allowed) {
      if (context_.ledger.Totals().attempts == 0) TakeBackClaims(context_);
      return allowed;
    }
  }
  return RetryFailed();
}

// A resume is asked for by somebody who expects them to be tried again.
Status UnloadRun::RetryFailed() {
  std::vector<SliceRef> failed;
  context_.ledger.Look([&](const UnloadState& state) {
    for (std::size_t i = 0; i < state.tables().size(); ++i) {
      for (const auto& [id, slice] : state.table(i).slices) {
        if (slice.state == SliceState::State::kFailed) failed.push_back({i, id});
      }
    }
  });
  for (const SliceRef& ref : failed) {
    if (Status retried = context_.ledger.RetrySlice(ref); !retried) return retried;
  }
  return Ok();
}

Status UnloadRun::Redo() {
  for (std::size_t i = 0; i < context_.plan.tables.size(); ++i) {
    bool complete = false;
    context_.ledger.Look([&](const UnloadState& state) { complete = state.IsComplete(i); });
    if (!complete || !context_.plan.tables[i].range) continue;
    if (Result<std::size_t> redone = RedoChanged(context_, i); !redone) return redone.error();
  }
  return Ok();
}

// Planned slices in the plan's order, pieces of one where the whole stood.
void UnloadRun::FillQueue() {
  const auto now = context_.services.clock.Steady();
  context_.ledger.Look([&](const UnloadState& state) {
    for (std::size_t i = 0; i < context_.plan.tables.size(); ++i) {
      const auto& slices = state.table(i).slices;
      for (const UnloadSlice& planned : context_.plan.tables[i].slices) {
        const std::string id = planned.Id();
        for (auto it = slices.find(id); it != slices.end() && PlannedSlice(it->first) == id; ++it) {
          if (it->second.state != SliceState::State::kPending) continue;
          queue_.Push({.ref = {i, it->first}, .not_before = {}, .moved = now, .setbacks = 0});
        }
      }
    }
  });
}

void UnloadRun::Work() {
  while (!context_.drain().stop_requested()) {
    if (auto item = queue_.Take(context_.services.clock.Steady())) {
      WorkOn(*std::move(item));
      queue_.Done();
      continue;
    }
    if (queue_.IsFinished()) return;
    context_.services.clock.SleepFor(kIdle, context_.drain());
    if (Status kept = context_.Tick(); !kept) context_.Fail(kept.error());
  }
}

void UnloadRun::WorkOn(SliceQueue::Item item) {
  // Waiting for its first turn is no standing still.
  if (item.setbacks == 0) item.moved = context_.services.clock.Steady();
  const bool flat =
      empty_[item.ref.table] && context_.plan.tables[item.ref.table].slices.size() == 1;
  SliceRun run(context_, item.ref, flat, item.setbacks);
  const Result<SliceOutcome> outcome = run.Execute();
  if (!outcome) {
    context_.Fail(outcome.error());
    return;
  }
  switch (*outcome) {
    case SliceOutcome::kDone:
      SweepSlice(context_, item.ref);
      CloseIfComplete(item.ref.table);
      return;
    case SliceOutcome::kSplit:
      QueueHalves(item);
      SweepSlice(context_, item.ref);
      return;
    case SliceOutcome::kAgain:
      Requeue(std::move(item), run);
      return;
    case SliceOutcome::kFailed:
    case SliceOutcome::kStopped:
      return;
  }
}

void UnloadRun::QueueHalves(const SliceQueue::Item& item) {
  const auto now = context_.services.clock.Steady();
  for (const char* half : {"b", "a"}) {
    queue_.PushFront({.ref = {item.ref.table, item.ref.slice + half},
                      .not_before = {},
                      .moved = now,
                      .setbacks = 0});
  }
}

// Contracts 12: given up only once nothing moved for long.
void UnloadRun::Requeue(SliceQueue::Item item, const SliceRun& run) {
  const auto now = context_.services.clock.Steady();
  if (run.moved()) {
    item.moved = now;
    item.setbacks = 0;
  }
  if (now - item.moved >= context_.conduct.settings.give_up_after) {
    const std::string why =
        "nothing moved for " + FormatDuration(now - item.moved) + ": " + run.last_trouble();
    if (Status failed = context_.ledger.FailSlice(item.ref, why, /*proof=*/false); !failed) {
      context_.Fail(failed.error());
    }
    context_.progress.SliceFailed(item.ref, why);
    return;
  }
  const auto doublings = std::min<std::size_t>(item.setbacks, 10);
  ++item.setbacks;
  item.not_before =
      now + std::min<std::chrono::nanoseconds>(kFirstSetback * (1LL << doublings), kLongestSetback);
  queue_.Push(std::move(item));
}

void UnloadRun::CloseIfComplete(std::size_t table) {
  bool complete = false;
  context_.ledger.Look([&](const UnloadState& state) {
    complete = state.IsComplete(table) && !state.table(table).closed;
  });
  if (!complete) return;
  {
    const std::lock_guard lock(mutex_);
    if (closing_[table]) return;
    closing_[table] = true;
  }
  Result<TableFindings> findings = ClosePatiently(table);
  if (!findings) {
    context_.Fail(findings.error());
    return;
  }
  context_.partition_rows.Forget(table);
  const std::lock_guard lock(mutex_);
  findings_[table] = *std::move(findings);
}

// Hours of work are not left open for a failure that passes.
Result<TableFindings> UnloadRun::ClosePatiently(std::size_t table) {
  const auto started = context_.services.clock.Steady();
  std::chrono::nanoseconds wait = kFirstSetback;
  for (;;) {
    Result<TableFindings> findings = CloseTable(context_, table);
    if (findings) return findings;
    const ErrorKind kind = findings.error().kind;
    const bool passing = kind == ErrorKind::kTransient || kind == ErrorKind::kThrottled;
    const auto spent = context_.services.clock.Steady() - started;
    if (!passing || spent + wait > context_.conduct.settings.give_up_after) return findings;
    context_.services.progress.Warn("closing " + context_.plan.tables[table].table().str() +
                                    " waits: " + findings.error().Text());
    if (!context_.services.clock.SleepFor(wait, context_.stop())) return findings;
    wait = std::min<std::chrono::nanoseconds>(wait * 2, kLongestSetback);
  }
}

// Those without a slice, and those whose last slice an earlier process finished.
void UnloadRun::CloseWhatIsLeft() {
  if (context_.stop().stop_requested()) return;
  ParallelFor(context_.plan.tables.size(), context_.conduct.settings.parallel, context_.stop(),
              [this](std::size_t table, std::stop_token) {
                CloseIfComplete(table);
                return !context_.failure();
              });
}

TableSummary UnloadRun::SummaryOf(std::size_t index, const TableState& state) const {
  const TablePlan& table = context_.plan.tables[index];
  TableSummary summary;
  summary.table = table.table();
  summary.destination = table.destination;
  summary.record = context_.plan.RecordUri(table);
  summary.range = table.range;
  summary.closed = state.closed;
  summary.verified = state.verified;
  for (const auto& [id, slice] : state.slices) {
    summary.attempts += slice.attempts.size();
    if (slice.state == SliceState::State::kSplit) continue;
    ++summary.slices;
    if (slice.state == SliceState::State::kFailed) {
      summary.failures.push_back("slice " + id + ": " + slice.failure);
    }
    if (slice.state != SliceState::State::kDone) continue;
    summary.rows += slice.done.rows;
    summary.bytes += slice.done.bytes;
    summary.files += slice.done.files;
    summary.manifest_uri = summary.slices == 1 ? slice.done.manifest_uri : "";
  }
  summary.remarks = findings_[index].remarks;
  summary.source_changed = findings_[index].source_changed;
  summary.failures.insert(summary.failures.end(), findings_[index].failures.begin(),
                          findings_[index].failures.end());
  return summary;
}

UnloadSummary UnloadRun::Summarize() {
  UnloadSummary summary;
  bool failed = false;
  bool proof_failed = false;
  bool open = false;
  context_.ledger.Look([&](const UnloadState& state) {
    for (std::size_t i = 0; i < state.tables().size(); ++i) {
      summary.tables.push_back(SummaryOf(i, state.table(i)));
      proof_failed = proof_failed || !findings_[i].failures.empty();
      open = open || !state.table(i).closed;
      for (const auto& [id, slice] : state.table(i).slices) {
        if (slice.state != SliceState::State::kFailed) continue;
        failed = true;
        proof_failed = proof_failed || slice.failed_proof;
      }
    }
  });
  if (proof_failed) {
    summary.outcome = UnloadOutcome::kProofFailed;
  } else if (open && context_.drain().stop_requested()) {
    summary.outcome = UnloadOutcome::kInterrupted;
  } else if (failed) {
    summary.outcome = UnloadOutcome::kSomeFailed;
  }
  summary.elapsed = context_.services.clock.Steady() - started_;
  return summary;
}

}  // namespace

Result<UnloadSummary> RunUnload(const UnloadPlan& plan, UnloadLedger& ledger,
                                const UnloadConduct& conduct, const UnloadServices& services,
                                const UnloadInterrupts& interrupts) {
  return UnloadRun(plan, ledger, conduct, services, interrupts).Execute();
}

}  // namespace tsm::unload
