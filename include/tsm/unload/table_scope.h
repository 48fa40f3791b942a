// Which tables are unloaded: named ones, all of a database, all of the region. Plain value;
// matching is pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::unload {

// "*" any text, "?" any one character, anything else itself; case counts, as in names. Held against
// "database.table", or against the table alone where the pattern has no '.'.
bool MatchesPattern(std::string_view pattern, const timestream::TableRef& table);

struct TableScope {
  std::vector<timestream::TableRef> tables;  // named one by one; empty: all of `database`
  std::string database;                      // "" with no tables: every database
  std::vector<std::string> include;          // with any, only what one of them matches
  std::vector<std::string> exclude;          // nothing that one of these matches

  bool NamesOneTable() const { return tables.size() == 1; }
  bool Selects(const timestream::TableRef& table) const;
  std::string str() const;  // "sourcedb.myTable", "database sourcedb", "all databases", for people
};

}  // namespace tsm::unload
