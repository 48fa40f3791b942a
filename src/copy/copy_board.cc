#include "copy_board.h"

#include <algorithm>
#include <utility>

namespace tsm::copy {

namespace {

// Files that wait are held in memory; while so many do, none is read beside them.
constexpr std::size_t kMostWaiting = 4096;
// Between two ticks.
constexpr std::chrono::nanoseconds kTick = std::chrono::seconds(10);

}  // namespace

CopyBoard::CopyBoard(CopyPatience& patience, NextFile next_file, const Clock& clock,
                     const CopyInterrupts& interrupts, bool together)
    : patience_(patience),
      next_file_(std::move(next_file)),
      clock_(clock),
      interrupts_(interrupts),
      together_(together) {
  on_stop_.emplace(interrupts_.stop, [this] { Wake(); });
  on_drain_.emplace(interrupts_.drain, [this] { Wake(); });
}

void CopyBoard::Wake() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

bool CopyBoard::MayRead() const { return !exhausted_ && !Draining() && Waiting() < kMostWaiting; }

// Something to hand out now or later, or a job under way from which more may follow.
bool CopyBoard::HasWork() const {
  if (Stopped()) return false;
  if (under_way_ > 0 || MayRead() || !open_.empty()) return true;
  if (!Draining()) return Waiting() > 0;
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [](const auto& job) { return job.second.kind != Job::Kind::kFile; });
}

bool CopyBoard::WantsWorker() {
  const std::lock_guard lock(mutex_);
  if (idle_ > 0 || workers_ >= patience_.first() + (together_ ? 1 : 0)) return false;
  const bool reads = MayRead() && !together_;
  if (workers_ > 0 && !reads && open_.empty() && waiting_.empty()) return false;
  ++workers_;
  return true;
}

void CopyBoard::Left() {
  const std::lock_guard lock(mutex_);
  Leave();
}

void CopyBoard::Leave() {
  --workers_;
  if (workers_ == 0) alarm_.request_stop();
  changed_.notify_all();
}

std::optional<Job> CopyBoard::Take() {
  std::unique_lock lock(mutex_);
  while (HasWork()) {
    if (under_way_ < patience_.limit()) {
      std::optional<Job> job = TakeDue(waiting_);
      if (!job) job = TakePart();
      if (!job && MayRead() && !together_) {
        job = Read(lock);
        if (!job) continue;
      }
      if (job) {
        ++under_way_;
        if (asked_for_) changed_.notify_all();  // it stood back for this one
        return job;
      }
    }
    ++idle_;
    changed_.wait(lock);
    --idle_;
  }
  Leave();
  return std::nullopt;
}

// A job of theirs is due, and has been for longer than any of TakeTogether: it must not be kept
// from its turn by whoever is always there first.
bool CopyBoard::OthersAreNext() const {
  if (waiting_.empty()) return false;
  const Time due = waiting_.begin()->first;
  if (due > clock_.Steady()) return false;
  return waiting_together_.empty() || due <= waiting_together_.begin()->first;
}

std::optional<Job> CopyBoard::TakeTogether(bool may_wait) {
  std::unique_lock lock(mutex_);
  while (HasWork()) {
    if (under_way_ < patience_.limit() && !OthersAreNext()) {
      std::optional<Job> job = TakeDue(waiting_together_);
      if (!job && MayRead() && open_.empty()) {
        job = Read(lock);
        if (!job) continue;
      }
      if (job) {
        ++under_way_;
        return job;
      }
    }
    if (!may_wait) return std::nullopt;
    asked_for_ = true;
    changed_.wait(lock);
    asked_for_ = false;
  }
  if (may_wait) Leave();
  return std::nullopt;
}

void CopyBoard::HandOver(Job job) {
  job.alone = true;
  const std::lock_guard lock(mutex_);
  --under_way_;
  waiting_.emplace(clock_.Steady(), std::move(job));
  changed_.notify_all();
}

std::optional<Job> CopyBoard::TakeDue(Queue& queue) {
  const Time now = clock_.Steady();
  for (auto first = queue.begin(); first != queue.end() && first->first <= now; ++first) {
    if (Draining() && first->second.kind == Job::Kind::kFile) continue;
    Job job = std::move(first->second);
    queue.erase(first);
    return job;
  }
  return std::nullopt;
}

std::optional<Job> CopyBoard::TakePart() {
  if (open_.empty()) return std::nullopt;
  const std::shared_ptr<Upload> upload = open_.front();
  Job job;
  job.kind = Job::Kind::kPart;
  job.upload = upload;
  job.part = upload->next++;
  ++upload->out;
  if (upload->next == upload->parts) open_.pop_front();
  return job;
}

