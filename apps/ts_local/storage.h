// The S3 that Timestream works on: UNLOAD writes its files there, batch load reads from there and
// writes its reports. ObjectStore (ts-local's own buckets) and ForeignStorage (another S3 by its
// endpoint) implement it. Thread-safe; an Upload or a Download is for one thread, and must not
// outlive its storage.
// What S3 refuses comes as ApiError with S3's own code ("NoSuchBucket", "AccessDenied", ...);
// AsTimestream gives it the shape in which Timestream answers it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts_local/api_error.h"

namespace ts_local {

// A bucket, and the region that the caller works in.
struct StoragePlace {
  std::string region;
  std::string bucket;
};

struct StoredObject {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;  // without quotes
};

struct StoredAs {
  std::string content_type = "binary/octet-stream";
  std::string encryption = "AES256";  // or "aws:kms"
  std::string kms_key;                // "" for the account's default key
};

class Storage {
 public:
  // An object being written. Nothing is visible before Commit; dropping it discards the bytes.
  class Upload {
   public:
    virtual ~Upload() = default;
    virtual void Append(std::string_view bytes) = 0;
    virtual void Commit() = 0;
  };
  // An object being read, from its first byte on, whatever happens to its key meanwhile.
  class Download {
   public:
    virtual ~Download() = default;
    // Up to `size` further bytes; 0 at the end. Throws ApiError or std::runtime_error.
    virtual std::size_t Read(char* buffer, std::size_t size) = 0;
  };

  virtual ~Storage() = default;

  // The region of the bucket; nullopt where there is no such bucket.
  virtual std::optional<std::string> RegionOf(const StoragePlace& place) const = 0;
  virtual std::unique_ptr<Upload> StartUpload(const StoragePlace& place, const std::string& key,
                                              const StoredAs& as) = 0;
  // The first `limit` objects below the prefix, in byte order of their keys.
  virtual std::vector<StoredObject> ListBelow(const StoragePlace& place, const std::string& prefix,
                                              std::size_t limit) const = 0;
  virtual std::optional<StoredObject> FindObject(const StoragePlace& place,
                                                 const std::string& key) const = 0;
  virtual std::unique_ptr<Download> StartDownload(const StoragePlace& place,
                                                  const StoredObject& object) const = 0;
};

// One small object, whole.
void PutWhole(Storage& storage, const StoragePlace& place, const std::string& key,
              std::string_view bytes, const StoredAs& as);
std::string ReadWhole(const Storage& storage, const StoragePlace& place,
                      const StoredObject& object);

// AccessDeniedException where S3 denies access, ValidationException for what else it refuses,
// InternalServerException where it fails or can't be reached. The message keeps S3's code.
ApiError AsTimestream(const ApiError& of_s3);

// What `work` returns; what it throws of S3's goes through AsTimestream.
template <typename Work>
auto OnStorage(const Work& work) {
  try {
    return work();
  } catch (const ApiError& of_s3) {
    throw AsTimestream(of_s3);
  }
}

}  // namespace ts_local
