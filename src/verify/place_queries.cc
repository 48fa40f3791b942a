#include "place_queries.h"

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/timestream/partition_calendar.h"
#include "tsm/timestream/query_cells.h"
#include "tsm/timestream/query_sql.h"

namespace tsm::verify {

namespace {

constexpr std::string_view kPlace = "place";
constexpr std::string_view kRows = "rows";

// Time from `from` to the next one's.
struct Segment {
  UnixNanos from = 0;
  std::size_t place = 0;
};

std::vector<Segment> SegmentsOf(const std::vector<ExpectedPlace>& places) {
  std::vector<Segment> segments;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i > 0 && places[i - 1].end < places[i].from) {
      segments.push_back({places[i - 1].end, places.size()});
    }
    segments.push_back({places[i].from, i});
  }
  return segments;
}

// Appends the search among the segments from `first` up to `end`.
void AppendSearch(const std::vector<Segment>& segments, std::size_t first, std::size_t end,
                  std::string& sql) {
  if (end - first == 1) {
    sql += std::to_string(segments[first].place);
    return;
  }
  const std::size_t middle = first + (end - first) / 2;
  sql += "CASE WHEN " + timestream::TimeSql({}, segments[middle].from) + " THEN ";
  AppendSearch(segments, first, middle, sql);
  sql += " ELSE ";
  AppendSearch(segments, middle, end, sql);
  sql += " END";
}

std::string FromSql(const timestream::TableRef& table, std::optional<UnixNanos> from,
                    std::optional<UnixNanos> end) {
  // The ends of all that 64 bits hold bound nothing, and the first is before what SQL has to take.
  if (from == timestream::kFirstMoment) from.reset();
  if (end == timestream::kLastMoment) end.reset();
  const std::string bounds = timestream::TimeSql(from, end);
  return " FROM " + timestream::TableSql(table) + (bounds.empty() ? "" : " WHERE " + bounds);
}

std::string CountItem() { return "count(*) AS " + timestream::QuoteIdentifier(kRows); }

}  // namespace

Status CheckPlaces(const std::vector<ExpectedPlace>& places) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    const ExpectedPlace& place = places[i];
    std::string why;
    if (place.from >= place.end) {
      why = "holds no time";
    } else if (i > 0 && place.from < places[i - 1].end) {
      why = "begins before " + places[i - 1].label + " ends";
    }
    if (why.empty()) continue;
    return MakeError(ErrorKind::kInvalidInput,
                     "rows can't be counted by these places of time: " + place.label + " " + why);
  }
  return Ok();
}

std::string RowsSql(const timestream::TableRef& table, const std::optional<UnixNanos>& from,
                    const std::optional<UnixNanos>& end) {
  return "SELECT " + CountItem() + FromSql(table, from, end);
}

Result<std::uint64_t> ParseRows(const timestream::QueryPage& page, const timestream::Row& row) {
  return timestream::ReadCount(page, row, kRows);
}

std::string PlacesSql(const timestream::TableRef& table, const std::vector<ExpectedPlace>& places) {
  const std::vector<Segment> segments = SegmentsOf(places);
  std::string sql = "SELECT ";
  AppendSearch(segments, 0, segments.size(), sql);
  sql += " AS " + timestream::QuoteIdentifier(kPlace) + ", " + CountItem();
  return sql + FromSql(table, places.front().from, places.back().end) + " GROUP BY 1";
}

Result<PlaceCount> ParsePlace(const timestream::QueryPage& page, const timestream::Row& row) {
  Result<std::uint64_t> place = timestream::ReadCount(page, row, kPlace);
  if (!place) return place.error();
  Result<std::uint64_t> rows = timestream::ReadCount(page, row, kRows);
  if (!rows) return rows.error();
  return PlaceCount{*place, *rows};
}

}  // namespace tsm::verify
