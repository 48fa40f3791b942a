// SHOW DATABASES, SHOW TABLES, SHOW MEASURES and DESCRIBE: their rows in the Query API's shape.
// Reads the store only. Unknown databases and tables are ValidationExceptions, as in a SELECT.
// https://docs.aws.amazon.com/timestream/latest/developerguide/supported-sql-constructs.SHOW.html
#pragma once

#include <string>
#include <vector>

#include "ts_local/sql_ast.h"
#include "ts_local/table_store.h"

namespace ts_local {

struct CatalogResult {
  std::string columns_json;       // ColumnInfo
  std::vector<std::string> rows;  // JSON
};

CatalogResult RunShow(const TableStore& store, const std::string& region,
                      const ShowStatement& show);

// The schema of a table that a query names; ValidationException where it does not exist.
TableSchema QuerySchema(const TableStore& store, const TableName& name);

}  // namespace ts_local
