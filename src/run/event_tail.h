// Where a file of events ends and which number its last line has. Reads the end of the file only.
#pragma once

#include <cstdint>
#include <filesystem>

#include "tsm/core/local_file.h"
#include "tsm/core/result.h"

namespace tsm::run {

struct EventTail {
  std::uint64_t size = 0;      // of its whole lines, in bytes; what follows was torn off
  std::uint64_t sequence = 0;  // of the last line that has one; 0 where none has
};

// `path` is for the errors (kLocalIo).
Result<EventTail> ReadEventTail(const OpenFile& file, const std::filesystem::path& path);

}  // namespace tsm::run
