// The one file that knows OpenSSL: the three primitives that signer.h names.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tsm/aws/signer.h"
#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

constexpr std::size_t kSha256Bytes = 32;
constexpr std::size_t kSha1Bytes = 20;
using Digest = std::array<unsigned char, kSha256Bytes>;

std::string_view AsText(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest Sha256(std::string_view bytes) {
  Digest digest{};
  unsigned int size = 0;
  // Fails only where memory is out; a wrong hash must not go on.
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    std::abort();
  }
  return digest;
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) { return HexEncode(AsText(Sha256(bytes))); }

std::string Sha256Base64(std::string_view bytes) {
  const Digest digest = Sha256(bytes);
  // Four characters for each three bytes begun, and the end of the string.
  std::array<unsigned char, (kSha256Bytes + 2) / 3 * 4 + 1> text{};
  const int size = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)};
}

std::string Sha1Hex(std::string_view bytes) {
  std::array<unsigned char, kSha1Bytes> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    std::abort();
  }
  return HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string HmacSha256(std::string_view key, std::string_view text) {
  Digest digest{};
  unsigned int size = 0;
  // OpenSSL reads a null key as "the key of the last call": an empty one must still point
  // somewhere.
  const char* key_bytes = key.empty() ? "" : key.data();
  if (HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           &size) == nullptr) {
    std::abort();
  }
  return std::string(AsText(digest));
}

}  // namespace tsm::aws
