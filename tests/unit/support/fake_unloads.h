// The UNLOADs of the fake Timestream (fake_unload_service.h): takes, runs, fails and cancels them
// by the service's rules, in the time that it is told; they go on whether or not anybody asks. Not
// thread-safe: the service's lock guards it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/fake_bucket.h"
#include "support/fake_sql.h"
#include "support/fake_table.h"

namespace tsm::test {

// An UNLOAD that was just taken.
struct UnloadStart {
  std::size_t number = 0;  // 1, 2, 3, …
  timestream::TableRef table;
  unload::TimeRange range;
  std::uint64_t partitions = 0;  // folders
  std::uint64_t rows = 0;
};

// What is to become of an UNLOAD, where it is not what the rules say.
struct UnloadFate {
  std::string failure;  // the message of its QueryExecutionException; "": it succeeds
  std::chrono::nanoseconds after = std::chrono::seconds(30);  // with a failure: how long it ran
  double written = 0;            // with a failure: the share of its folders that stays in S3
  bool lose_a_file = false;      // a file that its manifest names is not there
  std::uint64_t wrong_rows = 0;  // its answer counts so many rows too many
};

struct UnloadRules {
  std::chrono::nanoseconds base = std::chrono::seconds(5);  // of every UNLOAD
  std::chrono::nanoseconds per_row{0};
  std::chrono::nanoseconds page_hold = std::chrono::seconds(20);
  // https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-limits.html
  std::chrono::nanoseconds start_interval = std::chrono::seconds(1);
  std::chrono::nanoseconds start_tolerance = std::chrono::milliseconds(50);
  std::uint64_t max_partitions = 100;
  std::chrono::nanoseconds partitions_fail_after = std::chrono::seconds(30);
  std::chrono::nanoseconds timeout = std::chrono::minutes(60);
  std::optional<std::uint64_t> timeout_rows;       // more than these run into the timeout
  std::optional<std::uint64_t> memory_partitions;  // more than these fail for memory
  std::chrono::nanoseconds memory_fails_after = std::chrono::seconds(40);
  double written_by_failed = 0.5;   // share of the folders that a failed or cancelled one leaves
  bool leaves_uploads = true;       // those leave an incomplete multipart upload as well
  bool manifest_of_nothing = true;  // an UNLOAD of no rows writes a manifest
  // https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html
  std::chrono::nanoseconds client_token_window = std::chrono::minutes(5);
  std::chrono::nanoseconds next_token_life = std::chrono::hours(1);
  int next_token_uses = 5;
  // Asked at each start, under the service's lock; nothing: as the rules say.
  std::function<std::optional<UnloadFate>(const UnloadStart& start)> fate;
};

struct FakeExecution {
  enum class State { kRunning, kDone, kFailed, kCancelled };

  std::string query_id;
  std::string sql;
  std::string client_token;
  std::string to;  // "s3://bucket/folder/"
  UnloadStart start;
  UnixNanos started = 0;
  UnixNanos ends = 0;  // or has ended
  State state = State::kRunning;
  UnloadFate fate;
  std::string bucket;
  std::shared_ptr<ResultSet> result;  // of a running one: what it will write
  int page = 0;                       // the newest NextToken that was used
  int uses = 0;                       // of that
  UnixNanos issued = 0;               // when the newest NextToken was given
};

struct ServiceRefusal {
  int status = 400;
  std::string code;
  std::string message;
};

class FakeUnloads {
 public:
  explicit FakeUnloads(std::map<std::string, FakeBucket>& buckets) : buckets_(buckets) {}

  UnloadRules rules;

  // What ends by `now` ends, in its order.
  void Settle(UnixNanos now);

  struct Taken {
    FakeExecution* execution = nullptr;  // null with a refusal
    ServiceRefusal refusal;
  };
  // A first call: starts one, or attaches to the one of that client token.
  Taken Start(const std::string& sql, const SqlUnload& parsed, const FakeTable& table,
              const std::string& client_token, UnixNanos now);
  Taken UsePage(const std::string& next_token, const std::string& sql, UnixNanos now);
  // The NextToken behind the page that is being answered.
  static std::string NextToken(FakeExecution& execution, UnixNanos now);
  static bool IsNextToken(const std::string& token) { return token.starts_with("UNLOAD-"); }

  // Null where there is none, or (for Cancel) it runs no more.
  FakeExecution* Find(const std::string& query_id);
  bool Cancel(const std::string& query_id, UnixNanos now);

  const std::deque<FakeExecution>& all() const { return executions_; }
  std::uint64_t throttled() const { return throttled_; }

 private:
  UnloadFate FateOf(const UnloadStart& start) const;
  void End(FakeExecution& execution, FakeExecution::State state, UnixNanos now);
  void WriteAll(FakeExecution& execution, UnixNanos now);
  void WritePart(FakeExecution& execution, double share);

  std::map<std::string, FakeBucket>& buckets_;
  std::deque<FakeExecution> executions_;  // references stay good
  std::map<std::string, std::size_t> by_token_;
  std::map<std::string, std::size_t> by_query_;
  std::vector<std::size_t> running_;
  std::optional<UnixNanos> last_start_;
  std::uint64_t throttled_ = 0;
};

}  // namespace tsm::test
