#include "tsm/core/nearest_name.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"

namespace tsm {

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::vector<std::string> NearestNames(const std::vector<std::string>& names,
                                      std::string_view wanted, std::size_t count) {
  std::vector<std::pair<std::size_t, std::string>> found;
  found.reserve(names.size());
  const std::string lower = ToLowerAscii(wanted);
  for (const std::string& name : names) {
    found.emplace_back(EditDistance(ToLowerAscii(name), lower), name);
  }
  count = std::min(count, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end());
  std::vector<std::string> nearest;
  for (std::size_t i = 0; i < count; ++i) nearest.push_back(std::move(found[i].second));
  return nearest;
}

std::string LikelyName(const std::vector<std::string>& names, std::string_view wanted) {
  const std::vector<std::string> nearest = NearestNames(names, wanted, 1);
  if (nearest.empty()) return "";
  const std::size_t distance = EditDistance(ToLowerAscii(nearest[0]), ToLowerAscii(wanted));
  const std::size_t length = std::max(nearest[0].size(), wanted.size());
  return distance * 3 <= length ? nearest[0] : "";
}

}  // namespace tsm
