#include "ts_local/query_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "ts_local/json_fields.h"
#include "ts_local/query_catalog.h"
#include "ts_local/query_json.h"
#include "ts_local/sql_exec.h"
#include "ts_local/sql_parser.h"
#include "ts_local/unload.h"
#include "ts_local/unload_run.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

constexpr std::size_t kMaxQueryBytes = 262'144;
constexpr std::size_t kQueryIdBytes = 63;
// "If you submit a Query request with the same client token outside of the 5-minute idempotency
// window" it fails; "after 4 hours, any request with the same ClientToken is treated as a new
// request".
constexpr std::int64_t kAttachNs = 300 * kNsPerSecond;
constexpr std::int64_t kTokenMemoryNs = 4 * 3'600 * kNsPerSecond;
constexpr std::int64_t kAbandonedNs = 3'600 * kNsPerSecond;  // life of a NextToken
// Runs kept for repeated calls; beyond that, results of SELECTs that were read to the end go first.
constexpr std::size_t kMaxKeptRuns = 128;

}  // namespace

struct QueryService::QueryInput {
  std::string query;
  std::string client_token;
  std::optional<std::string> next_token;
  std::optional<std::size_t> max_rows;
};

struct QueryService::Prepared {
  std::shared_ptr<const SelectQuery> query;
  RowSource rows;
};

QueryService::QueryService(TableStore& tables, Storage& storage, NowNs now, QueryTiming timing,
                           const UnloadLimits& limits, UnloadMishaps mishaps)
    : tables_(tables),
      storage_(storage),
      now_(std::move(now)),
      timing_(timing),
      limits_(limits),
      mishaps_(std::move(mishaps)),
      gate_(limits) {}

QueryService::~QueryService() {
  for (const auto& [id, run] : runs_) run->Cancel();
}

std::string QueryService::Handle(const Caller& caller, const std::string& operation,
                                 const std::string& json_body) {
  if (operation == "Query") return Query(caller, json_body);
  if (operation == "CancelQuery") return CancelQuery(caller, json_body);
  if (operation == "PrepareQuery") return PrepareQuery(caller, json_body);
  throw ApiError(404, "UnknownOperationException", "");
}

namespace {

std::string QueryText(const nlohmann::json& body) {
  std::string query = RequiredText(body, "QueryString");
  if (query.empty() || query.size() > kMaxQueryBytes) {
    throw Invalid("QueryString must have 1 to 262144 bytes");
  }
  return query;
}

std::string ClientToken(const nlohmann::json& body) {
  const auto token = OptionalText(body, "ClientToken");
  if (!token) return {};
  if (token->size() < 32 || token->size() > 128) {
    throw Invalid("ClientToken must have 32 to 128 characters");
  }
  return *token;
}

}  // namespace

std::string QueryService::Query(const Caller& caller, const std::string& body) {
  const nlohmann::json json = ParseBody(body);
  QueryInput input;
  input.query = QueryText(json);
  input.client_token = ClientToken(json);
  input.next_token = OptionalText(json, "NextToken");
  if (const auto max_rows = OptionalInt(json, "MaxRows", 1, 1000)) {
    input.max_rows = static_cast<std::size_t>(*max_rows);
  }
  if (const nlohmann::json* insights = OptionalObject(json, "QueryInsights")) {
    const auto mode = OptionalEnum(*insights, "Mode", {"ENABLED_WITH_RATE_CONTROL", "DISABLED"});
    if (mode && *mode != "DISABLED") throw Invalid("ts-local does not offer QueryInsights");
  }
  Forget(now_());
  if (input.next_token) return Continue(caller, input);
  RunPtr run;
  bool repeated = false;
  {
    const std::lock_guard lock(launch_mutex_);
    run = FindByClientToken(caller, input);
    repeated = run != nullptr;
    if (!repeated) run = Launch(caller, input);
  }
  if (!repeated) return run->FirstPage(input.max_rows, now_());
  if (auto answer = run->Attach(input.max_rows, now_())) return *answer;
  // A SELECT that was paged through: reading again is a new run, and harms nothing.
  return Launch(caller, input)->FirstPage(input.max_rows, now_());
}

std::string QueryService::Continue(const Caller& caller, const QueryInput& input) {
  const RunPtr run = FindRun(input.next_token->substr(0, kQueryIdBytes));
  const bool same = run && run->identity().query == input.query &&
                    run->identity().arn == caller.arn && run->identity().region == caller.region;
  if (!same) throw Invalid("Invalid pagination token");
  return run->NextPage(*input.next_token, input.max_rows, now_());
}

