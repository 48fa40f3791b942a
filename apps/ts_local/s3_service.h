// The S3 service of ts-local: finds the bucket and key a request speaks of (path style, or virtual
// host style as <bucket>.localhost and <bucket>.s3...), holds it to the bucket's region and hands
// it to the operation. Thread-safe. Versioning, tags, access points and presigned URLs are not
// there: what asks for them gets 501 NotImplemented.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "ts_local/message.h"
#include "ts_local/multipart_store.h"
#include "ts_local/object_store.h"
#include "ts_local/principals.h"

namespace ts_local {

class S3Service {
 public:
  // `principals` are whose rights are limited.
  S3Service(ObjectStore& objects, MultipartStore& uploads, Principals principals = {})
      : objects_(objects), uploads_(uploads), principals_(std::move(principals)) {}

  // Throws ApiError (S3Error where the answer carries more).
  Response Handle(const Caller& caller, const Request& request);

  // AWS's name of what the request asks for ("PutObject"); "" where that is nothing known here.
  static std::string OperationOf(const Request& request);
  static bool IsOperation(std::string_view name);

 private:
  ObjectStore& objects_;
  MultipartStore& uploads_;
  const Principals principals_;
  std::mutex conditional_writes_;
};

}  // namespace ts_local
