// The states of a task from its create to its end: looks, stops, resumes.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-using-error-reports.html
#include <algorithm>
#include <utility>

#include "load_loop.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::batchload {

namespace {

using timestream::BatchLoadTask;
using timestream::ProgressReport;
using timestream::TaskStatus;

constexpr std::chrono::minutes kLongestLookWait{1};
// A resume is not put off to the very end of the time in which it is possible.
constexpr std::chrono::minutes kResumeMargin{1};
// A task that was just created may not be known everywhere yet.
constexpr std::chrono::minutes kSurelyKnown{5};
// Progress without a new state is journaled this often.
constexpr std::chrono::minutes kSaveEvery{1};

bool HasMoved(const ProgressReport& now, const ProgressReport& before) {
  return now.records_processed != before.records_processed ||
         now.records_ingested != before.records_ingested ||
         now.bytes_metered != before.bytes_metered;
}

}  // namespace

std::optional<LoadLoop::Moment> LoadLoop::LookDue() const {
  std::optional<Moment> due;
  for (const Running& running : running_) {
    if (!due || running.look_at < *due) due = running.look_at;
  }
  if (!due) return std::nullopt;
  return std::max(*due, call_at_);
}

void LoadLoop::Look() {
  const auto next =
      std::min_element(running_.begin(), running_.end(),
                       [](const Running& a, const Running& b) { return a.look_at < b.look_at; });
  BeginCall();
  if (next->resume_at) {
    Resume(*next);
  } else {
    Describe(*next);
  }
}

void LoadLoop::Describe(Running& running) {
  const Result<BatchLoadTask> task =
      services_.write.DescribeBatchLoadTask(running.task, interrupts_.stop);
  OnCallEnd(task ? nullptr : &task.error());
  bool ended = false;
  if (task) {
    running.failed_looks = 0;
    ended = OnSeen(running, *task);
  } else if (task.error().kind == ErrorKind::kNotFound &&
             Nanos(WallNow() - running.created) > kSurelyKnown) {
    TaskVerdict verdict;
    verdict.why = "the service no longer knows the task: " + task.error().Text();
    FailGroup(running.group, running.task, running.progress, verdict, "");
    ended = true;
  } else {
    OnLookError(running, task.error());
  }
  if (!ended) return;
  slots_.End(SlotOf(running.group));
  running_.erase(running_.begin() + (&running - running_.data()));
}

// True where the task has ended, and with it its group.
bool LoadLoop::OnSeen(Running& running, const BatchLoadTask& task) {
  const bool stops =
      task.status == TaskStatus::kProgressStopped && running.status != TaskStatus::kProgressStopped;
  if (task.status != running.status || HasMoved(task.progress, running.progress)) moved_ = Now();
  running.progress = task.progress;
  running.look_at = Now() + UntilNextLook(running);
  if (task.status == TaskStatus::kSucceeded || task.status == TaskStatus::kFailed) {
    running.look_at = Now() + conduct_.poll_interval;
    return task.status == TaskStatus::kSucceeded ? OnSucceeded(running, task)
                                                 : OnFailed(running, task);
  }
  Save(running, task);
  if (task.status == TaskStatus::kProgressStopped) {
    if (stops) slots_.Stopped(SlotOf(running.group));
    return OnStopped(running, task);
  }
  if (task.status == TaskStatus::kUnknown && unknown_states_.insert(task.status_text).second) {
    services_.sink.Warn("task " + running.task + " is in the state " + OneLine(task.status_text) +
                        ", which this version does not know: waiting");
  }
  return false;
}

LoadLoop::Nanos LoadLoop::UntilNextLook(const Running& running) const {
  TaskPace::Seen seen;
  seen.elapsed = Nanos(WallNow() - running.created);
  seen.bytes = running.bytes;
  if (running.rows && *running.rows > 0) {
    seen.fraction = static_cast<double>(running.progress.records_processed) /
                    static_cast<double>(*running.rows);
  }
  return pace_[TableOf(running.group)].Wait(seen);
}

