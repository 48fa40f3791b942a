#include <optional>
#include <utility>

#include "tsm/copy/copy_run.h"

namespace tsm::copy {

Status AbortLeftUploads(s3::S3Client& target, const s3::BucketName& bucket,
                        const std::vector<LeftUpload>& uploads, CopyBook& book,
                        std::stop_token stop) {
  std::optional<Error> first;
  for (const LeftUpload& upload : uploads) {
    Status aborted = target.AbortMultipartUpload(bucket, upload.key, upload.upload_id, stop);
    if (!aborted) {
      if (aborted.error().kind == ErrorKind::kCancelled) return aborted;
      if (!first) first = std::move(aborted).error();
      continue;
    }
    if (Status noted = book.UploadEnded(upload.key, upload.upload_id); !noted) return noted;
  }
  if (first) return std::move(*first).With("aborting what an earlier process left of its uploads");
  return Ok();
}

}  // namespace tsm::copy
