#include "load_loop.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::batchload {

namespace {

using State = GroupState::State;

// The longest rest: locks are kept alive and grouped entries put on the disk in between.
constexpr std::chrono::seconds kLongestRest{15};
// How soon a group that becomes ready is seen while there is room for it.
constexpr std::chrono::milliseconds kReadyRest{250};
constexpr int kMaxDoublings = 20;
constexpr int kSlowest = 32;  // times the pace of calls

std::vector<std::size_t> SlotsOf(const LoadPlan& plan) {
  std::map<timestream::TableRef, std::size_t> slots;
  std::vector<std::size_t> by_table;
  for (const TableLoad& table : plan.tables) {
    by_table.push_back(slots.emplace(table.target, slots.size()).first->second);
  }
  return by_table;
}

}  // namespace

LoadLoop::LoadLoop(const LoadPlan& plan, LoadLedger& ledger, const LoadConduct& conduct,
                   const LoadServices& services, ReadyGroups& ready, const GroupKeys& keys,
                   const LoadInterrupts& interrupts)
    : plan_(plan),
      ledger_(ledger),
      conduct_(conduct),
      services_(services),
      ready_(ready),
      keys_(keys),
      interrupts_(interrupts),
      on_drain_(interrupts.drain, [this] { wake_.request_stop(); }),
      on_stop_(interrupts.stop, [this] { wake_.request_stop(); }),
      tell_(plan, ledger, services.clock, services.sink),
      slot_of_(SlotsOf(plan)),
      slots_(plan.tables.size(), conduct.table_slots, conduct.account_slots),
      pace_(plan.tables.size(), TaskPace(2 * conduct.describe_interval, conduct.poll_interval)),
      listing_(services.write),
      tables_(plan.tables.size()),
      known_(plan.groups.size()),
      call_interval_(conduct.describe_interval) {
  create_at_ = call_at_ = list_after_ = moved_ = Now();
}

LoadRunResult LoadLoop::Run() {
  if (!plan_.load) return result_;
  Begin();
  while (true) {
    Tick();
    TakeReady();
    SettleCanary();
    if (IsOver()) break;
    CheckPatience();
    tell_.Update(Live());
    if (IsOver() || (!Act() && !Rest())) break;
  }
  End();
  return std::move(result_);
}

void LoadLoop::Begin() {
  std::vector<std::pair<std::size_t, GroupState>> open;
  std::vector<std::pair<std::size_t, GroupState>> failed;
  bool passed = false;
  bool canary_done = false;
  const std::optional<std::size_t> canary = CanaryOf(plan_);
  ledger_.Look([&](const LoadState& state) {
    passed = state.canary_passed();
    canary_done = canary && state.group(*canary).state == State::kDone;
    for (std::size_t i = 0; i < state.groups().size(); ++i) {
      const GroupState& group = state.group(i);
      if (group.state == State::kLoading) open.emplace_back(i, group);
      if (group.state == State::kFailed) failed.emplace_back(i, group);
      if (group.state == State::kPending && group.sealed) Queue(i);
      if (group.state != State::kPending) known_[i] = true;
    }
  });
  if (canary && !passed) canary_ = canary;
  if (canary_ && canary_done && Booked(ledger_.PassCanary())) canary_.reset();
  for (const auto& [index, group] : open) BeginGroup(index, group);
  for (const auto& [index, group] : failed) RetryFailed(index, group);
  TellRetries();
}

