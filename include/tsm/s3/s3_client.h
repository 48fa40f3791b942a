// Amazon S3, the calls that the toolkit needs: one method per API call, no policy but S3's own rule
// that a bucket is spoken to in its region: a wrong-region answer is followed, once per call, and
// the region remembered per bucket. Access-point aliases serve as bucket names. Thread-safe.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/aws/client.h"
#include "tsm/aws/endpoints.h"
#include "tsm/aws/settings.h"
#include "tsm/s3/names.h"

namespace tsm::s3 {

// CopyObject and PutObject take at most 5 GB (5 GiB by the service's count) in one request.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
inline constexpr std::uint64_t kMaxSingleCopyBytes = 5ULL * 1024 * 1024 * 1024;
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
inline constexpr std::size_t kMaxKeyBytes = 1024;

struct ObjectSummary {
  ObjectKey key;
  std::uint64_t size = 0;
  std::string etag;           // without quotes
  std::string last_modified;  // ISO 8601 as sent
};

struct ListPage {
  std::vector<ObjectSummary> objects;  // in S3's key order (UTF-8 bytes)
  std::vector<ObjectKey> common_prefixes;
  std::string next_token;  // "" on the last page
};

struct ListOptions {
  std::string delimiter;  // "" lists everything below the prefix
  int max_keys = 1000;
};

struct ObjectHead {
  std::uint64_t size = 0;
  std::string etag;
  std::string content_type;
};

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // inclusive
};

struct PutOptions {
  std::string content_type = "binary/octet-stream";
  bool only_if_absent = false;  // If-None-Match: *; kAlreadyExists where the key exists
};

struct CopyOptions {
  std::string source_etag;  // x-amz-copy-source-if-match: the source must still be what was listed
};

struct CopyResult {
  std::string etag;
};

class S3Client {
 public:
  // `region` is where buckets are looked for first; `endpoints` says where S3 is in any region.
  // `client` outlives this.
  S3Client(aws::Client& client, aws::EndpointResolver endpoints, std::string region,
           aws::S3Settings settings = {});

  // Creates the bucket in the client's region (us-east-1 must not name a LocationConstraint, all
  // others must). kAlreadyExists with code BucketAlreadyOwnedByYou, or BucketAlreadyExists where it
  // is somebody else's; kInvalidInput for an alias or another name that S3 keeps for itself.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
  Status CreateBucket(const BucketName& bucket, std::stop_token stop);

  // kNotFound, kAccessDenied; gives the bucket's region.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
  Result<std::string> HeadBucket(const BucketName& bucket, std::stop_token stop);

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
  Result<ObjectHead> HeadObject(const BucketName& bucket, const ObjectKey& key,
                                std::stop_token stop);

  // One page; `token` "" asks for the first.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
  Result<ListPage> ListObjects(const BucketName& bucket, const std::string& prefix,
                               const std::string& token, const ListOptions& options,
                               std::stop_token stop);

  // Every page in turn, one held at a time; `visit` returns false to stop early.
  Status ForEachObject(const BucketName& bucket, const std::string& prefix,
                       const std::function<bool(const ObjectSummary&)>& visit,
                       std::stop_token stop);

  // The whole object, or the range.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
  Result<std::string> GetObject(const BucketName& bucket, const ObjectKey& key,
                                std::optional<ByteRange> range, std::stop_token stop);

  // Gives the ETag. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
  Result<std::string> PutObject(const BucketName& bucket, const ObjectKey& key, std::string body,
                                const PutOptions& options, std::stop_token stop);

  // Server-side copy of one object up to kMaxSingleCopyBytes, across buckets and regions; the
  // request goes to the target's region. kValidation where the source no longer has `source_etag`.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
  Result<CopyResult> CopyObject(const BucketName& source_bucket, const ObjectKey& source_key,
                                const BucketName& target_bucket, const ObjectKey& target_key,
                                const CopyOptions& options, std::stop_token stop);

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
  Status DeleteObject(const BucketName& bucket, const ObjectKey& key, std::stop_token stop);

  // The policy's JSON text, or "" where the bucket has none.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
  Result<std::string> GetBucketPolicy(const BucketName& bucket, std::stop_token stop);
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
  Status PutBucketPolicy(const BucketName& bucket, std::string policy_json, std::stop_token stop);

 private:
  aws::Operation MakeOperation(std::string name, std::string method, const BucketName& bucket,
                               const ObjectKey& key) const;
  // Points the operation at the region known for the bucket, calls, follows one region redirect.
  Result<http::Response> Call(aws::Operation operation, const BucketName& bucket,
                              const ObjectKey& key, std::stop_token stop);
  void Address(aws::Operation& operation, const BucketName& bucket, const ObjectKey& key,
               const std::string& region) const;
  // The bucket's region, or why the question was refused.
  Result<std::string> AskRegion(const BucketName& bucket, const std::string& asked,
                                std::stop_token stop);
  std::string RegionOf(const BucketName& bucket) const;
  void Remember(const BucketName& bucket, const std::string& region);
  void ForgetRegion(const BucketName& bucket);

  aws::Client& client_;
  aws::EndpointResolver endpoints_;
  std::string region_;
  aws::S3Settings settings_;
  mutable std::mutex mutex_;
  std::map<BucketName, std::string> bucket_regions_;
};

}  // namespace tsm::s3
