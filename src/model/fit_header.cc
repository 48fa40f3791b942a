// The data model against the columns of a real file.
#include <algorithm>
#include <map>
#include <set>

#include "model_columns.h"
#include "tsm/core/nearest_name.h"
#include "tsm/core/text.h"
#include "tsm/model/data_model_fit.h"

namespace tsm::model {
namespace {

constexpr std::size_t kNamedMisses = 3;
constexpr std::size_t kShownBytes = 80;
constexpr std::size_t kColumnsTold = 8;

// A header that is one long name was split by the wrong character.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-preparing-data-file.html
std::string SeparatorHint(const std::vector<std::string>& header) {
  if (header.size() != 1 || header[0].find_first_of(",;|\t ") == std::string::npos) return "";
  return "; its header is one column, \"" + OneLine(header[0], kShownBytes) +
         "\": the files are separated by another character than the one that was given";
}

std::string Miss(const MappedColumn& column, const std::vector<std::string>& header) {
  const std::string likely = LikelyName(header, column.source);
  std::string place = column.path;
  if (!likely.empty()) place += "; did you mean " + Quoted(OneLine(likely, kShownBytes)) + "?";
  return Quoted(OneLine(column.source, kShownBytes)) + " (" + place + ")";
}

}  // namespace

Result<HeaderFit> FitToHeader(const DataModel& model, const std::vector<std::string>& header,
                              const std::string& file) {
  std::map<std::string, int> count;
  for (const std::string& name : header) ++count[name];
  std::set<std::string> mapped;
  std::vector<std::string> misses;
  for (const MappedColumn& column : MappedColumns(model)) {
    const bool fresh = mapped.insert(column.source).second;
    const auto found = count.find(column.source);
    if (found == count.end()) {
      if (fresh) misses.push_back(Miss(column, header));
    } else if (found->second > 1) {
      return Misfit(file + " has " + std::to_string(found->second) + " columns named " +
                    Quoted(column.source) + ", and the data model reads one (" + column.path +
                    "): write the files with names that differ");
    }
  }
  if (!misses.empty()) {
    std::string text = "the data model reads columns that " + file + " does not have: ";
    const std::size_t shown = std::min(misses.size(), kNamedMisses);
    for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : "; ") + misses[i];
    if (shown < misses.size()) text += "; and " + std::to_string(misses.size() - shown) + " more";
    std::string hint = SeparatorHint(header);
    if (hint.empty()) hint = "; the file has " + QuotedList(header, kColumnsTold);
    return Misfit(text + hint);
  }
  HeaderFit fit;
  for (const std::string& name : header) {
    if (!mapped.contains(name)) fit.unmapped.push_back(name);
  }
  return fit;
}

}  // namespace tsm::model
