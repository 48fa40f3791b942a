// The columns of a table as DESCRIBE gives them.
// https://docs.aws.amazon.com/timestream/latest/developerguide/supported-sql-constructs.DESCRIBE.html
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "tsm/timestream/query_client.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::timestream {

enum class ColumnRole { kDimension, kMeasureName, kTimestamp, kMeasureValue, kMulti };

struct SchemaColumn {
  std::string name;
  std::string type;  // lower case as DESCRIBE writes it: "varchar", "double", "bigint", ...
  ColumnRole role = ColumnRole::kDimension;
};

struct TableSchema {
  std::vector<SchemaColumn> columns;
  bool Has(std::string_view name) const;
};

// kNotFound or kValidation where the table does not exist.
Result<TableSchema> DescribeSchema(QueryClient& query, const TableRef& table, std::stop_token stop);

}  // namespace tsm::timestream
