#include "tsm/timestream/query_sql.h"

#include <vector>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/timestream/partition_calendar.h"

namespace tsm::timestream {

std::string TableSql(const TableRef& table) {
  return QuoteIdentifier(table.database) + "." + QuoteIdentifier(table.table);
}

std::string PartitionSql(PartitionUnit unit) {
  return "date_format(time, " + QuoteLiteral(PartitionDateFormat(unit)) + ")";
}

std::string TimeSql(const std::optional<UnixNanos>& from, const std::optional<UnixNanos>& end) {
  std::vector<std::string> conditions;
  if (from) conditions.push_back("time >= " + QuoteLiteral(FormatTimestamp(*from)));
  if (end) conditions.push_back("time < " + QuoteLiteral(FormatTimestamp(*end)));
  return Join(conditions, " AND ");
}

}  // namespace tsm::timestream