QueryService::RunPtr QueryService::FindByClientToken(const Caller& caller,
                                                     const QueryInput& input) {
  if (input.client_token.empty()) return nullptr;
  RunPtr run;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, candidate] : runs_) {
      const QueryIdentity& identity = candidate->identity();
      const bool same = identity.client_token == input.client_token && identity.arn == caller.arn &&
                        identity.region == caller.region;
      if (same && (!run || run->identity().started_ns < identity.started_ns)) run = candidate;
    }
  }
  const std::int64_t age = run ? now_() - run->identity().started_ns : kTokenMemoryNs;
  if (age >= kTokenMemoryNs) return nullptr;
  // The service's words for both refusals are documented nowhere.
  if (age >= kAttachNs) {
    throw Invalid("The client token was used more than 5 minutes ago: use a new one");
  }
  if (run->identity().query != input.query) {
    throw Invalid("The client token was used with another query: use a new one");
  }
  return run;
}

QueryService::Prepared QueryService::PrepareSelect(const Caller& caller,
                                                   SelectStatement statement) {
  Prepared prepared;
  if (!statement.from) {
    prepared.query = std::make_shared<const SelectQuery>(statement, nullptr, now_());
    return prepared;
  }
  const TableName name{caller.region, statement.from->database, statement.from->table};
  auto schema = std::make_shared<const TableSchema>(QuerySchema(tables_, name));
  prepared.query = std::make_shared<const SelectQuery>(statement, schema.get(), now_());
  prepared.rows.scan = [this, name, schema](std::int64_t from, std::int64_t to,
                                            const std::function<bool(const RowView&)>& visit) {
    tables_.Scan(name, *schema, from, to, visit);
  };
  prepared.rows.bounds = [this, name](std::int64_t from, std::int64_t to) {
    return tables_.Bounds(name, from, to);
  };
  return prepared;
}

void QueryService::StartSelect(const Caller& caller, SelectStatement statement,
                               QueryIdentity* identity, QueryRun::Work* work) {
  const Prepared prepared = PrepareSelect(caller, std::move(statement));
  identity->columns_json = ColumnInfoJson(prepared.query->columns());
  *work = [prepared](QueryRun* run) {
    const std::size_t columns = prepared.query->columns().size();
    prepared.query->Run(prepared.rows, run->control(), [run, columns](const Cell* row) {
      return run->Push(RowJson(row, columns));
    });
  };
}

void QueryService::StartUnload(const Caller& caller, UnloadStatement statement,
                               QueryIdentity* identity, QueryRun::Work* work) {
  const Prepared prepared = PrepareSelect(caller, std::move(statement.select));
  UnloadSettings settings = CheckUnload(statement, prepared.query->columns());
  const auto region = OnStorage([&] {
    return storage_.RegionOf({caller.region, settings.bucket});
  });
  if (!region) throw Invalid("UNLOAD destination: bucket " + settings.bucket + " does not exist");
  if (*region != caller.region) {
    throw Invalid("UNLOAD destination: bucket " + settings.bucket + " is in " + *region +
                  ", it must be in " + caller.region);
  }
  identity->unload = true;
  identity->columns_json = ColumnInfoJson({{"rows", ScalarType::kBigint},
                                           {"metadataFile", ScalarType::kVarchar},
                                           {"manifestFile", ScalarType::kVarchar}});
  const auto writer =
      std::make_shared<UnloadWriter>(&storage_, caller.region, std::move(settings),
                                     prepared.query->columns(), identity->id, mishaps_);
  gate_.Start(caller.region);  // last: what is refused anyway is no start
  const UnloadJob job{prepared.query, prepared.rows, writer, limits_, mishaps_.rules};
  *work = [job](QueryRun* run) { RunUnload(job, run); };
}

