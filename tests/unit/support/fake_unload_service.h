// All that an unload speaks to, in memory: Timestream Query and Write, S3 and STS as far as the
// toolkit uses them, answering the real clients' requests by the documented rules. Tables are
// numbers (fake_table.h), data files are computed (fake_bucket.h), UNLOADs run in the time that
// callers tell (fake_unloads.h), and S3 is in path style. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/fake_bucket.h"
#include "support/fake_sql.h"
#include "support/fake_table.h"
#include "support/fake_transport.h"
#include "support/fake_unloads.h"

namespace tsm::test {

class FakeUnloadService final : public FakeServer {
 public:
  // A bucket "bkt" and no table.
  FakeUnloadService();

  FakeAnswer Take(const http::Request& request, UnixNanos now) override;
  FakeAnswer Again(const std::string& held, UnixNanos now) override;

  // The world as it is, to look at and to change; under the lock, so no calls from within.
  struct World {
    std::map<timestream::TableRef, FakeTable> tables;
    std::map<std::string, FakeBucket> buckets;
    std::vector<std::string> foreign_buckets;  // 403 to HEAD, 409 to create
    FakeUnloads unloads{buckets};
    std::size_t rows_per_page = 1000;  // of queries
    bool empty_first_page = true;      // of queries, as the service does it
    std::size_t keys_per_page = 1000;  // of listings, at most
    std::string account = "123456789012";
  };
  void With(const std::function<void(World& world)>& use);
  FakeTable& AddTable(FakeTable table);  // before the first call

  // Of UNLOADs that the service has taken.
  std::size_t starts();
  std::size_t most_at_once();
  std::vector<FakeExecution> executions();
  // From the first start to the last end.
  std::chrono::nanoseconds makespan();
  // No order of these UNLOADs, so many at once and one started a second, takes less: neither the
  // work divided, nor the last start and the shortest behind it, nor the longest that one worker
  // must take one after the other.
  std::chrono::nanoseconds best_makespan(std::size_t parallel);
  std::chrono::nanoseconds sequential_time();  // one after the other

  // Keys of all objects and data files below a prefix, and of the multipart uploads.
  std::vector<std::string> Keys(const std::string& bucket, const std::string& prefix);
  std::size_t CountUploads(const std::string& bucket);
  std::optional<std::string> Body(const std::string& bucket, const std::string& key);
  void Put(const std::string& bucket, const std::string& key, const std::string& body);

 private:
  struct SideQuery {
    std::string sql;
    std::string columns;            // ColumnInfo, as JSON
    std::vector<std::string> rows;  // each as JSON
    std::size_t next = 0;           // the first row that was not given yet
    int page = 0;
  };

  // fake_unload_query.cc
  FakeAnswer AnswerTimestream(const http::Request& request, UnixNanos now);
  FakeAnswer AnswerQuery(const std::string& body, UnixNanos now);
  FakeAnswer FirstUnloadCall(const std::string& sql, const std::string& client_token,
                             UnixNanos now);
  FakeAnswer HoldOrAnswer(FakeExecution& execution, UnixNanos now);
  FakeAnswer AnswerPage(FakeExecution& execution, UnixNanos now);
  FakeAnswer UnloadRow(const FakeExecution& execution) const;
  FakeAnswer FirstSideCall(const std::string& sql);
  FakeAnswer SidePage(const std::string& query_id);
  FakeAnswer AnswerWrite(const std::string& operation, const std::string& body);
  // fake_unload_s3.cc
  http::Response AnswerS3(const http::Request& request, UnixNanos now);
  http::Response AnswerBucket(const http::Request& request, const FakeCall& call,
                              const std::string& name);
  http::Response AnswerObject(const http::Request& request, const FakeCall& call,
                              FakeBucket& bucket, const std::string& key, UnixNanos now);
  http::Response List(const http::Request& request, const FakeBucket& bucket) const;

  std::mutex mutex_;
  World world_;
  std::map<std::string, SideQuery> side_queries_;  // by QueryId
  std::size_t side_count_ = 0;
};

}  // namespace tsm::test
