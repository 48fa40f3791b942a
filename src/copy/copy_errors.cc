#include "copy_errors.h"

#include <string>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::copy {

namespace {

std::string UriOf(const s3::BucketName& bucket, const s3::ObjectKey& key) {
  return OneLine(s3::S3Uri{bucket, key}.str(), 5 * s3::kMaxKeyBytes);
}

std::string Permissions(Side side, const CopyOptions& options, const run::SpooledFile& file) {
  std::string needed;
  if (side != Side::kTarget) {
    needed += "s3:GetObject on " + UriOf(options.source_bucket, file.source);
  }
  if (side != Side::kSource) {
    needed += (needed.empty() ? "" : " and ") + std::string("s3:PutObject");
    if (options.bucket_owner_full_control) needed += " and s3:PutObjectAcl";
    needed += " on " + UriOf(options.target_bucket, file.target);
  }
  return "; this needs " + needed + ", and of a bucket with SSE-KMS its key" +
         (side == Side::kSource ? " (kms:Decrypt)" : " (kms:Decrypt, kms:GenerateDataKey)");
}

}  // namespace

bool IsPassing(const Error& error) {
  return error.kind == ErrorKind::kThrottled || error.kind == ErrorKind::kTransient;
}

bool IsFatal(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kCredentials:
    case ErrorKind::kExpiredCredentials:
    case ErrorKind::kConfiguration:
    case ErrorKind::kClockSkew:
    case ErrorKind::kWrongEndpoint:
    case ErrorKind::kLocalIo:
      return true;
    default:
      return error.code == "NoSuchBucket";
  }
}

bool LostUpload(const Error& error) { return error.code == "NoSuchUpload"; }

Error Explain(Error error, Side side, const CopyOptions& options, const run::SpooledFile& file) {
  if (error.kind == ErrorKind::kAccessDenied) {
    error.message += Permissions(side, options, file);
  } else if (error.code == "NoSuchKey" ||
             (error.kind == ErrorKind::kNotFound && side == Side::kSource && error.code.empty())) {
    error.message += "; " + UriOf(options.source_bucket, file.source) +
                     " was listed but is no longer there: was it deleted, or is the unload that "
                     "wrote it being replaced?";
  } else if (error.kind == ErrorKind::kValidation && error.http_status == 412) {
    error.message += "; " + UriOf(options.source_bucket, file.source) +
                     " has been written anew since it was listed: start a new run";
  }
  return error;
}

}  // namespace tsm::copy
