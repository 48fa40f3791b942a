// Groups become tasks: canary, room, the look at the prefix, the create call and its refusals.
#include <algorithm>
#include <string_view>

#include "group_prefix.h"
#include "load_loop.h"
#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

constexpr std::chrono::seconds kTransientWait{1};
constexpr std::chrono::minutes kLongestTransientWait{1};
constexpr std::chrono::minutes kLongestQuotaWait{5};
constexpr int kMostSlowCreates = 6;
constexpr std::size_t kFirstGroups = 10;  // among which a canary is looked for

// The pattern that AWS publishes for ObjectKeyPrefix has no '=', ':', '+' or blank, which UNLOAD's
// own folders (partition_date=…) have. Whether the service enforces it is not documented, so a
// refusal is explained, not foreseen.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_DataSourceS3Configuration.html
bool IsOutsidePattern(const std::string& prefix) {
  return std::any_of(prefix.begin(), prefix.end(), [](unsigned char c) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return !alphanumeric &&
           std::string_view("!-_*'()/.|").find(static_cast<char>(c)) == std::string_view::npos;
  });
}

bool IsAboutPrefix(const Error& error, const std::string& prefix) {
  if (error.kind != ErrorKind::kValidation) return false;
  const std::string text = ToLowerAscii(error.message);
  const auto has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
  if (has("prefix") || has("objectkey")) return true;
  return IsOutsidePattern(prefix) && !has("target") &&
         (has("pattern") || has("regular expression"));
}

}  // namespace

std::optional<std::size_t> CanaryOf(const LoadPlan& plan) {
  if (!plan.canary || !plan.load || plan.groups.size() < 2) return std::nullopt;
  std::size_t smallest = 0;
  for (std::size_t i = 1; i < std::min(plan.groups.size(), kFirstGroups); ++i) {
    if (plan.groups[i].bytes < plan.groups[smallest].bytes) smallest = i;
  }
  return smallest;
}

// A canary that could not be copied is followed by the smallest of those that could.
void LoadLoop::SettleCanary() {
  if (!canary_ || known_[*canary_] || queued_ == 0) return;
  if (!ready_.closed() && ledger_.Group(*canary_).copy_failure.empty()) return;
  const std::string missing = tell_.Name(*canary_);
  std::optional<std::size_t> next;
  std::size_t looked = 0;
  for (const Table& table : tables_) {
    for (const std::size_t group : table.queue) {
      if (looked++ >= kFirstGroups) break;
      if (!next || plan_.groups[group].bytes < plan_.groups[*next].bytes) next = group;
    }
  }
  canary_ = next;
  services_.sink.Warn(missing + ", the first to be loaded alone, is not there; " +
                      tell_.Name(*canary_) + " is loaded alone in its place");
}

std::optional<std::size_t> LoadLoop::NextGroup(Moment now) const {
  std::optional<std::size_t> next;
  for (const Table& table : tables_) {
    if (table.queue.empty() || table.not_before > now) continue;
    const std::size_t group = canary_ ? *canary_ : *table.queue.begin();
    if (!table.queue.contains(group) || !slots_.HasRoom(SlotOf(group), now)) continue;
    if (!next || group < *next) next = group;
  }
  return next;
}

std::optional<LoadLoop::Moment> LoadLoop::CreateDue() const {
  if (!listing_.ended()) return std::nullopt;
  std::optional<Moment> due;
  const auto at = [&](Moment moment) {
    moment = std::max(moment, create_at_);
    if (!due || moment < *due) due = moment;
  };
  for (const Sending& sending : sending_) {
    if (!sending.unclear) at(sending.not_before);
  }
  const Moment now = Now();
  for (const Table& table : tables_) {
    if (table.queue.empty()) continue;
    const std::size_t group = canary_ ? *canary_ : *table.queue.begin();
    if (table.queue.contains(group) && slots_.HasRoom(SlotOf(group), now)) at(table.not_before);
  }
  return due;
}

