// What the journal needs of the file system beside core/local_file.h: a file that is locked while
// it is open, and its lines one by one. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/local_file.h"
#include "tsm/core/result.h"

namespace tsm {

// A new file, mode 0600, locked. kInTheWay where it exists.
Result<OpenFile> CreateLocked(const std::filesystem::path& path);
// An existing one, for appending, locked. kNotFound; kInTheWay names the holder's pid where known.
Result<OpenFile> OpenLocked(const std::filesystem::path& path);

// The pid of the process that holds a flock on the file, from the kernel's list; nothing where the
// list is hidden, or the holder lives on another machine or in another container.
std::optional<long> LockHolder(int file);

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
