// What the journal needs of the file system: a file that is locked while it is open, its lines one
// by one, and failures told as a person can act on them. Not thread-safe but where said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/journal.h"
#include "tsm/core/result.h"

namespace tsm {

// An open file; closes, and so unlocks, with its scope. Movable.
class OpenFile {
 public:
  OpenFile() = default;
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile();

  int get() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

// kLocalIo, "<path> can't be <what>: <reason of the errno>; <what to do>".
Error FileError(const std::filesystem::path& path, std::string_view what, int reason);

// Makes what is missing of the path, mode 0700, each new entry on the disk.
Status MakeDirectories(const std::filesystem::path& path, JournalDisk& disk);

// fsync of a directory. File systems that know no such thing (EINVAL) count as done.
Status SyncDirectory(const std::filesystem::path& path, JournalDisk& disk);

// A new file, mode 0600, locked. kInTheWay where it exists.
Result<OpenFile> CreateLocked(const std::filesystem::path& path);
// An existing one, for appending, locked. kNotFound; kInTheWay names the holder's pid where known.
Result<OpenFile> OpenLocked(const std::filesystem::path& path);
Result<OpenFile> OpenToRead(const std::filesystem::path& path);

// All of `bytes`. 0 or an errno; some may have been written.
int WriteAll(int file, std::string_view bytes, JournalDisk& disk);

// Reads a file line by line; holds one line and one chunk of it.
class LineReader {
 public:
  struct Line {
    std::string_view text;  // valid until the next call; cut where too_long
    std::uint64_t offset = 0;
    bool ended = false;  // by a newline, which is not in `text`
    bool too_long = false;
  };

  // `path` for the errors; the file stays the caller's.
  LineReader(int file, std::filesystem::path path, std::size_t longest);

  // Nothing at the end of the file.
  Result<std::optional<Line>> Next();
  void SeekTo(std::uint64_t offset);
  // Where the next line begins.
  std::uint64_t offset() const { return offset_; }

 private:
  Status Fill();

  const int file_;
  const std::filesystem::path path_;
  const std::size_t longest_;
  std::uint64_t offset_ = 0;  // of the first byte that is not handed out
  std::vector<char> chunk_;
  std::string_view rest_;  // of the chunk
  std::string line_;
};

}  // namespace tsm
