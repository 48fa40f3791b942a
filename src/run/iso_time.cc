#include "iso_time.h"

#include "tsm/core/time_text.h"

namespace tsm::run {

std::string IsoMilliseconds(std::chrono::system_clock::time_point time) {
  std::string text = FormatIso8601(std::chrono::floor<std::chrono::seconds>(time));
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()) % 1000;
  const std::string digits = std::to_string(millis.count());
  text.insert(text.size() - 1, "." + std::string(3 - digits.size(), '0') + digits);
  return text;
}

std::string IsoMilliseconds(UnixNanos time) {
  return IsoMilliseconds(std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(time))));
}

}  // namespace tsm::run
