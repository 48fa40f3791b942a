#include "common/progress_text.h"

#include <string_view>
#include <vector>

#include "tsm/core/text.h"

namespace tsm::apps {

namespace {

// What a phase counts; "" where its units are percent, which the line shows anyway.
std::string_view UnitOf(std::string_view phase) {
  if (phase == "copy") return "files";
  if (phase == "load") return "tasks";
  return "";
}

bool StartsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

}  // namespace

std::string ProgressText(const Progress& progress) {
  std::string text(progress.phase);
  if (progress.total > 0) {
    text += " " + std::to_string(progress.done * 100 / progress.total) + "%";
  }
  std::vector<std::string> parts;
  const std::string_view unit = UnitOf(progress.phase);
  if (!unit.empty()) {
    std::string count = WithThousands(progress.done);
    if (progress.total > 0) count += " of " + WithThousands(progress.total);
    parts.push_back(count + " " + std::string(unit));
  }
  if (progress.bytes_done > 0 || progress.bytes_total > 0) {
    std::string bytes = FormatBytes(progress.bytes_done);
    if (progress.bytes_total > 0) bytes += " of " + FormatBytes(progress.bytes_total);
    parts.push_back(bytes);
  }
  if (progress.rows_done > 0) parts.push_back(WithThousands(progress.rows_done) + " rows");
  if (!progress.detail.empty()) parts.push_back(progress.detail);
  if (!parts.empty()) text += ": " + Join(parts, ", ");
  return text;
}

std::string CutToColumns(const std::string& text, std::size_t columns) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (StartsCharacter(text[i]) && ++characters > columns) return text.substr(0, i);
  }
  return text;
}

}  // namespace tsm::apps
