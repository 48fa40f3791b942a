#include "ts_local/query_run.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <utility>

#include "ts_local/query_json.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

constexpr std::size_t kMaxPageBytes = 1024 * 1024;
constexpr std::size_t kDefaultPageRows = 1000;
constexpr std::size_t kMaxBuffered = 2 * kMaxPageBytes;
// "A pagination token can be used for up to five Query invocations, or for a duration of up to 1
// hour"
constexpr int kMaxTokenUses = 5;
constexpr std::int64_t kTokenLifeNs = 3'600 * kNsPerSecond;
constexpr std::int64_t kMinMeteredBytes = 10'000'000;

ApiError InvalidToken() { return ApiError(400, "ValidationException", "Invalid pagination token"); }

}  // namespace

QueryRun::~QueryRun() {
  Cancel();
  if (thread_.joinable()) thread_.join();
}

void QueryRun::Start(Work work) {
  last_poll_ns_ = identity_.started_ns;
  thread_ = std::thread([this, work = std::move(work)] {
    std::optional<ApiError> error;
    try {
      work(this);
    } catch (const ApiError& failure) {
      error = failure;
    } catch (const std::exception& failure) {
      error = ApiError(500, "InternalServerException", failure.what());
    }
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    finished_ = true;
    changed_.notify_all();
  });
}

bool QueryRun::Push(std::string row) {
  if (row.size() > kMaxPageBytes) {
    throw ApiError(400, "QueryExecutionException",
                   "Query aborted as max page response size has been exceeded by the output result "
                   "row");
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return buffered_ < kMaxBuffered || control_.cancelled; });
  if (control_.cancelled) return false;
  buffered_ += row.size();
  rows_.push_back(std::move(row));
  if (rows_.size() > awaited_ || buffered_ >= kMaxPageBytes) changed_.notify_all();
  return true;
}

void QueryRun::WaitUntil(std::chrono::steady_clock::time_point time) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, time, [this] { return control_.cancelled.load(); });
}

bool QueryRun::Cancel() {
  const std::lock_guard lock(mutex_);
  if (finished_) return false;
  control_.cancelled = true;
  changed_.notify_all();
  return true;
}

bool QueryRun::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

void QueryRun::CheckAlive() const {
  const std::lock_guard lock(mutex_);
  if (control_.cancelled) {
    throw ApiError(400, "ConflictException", "Unable to poll results for a cancelled query");
  }
}

std::string QueryRun::FirstPage(std::optional<std::size_t> max_rows, std::int64_t now_ns) {
  const std::lock_guard lock(page_mutex_);
  last_poll_ns_ = now_ns;
  if (last_body_.empty()) last_body_ = Render(TakePage(max_rows, true));
  return last_body_;
}

std::string QueryRun::NextPage(const std::string& token, std::optional<std::size_t> max_rows,
                               std::int64_t now_ns) {
  const std::lock_guard lock(page_mutex_);
  // First: an abandoned query is cancelled at about the same age, which must not show.
  if (now_ns - last_poll_ns_ > kTokenLifeNs) throw InvalidToken();
  CheckAlive();
  if (!last_token_.empty() && token == last_token_) {
    if (++last_uses_ > kMaxTokenUses) throw InvalidToken();
    last_poll_ns_ = now_ns;
    return last_body_;
  }
  if (next_token_.empty() || token != next_token_) throw InvalidToken();
  last_poll_ns_ = now_ns;
  const Page page = TakePage(max_rows, false);
  last_token_ = token;
  last_uses_ = 1;
  paged_ = true;
  last_body_ = Render(page);
  return last_body_;
}

std::optional<std::string> QueryRun::Attach(std::optional<std::size_t> max_rows,
                                            std::int64_t now_ns) {
  const std::lock_guard lock(page_mutex_);
  CheckAlive();
  last_poll_ns_ = now_ns;
  if (last_body_.empty()) last_body_ = Render(TakePage(max_rows, true));  // ahead of the first
  if (!paged_ || (identity_.unload && delivered_)) return last_body_;
  if (!identity_.unload) return std::nullopt;
  return Render({"", false});
}

// The first page of an UNLOAD over more than a few rows is empty whether or not it has finished: a
// client that stops at an empty page must not get through its tests.
QueryRun::Page QueryRun::TakePage(std::optional<std::size_t> max_rows, bool first) {
  const std::size_t wanted = max_rows.value_or(kDefaultPageRows);
  const auto patience = identity_.unload ? timing_.unload_poll : timing_.select_poll;
  std::unique_lock lock(mutex_);
  awaited_ = wanted;
  changed_.wait_for(lock, patience, [&] {
    return finished_ || control_.cancelled || rows_.size() > wanted || buffered_ >= kMaxPageBytes;
  });
  if (control_.cancelled) {
    throw ApiError(400, "ConflictException", "Unable to poll results for a cancelled query");
  }
  if (error_ && first && identity_.unload) return {};
  if (error_) {
    delivered_ = true;
    throw ApiError(*error_);
  }
  const bool fits = finished_ && rows_.size() <= wanted && buffered_ <= kMaxPageBytes;
  if (first && max_rows && !fits) return {};
  if (identity_.unload) {
    const bool must_show = control_.rows_scanned > timing_.unload_small_rows && !shown_empty_;
    if (!finished_ || must_show) {
      shown_empty_ = true;
      return {};
    }
  }
  return TakeRows(wanted);
}

QueryRun::Page QueryRun::TakeRows(std::size_t max_rows) {
  Page page;
  for (std::size_t taken = 0; taken < max_rows && !rows_.empty(); ++taken) {
    if (taken > 0 && page.rows.size() + rows_.front().size() > kMaxPageBytes) break;
    if (taken > 0) page.rows.push_back(',');
    page.rows += rows_.front();
    buffered_ -= rows_.front().size();
    rows_.pop_front();
  }
  page.last = finished_ && rows_.empty();
  changed_.notify_all();
  return page;
}

// How many rows a scan will meet is not known before it ends, so that this is no measure of time:
// it rises with the rows seen and stays below 100 until the query has finished.
double QueryRun::Progress() const {
  if (finished()) return 100.0;
  if (const double shown = shown_percent_; shown >= 0) return std::min(99.0, shown);
  constexpr double kHalfway = 500'000;
  const auto rows = static_cast<double>(control_.rows_scanned.load());
  return 99.0 * rows / (rows + kHalfway);
}

std::string QueryRun::Render(const Page& page) {
  std::string body = "{\"QueryId\":\"" + identity_.id + "\"";
  if (page.last) {
    next_token_.clear();
    delivered_ = true;
  } else {
    next_token_ = identity_.id + RandomText(48);
    body += ",\"NextToken\":\"" + next_token_ + "\"";
  }
  body += ",\"Rows\":[" + page.rows + "],\"ColumnInfo\":" + identity_.columns_json;
  std::array<char, 32> progress{};
  const auto end = std::to_chars(progress.data(), progress.data() + progress.size(), Progress(),
                                 std::chars_format::fixed, 4);
  const std::int64_t scanned = control_.bytes_scanned;
  body += ",\"QueryStatus\":{\"ProgressPercentage\":" + std::string(progress.data(), end.ptr) +
          ",\"CumulativeBytesScanned\":" + std::to_string(scanned) +
          ",\"CumulativeBytesMetered\":" + std::to_string(std::max(scanned, kMinMeteredBytes)) +
          "}}";
  return body;
}

}  // namespace ts_local
