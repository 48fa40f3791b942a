// Cells of a side query's answer, read by their column's name. Pure functions; kBadReply names the
// column where it is missing or holds something else than asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/core/result.h"
#include "tsm/timestream/query_client.h"

namespace tsm::unload {

Error BadCell(std::string_view name, const std::string& what);

Result<timestream::Cell> ReadCell(const timestream::QueryPage& page, const timestream::Row& row,
                                  std::string_view name);
// Null is refused.
Result<std::string> ReadText(const timestream::QueryPage& page, const timestream::Row& row,
                             std::string_view name);
// Null and what is negative or no number are refused.
Result<std::uint64_t> ReadCount(const timestream::QueryPage& page, const timestream::Row& row,
                                std::string_view name);

}  // namespace tsm::unload
