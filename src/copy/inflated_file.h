// One gzip file of an UNLOAD to plain CSV objects, on its way through this machine: ranged reads of
// the pinned source, inflated, cut at records, counted. Used by one thread; all it is given
// outlives it.
#pragma once

#include <stop_token>

#include "copy_patience.h"
#include "patient_calls.h"
#include "tsm/copy/copy_run.h"
#include "tsm/core/result.h"

namespace tsm::copy {

// Of the compressed file at a time: half a part, which is held beside it.
inline constexpr std::uint64_t kInflateReadBytes = 8ULL * 1024 * 1024;

class InflatedFile {
 public:
  InflatedFile(const CopyOptions& options, const CopyServices& services, CopyPatience& patience,
               CopyBook& book, std::stop_token stop);

  // kProof where the file is damaged, or has another number of rows than its manifest says. What
  // passes is waited for; the error is a passing one where nothing has moved for long.
  Result<CopiedFile> Copy(const run::SpooledFile& file);

 private:
  class Pipe;
  Result<CopiedFile> Pump(const run::SpooledFile& file, Pipe& pipe);
  Result<s3::ObjectContent> Read(const run::SpooledFile& file, std::uint64_t first);

  const CopyOptions& options_;
  const CopyServices& services_;
  const PatientCalls calls_;
  CopyBook& book_;
};

}  // namespace tsm::copy
