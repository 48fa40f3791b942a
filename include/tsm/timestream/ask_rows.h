// Asks a question of Timestream with patience (core/patience.h) and gives its answer row by row.
// The parts are the caller's; as thread-safe as they are.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "tsm/core/patience.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/timestream/query_client.h"

namespace tsm::timestream {

struct RowQuestion {
  std::string sql;
  // Called before each try: rows of an earlier one that broke off count for nothing. May be null.
  std::function<void()> begin;
  std::function<Status(const QueryPage& page, const Row& row)> row;  // an error ends the question
};

// Every row of a SELECT. The patience's `tick` is also called at each page.
Status AskRows(QueryClient& query, Random& random, const Patience& patience,
               const RowQuestion& question, std::stop_token stop);

}  // namespace tsm::timestream
