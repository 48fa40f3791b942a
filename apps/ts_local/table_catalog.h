// What databases and tables exist, as they stand on disk (catalog.db). TableStore keeps the copy in
// memory that requests read; this is the file behind it.
// Not thread-safe: TableStore calls it under its lock.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ts_local/sqlite_handle.h"
#include "ts_local/table_store.h"

namespace ts_local {

class TableCatalog {
 public:
  explicit TableCatalog(const std::string& dir);

  std::vector<DatabaseInfo> LoadDatabases();  // table_count is not filled
  std::vector<std::pair<std::int64_t, TableInfo>> LoadTables();

  void Save(const DatabaseInfo& database);
  void EraseDatabase(const std::string& region, const std::string& name);
  // Returns the table's id, which is never given twice.
  std::int64_t Insert(const TableInfo& table);
  void Update(const TableInfo& table);
  void EraseTable(const TableName& name);

 private:
  Connection connection_;
};

}  // namespace ts_local
