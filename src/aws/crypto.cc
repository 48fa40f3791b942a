// The one file that knows OpenSSL: the three primitives that signer.h names.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cstdlib>
#include <memory>
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

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

// Memory is out: a wrong hash must not go on.
void Must(bool done) {
  if (!done) std::abort();
}

// A context per thread: to look the algorithm up anew, under a lock that all threads share, takes
// five times what hashing a request does.
Digest Sha256(std::string_view bytes) {
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  Digest digest{};
  Must(sha256 != nullptr && context != nullptr &&
       EVP_DigestInit_ex(context.get(), sha256, nullptr) == 1 &&
       EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
       EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  return digest;
}

std::unique_ptr<EVP_MAC_CTX, Free> NewHmacSha256() {
  static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  Must(hmac != nullptr);
  std::unique_ptr<EVP_MAC_CTX, Free> context(EVP_MAC_CTX_new(hmac));
  std::string digest = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  Must(context != nullptr && EVP_MAC_CTX_set_params(context.get(), parameters) == 1);
  return context;
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
  Must(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1);
  return HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string HmacSha256(std::string_view key, std::string_view text) {
  thread_local const std::unique_ptr<EVP_MAC_CTX, Free> context = NewHmacSha256();
  Digest digest{};
  std::size_t size = 0;
  // OpenSSL reads a null key as "the key of the last call": an empty one must still point
  // somewhere.
  const char* key_bytes = key.empty() ? "" : key.data();
  Must(EVP_MAC_init(context.get(), reinterpret_cast<const unsigned char*>(key_bytes), key.size(),
                    nullptr) == 1 &&
       EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(text.data()),
                      text.size()) == 1 &&
       EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1);
  return std::string(AsText(digest));
}

}  // namespace tsm::aws
