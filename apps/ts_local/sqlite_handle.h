// SQLite connections and statements with owners, errors as exceptions.
// A Connection owns its sqlite3 handle; a Statement borrows the connection and must not outlive it.
// Neither is thread-safe: one thread at a time uses a connection and its statements.
// Every connection has WAL, synchronous OFF (a killed process loses nothing, only a dead machine
// could; ts-local is a stand-in) and double-quoted string literals switched off.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace ts_local {

class Connection {
 public:
  // Opens or creates the file. Throws std::runtime_error with SQLite's message.
  explicit Connection(const std::string& file);
  ~Connection();
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) = delete;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Exec(const char* sql);
  std::int64_t LastRowId() const;
  std::int64_t Changes() const;  // rows changed by the last INSERT, UPDATE or DELETE
  sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters count from 1. Text and blobs are not copied: they must live until Reset.
  Statement& Bind(int index, std::int64_t value);
  Statement& Bind(int index, std::string_view text);
  Statement& BindBlob(int index, std::string_view bytes);

  // True while there is a row. Throws std::runtime_error on any failure.
  bool Step();
  // Steps a statement without rows to its end and makes it ready for the next values.
  void Run();
  void Reset();

  // Columns count from 0; views are valid until the next Step or Reset.
  std::int64_t Int(int column) const;
  std::string_view Text(int column) const;
  std::string_view Blob(int column) const;

 private:
  [[noreturn]] void Fail(const char* what) const;
  sqlite3_stmt* statement_ = nullptr;
};

// Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Connection& connection, bool write = true);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void Commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace ts_local
