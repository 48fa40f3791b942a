// The files that one thread has under way together: whole copies inside S3. Of each only the first
// request goes this way. Not thread-safe; all it is given outlives it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "copy_job.h"
#include "copy_patience.h"
#include "file_copy.h"
#include "tsm/copy/copy_run.h"
#include "tsm/core/result.h"
#include "tsm/s3/object_copies.h"

namespace tsm::copy {

class WholeCopies {
 public:
  struct Ended {
    Job job;
    CopyPatience::Time began;
    Status outcome;
    bool is_last = true;  // false: worth another try at once, by FileCopy
  };

  // Null where each copy needs a thread of its own: streamed ones, or a client that knows no other
  // way.
  static std::unique_ptr<WholeCopies> Open(const CopyOptions& options, s3::S3Client& target,
                                           FileCopy& files);

  void Start(Job job, CopyPatience::Time began, std::stop_token stop);
  // As http::Multi::Wait.
  std::vector<Ended> Wait(std::chrono::milliseconds longest, std::stop_token stop);
  std::size_t under_way() const { return copies_->under_way(); }

 private:
  struct Begun {
    Job job;
    CopyPatience::Time began;
  };

  WholeCopies(FileCopy& files, std::unique_ptr<s3::ObjectCopies> copies)
      : files_(files), copies_(std::move(copies)) {}

  FileCopy& files_;
  const std::unique_ptr<s3::ObjectCopies> copies_;
  std::uint64_t next_id_ = 0;
  std::unordered_map<std::uint64_t, Begun> begun_;
};

}  // namespace tsm::copy