void LoadLoop::BeginGroup(std::size_t index, const GroupState& group) {
  const TaskAttempt& task = *group.open();
  slots_.Begin(SlotOf(index));
  if (task.state == TaskAttempt::State::kIntent) {
    Sending sending;
    sending.group = index;
    sending.token = task.client_token;
    sending.record_version = task.record_version;
    sending.announced = task.announced;
    sending.unclear = Now() - Nanos(1);
    sending.not_before = Now();
    sending_.push_back(std::move(sending));
    return;
  }
  Running running;
  running.group = index;
  running.task = task.task_id;
  running.created = task.created;
  running.bytes = group.sealed ? group.sealed->bytes : plan_.groups[index].bytes;
  running.rows = group.sealed && group.sealed->rows ? group.sealed->rows : plan_.groups[index].rows;
  running.look_at = Now();
  running.status = task.status;
  running.progress = running.saved = task.progress;
  running.saved_at = Now();
  running.resumes = task.resumes;
  running.followed = false;
  running_.push_back(std::move(running));
}

// Where the service took no task, another try costs nothing.
void LoadLoop::RetryFailed(std::size_t index, const GroupState& group) {
  const bool is_free = group.tasks.empty() || group.tasks.back().task_id.empty();
  if (!is_free && !conduct_.retry_failed) {
    if (canary_ == index) FailCanary(group.failure, group.failed_proof);
    return;
  }
  if (!Booked(ledger_.RetryGroup(index, is_free ? std::nullopt : conduct_.record_version))) return;
  if (!is_free) retried_.push_back(index);
  known_[index] = false;
  if (group.sealed) Queue(index);
}

void LoadLoop::TellRetries() {
  if (retried_.empty()) return;
  std::uint64_t bytes = 0;
  std::vector<std::string> names;
  for (const std::size_t group : retried_) {
    bytes += plan_.groups[group].bytes;
    names.push_back(plan_.groups[group].id);
  }
  services_.sink.Warn(std::to_string(retried_.size()) +
                      (retried_.size() == 1 ? " failed group is" : " failed groups are") +
                      " loaded again (" + NameSome(names) + "): " + FormatBytes(bytes) +
                      " are charged once more, for batch load charges whatever is submitted" +
                      (conduct_.record_version
                           ? "; with record version " + std::to_string(*conduct_.record_version)
                           : std::string()));
}

void LoadLoop::Queue(std::size_t group) {
  if (known_[group]) return;
  known_[group] = true;
  tables_[TableOf(group)].queue.insert(group);
  ++queued_;
}

void LoadLoop::TakeReady() {
  for (const std::size_t group : ready_.Take()) Queue(group);
}

bool LoadLoop::IsOver() {
  return result_.fatal || wake_.stop_requested() || (IsIdle() && ready_.closed());
}

bool LoadLoop::Act() {
  const Moment now = Now();
  const auto is_due = [&](const std::optional<Moment>& at) { return at && *at <= now; };
  if (is_due(CreateDue())) {
    Create();
    return true;
  }
  const bool look = is_due(LookDue());
  // A listing of many pages and the looks at tasks take turns.
  if (is_due(ListDue()) && !(look && listed_last_)) {
    listed_last_ = true;
    List();
    return true;
  }
  listed_last_ = false;
  if (look) Look();
  return look;
}

// False where it was ended.
bool LoadLoop::Rest() {
  const Moment now = Now();
  Moment until = now + kLongestRest;
  if (!ready_.closed() && queued_ == 0) until = now + kReadyRest;
  for (const auto& due : {CreateDue(), ListDue(), LookDue()}) {
    if (due) until = std::min(until, *due);
  }
  return until <= now || services_.clock.SleepFor(until - now, wake_.get_token());
}

void LoadLoop::Tick() {
  if (conduct_.tick && !Booked(conduct_.tick())) return;
  (void)Booked(ledger_.FlushIfDue());
}

void LoadLoop::CheckPatience() {
  const bool waits = std::any_of(running_.begin(), running_.end(), [](const Running& running) {
    return running.status == timestream::TaskStatus::kProgressStopped ||
           running.status == timestream::TaskStatus::kPendingResume;
  });
  if (IsIdle() || waits) moved_ = Now();
  if (Now() - moved_ <= conduct_.give_up_after) return;
  std::string text = "nothing has moved for " + FormatDuration(Now() - moved_) + ", " +
                     std::to_string(running_.size()) + " running and " +
                     std::to_string(queued_ + sending_.size()) +
                     " waiting groups are left as they "
                     "are; resume the run when the service takes and moves tasks again";
  if (!last_refusal_.empty()) text += "; its last refusal: " + last_refusal_;
  Fail(MakeError(ErrorKind::kService, std::move(text)));
}

