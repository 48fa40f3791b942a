// Amazon S3, the calls that the toolkit needs: one method per API call, no policy but S3's own rule
// that a bucket is spoken to in its region: a wrong-region answer is followed, once per call, and
// the region remembered per bucket. Access-point aliases serve as bucket names. Thread-safe.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
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
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
inline constexpr std::size_t kMaxDeleteKeys = 1000;

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
  std::string encryption;  // x-amz-server-side-encryption: "", "AES256", "aws:kms", "aws:kms:dsse"
  // What its writer gave with it, beside the type: x-amz-meta-…, content-encoding, cache-control
  // and their like, lower-case names, as a copy of it would send them.
  http::Headers metadata;
  // Both by S3's clock and in whole seconds, so that their difference is the object's age whatever
  // this machine's clock says. Empty where the answer has no such header, or none that is a date.
  std::optional<std::chrono::system_clock::time_point> last_modified;
  std::optional<std::chrono::system_clock::time_point> date;  // of the answer
};

struct ObjectContent {
  ObjectHead head;
  std::string body;
};

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // inclusive
};

struct GetOptions {
  std::optional<ByteRange> range;
  // If-Match: the ETag (without quotes) that the object must still have; kValidation where it has
  // another.
  std::string if_match = {};
  bool repeat_throttled = true;  // see aws::Operation
};

// How S3 keeps what is written.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
struct StorageOptions {
  std::string encryption = {};  // "" as the bucket's default, "AES256", "aws:kms"
  std::string kms_key_id = {};  // with aws:kms; "" the account's aws/s3 key
  bool bucket_owner_full_control = false;
};

struct PutOptions {
  std::string content_type = "binary/octet-stream";
  bool only_if_absent = false;  // If-None-Match: *; kAlreadyExists where the key exists
  // If-Match: the ETag (without quotes) that the object must still have. kInTheWay where it has
  // another, kNotFound where it is gone. S3 asks for s3:GetObject beside s3:PutObject.
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
  std::string if_match = {};
  http::Headers metadata = {};  // as ObjectHead::metadata
  StorageOptions storage = {};
  bool repeat_throttled = true;  // see aws::Operation
};

struct DeleteOptions {
  // If-Match: the ETag (without quotes) that the object must still have; kInTheWay where it has
  // another. S3 asks for s3:GetObject beside s3:DeleteObject.
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
  std::string if_match = {};
};

// A key that DeleteObjects could not delete.
struct DeleteFailure {
  ObjectKey key;
  ErrorKind kind = ErrorKind::kService;
  std::string code;
  std::string message;
};

// A multipart upload that is neither completed nor aborted: its parts are stored, and paid for.
struct MultipartUpload {
  ObjectKey key;
  std::string upload_id;
  std::string initiated;  // ISO 8601 as sent
};

struct MultipartUploadPage {
  std::vector<MultipartUpload> uploads;
  // Where the next page starts; both "" on the last page.
  std::string next_key_marker;
  std::string next_upload_id_marker;
};

struct CopyOptions {
  std::string source_etag;  // x-amz-copy-source-if-match: the source must still be what was listed
  StorageOptions storage = {};
  bool repeat_throttled = true;  // see aws::Operation
};

// What S3 says of an object that it has taken.
struct CopyResult {
  std::string etag;
  std::string encryption = {};  // as ObjectHead::encryption
};

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
inline constexpr std::size_t kMaxParts = 10'000;
inline constexpr std::uint64_t kMinPartBytes = 5ULL * 1024 * 1024;  // but for the last part
inline constexpr std::uint64_t kMaxPartBytes = 5ULL * 1024 * 1024 * 1024;

struct UploadOptions {
  std::string content_type = "binary/octet-stream";
  http::Headers metadata = {};  // as ObjectHead::metadata
  StorageOptions storage = {};
  bool repeat_throttled = true;  // see aws::Operation
};

struct PartPlace {
  ObjectKey key;
  std::string upload_id;
  std::size_t number = 0;        // from 1
  bool repeat_throttled = true;  // see aws::Operation
};

// A part's bytes in another object.
struct PartSource {
  BucketName bucket;
  ObjectKey key;
  std::string etag;  // x-amz-copy-source-if-match
  ByteRange range;
};

struct CompleteOptions {
  std::uint64_t size = 0;  // of all parts
  // Since the upload was created: an object that is older is not this upload's.
  std::chrono::nanoseconds age{0};
  bool repeat_throttled = true;  // see aws::Operation
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

  // The object, or a range of it, with its ETag, times and metadata, all of one answer; the size is
  // that of the body.
  Result<ObjectContent> GetObjectContent(const BucketName& bucket, const ObjectKey& key,
                                         std::stop_token stop) {
    return GetObjectContent(bucket, key, GetOptions(), std::move(stop));
  }
  Result<ObjectContent> GetObjectContent(const BucketName& bucket, const ObjectKey& key,
                                         const GetOptions& options, std::stop_token stop);

  // Gives the ETag. With a condition: where the answer to a first attempt got lost and the next one
  // finds the condition broken, the object is read, and is a success where it has this very body.
  // So give a body that is to be told from others' something of its own. A race with another
  // writer that S3 leaves undecided (409 ConditionalRequestConflict) is kTransient: the client has
  // repeated it as such, and the caller may again.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
  Result<std::string> PutObject(const BucketName& bucket, const ObjectKey& key, std::string body,
                                const PutOptions& options, std::stop_token stop);

