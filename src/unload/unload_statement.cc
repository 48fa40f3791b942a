#include "tsm/unload/unload_statement.h"

#include "select_sql.h"
#include "tsm/core/text.h"
#include "tsm/timestream/query_sql.h"

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

std::string ColumnsSql(const std::vector<std::string>& columns) {
  if (columns.empty()) return "*";
  std::vector<std::string> quoted;
  quoted.reserve(columns.size());
  for (const std::string& column : columns) quoted.push_back(QuoteIdentifier(column));
  return Join(quoted, ", ");
}

}  // namespace

std::string UnloadStatement::ToSql() const {
  std::vector<std::string> partitions;
  std::string sql = "UNLOAD (SELECT " + ColumnsSql(select.columns);
  sql += ", to_nanoseconds(time) AS " + QuoteIdentifier(select.time_alias);
  for (const AliasedColumn& timestamp : select.timestamps) {
    sql += ", to_nanoseconds(" + QuoteIdentifier(timestamp.column) + ") AS " +
           QuoteIdentifier(timestamp.alias);
  }
  if (select.partition != PartitionUnit::kNone) {
    sql += ", " + timestream::PartitionSql(select.partition) + " AS " +
           QuoteIdentifier(select.partition_alias);
    partitions.push_back(QuoteLiteral(select.partition_alias));
  }
  for (const AliasedColumn& copy : select.partitioned_by) {
    sql += ", " + QuoteIdentifier(copy.column) + " AS " + QuoteIdentifier(copy.alias);
    partitions.push_back(QuoteLiteral(copy.alias));
  }
  sql += " FROM " + timestream::TableSql(select.table) + select.WhereSql(from, end);
  sql += OrderSql(select.order_by);
  sql += ") TO " + QuoteLiteral(DestinationText(destination)) + " WITH (";
  if (!partitions.empty()) sql += "partitioned_by = ARRAY[" + Join(partitions, ", ") + "], ";
  return sql + format.ToSql() + ")";
}

}  // namespace tsm::unload
