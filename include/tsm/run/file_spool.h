// The data files of one table's load as they lie in the run directory, one line each, in S3's key
// order of their targets: however many there are, one is held at a time. Written once by the plan,
// read by copies, checks and proofs. A writer and each reader is used by one thread; several
// readers may read one file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "tsm/core/result.h"
#include "tsm/s3/names.h"

namespace tsm::run {

struct SpooledFile {
  std::size_t group = 0;      // index in LoadPlan::groups
  std::uint32_t ordinal = 0;  // of the file in its group, from 0
  s3::ObjectKey source;
  s3::ObjectKey target;  // equal to the source where nothing is copied
  std::uint64_t size = 0;
  std::string etag;                   // of the source, without quotes
  std::optional<std::uint64_t> rows;  // by its manifest, the header not counted
};

// All errors here are kLocalIo and name the path; a damaged line also its number.
class FileSpoolWriter {
 public:
  // Makes the file anew, mode 0600.
  static Result<std::unique_ptr<FileSpoolWriter>> Create(const std::filesystem::path& path);
  virtual ~FileSpoolWriter() = default;

  // Gives the byte offset at which the file's line begins: LoadGroup::offset of a group's first.
  virtual Result<std::uint64_t> Append(const SpooledFile& file) = 0;
  // All is on the disk when it returns; called once, last.
  virtual Status Close() = 0;
};

class FileSpoolReader {
 public:
  // From the line that begins at `offset`.
  static Result<std::unique_ptr<FileSpoolReader>> Open(const std::filesystem::path& path,
                                                       std::uint64_t offset = 0);
  virtual ~FileSpoolReader() = default;

  // Nothing at the end.
  virtual Result<std::optional<SpooledFile>> Next() = 0;
};

}  // namespace tsm::run
