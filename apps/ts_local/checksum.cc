#include "ts_local/checksum.h"

#include <cstdint>
#include <stdexcept>

#include "ts_local/digest.h"

namespace ts_local {
namespace {

// Reflected, table-driven, eight bytes a step ("slicing by 8"): bodies may be gigabytes.
template <typename Word, Word kPolynomial>
class Crc {
 public:
  constexpr Crc() {
    for (unsigned i = 0; i < 256; ++i) {
      Word value = i;
      for (int bit = 0; bit < 8; ++bit) {
        value = static_cast<Word>((value >> 1U) ^ ((value & 1U) != 0 ? kPolynomial : 0));
      }
      table_[0][i] = value;
    }
    for (unsigned i = 0; i < 256; ++i) {
      for (unsigned slice = 1; slice < 8; ++slice) {
        const Word previous = table_[slice - 1][i];
        table_[slice][i] = static_cast<Word>((previous >> 8U) ^ table_[0][previous & 0xFFU]);
      }
    }
  }

  // All three of S3's CRCs start from all ones and end inverted.
  std::string BigEndian(std::string_view bytes) const {
    auto state = static_cast<Word>(~Word{0});
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
      std::uint64_t block = state;
      for (unsigned k = 0; k < 8; ++k) {
        block ^= std::uint64_t{static_cast<std::uint8_t>(bytes[i + k])} << (8U * k);
      }
      state = 0;
      for (unsigned k = 0; k < 8; ++k) state ^= table_[7 - k][(block >> (8U * k)) & 0xFFU];
    }
    for (; i < bytes.size(); ++i) {
      const auto index = (state ^ static_cast<std::uint8_t>(bytes[i])) & 0xFFU;
      state = static_cast<Word>((state >> 8U) ^ table_[0][index]);
    }
    state = static_cast<Word>(~state);
    std::string out;
    for (unsigned shift = sizeof(Word) * 8; shift > 0; shift -= 8) {
      out += static_cast<char>((state >> (shift - 8)) & 0xFFU);
    }
    return out;
  }

 private:
  std::array<std::array<Word, 256>, 8> table_{};
};

constexpr Crc<std::uint32_t, 0xEDB88320U> kCrc32;
constexpr Crc<std::uint32_t, 0x82F63B78U> kCrc32c;
constexpr Crc<std::uint64_t, 0x9A6C9329AC4BC9B5U> kCrc64Nvme;

}  // namespace

std::string Checksum(std::string_view name, std::string_view bytes) {
  if (name == "crc32") return Base64Encode(kCrc32.BigEndian(bytes));
  if (name == "crc32c") return Base64Encode(kCrc32c.BigEndian(bytes));
  if (name == "crc64nvme") return Base64Encode(kCrc64Nvme.BigEndian(bytes));
  if (name == "sha1") return Base64Encode(Sha1(bytes));
  if (name == "sha256") return Base64Encode(Sha256(bytes));
  throw std::logic_error("unknown checksum " + std::string(name));
}

}  // namespace ts_local
