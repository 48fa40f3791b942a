#include "common/progress_text.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::apps {

namespace {

// What a phase counts; "" for one that only has a share of its work to tell.
std::string_view UnitOf(std::string_view phase) {
  if (phase == "unload") return "slices";
  if (phase == "copy") return "files";
  if (phase == "load") return "tasks";
  return "";
}

// Whole percent, nothing where not known. 100 is kept for the last unit's end, however near the
// fraction says it is.
std::optional<std::uint64_t> PercentOf(const Progress& progress) {
  if (!progress.fraction) {
    if (progress.total == 0) return std::nullopt;
    return progress.done * 100 / progress.total;
  }
  const double most = progress.done < progress.total ? 99.0 : 100.0;
  // Written so that a NaN counts as 0.
  const double percent = *progress.fraction > 0 ? *progress.fraction * 100 : 0.0;
  return static_cast<std::uint64_t>(std::min(percent, most));
}

// "45 s left": an estimate has no tenths.
std::string LeftText(std::chrono::seconds left) {
  const bool short_time = left < std::chrono::minutes(1);
  const auto seconds = std::max(left.count(), std::chrono::seconds::rep{0});
  return (short_time ? std::to_string(seconds) + " s" : FormatDuration(left)) + " left";
}

bool StartsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

}  // namespace

std::string ProgressText(const Progress& progress) {
  std::string text(progress.phase);
  if (const auto percent = PercentOf(progress)) text += " " + std::to_string(*percent) + "%";
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
  if (progress.left) parts.push_back(LeftText(*progress.left));
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
