#include "select_sql.h"

#include "tsm/core/text.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::unload {

using timestream::QuoteIdentifier;

std::pair<std::string, std::string> SplitOrder(std::string_view item) {
  const std::size_t blank = item.find_last_of(" \t");
  if (blank != std::string_view::npos) {
    const std::string word = ToLowerAscii(item.substr(blank + 1));
    const std::string column(TrimAscii(item.substr(0, blank)));
    if (word == "asc") return {column, " ASC"};
    if (word == "desc") return {column, " DESC"};
  }
  return {std::string(item), ""};
}

std::string OrderSql(const std::vector<std::string>& order_by) {
  std::vector<std::string> items;
  for (const std::string& item : order_by) {
    const auto [column, direction] = SplitOrder(item);
    items.push_back((column == "time" ? column : QuoteIdentifier(column)) + direction);
  }
  return items.empty() ? "" : " ORDER BY " + Join(items, ", ");
}

}  // namespace tsm::unload
