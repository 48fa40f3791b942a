#include "tsm/timestream/table_ref.h"

#include <algorithm>

#include "tsm/core/text.h"
#include "tsm/timestream/limits.h"

namespace tsm::timestream {
namespace {

std::string Quote(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote) quoted.push_back(quote);
    quoted.push_back(c);
  }
  quoted.push_back(quote);
  return quoted;
}

}  // namespace

Status CheckName(std::string_view what, std::string_view name) {
  const auto refuse = [&](const std::string& why) -> Status {
    return MakeError(ErrorKind::kInvalidInput, std::string(what) + " name \"" + OneLine(name, 80) +
                                                   "\" is not valid: " + why);
  };
  if (name.empty() || name.size() > kMaxDatabaseOrTableNameBytes) {
    return refuse("it has " + std::to_string(name.size()) + " bytes, Timestream allows 1 to " +
                  std::to_string(kMaxDatabaseOrTableNameBytes));
  }
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  if (!std::all_of(name.begin(), name.end(), allowed)) {
    return refuse("only letters, digits, '_', '.' and '-' are allowed");
  }
  return Ok();
}

Result<TableRef> TableRef::Make(std::string_view database, std::string_view table) {
  if (Status status = CheckName("database", database); !status) return status.error();
  if (Status status = CheckName("table", table); !status) return status.error();
  return TableRef{.database = std::string(database), .table = std::string(table)};
}

std::string QuoteIdentifier(std::string_view name) { return Quote(name, '"'); }

std::string QuoteLiteral(std::string_view text) { return Quote(text, '\''); }

}  // namespace tsm::timestream
