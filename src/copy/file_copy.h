// The requests of one file's copy, inside S3 or through this machine: the whole file, or its parts
// between a beginning and a completion. Says nothing to the run's book and tries nothing again.
// Thread-safe; all it is given outlives it.
#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>

#include "copy_job.h"
#include "tsm/copy/copy_run.h"
#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"

namespace tsm::copy {

class FileCopy {
 public:
  FileCopy(const CopyOptions& options, const CopyServices& services);

  // Larger files are copied in parts.
  std::uint64_t whole_bytes() const { return whole_bytes_; }

  Status Whole(const run::SpooledFile& file, std::stop_token stop);
  // The two halves of Whole inside S3: how it is asked for, and what came of it.
  s3::CopyOptions HowToCopy(const run::SpooledFile& file) const;
  Status Judge(const run::SpooledFile& file, Result<s3::CopyResult> copy, std::stop_token stop);
  // Looks at the source and creates the upload.
  Result<std::shared_ptr<Upload>> Begin(const run::SpooledFile& file, std::stop_token stop);
  // Gives the part's ETag.
  Result<std::string> Part(const Upload& upload, std::size_t part, std::stop_token stop);
  Status Complete(const Upload& upload, std::stop_token stop);
  Status Abort(const Upload& upload, std::stop_token stop);

 private:
  Status WholeInside(const run::SpooledFile& file, std::stop_token stop);
  Status WholeThrough(const run::SpooledFile& file, std::stop_token stop);
  Result<s3::ObjectContent> Read(const run::SpooledFile& file, std::optional<s3::ByteRange> range,
                                 std::stop_token stop);
  // Whether the copy's ETag is the source's, where the two can be compared.
  Status Compare(const run::SpooledFile& file, const s3::CopyResult& copy, std::stop_token stop);

  const CopyOptions& options_;
  s3::S3Client& source_;
  s3::S3Client& target_;
  const Clock& clock_;
  const bool streamed_;
  const std::uint64_t whole_bytes_;
  const s3::StorageOptions storage_;
  // A source encrypted with KMS has been seen: its ETags tell nothing of its bytes.
  std::atomic<bool> kms_source_{false};
};

// Of the parts of a file: as wanted, but within S3's limits.
std::uint64_t PartBytes(std::uint64_t file_bytes, std::uint64_t wanted);

s3::StorageOptions StorageOf(const CopyOptions& options);

// Whether the source is what was listed: kValidation where its ETag or size is another.
Status CheckSource(const run::SpooledFile& file, const std::string& etag, std::uint64_t size);

}  // namespace tsm::copy