void LoadLoop::Save(Running& running, const BatchLoadTask& task) {
  const bool changed = task.status != running.status;
  const bool moved = HasMoved(task.progress, running.saved);
  running.status = task.status;
  if (!changed && (!moved || Now() - running.saved_at < kSaveEvery)) return;
  if (!Booked(ledger_.SawTask(running.group, task.status, task.progress))) return;
  running.saved = task.progress;
  running.saved_at = Now();
  tell_.TaskSeen(running.group, running.task, task.status_text, task.progress);
}

void LoadLoop::OnLookError(Running& running, const Error& error) {
  if (error.kind == ErrorKind::kCancelled) return;
  if (!IsPassing(error) && error.kind != ErrorKind::kNotFound) {
    return Fail(error.With("following " + tell_.Name(running.group)));
  }
  if (running.failed_looks == 0) {
    services_.sink.Warn("the state of task " + running.task +
                        " is not known now, asking again: " + error.Text());
  }
  last_refusal_ = error.Text();
  running.look_at =
      Now() + Jittered(Doubled(conduct_.poll_interval, running.failed_looks++, kLongestLookWait));
}

// True where it can't be resumed any more.
bool LoadLoop::OnStopped(Running& running, const BatchLoadTask& task) {
  const double now = static_cast<double>(WallNow()) / 1e9;
  running.followed = false;
  TaskVerdict verdict;
  if (task.resumable_until > 0 && now >= task.resumable_until) {
    verdict.why = "the task stopped, and since " +
                  FormatTimestamp(static_cast<UnixNanos>(task.resumable_until * 1e9)) +
                  " it can't be resumed any more; " + CountersText(task.progress);
    FailGroup(running.group, running.task, task.progress, verdict, "");
    return true;
  }
  const GroupState state = ledger_.Group(running.group);
  running.resumes = state.open() != nullptr ? state.open()->resumes : 0;
  if (running.resumes >= conduct_.max_resumes) {
    verdict.why = "the task stopped again, after " + std::to_string(running.resumes) +
                  " resumes without any progress; " + CountersText(task.progress);
    FailGroup(running.group, running.task, task.progress, verdict, "");
    return true;
  }
  Nanos wait = Doubled(conduct_.resume_backoff, running.resumes, conduct_.max_resume_backoff);
  // Never sooner than asked: what is waited for clears by itself, and in hours.
  wait += (wait - Jittered(wait)) / 4;
  wait = std::min<Nanos>(wait, conduct_.max_resume_backoff);
  if (task.resumable_until > 0) {
    const auto left = std::chrono::duration_cast<Nanos>(
        std::chrono::duration<double>(task.resumable_until - now));
    wait = std::clamp<Nanos>(left - kResumeMargin, Nanos(0), wait);
  }
  running.resume_at = running.look_at = Now() + wait;
  tell_.TaskStopped(running.group, running.task, wait);
  return false;
}

// Whatever the answer, the next look tells what has become of it: PROGRESS_STOPPED plans another.
void LoadLoop::Resume(Running& running) {
  running.resume_at.reset();
  running.look_at = Now() + conduct_.poll_interval;
  if (!Booked(ledger_.AnnounceResume(running.group))) return;
  const Status resumed = services_.write.ResumeBatchLoadTask(running.task, interrupts_.stop);
  OnCallEnd(resumed ? nullptr : &resumed.error());
  if (resumed) {
    moved_ = Now();
    return tell_.TaskResumed(running.group, running.task);
  }
  const Error& error = resumed.error();
  if (error.kind == ErrorKind::kCancelled) return;
  if (IsEveryones(error) && error.kind != ErrorKind::kNotFound) {
    return Fail(error.With("resuming " + tell_.Name(running.group)));
  }
  last_refusal_ = error.Text();
  services_.sink.Warn(tell_.Name(running.group) + ": task " + running.task +
                      " was not resumed, its state is asked for: " + error.Text());
}

}  // namespace tsm::batchload
