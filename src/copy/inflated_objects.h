// Writes the objects that an inflated file becomes, one after another: each begins with the header
// and ends with a record. A small object is put at once, a larger one is uploaded in parts; one
// part is held. Not thread-safe; all it is given outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "patient_calls.h"
#include "tsm/copy/copy_run.h"
#include "tsm/core/result.h"

namespace tsm::copy {

class InflatedObjects {
 public:
  InflatedObjects(const CopyOptions& options, const run::SpooledFile& file,
                  const CopyServices& services, const PatientCalls& calls, CopyBook& book);

  // Of the source, carried on; before the first record.
  void SetMetadata(const http::Headers& metadata);

  // With its line end; the first one is the header.
  Status Add(std::string_view record);
  // Of all but the header; blank lines are none.
  std::uint64_t rows() const { return rows_; }
  // Closes the last object.
  Result<CopiedFile> Close();
  // Aborts the upload that is open, if any. What was closed before stays.
  void GiveUp();

 private:
  s3::ObjectKey Key() const { return InflatedKey(file_.target, objects_); }
  s3::PutOptions PutOptions() const;
  Status CloseObject();
  Status PutWhole();
  Status SendPart();
  Status Begin();
  Status CompleteUpload();

  const CopyOptions& options_;
  const run::SpooledFile& file_;
  const CopyServices& services_;
  const PatientCalls& calls_;
  CopyBook& book_;
  const std::uint64_t part_bytes_;
  http::Headers metadata_;

  std::string header_;
  bool has_header_ = false;
  std::uint64_t rows_ = 0;
  std::uint32_t objects_ = 0;  // that are closed
  std::uint64_t bytes_ = 0;    // of them

  void Append(std::string_view bytes);

  // The object that is open. The buffer is used again for each part: ones that come and go would
  // hold twice the memory.
  std::shared_ptr<std::string> part_ = std::make_shared<std::string>();
  std::uint64_t object_bytes_ = 0;
  std::uint64_t object_records_ = 0;
  std::string upload_id_;
  std::chrono::steady_clock::time_point created_;
  std::vector<std::string> etags_;
};

}  // namespace tsm::copy
