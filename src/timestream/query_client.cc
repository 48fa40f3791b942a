#include "tsm/timestream/query_client.h"

#include <algorithm>
#include <utility>

#include "json_call.h"
#include "query_codec.h"

namespace tsm::timestream {
namespace {

// A call is held by the service for up to a minute; the answer may then be a page of 1 MB.
constexpr http::Timeouts kQueryTimeouts{.connect = std::chrono::seconds(10),
                                        .idle = std::chrono::seconds(90),
                                        .total = std::chrono::seconds(300)};

// The service holds a call while the query runs; a server that answers at once is asked at most at
// these intervals.
constexpr std::chrono::milliseconds kFirstEmptyPageInterval{100};
constexpr std::chrono::milliseconds kLongestEmptyPageInterval{1000};

}  // namespace

std::optional<std::size_t> QueryPage::ColumnIndex(std::string_view name) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return i;
  }
  return std::nullopt;
}

QueryClient::QueryClient(aws::Client& client, aws::Endpoint endpoint, std::string region)
    : client_(client),
      region_(std::move(region)),
      discovery_(client, Api::kQuery, std::move(endpoint), region_) {}

Result<QueryPage> QueryClient::Query(const QueryRequest& request, std::stop_token stop) {
  Result<std::string> body = EncodeQuery(request);
  if (!body) return std::move(body).error().With("Query");
  aws::Operation operation = MakeJsonOperation(region_, "Query", *std::move(body), "");
  operation.request.timeouts = kQueryTimeouts;
  // Without token a repeated first call is a second run, which for an UNLOAD means doubled files.
  if (request.client_token.empty() && request.next_token.empty()) {
    operation.idempotency = aws::Idempotency::kUnsafe;
  }
  Result<http::Response> response =
      CallDiscovered(client_, discovery_, std::move(operation), std::move(stop));
  if (!response) return std::move(response).error();
  Result<QueryPage> page = DecodeQueryPage(response->body);
  if (!page) return std::move(page).error().With("Query");
  return page;
}

Status QueryClient::ForEachPage(const std::string& sql, const std::string& client_token,
                                const std::function<Status(const QueryPage&)>& visit,
                                std::stop_token stop) {
  // The ClientToken goes with the first call only. A call with a NextToken is a continuation by its
  // NextToken alone; the service refuses a ClientToken that comes again outside of its 5 minutes or
  // with other parameters, and paging goes on for up to an hour with NextToken as another
  // parameter.
  QueryRequest request{.sql = sql, .client_token = client_token, .next_token = "", .max_rows = {}};
  std::string query_id;
  std::chrono::nanoseconds interval = kFirstEmptyPageInterval;
  for (;;) {
    const auto asked = client_.clock().Steady();
    Result<QueryPage> page = Query(request, stop);
    if (!page) return std::move(page).error();
    if (query_id.empty()) query_id = page->query_id;
    if (page->query_id != query_id) {
      return MakeError(ErrorKind::kBadReply, "a page belongs to query " + page->query_id +
                                                 ", the first one to query " + query_id)
          .With("Query");
    }
    if (Status status = visit(*page); !status) return status;
    if (page->next_token.empty()) return Ok();
    request.client_token.clear();
    request.next_token = page->next_token;
    if (!page->rows.empty()) {
      interval = kFirstEmptyPageInterval;
      continue;
    }
    const std::chrono::nanoseconds taken = client_.clock().Steady() - asked;
    if (taken < interval && !client_.clock().SleepFor(interval - taken, stop)) {
      return MakeError(ErrorKind::kCancelled, "stopped while waiting for query " + query_id);
    }
    interval = std::min<std::chrono::nanoseconds>(interval * 2, kLongestEmptyPageInterval);
  }
}

Result<QueryPage> QueryClient::Collect(const std::string& sql, std::stop_token stop) {
  QueryPage all;
  const auto add = [&all](const QueryPage& page) -> Status {
    if (!page.columns.empty()) all.columns = page.columns;
    all.query_id = page.query_id;
    all.status = page.status;
    all.rows.insert(all.rows.end(), page.rows.begin(), page.rows.end());
    return Ok();
  };
  if (Status status = ForEachPage(sql, client_.random().Uuid(), add, stop); !status) {
    return status.error();
  }
  return all;
}

Status QueryClient::CancelQuery(const std::string& query_id, std::stop_token stop) {
  Result<std::string> body = EncodeCancelQuery(query_id);
  if (!body) return std::move(body).error().With("CancelQuery");
  aws::Operation operation = MakeJsonOperation(region_, "CancelQuery", *std::move(body), query_id);
  Result<http::Response> response =
      CallDiscovered(client_, discovery_, std::move(operation), std::move(stop));
  if (!response) return std::move(response).error();
  return Ok();
}

}  // namespace tsm::timestream
