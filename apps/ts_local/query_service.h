// Timestream's Query API: Query, CancelQuery, PrepareQuery over the tables of the caller's region,
// with UNLOAD into the storage. A query runs in a thread of its own and goes on when its
// client is gone; destroying the service cancels what still runs. Thread-safe; both stores and what
// `mishaps` borrows must outlive it.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_Operations_Amazon_Timestream_Query.html
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ts_local/message.h"
#include "ts_local/query_run.h"
#include "ts_local/sql_ast.h"
#include "ts_local/storage.h"
#include "ts_local/table_store.h"
#include "ts_local/unload_limits.h"
#include "ts_local/unload_mishaps.h"

namespace ts_local {

class QueryService {
 public:
  using NowNs = std::function<std::int64_t()>;
  QueryService(TableStore& tables, Storage& storage, NowNs now, QueryTiming timing = {},
               const UnloadLimits& limits = {}, UnloadMishaps mishaps = {});
  ~QueryService();
  QueryService(const QueryService&) = delete;
  QueryService& operator=(const QueryService&) = delete;

  // `operation` is "Query", "CancelQuery" or "PrepareQuery"; request and answer are JSON text.
  // Throws ApiError.
  std::string Handle(const Caller& caller, const std::string& operation,
                     const std::string& json_body);

 private:
  using RunPtr = std::shared_ptr<QueryRun>;
  struct QueryInput;
  struct Prepared;

  std::string Query(const Caller& caller, const std::string& body);
  std::string CancelQuery(const Caller& caller, const std::string& body);
  std::string PrepareQuery(const Caller& caller, const std::string& body);
  std::string Continue(const Caller& caller, const QueryInput& input);
  RunPtr FindByClientToken(const Caller& caller, const QueryInput& input);

  Prepared PrepareSelect(const Caller& caller, SelectStatement statement);
  void StartSelect(const Caller& caller, SelectStatement statement, QueryIdentity* identity,
                   QueryRun::Work* work);
  void StartUnload(const Caller& caller, UnloadStatement statement, QueryIdentity* identity,
                   QueryRun::Work* work);
  RunPtr Launch(const Caller& caller, const QueryInput& input);
  void Forget(std::int64_t now_ns);
  void DropOldest(std::vector<RunPtr>* dropped);
  RunPtr FindRun(const std::string& id);

  TableStore& tables_;
  Storage& storage_;
  NowNs now_;
  QueryTiming timing_;
  UnloadLimits limits_;
  UnloadMishaps mishaps_;
  UnloadGate gate_;

  std::mutex launch_mutex_;  // one look for a ClientToken, and the launch after it, at a time
  std::mutex mutex_;         // guards runs_
  std::map<std::string, RunPtr> runs_;  // by QueryId
};

}  // namespace ts_local
