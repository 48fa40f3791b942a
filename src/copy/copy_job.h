// What one worker of a copy does at a time: a whole file, or one part of a large one. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tsm/core/error.h"
#include "tsm/run/file_spool.h"

namespace tsm::copy {

// A multipart upload on its way, shared by the jobs of its parts.
struct Upload {
  run::SpooledFile file;
  std::string id;
  std::uint64_t part_bytes = 0;
  std::size_t parts = 0;
  std::chrono::steady_clock::time_point created;
  int restarts = 0;  // of the file, before this upload

  // The rest is guarded by the board.
  std::size_t next = 0;            // the first part that was not handed out
  std::size_t out = 0;             // jobs handed out or waiting to be tried again
  std::size_t done = 0;            // parts that are there
  std::vector<std::string> etags;  // of the parts
  std::optional<Error> failed;     // why it can't be completed

  std::uint64_t first_byte(std::size_t part) const { return part * part_bytes; }
  std::uint64_t bytes_of(std::size_t part) const {
    return part + 1 < parts ? part_bytes : file.size - first_byte(part);
  }
};

struct Job {
  enum class Kind { kFile, kPart, kComplete };

  Kind kind = Kind::kFile;
  run::SpooledFile file;           // kFile
  std::shared_ptr<Upload> upload;  // kPart, kComplete
  std::size_t part = 0;            // from 0
  int setbacks = 0;                // passing failures in a row
  int restarts = 0;                // kFile: uploads of it that were lost
  bool alone = false;              // kFile: not among the many that one thread has under way
};

}  // namespace tsm::copy
