// CopyObject by one thread for many objects at once, between two buckets. Each is asked for once:
// what the client would have repeated, redirected or signed anew is told apart, and
// S3Client::CopyObject is the way to have that done. Not thread-safe; the client outlives it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "tsm/aws/client.h"
#include "tsm/core/result.h"
#include "tsm/http/multi.h"
#include "tsm/s3/names.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {

class ObjectCopies {
 public:
  struct Ended {
    std::uint64_t id = 0;
    Result<CopyResult> outcome;  // errors as of CopyObject
    bool is_last = true;         // false: CopyObject would not have left it at that
  };

  // Up to `most` at once. Null where the client's calls have to go one by one.
  static std::unique_ptr<ObjectCopies> Open(S3Client& client, BucketName source_bucket,
                                            BucketName target_bucket, std::size_t most);

  // `id` is the caller's name for the copy, of no other that is under way.
  void Start(std::uint64_t id, const ObjectKey& source_key, const ObjectKey& target_key,
             const CopyOptions& options, std::stop_token stop);
  // As http::Multi::Wait.
  std::vector<Ended> Wait(std::chrono::milliseconds longest, std::stop_token stop);
  std::size_t under_way() const { return calls_.size() + failed_.size(); }

 private:
  struct Call {
    aws::PreparedCall prepared;
    std::string source_etag;
  };

  ObjectCopies(S3Client& client, BucketName source_bucket, BucketName target_bucket,
               std::unique_ptr<http::Multi> multi);
  Ended Judge(http::Multi::Answered answered);

  S3Client& client_;
  const BucketName source_bucket_;
  const BucketName target_bucket_;
  std::unique_ptr<http::Multi> multi_;
  std::unordered_map<std::uint64_t, Call> calls_;
  std::vector<Ended> failed_;  // before they were sent
};

}  // namespace tsm::s3
