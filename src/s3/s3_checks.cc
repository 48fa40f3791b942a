#include "s3_checks.h"

#include <utility>

#include "tsm/core/text.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {

Status CheckKey(const ObjectKey& key) {
  if (key.empty()) return MakeError(ErrorKind::kInvalidInput, "an object key may not be empty");
  if (key.str().size() > kMaxKeyBytes) {
    return MakeError(ErrorKind::kInvalidInput,
                     "the object key has " + std::to_string(key.str().size()) +
                         " bytes, S3 allows " + std::to_string(kMaxKeyBytes) + ": " +
                         OneLine(key.str(), 120));
  }
  return Ok();
}

std::string UriText(const BucketName& bucket, const ObjectKey& key) {
  constexpr std::size_t kWhole = 5 * kMaxKeyBytes;
  return key.empty() ? "s3://" + bucket.str() : OneLine(S3Uri{bucket, key}.str(), kWhole);
}

void AddStorageHeaders(const StorageOptions& storage, http::Headers& headers) {
  if (!storage.encryption.empty()) {
    headers.emplace_back("x-amz-server-side-encryption", storage.encryption);
  }
  if (!storage.kms_key_id.empty()) {
    headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", storage.kms_key_id);
  }
  if (storage.bucket_owner_full_control) {
    headers.emplace_back("x-amz-acl", "bucket-owner-full-control");
  }
}

Error ChangedSince(Error refusal, const std::string& etag) {
  refusal.kind = ErrorKind::kValidation;
  return std::move(refusal).With("the source is no longer what was listed (ETag " + etag + ")");
}

Error BadReply(const aws::Operation& operation, std::string what) {
  return MakeError(ErrorKind::kBadReply, std::move(what)).With(operation.name);
}

}  // namespace tsm::s3
