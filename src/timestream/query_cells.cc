#include "tsm/timestream/query_cells.h"

#include "tsm/core/text.h"

namespace tsm::timestream {

Error BadCell(std::string_view name, const std::string& what) {
  return MakeError(ErrorKind::kBadReply, "the answer's column " + std::string(name) + " " + what);
}

Result<Cell> ReadCell(const QueryPage& page, const Row& row, std::string_view name) {
  const std::optional<std::size_t> index = page.ColumnIndex(name);
  if (!index) return BadCell(name, "is missing");
  if (*index >= row.size()) return BadCell(name, "is missing in a row");
  return row[*index];
}

Result<std::string> ReadText(const QueryPage& page, const Row& row, std::string_view name) {
  Result<Cell> cell = ReadCell(page, row, name);
  if (!cell) return cell.error();
  if (!cell->has_value()) return BadCell(name, "is null");
  return **cell;
}

Result<std::uint64_t> ReadCount(const QueryPage& page, const Row& row, std::string_view name) {
  Result<std::string> text = ReadText(page, row, name);
  if (!text) return text.error();
  const std::optional<std::int64_t> count = ParseInt64(*text);
  if (count && *count >= 0) return static_cast<std::uint64_t>(*count);
  return BadCell(name, "holds '" + OneLine(*text, 60) + "', which is no count");
}

}  // namespace tsm::timestream
