// The counts of rows per place of time, as SQL and back. Pure; columns are read by name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/timestream/query_client.h"
#include "tsm/verify/verify_table.h"

namespace tsm::verify {

// So many places are counted by one question: as many partitions as an UNLOAD may have, and few
// enough that neither the statement (262,144 bytes) nor what the service compiles of it is large.
inline constexpr std::size_t kMaxPlacesPerQuestion = 100;

// kInvalidInput: a place that is empty, out of the order of time or overlaps the one before it.
Status CheckPlaces(const std::vector<ExpectedPlace>& places);

// All rows between two moments, as "rows".
std::string RowsSql(const timestream::TableRef& table, const std::optional<UnixNanos>& from,
                    const std::optional<UnixNanos>& end);
Result<std::uint64_t> ParseRows(const timestream::QueryPage& page, const timestream::Row& row);

// Rows of each place, a row for each that has any: a search for the place by halves, so that each
// row of the table is compared with log2 of the moments, however irregular they are. `places` is
// neither empty nor of whole tables.
// https://docs.aws.amazon.com/timestream/latest/developerguide/conditional-expressions.CASE.html
std::string PlacesSql(const timestream::TableRef& table, const std::vector<ExpectedPlace>& places);
// What lies between places is told as behind the last one.
struct PlaceCount {
  std::size_t place = 0;
  std::uint64_t rows = 0;
};
Result<PlaceCount> ParsePlace(const timestream::QueryPage& page, const timestream::Row& row);

}  // namespace tsm::verify
