#include "ts_local/table_catalog.h"

namespace ts_local {
namespace {

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS databases(
  region TEXT, name TEXT, kms TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
  PRIMARY KEY(region, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tables(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  region TEXT NOT NULL, db TEXT NOT NULL, name TEXT NOT NULL,
  memory_hours INTEGER NOT NULL, magnetic_days INTEGER NOT NULL, magnetic_writes INTEGER NOT NULL,
  rejected_bucket TEXT NOT NULL, rejected_prefix TEXT NOT NULL, rejected_encryption TEXT NOT NULL,
  key_kind TEXT NOT NULL, key_name TEXT NOT NULL, key_required INTEGER NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL,
  UNIQUE(region, db, name));
)";

// How the partition key stands in the file.
std::string_view KeyKind(const TableProperties& properties) {
  if (!properties.partition_key) return "";
  return properties.partition_key->is_measure ? "MEASURE" : "DIMENSION";
}

// Parameters 1 to 14 of both statements that write a table. The views live in `table`.
void BindTable(Statement& statement, const TableInfo& table) {
  const TableProperties& p = table.properties;
  const bool keyed = p.partition_key.has_value();
  statement.Bind(1, std::string_view(table.name.region))
      .Bind(2, std::string_view(table.name.database))
      .Bind(3, std::string_view(table.name.table))
      .Bind(4, p.memory_hours)
      .Bind(5, p.magnetic_days)
      .Bind(6, std::int64_t{p.magnetic_writes})
      .Bind(7, std::string_view(p.rejected_bucket))
      .Bind(8, std::string_view(p.rejected_prefix))
      .Bind(9, std::string_view(p.rejected_encryption))
      .Bind(10, KeyKind(p))
      .Bind(11, keyed ? std::string_view(p.partition_key->name) : std::string_view())
      .Bind(12, std::int64_t{keyed && p.partition_key->required})
      .Bind(13, table.created_ms)
      .Bind(14, table.updated_ms)
      .Run();
}

}  // namespace

TableCatalog::TableCatalog(const std::string& dir) : connection_(dir + "/catalog.db") {
  connection_.Exec(kTables);
}

std::vector<DatabaseInfo> TableCatalog::LoadDatabases() {
  std::vector<DatabaseInfo> found;
  Statement select(connection_, "SELECT region, name, kms, created, updated FROM databases");
  while (select.Step()) {
    found.push_back({std::string(select.Text(0)), std::string(select.Text(1)),
                     std::string(select.Text(2)), 0, select.Int(3), select.Int(4)});
  }
  return found;
}

std::vector<std::pair<std::int64_t, TableInfo>> TableCatalog::LoadTables() {
  std::vector<std::pair<std::int64_t, TableInfo>> found;
  Statement select(connection_,
                   "SELECT id, region, db, name, memory_hours, magnetic_days, magnetic_writes, "
                   "rejected_bucket, rejected_prefix, rejected_encryption, key_kind, key_name, "
                   "key_required, created, updated FROM tables");
  while (select.Step()) {
    TableInfo table;
    table.name = {std::string(select.Text(1)), std::string(select.Text(2)),
                  std::string(select.Text(3))};
    TableProperties& p = table.properties;
    p.memory_hours = select.Int(4);
    p.magnetic_days = select.Int(5);
    p.magnetic_writes = select.Int(6) != 0;
    p.rejected_bucket = select.Text(7);
    p.rejected_prefix = select.Text(8);
    p.rejected_encryption = select.Text(9);
    if (const std::string_view kind = select.Text(10); !kind.empty()) {
      const bool is_measure = kind == "MEASURE";
      p.partition_key = {is_measure, std::string(select.Text(11)), select.Int(12) != 0};
    }
    table.created_ms = select.Int(13);
    table.updated_ms = select.Int(14);
    found.emplace_back(select.Int(0), std::move(table));
  }
  return found;
}

void TableCatalog::Save(const DatabaseInfo& database) {
  Statement statement(connection_,
                      "INSERT OR REPLACE INTO databases(region, name, kms, created, updated) "
                      "VALUES(?1, ?2, ?3, ?4, ?5)");
  statement.Bind(1, std::string_view(database.region))
      .Bind(2, std::string_view(database.name))
      .Bind(3, std::string_view(database.kms_key_id))
      .Bind(4, database.created_ms)
      .Bind(5, database.updated_ms)
      .Run();
}

void TableCatalog::EraseDatabase(const std::string& region, const std::string& name) {
  Statement statement(connection_, "DELETE FROM databases WHERE region = ?1 AND name = ?2");
  statement.Bind(1, std::string_view(region)).Bind(2, std::string_view(name)).Run();
}

std::int64_t TableCatalog::Insert(const TableInfo& table) {
  Statement statement(
      connection_,
      "INSERT INTO tables(region, db, name, memory_hours, magnetic_days, magnetic_writes, "
      "rejected_bucket, rejected_prefix, rejected_encryption, key_kind, key_name, key_required, "
      "created, updated) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
  BindTable(statement, table);
  return connection_.LastRowId();
}

void TableCatalog::Update(const TableInfo& table) {
  Statement statement(
      connection_,
      "UPDATE tables SET memory_hours = ?4, magnetic_days = ?5, magnetic_writes = ?6, "
      "rejected_bucket = ?7, rejected_prefix = ?8, rejected_encryption = ?9, key_kind = ?10, "
      "key_name = ?11, key_required = ?12, created = ?13, updated = ?14 "
      "WHERE region = ?1 AND db = ?2 AND name = ?3");
  BindTable(statement, table);
}

void TableCatalog::EraseTable(const TableName& name) {
  Statement statement(connection_,
                      "DELETE FROM tables WHERE region = ?1 AND db = ?2 AND name = ?3");
  statement.Bind(1, std::string_view(name.region))
      .Bind(2, std::string_view(name.database))
      .Bind(3, std::string_view(name.table))
      .Run();
}

}  // namespace ts_local
