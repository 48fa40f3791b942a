#include "unload_query.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::unload {

namespace {

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

Progress ProgressOf(const timestream::QueryPage& page) {
  const bool last = page.next_token.empty();
  Progress progress;
  progress.phase = "unload";
  progress.total = 100;
  // The service says 100% before it has written the manifest; it is done with the last page.
  const double percent = std::clamp(page.status.progress_percentage, 0.0, 99.0);
  progress.done = last ? 100 : static_cast<std::uint64_t>(percent);
  const auto scanned =
      static_cast<std::uint64_t>(std::max<std::int64_t>(page.status.bytes_scanned, 0));
  progress.detail = FormatBytes(scanned) + " scanned";
  return progress;
}

}  // namespace

UnloadQuery::UnloadQuery(timestream::QueryClient& client, ProgressSink& progress, std::string sql,
                         std::string client_token)
    : client_(client),
      progress_(progress),
      sql_(std::move(sql)),
      client_token_(std::move(client_token)) {}

Result<UnloadReply> UnloadQuery::Run(std::stop_token stop) {
  UnloadReply reply;
  bool replied = false;
  Status paged = client_.ForEachPage(
      sql_, client_token_,
      [&](const timestream::QueryPage& page) { return Visit(page, replied, reply); }, stop);
  if (!paged) {
    Error error = paged.error();
    // ConflictException: "Unable to poll results for a cancelled query".
    if (error.kind == ErrorKind::kAlreadyExists) error.kind = ErrorKind::kQueryFailed;
    return error;
  }
  if (!replied) return BadReply("has no row");
  return reply;
}

Status UnloadQuery::Visit(const timestream::QueryPage& page, bool& replied, UnloadReply& reply) {
  if (query_id_.empty() && !page.query_id.empty()) {
    query_id_ = page.query_id;
    progress_.Info("UNLOAD is query " + query_id_);
  }
  progress_.OnProgress(ProgressOf(page));
  for (const timestream::Row& row : page.rows) {
    if (replied) return BadReply("has more than one row");
    Result<UnloadReply> read = ReadRow(page, row);
    if (!read) return read.error();
    reply = *read;
    replied = true;
  }
  return Ok();
}

}  // namespace tsm::unload
