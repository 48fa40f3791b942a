#include "utf8.h"

#include <cstddef>
#include <cstdint>

namespace tsm::model {
namespace {

// Bytes that follow a first byte, the bits that the first byte gives, and the least value that
// needs that many bytes.
struct Lead {
  std::size_t more = 0;
  std::uint32_t bits = 0;
  std::uint32_t least = 0;
  bool good = false;
};

Lead LeadOf(unsigned char byte) {
  if (byte < 0x80) return {0, byte, 0, true};
  if ((byte & 0xE0U) == 0xC0) return {1, byte & 0x1FU, 0x80, true};
  if ((byte & 0xF0U) == 0xE0) return {2, byte & 0x0FU, 0x800, true};
  if ((byte & 0xF8U) == 0xF0) return {3, byte & 0x07U, 0x10000, true};
  return {};
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const Lead lead = LeadOf(static_cast<unsigned char>(text.front()));
    if (!lead.good || text.size() <= lead.more) return false;
    std::uint32_t value = lead.bits;
    for (std::size_t i = 1; i <= lead.more; ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if ((byte & 0xC0U) != 0x80) return false;
      value = (value << 6U) | (byte & 0x3FU);
    }
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < lead.least || value > 0x10FFFF || surrogate) return false;
    text.remove_prefix(lead.more + 1);
  }
  return true;
}

}  // namespace tsm::model
