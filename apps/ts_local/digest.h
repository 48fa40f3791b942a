// Hashes, MACs and their text forms for ts-local's own signature and checksum checks (OpenSSL
// inside). Pure functions, except DigestStream, which one thread at a time may feed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace ts_local {

std::string HexEncode(std::string_view bytes);
std::string HexDecode(std::string_view hex);  // "" where it is no hex
std::string Base64Encode(std::string_view bytes);
std::string Base64Decode(std::string_view text);  // "" where it is no base64

// Raw digests (32, 20 and 16 bytes).
std::string Sha256(std::string_view bytes);
std::string Sha1(std::string_view bytes);
std::string Md5(std::string_view bytes);
std::string HmacSha256(std::string_view key, std::string_view bytes);

// True where both are equal; takes the same time wherever they differ.
bool EqualConstantTime(std::string_view a, std::string_view b);

// The digest of bytes that come piece by piece.
class DigestStream {
 public:
  enum class Kind { kMd5, kSha256 };
  explicit DigestStream(Kind kind);
  ~DigestStream();
  DigestStream(const DigestStream&) = delete;
  DigestStream& operator=(const DigestStream&) = delete;
  void Update(std::string_view bytes);
  std::string Finish();  // raw, once

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// `count` random lower-case hex digits, for request ids and opaque file names.
std::string RandomHex(std::size_t count);

}  // namespace ts_local
