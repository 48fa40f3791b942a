// What the program's own files need of the file system: a descriptor that closes itself,
// directories that are on the disk when they are said to be, and failures told as a person can act
// on them. Not thread-safe but where said.
#pragma once

#include <filesystem>
#include <string_view>

#include "tsm/core/result.h"

namespace tsm {

class JournalDisk;
JournalDisk& SystemJournalDisk();

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

// kLocalIo, "<path> can't be <what>: <reason of the errno>; <what to do>". Pure.
Error FileError(const std::filesystem::path& path, std::string_view what, int reason);

// Makes what is missing of the path, mode 0700, each new entry on the disk.
Status MakeDirectories(const std::filesystem::path& path, JournalDisk& disk = SystemJournalDisk());

// fsync of a directory. File systems that know no such thing (EINVAL) count as done.
Status SyncDirectory(const std::filesystem::path& path, JournalDisk& disk = SystemJournalDisk());

// An existing regular file, with flags of open(2). kNotFound where there is none, kLocalIo where it
// is anything else.
Result<OpenFile> OpenExisting(const std::filesystem::path& path, int flags);

// All of `bytes`. 0 or an errno; some may have been written.
int WriteAll(int file, std::string_view bytes, JournalDisk& disk = SystemJournalDisk());

}  // namespace tsm