  // As above without a condition, of a large body that is not copied.
  Result<CopyResult> PutObject(const BucketName& bucket, const ObjectKey& key,
                               std::shared_ptr<const std::string> body, const PutOptions& options,
                               std::stop_token stop);

  // Server-side copy of one object up to kMaxSingleCopyBytes, across buckets and regions; the
  // request goes to the target's region. kValidation where the source no longer has `source_etag`.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
  Result<CopyResult> CopyObject(const BucketName& source_bucket, const ObjectKey& source_key,
                                const BucketName& target_bucket, const ObjectKey& target_key,
                                const CopyOptions& options, std::stop_token stop);

  // Gives the upload's id. An answer that is lost leaves an upload behind whose id nobody knows:
  // ForEachMultipartUpload finds it.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
  Result<std::string> CreateMultipartUpload(const BucketName& bucket, const ObjectKey& key,
                                            const UploadOptions& options, std::stop_token stop);

  // Both give the part's ETag, and kNotFound with code NoSuchUpload where the upload is gone.
  // UploadPartCopy: kValidation where the source no longer has the ETag.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
  Result<std::string> UploadPartCopy(const PartSource& source, const BucketName& bucket,
                                     const PartPlace& place, std::stop_token stop);
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
  Result<std::string> UploadPart(const BucketName& bucket, const PartPlace& place,
                                 std::shared_ptr<const std::string> body, std::stop_token stop);

  // `etags`: of all parts in their order. S3 answers 200 before it knows whether it can, and may
  // take minutes; both are followed. Where the upload is gone an earlier attempt, whose answer got
  // lost, may have completed it: the object is then looked at, and is a success where it has the
  // size and number of parts and is not older than the upload.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
  Result<CopyResult> CompleteMultipartUpload(const BucketName& bucket, const ObjectKey& key,
                                             const std::string& upload_id,
                                             const std::vector<std::string>& etags,
                                             const CompleteOptions& options, std::stop_token stop);

  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
  Status DeleteObject(const BucketName& bucket, const ObjectKey& key, std::stop_token stop) {
    return DeleteObject(bucket, key, DeleteOptions(), std::move(stop));
  }
  Status DeleteObject(const BucketName& bucket, const ObjectKey& key, const DeleteOptions& options,
                      std::stop_token stop);

  // Deletes any number of keys, kMaxDeleteKeys a call, and gives those that S3 refused one by one,
  // each with its reason; a key that is not there counts as deleted. Keys that XML 1.0 can't carry
  // (control characters other than tab, line feed and carriage return, U+FFFE, U+FFFF, what is no
  // UTF-8) go by DeleteObject. Where a whole call fails its error is returned: what was deleted
  // before stays deleted, and the same keys may be given again.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
  Result<std::vector<DeleteFailure>> DeleteObjects(const BucketName& bucket,
                                                   const std::vector<ObjectKey>& keys,
                                                   std::stop_token stop);

  // One page; `after` is the page before it, or an empty one for the first.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
  Result<MultipartUploadPage> ListMultipartUploads(const BucketName& bucket,
                                                   const std::string& prefix,
                                                   const MultipartUploadPage& after,
                                                   std::stop_token stop);

  // Every page in turn, one held at a time; `visit` returns false to stop early. It may abort what
  // it is shown.
  Status ForEachMultipartUpload(const BucketName& bucket, const std::string& prefix,
                                const std::function<bool(const MultipartUpload&)>& visit,
                                std::stop_token stop);

  // An upload that is no longer there is a success. Parts that are on their way while it is aborted
  // may stay: whoever wants none lists again.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
  Status AbortMultipartUpload(const BucketName& bucket, const ObjectKey& key,
                              const std::string& upload_id, std::stop_token stop);

  // The policy's JSON text, or "" where the bucket has none.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
  Result<std::string> GetBucketPolicy(const BucketName& bucket, std::stop_token stop);
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
  Status PutBucketPolicy(const BucketName& bucket, std::string policy_json, std::stop_token stop);

 private:
  friend class ObjectCopies;  // CopyObject as well, in another way of sending

  aws::Operation MakeOperation(std::string name, std::string method, const BucketName& bucket,
                               const ObjectKey& key) const;
  Result<http::Response> Get(const BucketName& bucket, const ObjectKey& key,
                             const GetOptions& options, std::stop_token stop);
  Result<aws::Operation> CopyOperation(const BucketName& source_bucket, const ObjectKey& source_key,
                                       const BucketName& target_bucket, const ObjectKey& target_key,
                                       const CopyOptions& options) const;
  static Result<CopyResult> ReadCopy(const std::string& name, const std::string& source_etag,
                                     Result<http::Response> response);
  Result<std::string> SendPart(aws::Operation operation, const BucketName& bucket,
                               const PartPlace& place, std::stop_token stop);
  // One call of DeleteObjects; what is refused is added to `failures`.
  Status DeleteBatch(const BucketName& bucket, const std::vector<ObjectKey>& keys,
                     std::vector<DeleteFailure>* failures, std::stop_token stop);
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
