// Cells of a query's answer, read by their column's name. Pure functions; kBadReply names the
// column where it is missing or holds something else than asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/core/result.h"
#include "tsm/timestream/query_client.h"

namespace tsm::timestream {

Error BadCell(std::string_view name, const std::string& what);

Result<Cell> ReadCell(const QueryPage& page, const Row& row, std::string_view name);
// Null is refused.
Result<std::string> ReadText(const QueryPage& page, const Row& row, std::string_view name);
// Null and what is negative or no number are refused.
Result<std::uint64_t> ReadCount(const QueryPage& page, const Row& row, std::string_view name);

}  // namespace tsm::timestream
