#include "tsm/unload/table_scope.h"

#include <algorithm>

#include "tsm/core/text.h"

namespace tsm::unload {

namespace {

// Goes back to the last '*' only, which is enough: an earlier one could not match more than it.
// So the time is bounded by the product of both lengths.
bool Glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last '*' met
  std::size_t resume = 0;                     // where in the text what follows it is tried next
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

bool MatchesPattern(std::string_view pattern, const timestream::TableRef& table) {
  const bool qualified = pattern.find('.') != std::string_view::npos;
  return Glob(pattern, qualified ? table.str() : table.table);
}

bool TableScope::Selects(const timestream::TableRef& table) const {
  const auto matches = [&table](const std::string& pattern) {
    return MatchesPattern(pattern, table);
  };
  if (!tables.empty()) {
    if (std::find(tables.begin(), tables.end(), table) == tables.end()) return false;
  } else if (!database.empty() && table.database != database) {
    return false;
  }
  if (!include.empty() && std::none_of(include.begin(), include.end(), matches)) return false;
  return std::none_of(exclude.begin(), exclude.end(), matches);
}

std::string TableScope::str() const {
  if (!tables.empty()) {
    std::vector<std::string> names;
    for (const timestream::TableRef& table : tables) names.push_back(table.str());
    return Join(names, ", ");
  }
  std::string text = database.empty() ? "all databases" : "database " + database;
  if (!include.empty()) text += ", only " + Join(include, ", ");
  if (!exclude.empty()) text += ", without " + Join(exclude, ", ");
  return text;
}

}  // namespace tsm::unload
