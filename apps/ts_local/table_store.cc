#include "ts_local/table_store.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "ts_local/api_error.h"
#include "ts_local/record_rules.h"
#include "ts_local/sqlite_handle.h"
#include "ts_local/table_catalog.h"
#include "ts_local/table_rows.h"

namespace ts_local {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;

ApiError NoDatabase(const std::string& name) {
  return {400, "ResourceNotFoundException", "The database " + name + " does not exist."};
}

ApiError NoTable(const std::string& name) {
  return {400, "ResourceNotFoundException", "The table " + name + " does not exist."};
}

}  // namespace

// A table with the file of its rows, opened when first used. Shared: a scan that still runs when
// the table is deleted ends in peace, and the file goes with its last user.
struct TableStore::Impl {
  struct Table {
    TableInfo info;  // guarded by Impl::mutex
    std::string file;
    std::mutex open_mutex;
    std::unique_ptr<TableRows> rows;
    bool deleted = false;  // set once, under Impl::mutex, before the last owner lets go

    ~Table() {
      rows.reset();
      if (!deleted) return;
      std::error_code ignored;  // a file left behind is never opened again: ids are not reused
      for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(file + suffix, ignored);
    }

    TableRows& Rows() {
      const std::lock_guard lock(open_mutex);
      if (rows == nullptr) rows = std::make_unique<TableRows>(file);
      return *rows;
    }
  };
  using DatabaseKey = std::pair<std::string, std::string>;             // region, database
  using TableKey = std::tuple<std::string, std::string, std::string>;  // region, database, table

  Impl(const std::string& base, NowNs clock)
      : dir(base + "/timestream"),
        now(std::move(clock)),
        catalog((fs::create_directories(dir), dir)) {
    for (DatabaseInfo& database : catalog.LoadDatabases()) {
      DatabaseKey key(database.region, database.name);
      databases.emplace(std::move(key), std::move(database));
    }
    for (auto& [id, info] : catalog.LoadTables()) {
      ++databases.at({info.name.region, info.name.database}).table_count;
      AddTable(id, info);
    }
  }

  void AddTable(std::int64_t id, const TableInfo& info) {
    auto table = std::make_shared<Table>();
    table->info = info;
    table->file = dir + "/table-" + std::to_string(id) + ".db";
    tables[Key(info.name)] = std::move(table);
  }

  static TableKey Key(const TableName& name) { return {name.region, name.database, name.table}; }

  DatabaseInfo& Database(const std::string& region, const std::string& name) {
    const auto found = databases.find({region, name});
    if (found == databases.end()) throw NoDatabase(name);
    return found->second;
  }

  std::shared_ptr<Table>& FindTable(const TableName& name) {
    Database(name.region, name.database);
    const auto found = tables.find(Key(name));
    if (found == tables.end()) throw NoTable(name.table);
    return found->second;
  }

  // The table and a copy of what it is like now.
  std::pair<std::shared_ptr<Table>, TableInfo> Get(const TableName& name) {
    const std::lock_guard lock(mutex);
    const auto& table = FindTable(name);
    return {table, table->info};
  }

  std::int64_t NowMs() const { return now() / kMillisecondNs; }

  // The sources whose rows are not seen yet.
  TableRows::Sources HiddenOf(const TableName& name, std::int64_t now_ns) {
    TableRows::Sources still;
    const std::lock_guard lock(mutex);
    const auto found = hidden.find(Key(name));
    if (found == hidden.end()) return still;
    std::erase_if(found->second, [&](const auto& entry) { return entry.second <= now_ns; });
    for (const auto& [source, until] : found->second) still.push_back(source);
    return still;
  }

  const std::string dir;
  const NowNs now;
  std::mutex mutex;  // guards all below
  TableCatalog catalog;
  std::map<DatabaseKey, DatabaseInfo> databases;
  std::map<TableKey, std::shared_ptr<Table>> tables;
  std::map<TableKey, std::map<std::int64_t, std::int64_t>> hidden;  // source to when it is seen
};

TableStore::TableStore(const std::string& dir, NowNs now)
    : impl_(std::make_unique<Impl>(dir, std::move(now))) {}

TableStore::~TableStore() = default;

const std::string& TableStore::dir() const { return impl_->dir; }

void TableStore::CreateDatabase(const std::string& region, const std::string& name,
                                const std::string& kms_key_id) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->databases.contains({region, name})) {
    throw ApiError(400, "ConflictException", "The database " + name + " already exists.");
  }
  const std::int64_t now = impl_->NowMs();
  const DatabaseInfo database{region, name, kms_key_id, 0, now, now};
  impl_->catalog.Save(database);
  impl_->databases[{region, name}] = database;
}

DatabaseInfo TableStore::GetDatabase(const std::string& region, const std::string& name) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->Database(region, name);
}

std::vector<DatabaseInfo> TableStore::Databases(const std::string& region) const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<DatabaseInfo> found;
  for (auto it = impl_->databases.lower_bound({region, ""});
       it != impl_->databases.end() && it->first.first == region; ++it) {
    found.push_back(it->second);
  }
  return found;
}

