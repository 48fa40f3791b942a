// One S3 request on its way through ts-local: what it asks of which bucket and key, and the few
// checks that every operation shares. Lives for one request, on one thread.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts_local/api_error.h"
#include "ts_local/message.h"
#include "ts_local/multipart_store.h"
#include "ts_local/object_store.h"
#include "ts_local/principals.h"
#include "ts_local/xml_writer.h"

namespace ts_local {

// An S3 error that carries more than code and message: elements of its body and response headers.
class S3Error : public ApiError {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  S3Error(int status, std::string code, const std::string& message, Fields elements,
          Fields response_headers)
      : ApiError(status, std::move(code), message),
        elements_(std::move(elements)),
        headers_(std::move(response_headers)) {}
  const Fields& elements() const { return elements_; }
  const Fields& headers() const { return headers_; }

 private:
  Fields elements_;
  Fields headers_;
};

struct S3Call {
  ObjectStore& objects;
  MultipartStore& uploads;
  std::mutex& conditional_writes;  // held from a write's precondition to its commit
  const Principals& principals;
  const Caller& caller;
  const Request& request;
  std::string bucket;
  std::string key;

  // Whether the bucket's policy does not deny the action and it is a right of the caller's.
  bool Allowed(const std::string& of_bucket, const std::string& action,
               const std::string& of_key) const;
  // Throws 403 AccessDenied where it is not allowed.
  void Require(const std::string& action) const { Require(bucket, action, key); }
  void Require(const std::string& of_bucket, const std::string& action,
               const std::string& of_key) const;

  // The query parameter, or `otherwise`.
  std::string Param(std::string_view name, std::string_view otherwise = "") const;
  // The same as a number in [low, high]; throws 400 InvalidArgument for anything else.
  int Number(std::string_view name, int otherwise, int low, int high) const;
};

// What the request says of the object it writes: content type, encryption, x-amz-meta-*.
ObjectAttributes ReadAttributes(const Request& request);

// The headers that say how an object is encrypted and by which key.
void DescribeEncryption(const std::string& algorithm, const std::string& kms_key,
                        Response& response);

// The headers that describe a stored object: ETag, Last-Modified, Content-Type, metadata, ...
void DescribeObject(const ObjectInfo& object, Response& response);

Response XmlResponse(XmlWriter& xml);
std::string Quoted(std::string_view etag);

// Throws 400 BadDigest where Content-MD5 or an x-amz-checksum-* header contradicts the body. The
// checksums that were sent are what the answer repeats.
S3Error::Fields CheckDigests(const Request& request);

// The conditional headers of a read, or of a copy's source (`prefix` "x-amz-copy-source-"): throws
// 412 PreconditionFailed; false stands for 304 Not Modified.
bool CheckReadConditions(const Request& request, const std::string& prefix,
                         const ObjectInfo& object);
// If-Match and If-None-Match: * of a write, If-Match of a delete. Call with `conditional_writes`
// held.
void CheckWriteConditions(const S3Call& call);

// "bytes=0-9" against an object's size: offset and length; nullopt where there is no range or it is
// not one that S3 follows. Throws 416 InvalidRange.
std::optional<std::pair<std::uint64_t, std::uint64_t>> ReadRange(std::string_view header,
                                                                 std::uint64_t size);

}  // namespace ts_local
