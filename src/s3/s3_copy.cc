// What copies and uploads: whole objects inside S3, and multipart uploads from their beginning to
// their completion.
#include <utility>

#include "s3_checks.h"
#include "s3_xml.h"
#include "tsm/core/text.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {
namespace {

std::string SourceText(const BucketName& bucket, const ObjectKey& key) {
  return "/" + bucket.str() + "/" + PercentEncode(key.str(), /*keep_slash=*/true);
}

std::string EncryptionOf(const http::Response& response) {
  return std::string(http::FindHeader(response.headers, "x-amz-server-side-encryption"));
}

void AddMetadata(const std::string& content_type, const http::Headers& metadata,
                 http::Headers& headers) {
  headers.emplace_back("content-type", content_type);
  headers.insert(headers.end(), metadata.begin(), metadata.end());
}

Status CheckUpload(const ObjectKey& key, const std::string& upload_id,
                   const aws::Operation& operation) {
  if (Status status = CheckKey(key); !status) return status;
  // Without it the request would be one on the object.
  if (!upload_id.empty()) return Ok();
  return MakeError(ErrorKind::kInvalidInput, "an upload id may not be empty").With(operation.name);
}

}  // namespace

Result<aws::Operation> S3Client::CopyOperation(const BucketName& source_bucket,
                                               const ObjectKey& source_key,
                                               const BucketName& target_bucket,
                                               const ObjectKey& target_key,
                                               const CopyOptions& options) const {
  if (Status status = CheckKey(source_key); !status) return status.error();
  if (Status status = CheckKey(target_key); !status) return status.error();
  aws::Operation operation = MakeOperation("CopyObject", "PUT", target_bucket, target_key);
  operation.name += " from " + UriText(source_bucket, source_key);
  operation.may_hide_error = true;
  operation.repeat_throttled = options.repeat_throttled;
  operation.request.timeouts = kCopyTimeouts;
  http::Headers& headers = operation.request.headers;
  headers.emplace_back("x-amz-copy-source", SourceText(source_bucket, source_key));
  if (!options.source_etag.empty()) {
    headers.emplace_back("x-amz-copy-source-if-match", "\"" + options.source_etag + "\"");
  }
  AddStorageHeaders(options.storage, headers);
  return operation;
}

Result<CopyResult> S3Client::ReadCopy(const std::string& name, const std::string& source_etag,
                                      Result<http::Response> response) {
  if (!response) {
    Error error = std::move(response).error();
    return error.http_status == 412 ? ChangedSince(std::move(error), source_etag) : error;
  }
  Result<std::string> etag = ParseETag(response->body, "CopyObjectResult");
  if (!etag) return std::move(etag).error().With(name);
  return CopyResult{.etag = *std::move(etag), .encryption = EncryptionOf(*response)};
}

Result<CopyResult> S3Client::CopyObject(const BucketName& source_bucket,
                                        const ObjectKey& source_key,
                                        const BucketName& target_bucket,
                                        const ObjectKey& target_key, const CopyOptions& options,
                                        std::stop_token stop) {
  Result<aws::Operation> operation =
      CopyOperation(source_bucket, source_key, target_bucket, target_key, options);
  if (!operation) return std::move(operation).error();
  const std::string name = operation->name;
  return ReadCopy(name, options.source_etag,
                  Call(*std::move(operation), target_bucket, target_key, std::move(stop)));
}

Result<CopyResult> S3Client::PutObject(const BucketName& bucket, const ObjectKey& key,
                                       std::shared_ptr<const std::string> body,
                                       const PutOptions& options, std::stop_token stop) {
  if (Status status = CheckKey(key); !status) return status.error();
  aws::Operation operation = MakeOperation("PutObject", "PUT", bucket, key);
  operation.repeat_throttled = options.repeat_throttled;
  operation.request.timeouts = kBodyTimeouts;
  AddMetadata(options.content_type, options.metadata, operation.request.headers);
  AddStorageHeaders(options.storage, operation.request.headers);
  operation.request.shared_body = std::move(body);
  Result<http::Response> response = Call(operation, bucket, key, std::move(stop));
  if (!response) return std::move(response).error();
  CopyResult result{.etag = StripQuotes(http::FindHeader(response->headers, "etag")),
                    .encryption = EncryptionOf(*response)};
  if (result.etag.empty()) return BadReply(operation, "the answer carries no ETag");
  return result;
}

Result<std::string> S3Client::CreateMultipartUpload(const BucketName& bucket, const ObjectKey& key,
                                                    const UploadOptions& options,
                                                    std::stop_token stop) {
  if (Status status = CheckKey(key); !status) return status.error();
  aws::Operation operation = MakeOperation("CreateMultipartUpload", "POST", bucket, key);
  operation.may_hide_error = true;
  operation.repeat_throttled = options.repeat_throttled;
  operation.request.query.emplace_back("uploads", "");
  AddMetadata(options.content_type, options.metadata, operation.request.headers);
  AddStorageHeaders(options.storage, operation.request.headers);
  Result<http::Response> response = Call(operation, bucket, key, std::move(stop));
  if (!response) return std::move(response).error();
  Result<std::string> id = ParseUploadId(response->body);
  if (!id) return std::move(id).error().With(operation.name);
  return id;
}

