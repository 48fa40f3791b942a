// The buckets and objects of ts-local: bytes in files below DIR/s3, names and attributes in a small
// SQLite index beside them, so that listings come in S3's order (UTF-8 bytes) at any size.
// Timestream's own work on them goes through Storage, which obeys the buckets' policies.
// Thread-safe. Errors are ApiError with S3's codes (NoSuchBucket, NoSuchKey, ...). An object
// appears whole or not at all (written aside, renamed, indexed): a killed ts-local leaves no half
// object.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts_local/storage.h"

namespace ts_local {

struct Bucket {
  std::string name;
  std::string region;
  std::int64_t created_ms = 0;  // Unix time
  std::string policy;           // JSON text, "" where none
};

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;  // without quotes; "<md5>" or "<md5>-<parts>"
  std::int64_t modified_ms = 0;
  std::string content_type;
  std::string encryption;                       // "AES256" or "aws:kms"
  std::map<std::string, std::string> metadata;  // x-amz-meta-*, names in lower case without prefix
  std::string file;                             // absolute path of the bytes
  std::string kms_key = {};                     // as it was given; "" where none was
};

// Attributes given when an object is written.
struct ObjectAttributes {
  std::string content_type = "binary/octet-stream";
  std::string encryption = "AES256";
  std::map<std::string, std::string> metadata;
  std::string kms_key = {};  // with "aws:kms"; "" for the account's own
};

// For KMS S3's ETag is no MD5; a random one keeps clients from relying on it. "" for the MD5.
std::string EtagFor(const std::string& encryption);

class ObjectStore final : public Storage {
 public:
  // Opens or creates the store below `dir`. Throws std::runtime_error where the directory is
  // unusable. `account_id` is who bucket policies may name as their principal.
  explicit ObjectStore(const std::string& dir, std::string account_id = "123456789012");
  ~ObjectStore() override;
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  std::optional<Bucket> FindBucket(std::string_view name) const;
  Bucket GetBucket(std::string_view name) const;  // NoSuchBucket
  std::vector<Bucket> Buckets() const;
  void CreateBucket(const std::string& name, const std::string& region);  // caller checks existence
  void DeleteBucket(const std::string& name);                             // BucketNotEmpty
  void SetPolicy(const std::string& bucket, const std::string& json);

  // A file being written. Nothing is visible before Commit; dropping it discards the bytes.
  class Writer {
   public:
    virtual ~Writer() = default;
    virtual void Append(std::string_view bytes) = 0;
    virtual std::uint64_t size() const = 0;
    // Makes the object visible and returns it. `etag` overrides the MD5 of the bytes (multipart).
    virtual ObjectInfo Commit(const std::string& bucket, const std::string& key,
                              const ObjectAttributes& attributes, const std::string& etag = "") = 0;
  };
  std::unique_ptr<Writer> NewWriter();

  ObjectInfo Put(const std::string& bucket, const std::string& key, std::string_view bytes,
                 const ObjectAttributes& attributes = {});
  std::optional<ObjectInfo> Find(const std::string& bucket, const std::string& key) const;
  ObjectInfo Get(const std::string& bucket, const std::string& key) const;  // NoSuchKey
  std::string Read(const ObjectInfo& object) const;                         // whole, small objects
  bool Delete(const std::string& bucket, const std::string& key);

  // Keys > `after` that start with `prefix`, in byte order, at most `limit`.
  std::vector<ObjectInfo> List(const std::string& bucket, const std::string& prefix,
                               const std::string& after, std::size_t limit) const;

  // False where the bucket's policy explicitly denies `action` ("s3:GetObject") on the key ("" for
  // the bucket itself) to the user or assumed role `arn`; without one, to whom the first keys stand
  // for. ts-local has one account, so nothing needs an Allow.
  bool Allowed(const std::string& bucket, const std::string& action, const std::string& key,
               const std::string& arn = "") const;
  // The owner of every bucket.
  const std::string& account_id() const;

  // Storage: the caller's region does not matter here. AccessDenied where the policy denies.
  std::optional<std::string> RegionOf(const StoragePlace& place) const override;
  std::unique_ptr<Upload> StartUpload(const StoragePlace& place, const std::string& key,
                                      const StoredAs& as) override;
  std::vector<StoredObject> ListBelow(const StoragePlace& place, const std::string& prefix,
                                      std::size_t limit) const override;
  std::optional<StoredObject> FindObject(const StoragePlace& place,
                                         const std::string& key) const override;
  std::unique_ptr<Download> StartDownload(const StoragePlace& place,
                                          const StoredObject& object) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts_local
