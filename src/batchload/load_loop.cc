#include "load_loop.h"

#include <algorithm>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::batchload {
namespace {

using std::chrono::nanoseconds;

constexpr int kMaxDoublings = 20;

// The pattern that AWS publishes for ObjectKeyPrefix has no '=', ':', '+' or blank, which UNLOAD's
// own folders (partition_date=…) hold. Whether the service enforces it is not documented, so a
// refusal is explained, not foreseen.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_DataSourceS3Configuration.html
bool IsOutsidePublishedPattern(const std::string& prefix) {
  return std::any_of(prefix.begin(), prefix.end(), [](unsigned char c) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return !alphanumeric &&
           std::string_view("!-_*'()/.|").find(static_cast<char>(c)) == std::string_view::npos;
  });
}

}  // namespace

bool IsPassing(const Error& error) {
  return error.kind == ErrorKind::kThrottled || error.kind == ErrorKind::kQuotaExceeded ||
         error.kind == ErrorKind::kTransient;
}

bool IsFatal(const Error& error) {
  return error.kind == ErrorKind::kCredentials || error.kind == ErrorKind::kExpiredCredentials ||
         error.kind == ErrorKind::kConfiguration || error.kind == ErrorKind::kClockSkew ||
         error.kind == ErrorKind::kAccessDenied;
}

LoadLoop::LoadLoop(const LoadOptions& options, const std::vector<LoadUnit>& units,
                   const LoadParts& parts, std::stop_token stop)
    : options_(options), units_(units), parts_(parts), stop_(std::move(stop)) {
  summary_.units = units.size();
  for (const LoadUnit& unit : units) all_bytes_ += unit.bytes;
}

LoadSummary LoadLoop::Run() {
  const Moment started = Now();
  create_at_ = describe_at_ = started;
  while (!ended()) {
    DescribeDue();
    FillSlots();
    ReportProgress();
    if (running_.empty() && next_ >= units_.size()) break;
    if (ended() || !SleepUntilDue()) break;
  }
  if (stop_.stop_requested()) summary_.interrupted = true;
  EndEarly();
  summary_.duration = Now() - started;
  return std::move(summary_);
}

// Whatever still runs goes on in the service, whatever was not begun is counted.
void LoadLoop::EndEarly() {
  for (const Task& task : running_) {
    Count(task.progress);
    summary_.running.push_back({units_[task.unit].prefix, task.id});
  }
  summary_.not_started += units_.size() - std::min(next_, units_.size());
}

void LoadLoop::FillSlots() {
  while (!ended() && next_ < units_.size() &&
         running_.size() < static_cast<std::size_t>(options_.slots) && Now() >= create_at_) {
    Create();
  }
}

timestream::BatchLoadRequest LoadLoop::RequestFor(const LoadUnit& unit,
                                                  const std::string& token) const {
  timestream::BatchLoadRequest request;
  request.client_token = token;
  request.table = options_.table;
  request.source_bucket = options_.bucket.str();
  request.source_prefix = unit.prefix;
  request.csv = options_.csv;
  request.data_model_json = options_.data_model_json;
  request.report_bucket = options_.report_bucket.str();
  request.report_prefix = options_.report_prefix;
  return request;
}

void LoadLoop::Create() {
  const LoadUnit& unit = units_[next_];
  // One token for all tries of a group: a create whose answer was lost starts no second task.
  if (next_token_.empty()) next_token_ = parts_.random.Uuid();
  Result<std::string> created =
      parts_.write.CreateBatchLoadTask(RequestFor(unit, next_token_), stop_);
  create_at_ = Now() + options_.create_interval;
  if (!created) {
    OnCreateRefused(created.error());
    return;
  }
  parts_.sink.Info("task " + *created + " loads " + unit.prefix);
  ++summary_.created;
  refused_creates_ = 0;
  Task task;
  task.unit = next_;
  task.id = std::move(*created);
  task.describe_at = Now() + options_.poll_interval;
  running_.push_back(std::move(task));
  ++next_;
  next_token_.clear();
}

void LoadLoop::OnCreateRefused(const Error& error) {
  if (error.kind == ErrorKind::kCancelled) {
    summary_.interrupted = true;
    return;
  }
  if (IsPassing(error)) {
    const nanoseconds wait =
        Backoff(options_.create_backoff, refused_creates_, options_.max_create_backoff);
    if (refused_creates_ == 0) {
      parts_.sink.Warn("the service takes no further task now, the group " + units_[next_].prefix +
                       " stays queued and is tried again: " + error.Text());
    }
    ++refused_creates_;
    create_at_ = Now() + std::max(wait, options_.create_interval);
    return;
  }
  if (IsFatal(error)) {
    // Every further create would end alike; the tasks that run are still followed.
    summary_.fatal = error;
    summary_.not_started += units_.size() - next_;
    next_ = units_.size();
    return;
  }
  Error failure = error;
  if (error.kind == ErrorKind::kValidation && IsOutsidePublishedPattern(units_[next_].prefix)) {
    failure = std::move(failure).With(
        "the prefix holds characters outside the pattern that AWS publishes for it");
  }
  const std::size_t unit = next_++;
  next_token_.clear();
  refused_creates_ = 0;
  Fail(unit, "", std::move(failure));
}

// Half of the wait is fixed, half is jitter: many runs of one account drift apart.
nanoseconds LoadLoop::Backoff(nanoseconds base, int step, nanoseconds max) const {
  nanoseconds wait = base;
  for (int i = 0; i < std::min(step, kMaxDoublings) && wait < max; ++i) wait *= 2;
  wait = std::min(wait, max);
  return wait / 2 + nanoseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) / 2 *
                                                          parts_.random.Unit()));
}

bool LoadLoop::SleepUntilDue() {
  Moment due = Moment::max();
  for (const Task& task : running_) due = std::min(due, task.describe_at);
  if (next_ < units_.size() && running_.size() < static_cast<std::size_t>(options_.slots)) {
    due = std::min(due, create_at_);
  }
  const Moment now = Now();
  return due <= now || parts_.clock.SleepFor(due - now, stop_);
}

void LoadLoop::ReportProgress() {
  Progress progress;
  progress.phase = "load";
  progress.done = finished_;
  progress.total = units_.size();
  progress.bytes_done = finished_bytes_;
  progress.bytes_total = all_bytes_;
  progress.rows_done = summary_.processed;
  for (const Task& task : running_) {
    if (task.progress.records_processed > 0) {
      progress.rows_done += static_cast<std::uint64_t>(task.progress.records_processed);
    }
  }
  progress.detail = std::to_string(running_.size()) + " running, " +
                    std::to_string(units_.size() - std::min(next_, units_.size())) + " queued";
  if (!summary_.failures.empty()) {
    progress.detail += ", " + std::to_string(summary_.failures.size()) + " failed";
  }
  parts_.sink.OnProgress(progress);
}

LoadSummary RunLoad(const LoadOptions& options, const std::vector<LoadUnit>& units,
                    const LoadParts& parts, std::stop_token stop) {
  return LoadLoop(options, units, parts, std::move(stop)).Run();
}

}  // namespace tsm::batchload
