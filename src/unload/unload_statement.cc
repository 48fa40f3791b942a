#include "tsm/unload/unload_statement.h"

#include "tsm/core/time_text.h"
#include "tsm/unload/partition_calendar.h"

namespace tsm::unload {

using timestream::QuoteIdentifier;
using timestream::QuoteLiteral;

namespace {

// "s3://bucket" without a slash where there is no prefix, as AWS's examples have it: what the
// service makes of an empty last segment is not documented.
std::string DestinationText(const s3::S3Uri& destination) {
  std::string text = destination.str();
  while (!text.empty() && text.back() == '/') text.pop_back();
  return text;
}

std::string Where(const std::optional<UnixNanos>& from, const std::optional<UnixNanos>& end) {
  std::string text;
  if (from) text += " WHERE time >= " + QuoteLiteral(FormatTimestamp(*from));
  if (end) {
    text += (from ? " AND" : " WHERE");
    text += " time < " + QuoteLiteral(FormatTimestamp(*end));
  }
  return text;
}

}  // namespace

std::string UnloadStatement::ToSql() const {
  const bool partitioned = partition != PartitionUnit::kNone;
  std::string sql = "UNLOAD (SELECT *, to_nanoseconds(time) AS " + QuoteIdentifier(time_alias);
  if (partitioned) {
    sql += ", date_format(time, " + QuoteLiteral(PartitionDateFormat(partition)) + ") AS " +
           QuoteIdentifier(partition_alias);
  }
  sql += " FROM " + QuoteIdentifier(table.database) + "." + QuoteIdentifier(table.table);
  sql += Where(from, end);
  if (order_by_time) sql += " ORDER BY time";
  sql += ") TO " + QuoteLiteral(DestinationText(destination)) + " WITH (";
  if (partitioned) sql += "partitioned_by = ARRAY[" + QuoteLiteral(partition_alias) + "], ";
  sql += "format = 'CSV', compression = 'NONE', max_file_size = " + QuoteLiteral(kMaxFileSize) +
         ", include_header = 'true')";
  return sql;
}

}  // namespace tsm::unload