// Without the lock: the feed reads a disk, and others must be able to finish meanwhile.
std::optional<Job> CopyBoard::Read(std::unique_lock<std::mutex>& lock) {
  ++under_way_;
  lock.unlock();
  Result<std::optional<run::SpooledFile>> file = next_file_();
  lock.lock();
  --under_way_;
  if (file && *file) {
    Job job;
    job.file = **std::move(file);
    return job;
  }
  if (!file && !fatal_) fatal_ = std::move(file).error();
  if (!Draining()) exhausted_ = true;
  changed_.notify_all();
  return std::nullopt;
}

void CopyBoard::Finish() {
  const std::lock_guard lock(mutex_);
  --under_way_;
  if (under_way_ > 0 && !together_) {
    if (idle_ > 0) changed_.notify_one();
    return;
  }
  // Perhaps it was the last; and together, whom it concerns is not known here.
  const bool is_theirs = idle_ > 0 && !(waiting_.empty() && open_.empty());
  if (under_way_ == 0 || asked_for_ || is_theirs) changed_.notify_all();
}

bool CopyBoard::Again(Job job, std::chrono::nanoseconds wait) {
  const Time due = clock_.Steady() + wait;
  const std::lock_guard lock(mutex_);
  if (job.upload && job.upload->failed) return false;
  const bool many = together_ && job.kind == Job::Kind::kFile && !job.alone;
  (many ? waiting_together_ : waiting_).emplace(due, std::move(job));
  if (due < alarm_at_) alarm_.request_stop();
  return true;
}

void CopyBoard::Abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
}

void CopyBoard::Open(const std::shared_ptr<Upload>& upload) {
  const std::lock_guard lock(mutex_);
  upload->etags.resize(upload->parts);
  open_.push_back(upload);
  changed_.notify_all();
}

CopyBoard::Next CopyBoard::PartDone(const Job& job, std::string etag) {
  const std::lock_guard lock(mutex_);
  Upload& upload = *job.upload;
  --upload.out;
  ++upload.done;
  upload.etags[job.part] = std::move(etag);
  if (upload.failed) return upload.out == 0 ? Next::kGiveUp : Next::kNothing;
  return upload.done == upload.parts ? Next::kComplete : Next::kNothing;
}

CopyBoard::Next CopyBoard::PartFailed(const Job& job, Error error) {
  const std::lock_guard lock(mutex_);
  Upload& upload = *job.upload;
  if (job.kind == Job::Kind::kPart) --upload.out;
  if (!upload.failed) {
    upload.failed = std::move(error);
    std::erase(open_, job.upload);
    DropWaiting(upload);
  }
  return upload.out == 0 ? Next::kGiveUp : Next::kNothing;
}

void CopyBoard::DropWaiting(const Upload& upload) {
  for (auto job = waiting_.begin(); job != waiting_.end();) {
    if (job->second.upload.get() != &upload) {
      ++job;
      continue;
    }
    if (job->second.kind == Job::Kind::kPart) --job->second.upload->out;
    job = waiting_.erase(job);
  }
}

void CopyBoard::End(Error why) {
  const std::lock_guard lock(mutex_);
  if (!fatal_) fatal_ = std::move(why);
  changed_.notify_all();
}

std::chrono::nanoseconds CopyBoard::UntilNext() const {
  const Time now = clock_.Steady();
  std::chrono::nanoseconds wait = kTick;
  for (const Queue* queue : {&waiting_, &waiting_together_}) {
    // Those that are due already wait for a worker, not for time.
    const auto next = queue->upper_bound(now);
    if (next != queue->end()) wait = std::min<std::chrono::nanoseconds>(wait, next->first - now);
  }
  return wait;
}

void CopyBoard::Keep(const std::function<void()>& tick) {
  std::unique_lock lock(mutex_);
  while (workers_ > 0) {
    const std::chrono::nanoseconds wait = UntilNext();
    alarm_at_ = clock_.Steady() + wait;
    alarm_ = std::stop_source();
    const std::stop_token woken = alarm_.get_token();
    lock.unlock();
    clock_.SleepFor(wait, woken);
    tick();
    lock.lock();
    changed_.notify_all();
  }
}

std::size_t CopyBoard::waiting() const {
  const std::lock_guard lock(mutex_);
  return Waiting();
}

std::optional<Error> CopyBoard::fatal() const {
  const std::lock_guard lock(mutex_);
  return fatal_;
}

bool CopyBoard::left_files() const {
  const std::lock_guard lock(mutex_);
  return abandoned_ || !exhausted_ || Waiting() > 0 || !open_.empty();
}

}  // namespace tsm::copy