// Sends what is the same of both kinds of parts.
Result<std::string> S3Client::SendPart(aws::Operation operation, const BucketName& bucket,
                                       const PartPlace& place, std::stop_token stop) {
  if (Status status = CheckUpload(place.key, place.upload_id, operation); !status) {
    return status.error();
  }
  operation.name += " part " + std::to_string(place.number);
  operation.repeat_throttled = place.repeat_throttled;
  operation.request.query.emplace_back("partNumber", std::to_string(place.number));
  operation.request.query.emplace_back("uploadId", place.upload_id);
  const bool copies = operation.may_hide_error;
  Result<http::Response> response = Call(operation, bucket, place.key, std::move(stop));
  if (!response) return std::move(response).error();
  Result<std::string> etag =
      copies ? ParseETag(response->body, "CopyPartResult")
             : Result<std::string>(StripQuotes(http::FindHeader(response->headers, "etag")));
  if (!etag) return std::move(etag).error().With(operation.name);
  if (etag->empty()) return BadReply(operation, "the answer carries no ETag");
  return etag;
}

Result<std::string> S3Client::UploadPartCopy(const PartSource& source, const BucketName& bucket,
                                             const PartPlace& place, std::stop_token stop) {
  if (Status status = CheckKey(source.key); !status) return status.error();
  aws::Operation operation = MakeOperation("UploadPartCopy", "PUT", bucket, place.key);
  operation.name += " from " + UriText(source.bucket, source.key);
  operation.may_hide_error = true;
  operation.request.timeouts = kCopyTimeouts;
  http::Headers& headers = operation.request.headers;
  headers.emplace_back("x-amz-copy-source", SourceText(source.bucket, source.key));
  headers.emplace_back("x-amz-copy-source-range", "bytes=" + std::to_string(source.range.first) +
                                                      "-" + std::to_string(source.range.last));
  if (!source.etag.empty()) {
    headers.emplace_back("x-amz-copy-source-if-match", "\"" + source.etag + "\"");
  }
  Result<std::string> sent = SendPart(std::move(operation), bucket, place, std::move(stop));
  if (!sent && sent.error().http_status == 412) {
    return ChangedSince(std::move(sent).error(), source.etag);
  }
  return sent;
}

Result<std::string> S3Client::UploadPart(const BucketName& bucket, const PartPlace& place,
                                         std::shared_ptr<const std::string> body,
                                         std::stop_token stop) {
  aws::Operation operation = MakeOperation("UploadPart", "PUT", bucket, place.key);
  operation.request.timeouts = kBodyTimeouts;
  operation.request.shared_body = std::move(body);
  return SendPart(std::move(operation), bucket, place, std::move(stop));
}

Result<CopyResult> S3Client::CompleteMultipartUpload(const BucketName& bucket, const ObjectKey& key,
                                                     const std::string& upload_id,
                                                     const std::vector<std::string>& etags,
                                                     const CompleteOptions& options,
                                                     std::stop_token stop) {
  aws::Operation operation = MakeOperation("CompleteMultipartUpload", "POST", bucket, key);
  if (Status status = CheckUpload(key, upload_id, operation); !status) return status.error();
  operation.may_hide_error = true;
  operation.repeat_throttled = options.repeat_throttled;
  operation.request.timeouts = kCopyTimeouts;
  operation.request.query.emplace_back("uploadId", upload_id);
  operation.request.headers.emplace_back("content-type", "application/xml");
  operation.request.body = CompleteBody(etags);
  Result<http::Response> response = Call(operation, bucket, key, stop);
  if (response) {
    Result<std::string> etag = ParseETag(response->body, "CompleteMultipartUploadResult");
    if (!etag) return std::move(etag).error().With(operation.name);
    return CopyResult{.etag = *std::move(etag), .encryption = EncryptionOf(*response)};
  }
  Error error = std::move(response).error();
  if (error.code != "NoSuchUpload") return error;
  Result<ObjectHead> there = HeadObject(bucket, key, std::move(stop));
  if (!there) {
    // Not known yet: whoever asks again gets NoSuchUpload again, and looks again.
    return there.error().kind == ErrorKind::kNotFound ? error : std::move(there).error();
  }
  // Dates are in whole seconds, and the date of the answer is taken after the age was.
  constexpr std::chrono::seconds kSlack{60};
  const bool is_new = there->date && there->last_modified &&
                      *there->date - *there->last_modified <= options.age + kSlack;
  const bool has_parts = there->etag.ends_with("-" + std::to_string(etags.size()));
  if (!is_new || !has_parts || there->size != options.size) return error;
  return CopyResult{.etag = std::move(there->etag), .encryption = std::move(there->encryption)};
}

}  // namespace tsm::s3
