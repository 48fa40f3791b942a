#include "tsm/timestream/ask_rows.h"

#include <optional>
#include <utility>

namespace tsm::timestream {

namespace {

Status TakePage(const QueryPage& page, const Patience& patience, const RowQuestion& question) {
  if (patience.tick) {
    if (Status kept = patience.tick(); !kept) return kept;
  }
  for (const Row& cells : page.rows) {
    if (Status taken = question.row(page, cells); !taken) return taken;
  }
  return Ok();
}

}  // namespace

Status AskRows(QueryClient& query, Random& random, const Patience& patience,
               const RowQuestion& question, std::stop_token stop) {
  // The caller's own errors are not the service's, whatever their kind: none of them is waited out.
  std::optional<Error> refused;
  const auto attempt = [&]() -> Status {
    if (question.begin) question.begin();
    Status asked = query.ForEachPage(
        question.sql, random.Uuid(),
        [&](const QueryPage& page) {
          Status taken = TakePage(page, patience, question);
          if (!taken) refused = taken.error();
          return taken;
        },
        stop);
    return refused ? Ok() : asked;
  };
  Status tried = TryPatiently(patience, attempt, stop);
  if (refused) return *refused;
  return tried;
}

}  // namespace tsm::timestream