void LoadLoop::End() {
  tell_.Update(Live(), /*in_any_case=*/true);
  const bool complete = IsIdle() && ready_.closed();
  if (!result_.fatal && wake_.stop_requested() && !complete) result_.interrupted = true;
  if (running_.empty() || (!result_.fatal && !result_.interrupted)) return;
  services_.sink.Warn(std::to_string(running_.size()) +
                      (running_.size() == 1 ? " task goes" : " tasks go") +
                      " on in the service; `ts-batchload resume " + plan_.run_id +
                      "` follows what runs and starts the rest");
}

LiveProgress LoadLoop::Live() const {
  LiveProgress live;
  live.running = running_.size();
  live.queued = queued_ + sending_.size();
  for (const Running& running : running_) {
    live.fresh_rows += running.progress.records_ingested - running.saved.records_ingested;
    if (!running.rows || *running.rows == 0) continue;
    const double part = static_cast<double>(running.progress.records_processed) /
                        static_cast<double>(*running.rows);
    live.bytes +=
        std::clamp(part, 0.0, 1.0) * static_cast<double>(plan_.groups[running.group].bytes);
  }
  return live;
}

void LoadLoop::Fail(Error error) {
  if (!result_.fatal) result_.fatal = std::move(error);
}

bool LoadLoop::Booked(const Status& status) {
  if (!status) Fail(status.error());
  return status.has_value();
}

UnixNanos LoadLoop::WallNow() const {
  return std::chrono::duration_cast<Nanos>(services_.clock.Now().time_since_epoch()).count();
}

// Half of the wait is fixed, half is jitter: many runs of one account drift apart.
LoadLoop::Nanos LoadLoop::Jittered(Nanos wait) const {
  return wait / 2 + Nanos(static_cast<std::int64_t>(static_cast<double>(wait.count()) / 2 *
                                                    services_.random.Unit()));
}

LoadLoop::Nanos LoadLoop::Doubled(Nanos base, int times, Nanos most) {
  Nanos wait = base;
  for (int i = 0; i < std::min(times, kMaxDoublings) && wait < most; ++i) wait *= 2;
  return std::min(wait, most);
}

bool LoadLoop::WaitForCall() {
  const Moment now = Now();
  return call_at_ <= now || services_.clock.SleepFor(call_at_ - now, wake_.get_token());
}

void LoadLoop::OnCallEnd(const Error* error) {
  if (error != nullptr && error->kind == ErrorKind::kThrottled) {
    call_interval_ = std::min(call_interval_ * 2, conduct_.describe_interval * kSlowest);
    call_at_ = Now() + call_interval_;
  } else if (error == nullptr) {
    call_interval_ = std::max(call_interval_ * 3 / 4, conduct_.describe_interval);
  }
}

bool LoadLoop::IsPassing(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kThrottled:
    case ErrorKind::kQuotaExceeded:
    case ErrorKind::kTransient:
    case ErrorKind::kBadReply:
    case ErrorKind::kWrongEndpoint:
      return true;
    default:
      return false;
  }
}

bool LoadLoop::IsEveryones(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kCredentials:
    case ErrorKind::kExpiredCredentials:
    case ErrorKind::kConfiguration:
    case ErrorKind::kClockSkew:
    case ErrorKind::kAccessDenied:
    case ErrorKind::kLocalIo:
    case ErrorKind::kInvalidInput:
    case ErrorKind::kNotFound:
    case ErrorKind::kWrongRegion:
      return true;
    default:
      return false;
  }
}

}  // namespace tsm::batchload