void TableStore::UpdateDatabase(const std::string& region, const std::string& name,
                                const std::string& kms_key_id) {
  const std::lock_guard lock(impl_->mutex);
  DatabaseInfo& database = impl_->Database(region, name);
  DatabaseInfo updated = database;
  updated.kms_key_id = kms_key_id;
  updated.updated_ms = impl_->NowMs();
  impl_->catalog.Save(updated);
  database = updated;
}

void TableStore::DeleteDatabase(const std::string& region, const std::string& name) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->Database(region, name).table_count > 0) {
    throw ApiError(400, "ValidationException",
                   "The database " + name + " still has tables: delete them first.");
  }
  impl_->catalog.EraseDatabase(region, name);
  impl_->databases.erase({region, name});
}

void TableStore::CreateTable(const TableName& name, const TableProperties& properties) {
  const std::lock_guard lock(impl_->mutex);
  DatabaseInfo& database = impl_->Database(name.region, name.database);
  if (impl_->tables.contains(Impl::Key(name))) {
    throw ApiError(400, "ConflictException", "The table " + name.table + " already exists.");
  }
  const std::int64_t now = impl_->NowMs();
  const TableInfo info{name, properties, now, now};
  impl_->AddTable(impl_->catalog.Insert(info), info);
  ++database.table_count;
}

void TableStore::UpdateTable(const TableName& name, const TableProperties& properties) {
  std::shared_ptr<Impl::Table> table = impl_->Get(name).first;
  {
    const std::lock_guard lock(impl_->mutex);
    TableInfo updated = table->info;
    // What has expired stays expired where the retention grows.
    table->Rows().Purge(RetentionCutoff(updated.properties, impl_->now()));
    updated.properties = properties;
    updated.updated_ms = impl_->NowMs();
    impl_->catalog.Update(updated);
    table->info = updated;
  }
}

TableInfo TableStore::GetTable(const TableName& name) const { return impl_->Get(name).second; }

std::vector<TableInfo> TableStore::Tables(const std::string& region,
                                          const std::string& database) const {
  const std::lock_guard lock(impl_->mutex);
  impl_->Database(region, database);
  std::vector<TableInfo> found;
  for (auto it = impl_->tables.lower_bound({region, database, ""});
       it != impl_->tables.end() && std::get<0>(it->first) == region &&
       std::get<1>(it->first) == database;
       ++it) {
    found.push_back(it->second->info);
  }
  return found;
}

void TableStore::DeleteTable(const TableName& name) {
  std::shared_ptr<Impl::Table> table;  // let go of after the lock
  const std::lock_guard lock(impl_->mutex);
  table = impl_->FindTable(name);
  impl_->catalog.EraseTable(name);
  table->deleted = true;
  impl_->tables.erase(Impl::Key(name));
  impl_->hidden.erase(Impl::Key(name));
  --impl_->Database(name.region, name.database).table_count;
}

TableSchema TableStore::Schema(const TableName& name) const {
  return impl_->Get(name).first->Rows().Schema();
}

std::vector<TableStore::MeasureInfo> TableStore::Measures(const TableName& name) const {
  return impl_->Get(name).first->Rows().Measures();
}

WriteResult TableStore::Write(const TableName& name, const std::vector<Record>& records,
                              std::int64_t source) {
  const auto [table, info] = impl_->Get(name);
  return table->Rows().Write(info.properties, impl_->now(), records, source);
}

void TableStore::HideSource(const TableName& name, std::int64_t source) {
  ShowSource(name, source, INT64_MAX);
}

void TableStore::ShowSource(const TableName& name, std::int64_t source, std::int64_t from_ns) {
  const std::lock_guard lock(impl_->mutex);
  impl_->hidden[Impl::Key(name)][source] = from_ns;
}

void TableStore::Scan(const TableName& name, const TableSchema& schema, std::int64_t from_ns,
                      std::int64_t to_ns, const std::function<bool(const RowView&)>& visit) const {
  const auto [table, info] = impl_->Get(name);
  const std::int64_t now = impl_->now();
  const std::int64_t cutoff = RetentionCutoff(info.properties, now);
  table->Rows().Scan(schema, std::max(from_ns, cutoff), to_ns, impl_->HiddenOf(name, now), visit);
}

std::optional<TimeBounds> TableStore::Bounds(const TableName& name, std::int64_t from_ns,
                                             std::int64_t to_ns) const {
  const auto [table, info] = impl_->Get(name);
  const std::int64_t now = impl_->now();
  from_ns = std::max(from_ns, RetentionCutoff(info.properties, now));
  const TableRows::Sources hidden = impl_->HiddenOf(name, now);
  if (hidden.empty()) return table->Rows().Bounds(from_ns, to_ns);
  // The index knows no sources: the rows are read.
  std::optional<TimeBounds> bounds;
  table->Rows().Scan({}, from_ns, to_ns, hidden, [&](const RowView& row) {
    if (!bounds) bounds = TimeBounds{row.time_ns, row.time_ns};
    bounds->min_ns = std::min(bounds->min_ns, row.time_ns);
    bounds->max_ns = std::max(bounds->max_ns, row.time_ns);
    return true;
  });
  return bounds;
}

}  // namespace ts_local
