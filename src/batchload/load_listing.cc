// What ListBatchLoadTasks is asked for: how many tasks of others are active, and whether a create
// whose answer is not known was taken.
#include <algorithm>
#include <cmath>

#include "load_loop.h"
#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

using timestream::BatchLoadTaskSummary;

// Of the interval between looks at a task: while others' tasks are in the way, and otherwise.
constexpr int kOthersLooks = 3;
constexpr int kSeldomLooks = 60;
// A listing of a long history takes many calls: it may take this share of the time.
constexpr int kListingShare = 20;
constexpr std::chrono::minutes kLongestListWait{1};
// How much sooner by the service's clock a task may have been created than it was announced here.
constexpr double kClockTolerance = 300;

double Seconds(UnixNanos time) { return static_cast<double>(time) / 1e9; }

}  // namespace

std::optional<LoadLoop::Moment> LoadLoop::ListDue() const {
  const Moment soonest = std::max(call_at_, list_after_);
  if (listing_.is_under_way()) return soonest;
  if (!listing_.ended()) {
    if (queued_ == 0 && sending_.empty()) return std::nullopt;
    return soonest;
  }
  std::optional<Moment> due;
  for (const Sending& sending : sending_) {
    if (sending.unclear && (!due || sending.not_before < *due)) due = sending.not_before;
  }
  if (queued_ > 0) {
    const bool held = std::any_of(tables_.begin(), tables_.end(), [&](const Table& table) {
      return !table.queue.empty() && slots_.IsHeldByOthers(SlotOf(*table.queue.begin()), Now());
    });
    const Moment ended = *listing_.ended();
    const Moment again =
        ended + std::max<Nanos>(conduct_.poll_interval * (held ? kOthersLooks : kSeldomLooks),
                                (ended - *listing_.began()) * kListingShare);
    if (!due || again < *due) due = again;
  }
  if (!due) return std::nullopt;
  return std::max(*due, soonest);
}

void LoadLoop::List() {
  if (!listing_.is_under_way()) {
    double since = HUGE_VAL;
    for (const Sending& sending : sending_) {
      since = std::min(since, Seconds(sending.announced) - kClockTolerance);
    }
    listing_.Begin(Now(), since);
  }
  BeginCall();
  const Result<bool> complete = listing_.Step(Now(), interrupts_.stop);
  OnCallEnd(complete ? nullptr : &complete.error());
  if (complete) {
    failed_lists_ = 0;
    if (*complete) OnListed();
    return;
  }
  const Error& error = complete.error();
  if (error.kind == ErrorKind::kCancelled) return;
  if (!IsPassing(error)) return Fail(error.With("counting the account's active batch-load tasks"));
  if (failed_lists_ == 0) {
    services_.sink.Warn("the account's batch-load tasks are not known now, asking again: " +
                        error.Text());
  }
  last_refusal_ = error.Text();
  list_after_ =
      Now() + Jittered(Doubled(conduct_.poll_interval, failed_lists_++, kLongestListWait));
}

void LoadLoop::OnListed() {
  FindUnclear();
  if (result_.fatal || wake_.stop_requested()) return;
  CountOthers();
  TellOthers();
}

void LoadLoop::CountOthers() {
  std::vector<int> by_slot(tables_.size());
  int all = 0;
  ledger_.Look([&](const LoadState& state) {
    for (const BatchLoadTaskSummary& task : listing_.tasks()) {
      if (!timestream::IsActive(task.status) || state.IsOwn(task.task_id)) continue;
      ++all;
      for (std::size_t i = 0; i < tables_.size(); ++i) {
        if (plan_.tables[i].target != task.table) continue;
        ++by_slot[slot_of_[i]];
        break;
      }
    }
  });
  slots_.SetOthers(by_slot, all);
}

void LoadLoop::TellOthers() {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const std::size_t slot = slot_of_[i];
    if (tables_[i].queue.empty() || !slots_.IsHeldByOthers(slot, Now())) {
      tell_.Waiting(i, "", {});
      continue;
    }
    moved_ = Now();
    const timestream::TableRef& target = plan_.tables[i].target;
    const bool on_table =
        slots_.own(slot) >= timestream::kMaxActiveTasksPerTable - slots_.others(slot);
    std::vector<std::string> tasks;
    ledger_.Look([&](const LoadState& state) {
      for (const BatchLoadTaskSummary& task : listing_.tasks()) {
        if (!timestream::IsActive(task.status) || state.IsOwn(task.task_id)) continue;
        if (!on_table || task.table == target) tasks.push_back(task.task_id);
      }
    });
    std::sort(tasks.begin(), tasks.end());
    tell_.Waiting(i, on_table ? "on " + target.str() : "in the account", tasks);
  }
}

void LoadLoop::FindUnclear() {
  for (std::size_t i = 0; i < sending_.size();) {
    Sending& sending = sending_[i];
    if (!sending.unclear || *sending.unclear >= *listing_.began()) {
      ++i;
      continue;
    }
    bool sure = true;
    const std::optional<std::string> task = FindTask(sending, &sure);
    if (task) {
      OnCreated(i, *task, /*found=*/true);
    } else {
      if (sure) sending.unclear.reset();
      if (!sure) sending.not_before = Now() + Jittered(2 * conduct_.poll_interval);
      ++i;
    }
    if (result_.fatal || wake_.stop_requested()) return;
  }
}

// The nearest to the announcement comes first. `sure`: none of the others is it.
std::optional<std::string> LoadLoop::FindTask(const Sending& sending, bool* sure) {
  const timestream::TableRef& target = plan_.tables[TableOf(sending.group)].target;
  const double announced = Seconds(sending.announced);
  std::vector<const BatchLoadTaskSummary*> candidates;
  ledger_.Look([&](const LoadState& state) {
    for (const BatchLoadTaskSummary& task : listing_.tasks()) {
      if (task.table == target && task.creation_time >= announced - kClockTolerance &&
          !state.IsOwn(task.task_id)) {
        candidates.push_back(&task);
      }
    }
  });
  const auto distance = [&](const BatchLoadTaskSummary* task) {
    return std::abs(task->creation_time - announced);
  };
  std::sort(candidates.begin(), candidates.end(),
            [&](const auto* a, const auto* b) { return distance(a) < distance(b); });
  for (const BatchLoadTaskSummary* task : candidates) {
    if (IsTaskOf(*task, sending, sure)) return task->task_id;
    if (result_.fatal || wake_.stop_requested()) {
      *sure = false;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

bool LoadLoop::IsTaskOf(const BatchLoadTaskSummary& task, const Sending& sending, bool* sure) {
  auto known = foreign_.find(task.task_id);
  if (known == foreign_.end()) {
    if (!WaitForCall()) return *sure = false;
    BeginCall();
    const Result<timestream::BatchLoadTask> described =
        services_.write.DescribeBatchLoadTask(task.task_id, interrupts_.stop);
    OnCallEnd(described ? nullptr : &described.error());
    if (!described) {
      const Error& error = described.error();
      if (error.kind == ErrorKind::kNotFound) return false;
      if (!IsPassing(error) && error.kind != ErrorKind::kCancelled) {
        Fail(error.With("looking whether task " + task.task_id + " is one of this run"));
      }
      return *sure = false;
    }
    known = foreign_
                .emplace(task.task_id,
                         std::make_pair(described->source_bucket, described->source_prefix))
                .first;
  }
  return known->second.first == plan_.target_bucket.str() &&
         known->second.second == plan_.groups[sending.group].prefix;
}

}  // namespace tsm::batchload
