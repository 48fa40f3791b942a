// What removes: objects one by one and in batches, multipart uploads that nobody completed.
#include <algorithm>
#include <iterator>
#include <utility>

#include "s3_checks.h"
#include "s3_xml.h"
#include "tsm/aws/signer.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {

Status S3Client::DeleteObject(const BucketName& bucket, const ObjectKey& key,
                              const DeleteOptions& options, std::stop_token stop) {
  if (Status status = CheckKey(key); !status) return status;
  aws::Operation operation = MakeOperation("DeleteObject", "DELETE", bucket, key);
  if (!options.if_match.empty()) {
    operation.request.headers.emplace_back("if-match", "\"" + options.if_match + "\"");
  }
  Result<http::Response> response = Call(operation, bucket, key, std::move(stop));
  if (response) return Ok();
  Error error = std::move(response).error();
  if (error.http_status == 412) error.kind = ErrorKind::kInTheWay;
  return error;
}

Result<std::vector<DeleteFailure>> S3Client::DeleteObjects(const BucketName& bucket,
                                                           const std::vector<ObjectKey>& keys,
                                                           std::stop_token stop) {
  for (const ObjectKey& key : keys) {
    if (Status status = CheckKey(key); !status) return std::move(status).error();
  }
  std::vector<DeleteFailure> failures;
  std::vector<ObjectKey> batch;
  const auto send = [&]() -> Status {
    if (batch.empty()) return Ok();
    Status sent = DeleteBatch(bucket, batch, &failures, stop);
    batch.clear();
    return sent;
  };
  for (const ObjectKey& key : keys) {
    if (FitsXml(key.str())) {
      batch.push_back(key);
      if (batch.size() < kMaxDeleteKeys) continue;
      if (Status sent = send(); !sent) return std::move(sent).error();
      continue;
    }
    Status deleted = DeleteObject(bucket, key, stop);
    if (deleted) continue;
    // S3 refuses the key: one of many. Anything else would meet the others as well.
    Error error = std::move(deleted).error();
    if (error.kind != ErrorKind::kAccessDenied && error.kind != ErrorKind::kValidation) {
      return error;
    }
    failures.push_back({key, error.kind, std::move(error.code), std::move(error.message)});
  }
  if (Status sent = send(); !sent) return std::move(sent).error();
  return failures;
}

Status S3Client::DeleteBatch(const BucketName& bucket, const std::vector<ObjectKey>& keys,
                             std::vector<DeleteFailure>* failures, std::stop_token stop) {
  aws::Operation operation = MakeOperation("DeleteObjects", "POST", bucket, ObjectKey());
  operation.may_hide_error = true;
  operation.request.query.emplace_back("delete", "");
  operation.request.headers.emplace_back("content-type", "application/xml");
  operation.request.body = DeleteBody(keys);
  // S3 insists on a checksum of this body; SHA-256 is the one that a FIPS machine has too.
  operation.request.headers.emplace_back("x-amz-checksum-sha256",
                                         aws::Sha256Base64(operation.request.body));
  Result<http::Response> response = Call(operation, bucket, ObjectKey(), std::move(stop));
  if (!response) return std::move(response).error();
  Result<std::vector<DeleteFailure>> refused = ParseDeleteResult(response->body);
  if (!refused) return std::move(refused).error().With(operation.name);
  std::move(refused->begin(), refused->end(), std::back_inserter(*failures));
  return Ok();
}

Result<MultipartUploadPage> S3Client::ListMultipartUploads(const BucketName& bucket,
                                                           const std::string& prefix,
                                                           const MultipartUploadPage& after,
                                                           std::stop_token stop) {
  aws::Operation operation =
      MakeOperation("ListMultipartUploads", "GET", bucket, ObjectKey(prefix));
  operation.may_hide_error = true;
  auto& query = operation.request.query;
  query.emplace_back("uploads", "");
  query.emplace_back("encoding-type", "url");
  if (!prefix.empty()) query.emplace_back("prefix", prefix);
  if (!after.next_key_marker.empty()) {
    query.emplace_back("key-marker", after.next_key_marker);
    // S3 may leave it out: the next page then starts after every upload of the key.
    if (!after.next_upload_id_marker.empty()) {
      query.emplace_back("upload-id-marker", after.next_upload_id_marker);
    }
  }
  Result<http::Response> response = Call(operation, bucket, ObjectKey(), std::move(stop));
  if (!response) return std::move(response).error();
  Result<MultipartUploadPage> page = ParseMultipartUploadPage(response->body);
  if (!page) return std::move(page).error().With(operation.name);
  if (!after.next_key_marker.empty() && page->next_key_marker == after.next_key_marker &&
      page->next_upload_id_marker == after.next_upload_id_marker) {
    return BadReply(operation, "the listing repeats its markers");
  }
  return page;
}

Status S3Client::ForEachMultipartUpload(const BucketName& bucket, const std::string& prefix,
                                        const std::function<bool(const MultipartUpload&)>& visit,
                                        std::stop_token stop) {
  MultipartUploadPage page;
  do {
    Result<MultipartUploadPage> next = ListMultipartUploads(bucket, prefix, page, stop);
    if (!next) return std::move(next).error();
    page = *std::move(next);
    for (const MultipartUpload& upload : page.uploads) {
      if (!visit(upload)) return Ok();
    }
  } while (!page.next_key_marker.empty());
  return Ok();
}

Status S3Client::AbortMultipartUpload(const BucketName& bucket, const ObjectKey& key,
                                      const std::string& upload_id, std::stop_token stop) {
  if (Status status = CheckKey(key); !status) return status;
  aws::Operation operation = MakeOperation("AbortMultipartUpload", "DELETE", bucket, key);
  if (upload_id.empty()) {
    // Without it the request would be DeleteObject.
    return MakeError(ErrorKind::kInvalidInput, "an upload id may not be empty")
        .With(operation.name);
  }
  operation.request.query.emplace_back("uploadId", upload_id);
  Result<http::Response> response = Call(operation, bucket, key, std::move(stop));
  if (response || response.error().code == "NoSuchUpload") return Ok();
  return std::move(response).error();
}

}  // namespace tsm::s3
