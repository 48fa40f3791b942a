// The Query call of one UNLOAD with all its pages, from its first call or from any later page on.
// Stateless but for what it is given; used by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"
#include "tsm/timestream/query_client.h"

namespace tsm::unload {

// UNLOAD's one row.
struct UnloadReply {
  std::uint64_t rows = 0;
  std::string manifest_uri;  // "" where the service names none
};

// The first call (with a client_token) or the page behind a next_token.
struct UnloadCall {
  std::string sql;
  std::string client_token;  // unused where there is a next_token
  std::string next_token;
  std::string query_id;  // "" before the first page; later pages must be of it
};

// Follows every page to the last; `on_page` sees each one before its row is read, and may end the
// walk with an error. kQueryFailed also where somebody else cancelled the query; kBadReply where
// the pages end without the row that UNLOAD promises, or belong to another query.
Result<UnloadReply> FollowUnload(
    timestream::QueryClient& client, const Clock& clock, UnloadCall call,
    const std::function<Status(const timestream::QueryPage& page)>& on_page, std::stop_token stop);

}  // namespace tsm::unload
