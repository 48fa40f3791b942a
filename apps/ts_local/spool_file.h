// Bytes on their way to a foreign S3: a file without a name below `dir`, which is gone with its
// last holder however ts-local ends. Used by one thread; throws std::runtime_error, for instance on
// a full disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ts_local/digest.h"

namespace ts_local {

class SpoolFile {
 public:
  explicit SpoolFile(const std::string& dir);
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  void Append(std::string_view bytes);
  std::uint64_t size() const { return size_; }
  // Raw digests of everything appended; call each once, after the last Append.
  std::string Sha256() { return sha256_.Finish(); }
  std::string Md5() { return md5_.Finish(); }

  // Up to `size` bytes from `offset`; 0 at the end.
  std::size_t ReadAt(std::uint64_t offset, char* buffer, std::size_t size) const;

 private:
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  DigestStream sha256_{DigestStream::Kind::kSha256};
  DigestStream md5_{DigestStream::Kind::kMd5};
};

}  // namespace ts_local