void LoadLoop::Create() {
  const Moment now = Now();
  for (std::size_t i = 0; i < sending_.size(); ++i) {
    if (sending_[i].unclear || sending_[i].not_before > now) continue;
    return Send(i);
  }
  if (const auto group = NextGroup(now)) Announce(*group);
}

void LoadLoop::Announce(std::size_t group) {
  Table& table = tables_[TableOf(group)];
  if (!CheckPrefix(group)) return;
  table.refusals = 0;
  if (wake_.stop_requested()) return;
  const GroupState state = ledger_.Group(group);
  Sending sending;
  sending.group = group;
  sending.token = services_.random.Uuid();
  sending.record_version =
      state.record_version > 0 ? state.record_version : plan_.record_version.value_or(0);
  sending.announced = WallNow();
  if (!Booked(ledger_.AnnounceTask(group, sending.token, sending.record_version))) return;
  table.queue.erase(group);
  --queued_;
  slots_.Begin(SlotOf(group));
  sending_.push_back(std::move(sending));
  Send(sending_.size() - 1);
}

// False where the group must not start now; where it can't at all it has failed.
bool LoadLoop::CheckPrefix(std::size_t group) {
  const Result<std::vector<s3::ObjectKey>> keys = keys_(group);
  if (!keys) {
    Fail(keys.error().With("reading the files of " + tell_.Name(group)));
    return false;
  }
  const Status checked = CheckGroupPrefix(services_.s3, plan_.target_bucket,
                                          plan_.groups[group].prefix, *keys, interrupts_.stop);
  if (checked) return true;
  const Error& error = checked.error();
  if (error.kind == ErrorKind::kCancelled) return false;
  Table& table = tables_[TableOf(group)];
  if (error.kind == ErrorKind::kInTheWay) {
    table.queue.erase(group);
    --queued_;
    TaskVerdict verdict;
    verdict.why = error.Text();
    FailGroup(group, "", {}, verdict, "");
    return false;
  }
  if (!IsPassing(error)) {
    Fail(error.With("before the task of " + tell_.Name(group)));
    return false;
  }
  if (table.refusals == 0) {
    services_.sink.Warn(tell_.Name(group) + " waits: " + error.Text());
  }
  last_refusal_ = error.Text();
  table.not_before =
      Now() + Jittered(Doubled(kTransientWait, table.refusals++, kLongestTransientWait));
  return false;
}

timestream::BatchLoadRequest LoadLoop::RequestFor(const Sending& sending) const {
  const LoadGroup& group = plan_.groups[sending.group];
  const TableLoad& table = plan_.tables[group.table];
  timestream::BatchLoadRequest request;
  request.client_token = sending.token;
  request.table = table.target;
  request.source_bucket = plan_.target_bucket.str();
  request.source_prefix = group.prefix;
  request.csv = plan_.csv;
  request.data_model_json = table.data_model_json;
  request.report_bucket = plan_.report_bucket.str();
  request.report_prefix = plan_.report_prefix;
  if (sending.record_version > 0) request.record_version = sending.record_version;
  return request;
}

void LoadLoop::Send(std::size_t index) {
  create_at_ = Now() + conduct_.start_interval * (1 << slow_creates_);
  const Result<std::string> created =
      services_.write.CreateBatchLoadTask(RequestFor(sending_[index]), interrupts_.stop);
  if (created) {
    slow_creates_ = 0;
    slots_.Accepted(SlotOf(sending_[index].group));
    OnCreated(index, *created, /*found=*/false);
  } else {
    OnCreateError(index, created.error());
  }
}

void LoadLoop::OnCreated(std::size_t index, const std::string& task, bool found) {
  const Sending sending = sending_[index];
  sending_.erase(sending_.begin() + static_cast<std::ptrdiff_t>(index));
  if (!Booked(ledger_.TookTask(sending.group, task))) return;
  const GroupState state = ledger_.Group(sending.group);
  const LoadGroup& group = plan_.groups[sending.group];
  Running running;
  running.group = sending.group;
  running.task = task;
  running.created = WallNow();
  running.bytes = state.sealed->bytes;
  running.rows = state.sealed->rows ? state.sealed->rows : group.rows;
  running.saved_at = moved_ = Now();
  running.followed = !found;
  running.look_at = found ? Now() : Now() + UntilNextLook(running);
  running_.push_back(std::move(running));
  tell_.TaskCreated(sending.group, task, found);
}

