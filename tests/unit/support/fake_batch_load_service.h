// All that a load speaks to, in memory: the batch-load calls and DescribeTable of Timestream Write,
// and the two S3 calls that the scheduler makes, answering the real clients' requests by the
// documented rules. Tasks take the time that their bytes tell, in all six states, and go on whether
// or not anybody asks. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/fake_transport.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::test {

struct FakeFile {
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::string body;  // of what is read: reports
};

// What is to become of a task, where it is not what the rules say.
struct LoadFate {
  std::string status = "SUCCEEDED";               // or "FAILED", or any other text: stays so
  std::optional<std::chrono::nanoseconds> takes;  // instead of the rules' time
  std::vector<double> stops;  // shares of its time after which it stops, ascending
  bool stuck = false;         // after its first stop it stops again at once, without progress
  std::chrono::nanoseconds resumable = std::chrono::hours(24);  // from each stop on
  std::uint64_t unprocessed = 0;                                // rows short in RecordsProcessed
  std::uint64_t rejected = 0;                                   // rows short in RecordsIngested
  std::string report;                                           // written when it ends; "" none
  std::string error_message;
};

struct FakeLoadTask {
  std::string id;
  std::string token;
  std::string body;  // of its create
  timestream::TableRef table;
  std::string bucket;
  std::string prefix;
  std::string report_prefix;
  std::optional<std::int64_t> record_version;
  bool of_others = false;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  LoadFate fate;
  UnixNanos created = 0;
  UnixNanos work = 0;    // how long it works, stops left out
  UnixNanos worked = 0;  // up to `since`
  UnixNanos since = 0;   // when it began to work, after its create or its last resume
  UnixNanos pending_until = 0;
  UnixNanos resumable_until = 0;
  UnixNanos ended = 0;
  std::size_t stops = 0;  // that it has had
  int resumes = 0;
  std::string status = "CREATED";
};

struct LoadRules {
  std::chrono::nanoseconds base = std::chrono::seconds(20);
  std::chrono::nanoseconds per_megabyte = std::chrono::milliseconds(0);
  std::chrono::nanoseconds created_for = std::chrono::seconds(2);   // in the state CREATED
  std::chrono::nanoseconds pending_for = std::chrono::seconds(30);  // in the state PENDING_RESUME
  int table_tasks = 5;
  int account_tasks = 10;
  std::size_t tasks_per_page = 100;
  // Later a ClientToken makes another task: how long it counts is not documented.
  std::chrono::nanoseconds token_window = std::chrono::minutes(5);
  // Asked at each create, under the service's lock, with the number of tasks before it.
  std::function<std::optional<LoadFate>(const FakeLoadTask& task, std::size_t number)> fate;
};

class FakeBatchLoadService final : public FakeServer {
 public:
  FakeAnswer Take(const http::Request& request, UnixNanos now) override;
  FakeAnswer Again(const std::string& held, UnixNanos now) override;

  // Before the first call.
  LoadRules rules;
  bool magnetic_writes = true;
  std::int64_t magnetic_store_days = 3655;

  void Put(const std::string& key, FakeFile file);
  void Remove(const std::string& key);
  // A task that is none of the run's; loads `prefix`, and ends at `ends`.
  void AddOther(const timestream::TableRef& table, const std::string& id, UnixNanos created,
                UnixNanos ends, const std::string& prefix = "others/");

  // All tasks but others', in the order of their creates.
  std::vector<FakeLoadTask> tasks();
  std::size_t most_at_once();
  // From the first create to the last end.
  std::chrono::nanoseconds makespan();
  // No order of these tasks, so many at once and one created a second, takes less.
  std::chrono::nanoseconds best_makespan(std::size_t parallel);
  std::chrono::nanoseconds longest();
  // Sums over tasks that have SUCCEEDED, by prefix: how often each was loaded.
  std::map<std::string, int> loads();

 private:
  http::Response AnswerS3(const http::Request& request);
  http::Response Create(const std::string& body, UnixNanos now);
  http::Response Describe(const std::string& id);
  http::Response List(const std::string& body);
  http::Response Resume(const std::string& id, UnixNanos now);
  http::Response DescribeTable(const std::string& body) const;
  void Settle(UnixNanos now);
  void Settle(FakeLoadTask& task, UnixNanos now);
  void EndTask(FakeLoadTask& task, UnixNanos at);
  std::vector<std::chrono::nanoseconds> Times();

  std::mutex mutex_;
  std::map<std::string, FakeFile> files_;  // of the one bucket
  std::vector<FakeLoadTask> tasks_;
  std::map<std::string, std::size_t> by_id_;
  std::map<std::string, std::size_t> by_token_;
  std::set<std::size_t> open_;  // tasks that have not ended
  std::size_t most_at_once_ = 0;
};

}  // namespace tsm::test