QueryService::RunPtr QueryService::Launch(const Caller& caller, const QueryInput& input) {
  QueryIdentity identity;
  identity.id = "AEDACA" + RandomText(kQueryIdBytes - 6);
  identity.query = input.query;
  identity.client_token = input.client_token;
  identity.arn = caller.arn;
  identity.region = caller.region;
  identity.started_ns = now_();
  QueryRun::Work work;
  Statement statement = ParseStatement(input.query);
  if (auto* select = std::get_if<SelectStatement>(&statement)) {
    StartSelect(caller, std::move(*select), &identity, &work);
  } else if (auto* unload = std::get_if<UnloadStatement>(&statement)) {
    StartUnload(caller, std::move(*unload), &identity, &work);
  } else {
    const auto result = std::make_shared<CatalogResult>(
        RunShow(tables_, caller.region, std::get<ShowStatement>(statement)));
    identity.columns_json = result->columns_json;
    work = [result](QueryRun* run) {
      for (const std::string& row : result->rows) {
        if (!run->Push(row)) return;
      }
    };
  }
  auto run = std::make_shared<QueryRun>(std::move(identity), timing_);
  {
    const std::lock_guard lock(mutex_);
    runs_.emplace(run->identity().id, run);
  }
  run->Start(std::move(work));
  return run;
}

// Drops what no call can ask for any more. Runs are destroyed outside the lock: that joins threads.
void QueryService::Forget(std::int64_t now_ns) {
  std::vector<RunPtr> dropped;
  const std::lock_guard lock(mutex_);
  for (auto it = runs_.begin(); it != runs_.end();) {
    const RunPtr& run = it->second;
    const bool unload = run->identity().unload;
    const bool abandoned = now_ns - run->last_poll_ns() > kAbandonedNs;
    const bool done = run->finished();
    if (!done && abandoned && !unload) run->Cancel();
    const bool drop =
        done && (unload ? now_ns - run->identity().started_ns > kTokenMemoryNs : abandoned);
    if (drop) dropped.push_back(run);
    it = drop ? runs_.erase(it) : std::next(it);
  }
  DropOldest(&dropped);
}

// Results of SELECTs that were read to the end are kept only for calls repeated after a lost
// answer.
void QueryService::DropOldest(std::vector<RunPtr>* dropped) {
  if (runs_.size() <= kMaxKeptRuns) return;
  std::vector<RunPtr> read;
  for (const auto& [id, run] : runs_) {
    if (!run->identity().unload && run->finished() && run->delivered()) read.push_back(run);
  }
  std::sort(read.begin(), read.end(), [](const RunPtr& a, const RunPtr& b) {
    return a->identity().started_ns < b->identity().started_ns;
  });
  const std::size_t excess = std::min(read.size(), runs_.size() - kMaxKeptRuns);
  for (std::size_t i = 0; i < excess; ++i) {
    runs_.erase(read[i]->identity().id);
    dropped->push_back(read[i]);
  }
}

QueryService::RunPtr QueryService::FindRun(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = runs_.find(id);
  return found == runs_.end() ? nullptr : found->second;
}

std::string QueryService::CancelQuery(const Caller& caller, const std::string& body) {
  const std::string id = RequiredText(ParseBody(body), "QueryId");
  const RunPtr run = FindRun(id);
  if (!run || run->identity().arn != caller.arn || run->identity().region != caller.region) {
    throw Invalid("Query with id " + id + " does not exist");
  }
  const bool cancelled = run->Cancel();
  std::string answer = "{\"CancellationMessage\":";
  AppendJsonString(cancelled ? "Query with id " + id + " is being cancelled"
                             : "Query with id " + id + " has already completed or been cancelled",
                   &answer);
  return answer + "}";
}

std::string QueryService::PrepareQuery(const Caller& caller, const std::string& body) {
  const nlohmann::json json = ParseBody(body);
  const std::string query = QueryText(json);
  if (!OptionalBool(json, "ValidateOnly").value_or(false)) {
    throw Invalid("PrepareQuery is supported with ValidateOnly set to true only");
  }
  Statement statement = ParseStatement(query);
  auto* select = std::get_if<SelectStatement>(&statement);
  if (select == nullptr) throw Invalid("PrepareQuery takes a SELECT");
  const SqlTableName table = select->from.value_or(SqlTableName{});
  const Prepared prepared = PrepareSelect(caller, std::move(*select));
  nlohmann::json columns = nlohmann::json::array();
  for (const OutputColumn& column : prepared.query->columns()) {
    columns.push_back({{"Name", column.name},
                       {"Type", {{"ScalarType", ScalarTypeName(column.type)}}},
                       {"Aliased", column.aliased}});
    if (!column.of_table) continue;
    columns.back()["DatabaseName"] = table.database;
    columns.back()["TableName"] = table.table;
  }
  return nlohmann::json{
      {"QueryString", query}, {"Columns", columns}, {"Parameters", nlohmann::json::array()}}
      .dump();
}

}  // namespace ts_local