void LoadLoop::OnCreateError(std::size_t index, const Error& error) {
  Sending& sending = sending_[index];
  // Whatever the last answer says, an attempt before it may have had its effect.
  if (error.kind == ErrorKind::kCancelled) {
    sending.unclear = Now();
  } else if (IsPassing(error) || error.kind == ErrorKind::kAlreadyExists) {
    Postpone(sending, error);
  } else {
    const Sending refused = sending;
    sending_.erase(sending_.begin() + static_cast<std::ptrdiff_t>(index));
    slots_.End(SlotOf(refused.group));
    OnCreateRefused(refused, error);
  }
}

void LoadLoop::Postpone(Sending& sending, const Error& error) {
  const bool is_limit = error.kind == ErrorKind::kThrottled ||
                        error.kind == ErrorKind::kQuotaExceeded ||
                        error.kind == ErrorKind::kAlreadyExists;
  if (is_limit) slots_.Refused(SlotOf(sending.group), Now());
  if (error.kind == ErrorKind::kThrottled) {
    slow_creates_ = std::min(slow_creates_ + 1, kMostSlowCreates);
  }
  const Nanos wait =
      Jittered(is_limit ? Doubled(conduct_.poll_interval, sending.refusals, kLongestQuotaWait)
                        : Doubled(std::min<Nanos>(kTransientWait, conduct_.poll_interval),
                                  sending.refusals, kLongestTransientWait));
  if (sending.refusals++ == 0) {
    services_.sink.Warn(tell_.Name(sending.group) +
                        " stays queued, the service takes no task for it now: " + error.Text());
  }
  last_refusal_ = error.Text();
  sending.unclear = Now();
  sending.not_before = Now() + wait;
}

void LoadLoop::OnCreateRefused(const Sending& sending, const Error& error) {
  const std::string name = tell_.Name(sending.group);
  if (IsEveryones(error)) {
    if (!Booked(ledger_.LostTask(sending.group, error.Text()))) return;
    return Fail(error.With("creating the task of " + name));
  }
  TaskVerdict verdict;
  verdict.why = error.Text();
  const std::string& prefix = plan_.groups[sending.group].prefix;
  const bool about_prefix = IsAboutPrefix(error, prefix);
  if (about_prefix) {
    verdict.why +=
        "; the group's prefix is " + prefix +
        ": where the service takes no '=' in it, run again with --safe_prefixes, which copies to "
        "prefixes without one";
  }
  const bool all_alike =
      IsFirstOfTable(sending.group) && (!about_prefix || AllOutsidePattern(TableOf(sending.group)));
  FailGroup(sending.group, "", {}, verdict, "");
  if (all_alike && !result_.fatal) {
    Fail(MakeError(error.kind, verdict.why, error.code)
             .With("creating the first task of " +
                   plan_.tables[TableOf(sending.group)].target.str() +
                   ", which every other would meet alike, so that none was started"));
  }
}

bool LoadLoop::AllOutsidePattern(std::size_t table) const {
  return std::all_of(plan_.groups.begin(), plan_.groups.end(), [&](const LoadGroup& group) {
    return group.table != table || IsOutsidePattern(group.prefix);
  });
}

// No task of the table was ever taken, neither by this process nor by one before it.
bool LoadLoop::IsFirstOfTable(std::size_t group) const {
  bool first = true;
  ledger_.Look([&](const LoadState& state) {
    for (std::size_t i = 0; i < state.groups().size() && first; ++i) {
      if (TableOf(i) != TableOf(group)) continue;
      first = std::none_of(state.group(i).tasks.begin(), state.group(i).tasks.end(),
                           [](const TaskAttempt& task) { return !task.task_id.empty(); });
    }
  });
  return first;
}

}  // namespace tsm::batchload
