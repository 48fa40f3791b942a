// The files that hold objects' and parts' bytes: opaque names in 256 folders, written aside first
// and renamed when whole. Names carry no key, so a key may hold any character. Thread-safe (const).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ts_local/digest.h"

namespace ts_local {

// How an object is encrypted and by which key ("" for none of the caller's), as one text of an
// index, and back.
std::string PackEncryption(const std::string& algorithm, const std::string& kms_key);
std::pair<std::string, std::string> UnpackEncryption(std::string_view text);

// A file being written; dropped without Keep, it is removed.
class PendingFile {
 public:
  PendingFile(std::string temporary, std::string final_path);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  void Append(std::string_view bytes);  // throws std::runtime_error, for instance on a full disk
  std::uint64_t size() const { return size_; }
  std::string Md5Hex();  // of everything appended; call once, after the last Append
  // Moves the whole file to its place and returns its absolute path.
  std::string Keep();

 private:
  void Write(std::string_view bytes);

  std::string temporary_;
  std::string final_path_;
  int descriptor_ = -1;
  bool kept_ = false;
  std::uint64_t size_ = 0;
  std::string buffer_;
  DigestStream md5_{DigestStream::Kind::kMd5};
};

class ObjectFiles {
 public:
  // Creates the folders; what a killed process left half written is removed. Throws
  // std::runtime_error where the directory is unusable.
  explicit ObjectFiles(const std::string& dir);
  std::unique_ptr<PendingFile> New() const;

 private:
  std::string temporary_;
  std::string objects_;
};

// Reads a kept file from `offset` on. Throws std::runtime_error where it is missing or shorter.
class FileReader {
 public:
  FileReader(const std::string& file, std::uint64_t offset);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  // Up to `most` further bytes, never none.
  std::string_view Read(std::uint64_t most);

 private:
  int descriptor_ = -1;
  std::string buffer_;
};

// Gives `length` bytes of `file` from `offset` to `sink(std::string_view)`, a piece at a time.
template <typename Sink>
void ForEachPiece(const std::string& file, std::uint64_t offset, std::uint64_t length,
                  const Sink& sink) {
  if (length == 0) return;
  FileReader reader(file, offset);
  while (length > 0) {
    const std::string_view piece = reader.Read(length);
    sink(piece);
    length -= piece.size();
  }
}

}  // namespace ts_local
