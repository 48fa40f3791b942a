// Timestream Query. A query is a sequence of pages; pages without rows are normal while it runs,
// and only an absent NextToken ends it. Thread-safe.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/aws/client.h"
#include "tsm/aws/endpoints.h"
#include "tsm/timestream/endpoint_discovery.h"

namespace tsm::timestream {

struct Column {
  std::string name;
  std::string scalar_type;  // "VARCHAR", "BIGINT", ...; "" for a type that is not scalar
};

// One cell. Arrays, rows and time series are given as their JSON text.
using Cell = std::optional<std::string>;
using Row = std::vector<Cell>;

struct QueryStatus {
  double progress_percentage = 0;
  std::int64_t bytes_scanned = 0;
  std::int64_t bytes_metered = 0;
};

struct QueryPage {
  std::string query_id;
  std::string next_token;  // "" on the last page
  std::vector<Column> columns;
  std::vector<Row> rows;
  QueryStatus status;

  // Position of the column of that name; columns are always read by name, never by place.
  std::optional<std::size_t> ColumnIndex(std::string_view name) const;
};

struct QueryRequest {
  std::string sql;
  // Idempotency token, 32 to 64 characters: a first call that is repeated within 5 minutes under
  // the same token does not run the query twice.
  std::string client_token;
  std::string next_token;
  std::optional<int> max_rows;  // 1 to 1000
};

class QueryClient {
 public:
  // `endpoint`: a configured one takes the calls as it stands; else it is the regional host, asked
  // for the cell that takes them (see EndpointDiscovery, whose errors every call may give).
  QueryClient(aws::Client& client, aws::Endpoint endpoint, std::string region);

  // One page.
  Result<QueryPage> Query(const QueryRequest& request, std::stop_token stop);

  // Every page to the last, in order; `visit` may return an error to end early. Waits a little
  // between empty pages that come back at once, so that a server that does not hold the call is not
  // polled in a tight loop.
  Status ForEachPage(const std::string& sql, const std::string& client_token,
                     const std::function<Status(const QueryPage&)>& visit, std::stop_token stop);

  // Collects all rows: for results known to be small (DESCRIBE, counts).
  Result<QueryPage> Collect(const std::string& sql, std::stop_token stop);

  // https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_CancelQuery.html
  Status CancelQuery(const std::string& query_id, std::stop_token stop);

 private:
  aws::Client& client_;
  std::string region_;
  EndpointDiscovery discovery_;
};

}  // namespace tsm::timestream
