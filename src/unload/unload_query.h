// The one Query call of an unload, with all its pages: progress on the way, the reply at the end.
// Used by one thread.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "tsm/core/progress.h"
#include "tsm/core/result.h"
#include "tsm/timestream/query_client.h"

namespace tsm::unload {

// UNLOAD's one row.
struct UnloadReply {
  std::uint64_t rows = 0;
  std::string manifest_uri;  // "" where the service names none
};

class UnloadQuery {
 public:
  UnloadQuery(timestream::QueryClient& client, ProgressSink& progress, std::string sql,
              std::string client_token);

  // kQueryFailed also where somebody else cancelled the query; kBadReply where the pages end
  // without the row that UNLOAD promises.
  Result<UnloadReply> Run(std::stop_token stop);

  // Known from the first page on, so also after a failure; "" before.
  const std::string& query_id() const { return query_id_; }

 private:
  Status Visit(const timestream::QueryPage& page, bool& replied, UnloadReply& reply);

  timestream::QueryClient& client_;
  ProgressSink& progress_;
  std::string sql_;
  std::string client_token_;
  std::string query_id_;
};

}  // namespace tsm::unload
