#include "tsm/core/random.h"

#include <string_view>

namespace tsm {

double Random::Unit() {
  // 53 bits are what a double holds exactly.
  return static_cast<double>(Next() >> 11U) * 0x1.0p-53;
}

std::string Random::Uuid() {
  std::uint64_t high = Next();
  std::uint64_t low = Next();
  high = (high & ~0xF000ULL) | 0x4000ULL;        // version 4
  low = (low & ~(3ULL << 62U)) | (2ULL << 62U);  // variant of RFC 4122
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (const std::uint64_t half : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      text += kDigits[(half >> static_cast<unsigned>(shift)) & 0xFU];
      const std::size_t size = text.size();
      if (size == 8 || size == 13 || size == 18 || size == 23) text += '-';
    }
  }
  return text;
}

std::uint64_t SystemRandom::Next() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t high = device_();
  return (high << 32U) | device_();
}

std::uint64_t SeededRandom::Next() {
  const std::lock_guard lock(mutex_);
  return engine_();
}

}  // namespace tsm
