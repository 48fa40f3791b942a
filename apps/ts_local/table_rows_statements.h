// The writer's prepared statements of a table's file; private to table_rows*.cc.
// Used by one thread at a time, under TableRows' write mutex.
#pragma once

#include "ts_local/sqlite_handle.h"
#include "ts_local/table_rows.h"

namespace ts_local {

struct TableRows::Statements {
  explicit Statements(Connection& writer)
      : insert(writer,
               "INSERT INTO rows(day, series, time, version, data, source) "
               "VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
               "ON CONFLICT DO NOTHING"),
        select(writer,
               "SELECT version, data FROM rows WHERE day = ?1 AND series = ?2 AND time = ?3"),
        update(writer,
               "UPDATE rows SET version = ?4, data = ?5 "
               "WHERE day = ?1 AND series = ?2 AND time = ?3"),
        purge(writer, "DELETE FROM rows WHERE day <= ?1 AND time < ?2"),
        add_series(writer, "INSERT INTO series(id, key) VALUES(?1, ?2)"),
        add_dimension(writer, "INSERT INTO dimensions(id, name) VALUES(?1, ?2)"),
        add_column(writer, "INSERT INTO columns(id, name, type, multi) VALUES(?1, ?2, ?3, ?4)"),
        add_measure(writer, "INSERT INTO measures(name, type) VALUES(?1, ?2)") {}

  Statement insert;
  Statement select;
  Statement update;
  Statement purge;
  Statement add_series;
  Statement add_dimension;
  Statement add_column;
  Statement add_measure;
};

}  // namespace ts_local
