#include "unload_query.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::unload {

namespace {

// The service holds a call while the query runs; one that answers at once with an empty page is
// asked at most at these intervals.
constexpr std::chrono::nanoseconds kFirstInterval = std::chrono::milliseconds(100);
constexpr std::chrono::nanoseconds kLongestInterval = std::chrono::seconds(2);

Error BadReply(const std::string& what) {
  return MakeError(ErrorKind::kBadReply, "the UNLOAD's result " + what);
}

// By column name: the order is not promised.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-concepts.html
Result<UnloadReply> ReadRow(const timestream::QueryPage& page, const timestream::Row& row) {
  const auto rows = page.ColumnIndex("rows");
  const auto manifest = page.ColumnIndex("manifestFile");
  if (!rows || !manifest || *rows >= row.size() || *manifest >= row.size()) {
    return BadReply("has no columns rows and manifestFile");
  }
  const auto count = ParseInt64(row[*rows].value_or(""));
  if (!count || *count < 0) return BadReply("has no number of rows");
  return UnloadReply{static_cast<std::uint64_t>(*count), row[*manifest].value_or("")};
}

Status TakeRows(const timestream::QueryPage& page, std::optional<UnloadReply>& reply) {
  for (const timestream::Row& row : page.rows) {
    if (reply) return BadReply("has more than one row");
    Result<UnloadReply> read = ReadRow(page, row);
    if (!read) return read.error();
    reply = *std::move(read);
  }
  return Ok();
}

Error Failure(Error error) {
  // ConflictException: "Unable to poll results for a cancelled query".
  if (error.kind == ErrorKind::kAlreadyExists) error.kind = ErrorKind::kQueryFailed;
  return error;
}

}  // namespace

Result<UnloadReply> FollowUnload(
    timestream::QueryClient& client, const Clock& clock, UnloadCall call,
    const std::function<Status(const timestream::QueryPage& page)>& on_page, std::stop_token stop) {
  std::optional<UnloadReply> reply;
  std::chrono::nanoseconds interval = kFirstInterval;
  for (;;) {
    // The ClientToken goes with the first call only: a NextToken is a continuation by itself.
    timestream::QueryRequest request{
        .sql = call.sql,
        .client_token = call.next_token.empty() ? call.client_token : "",
        .next_token = call.next_token,
        .max_rows = {}};
    const auto asked = clock.Steady();
    Result<timestream::QueryPage> page = client.Query(request, stop);
    if (!page) return Failure(std::move(page).error());
    if (call.query_id.empty()) call.query_id = page->query_id;
    if (page->query_id != call.query_id) {
      return BadReply("has a page of query " + page->query_id + ", the query is " + call.query_id);
    }
    if (Status seen = on_page(*page); !seen) return seen.error();
    if (Status taken = TakeRows(*page, reply); !taken) return taken.error();
    if (page->next_token.empty()) break;
    call.next_token = page->next_token;
    const std::chrono::nanoseconds taken = clock.Steady() - asked;
    if (taken < interval && !clock.SleepFor(interval - taken, stop)) {
      return MakeError(ErrorKind::kCancelled, "stopped while waiting for query " + call.query_id);
    }
    interval = std::min(interval * 2, kLongestInterval);
  }
  if (!reply) return BadReply("has no row");
  return *reply;
}

}  // namespace tsm::unload
