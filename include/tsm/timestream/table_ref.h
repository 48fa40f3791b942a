// A table by database and name, checked against the service's rule for names.
// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "tsm/core/result.h"

namespace tsm::timestream {

// 1 to 256 bytes of [a-zA-Z0-9_.-], as the API's model has it (the console asks for 3); names are
// case sensitive.
Status CheckName(std::string_view what,
                 std::string_view name);  // kInvalidInput, `what` = "database"

struct TableRef {
  std::string database;
  std::string table;

  static Result<TableRef> Make(std::string_view database, std::string_view table);
  std::string str() const { return database + "." + table; }
  auto operator<=>(const TableRef&) const = default;
};

// SQL's quoting: "name" with '"' doubled, 'text' with '\'' doubled.
std::string QuoteIdentifier(std::string_view name);
std::string QuoteLiteral(std::string_view text);

}  // namespace tsm::timestream
