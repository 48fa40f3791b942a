// One running query: a thread that fills a queue of rendered rows, and the pages that clients take
// from it. Pages follow the service's token rules: a token may be used again and gives the same
// page, until its successor has been used. Thread-safe; calls for pages of one run wait for each
// other. https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "ts_local/api_error.h"
#include "ts_local/sql_exec.h"

namespace ts_local {

// How long a call for a page waits for rows before it answers with an empty page. A query that has
// run at least `unload_small_rows` rows of UNLOAD always shows one empty page before its result.
struct QueryTiming {
  std::chrono::milliseconds select_poll{2000};
  std::chrono::milliseconds unload_poll{250};
  std::int64_t unload_small_rows = 10;
};

// What stays the same for the life of a run.
struct QueryIdentity {
  std::string id;
  std::string query;  // the QueryString, to be repeated with every NextToken
  std::string client_token;
  std::string arn;  // of the caller
  std::string region;
  std::string columns_json;  // ColumnInfo
  std::int64_t started_ns = 0;
  bool unload = false;
};

class QueryRun {
 public:
  // Runs in the thread of the query; hands rows to Push. What it throws becomes the query's error.
  using Work = std::function<void(QueryRun*)>;

  QueryRun(QueryIdentity identity, QueryTiming timing)
      : identity_(std::move(identity)), timing_(timing) {}
  ~QueryRun();
  QueryRun(const QueryRun&) = delete;
  QueryRun& operator=(const QueryRun&) = delete;

  const QueryIdentity& identity() const { return identity_; }
  RunControl* control() { return &control_; }
  void Start(Work work);

  // From the query's thread: one rendered row. Waits while much is unread; false once cancelled.
  bool Push(std::string row);

  // From the query's thread: returns at the time, or sooner once cancelled.
  void WaitUntil(std::chrono::steady_clock::time_point time);
  // From the query's thread: how much of its work is done, where that is known.
  void ShowProgress(double percent) { shown_percent_ = percent; }

  // The answer to the first call, where `max_rows` is empty if the caller named none. An UNLOAD
  // that has failed already gives an empty page with its QueryId first, the error after it. A
  // result that needs more than one page starts with an empty one where MaxRows was given, as
  // documented.
  std::string FirstPage(std::optional<std::size_t> max_rows, std::int64_t now_ns);
  // The answer to a call with `token`; ValidationException "Invalid pagination token".
  std::string NextPage(const std::string& token, std::optional<std::size_t> max_rows,
                       std::int64_t now_ns);
  // The answer to a repeated first call (same ClientToken): where paging went on, an empty page
  // with the newest token, or the last page of an UNLOAD. Empty where that would lose rows of a
  // SELECT.
  std::optional<std::string> Attach(std::optional<std::size_t> max_rows, std::int64_t now_ns);

  // True where the query was still running.
  bool Cancel();
  bool finished() const;
  // Whether every page, or the error, has been handed out.
  bool delivered() const { return delivered_; }
  std::int64_t last_poll_ns() const { return last_poll_ns_; }

 private:
  struct Page {
    std::string rows;  // JSON objects, comma-separated
    bool last = false;
  };
  void CheckAlive() const;
  Page TakePage(std::optional<std::size_t> max_rows, bool first);
  Page TakeRows(std::size_t max_rows);
  std::string Render(const Page& page);
  double Progress() const;

  const QueryIdentity identity_;
  const QueryTiming timing_;
  RunControl control_;
  std::atomic<double> shown_percent_{-1};  // below 0: not known
  std::thread thread_;

  mutable std::mutex mutex_;  // guards the queue
  std::condition_variable changed_;
  std::deque<std::string> rows_;
  std::size_t buffered_ = 0;  // bytes
  std::size_t awaited_ = 0;   // rows that the call that waits wants to see exceeded
  bool finished_ = false;
  std::optional<ApiError> error_;

  std::mutex page_mutex_;  // guards paging; taken before mutex_, held while a call waits for rows
  std::string next_token_;
  std::string last_token_;  // "" for the first page
  std::string last_body_;
  int last_uses_ = 0;
  bool paged_ = false;  // a page after the first was handed out
  bool shown_empty_ = false;
  std::atomic<bool> delivered_{false};
  std::atomic<std::int64_t> last_poll_ns_{0};
};

}  // namespace ts_local
