// Sorts more records than memory holds: what is added goes to a file of the directory in sorted
// runs, which are merged while they are read. A few megabytes of memory, however many records.
// The file has no name, so it is gone with this object, also after kill -9. Few records never
// touch the disk. Not thread-safe; readers refer to the spool, and several may read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/local_file.h"
#include "tsm/core/result.h"

namespace tsm {

class SortedSpool {
 public:
  static constexpr std::size_t kMemory = std::size_t{2} << 20U;

  // Any bytes, compared as bytes; records of equal keys keep the order in which they were added.
  class Reader {
   public:
    virtual ~Reader() = default;
    // Steps to the next record; false behind the last one. kLocalIo where the file can't be read.
    virtual Result<bool> Next() = 0;
    // Of the record that Next found; valid until the next call.
    virtual std::string_view key() const = 0;
    virtual std::string_view value() const = 0;
  };

  // `memory`: bytes of records that are held before they go to the disk.
  explicit SortedSpool(std::filesystem::path directory, std::size_t memory = kMemory);
  ~SortedSpool();
  SortedSpool(const SortedSpool&) = delete;
  SortedSpool& operator=(const SortedSpool&) = delete;

  // kLocalIo names the directory. After Read nothing may be added.
  Status Add(std::string_view key, std::string_view value);
  std::uint64_t size() const { return size_; }

  // From the first record; may be called again.
  Result<std::unique_ptr<Reader>> Read();

 private:
  // A sorted stretch of the file.
  struct Run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  class RunReader;
  class HeldReader;
  class MergeReader;

  void SortHeld();
  Status WriteHeld();
  Status OpenFileOnce();
  Status MergeRuns();
  Result<Run> WriteMerged(const std::vector<Run>& runs);
  Result<std::unique_ptr<Reader>> Merge(const std::vector<Run>& runs) const;

  std::filesystem::path directory_;
  std::size_t memory_;
  std::uint64_t size_ = 0;
  std::string held_;                // records, one behind the other
  std::vector<std::size_t> order_;  // where they begin
  bool sorted_ = false;             // order_
  bool opened_ = false;
  OpenFile file_;
  std::uint64_t file_size_ = 0;
  std::vector<Run> runs_;
};

}  // namespace tsm
