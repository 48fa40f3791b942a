#include "ts_local/sqlite_handle.h"

#include <sqlite3.h>

#include <stdexcept>
#include <utility>

namespace ts_local {

Connection::Connection(const std::string& file) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
    const std::string message = handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_);
    sqlite3_close(handle_);
    throw std::runtime_error(file + ": " + message);
  }
  try {
    sqlite3_busy_timeout(handle_, 60'000);
    // With these on, a quoted name that does not resolve would silently be a string.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    Exec("PRAGMA journal_mode=WAL");
    Exec("PRAGMA synchronous=OFF");
    Exec("PRAGMA wal_autocheckpoint=8000");
    Exec("PRAGMA cache_size=-65536");
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

Connection::~Connection() { sqlite3_close(handle_); }

Connection::Connection(Connection&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)) {}

void Connection::Exec(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string("sqlite: ") + sqlite3_errmsg(handle_) + " in: " + sql);
  }
}

std::int64_t Connection::LastRowId() const { return sqlite3_last_insert_rowid(handle_); }

std::int64_t Connection::Changes() const { return sqlite3_changes64(handle_); }

Statement::Statement(Connection& connection, std::string_view sql) {
  if (sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string("sqlite: ") + sqlite3_errmsg(connection.handle()) +
                             " in: " + std::string(sql));
  }
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::Fail(const char* what) const {
  const std::string message =
      std::string("sqlite: ") + what + ": " + sqlite3_errmsg(sqlite3_db_handle(statement_));
  sqlite3_reset(statement_);  // else the next Bind of a kept statement would be misuse
  throw std::runtime_error(message);
}

Statement& Statement::Bind(int index, std::int64_t value) {
  if (sqlite3_bind_int64(statement_, index, value) != SQLITE_OK) Fail("bind");
  return *this;
}

Statement& Statement::Bind(int index, std::string_view text) {
  // A null pointer would bind NULL, which the empty string is not.
  const char* data = text.data() == nullptr ? "" : text.data();
  if (sqlite3_bind_text(statement_, index, data, static_cast<int>(text.size()), SQLITE_STATIC) !=
      SQLITE_OK) {
    Fail("bind");
  }
  return *this;
}

Statement& Statement::BindBlob(int index, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  if (sqlite3_bind_blob(statement_, index, data, static_cast<int>(bytes.size()), SQLITE_STATIC) !=
      SQLITE_OK) {
    Fail("bind");
  }
  return *this;
}

bool Statement::Step() {
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      Fail("step");
  }
}

void Statement::Run() {
  while (Step()) {
  }
  Reset();
}

void Statement::Reset() {
  // Its result repeats the failure of the last step, which Step has thrown already.
  (void)sqlite3_reset(statement_);
}

std::int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::Blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Transaction::Transaction(Connection& connection, bool write) : connection_(connection) {
  connection_.Exec(write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!open_) return;
  // The failure that brought us here is already on its way; a rollback that fails adds nothing.
  sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::Commit() {
  connection_.Exec("COMMIT");
  open_ = false;
}

}  // namespace ts_local
