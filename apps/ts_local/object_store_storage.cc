// ObjectStore as the S3 that ts-local's Timestream works on.
#include <algorithm>
#include <cstring>
#include <utility>

#include "ts_local/object_files.h"
#include "ts_local/object_store.h"

namespace ts_local {
namespace {

ApiError Denied(const std::string& action, const std::string& where) {
  return {403, "AccessDenied", action + " on s3://" + where + " is denied by the bucket's policy"};
}

class OwnUpload final : public Storage::Upload {
 public:
  OwnUpload(std::unique_ptr<ObjectStore::Writer> writer, std::string bucket, std::string key,
            const StoredAs& as)
      : writer_(std::move(writer)), bucket_(std::move(bucket)), key_(std::move(key)) {
    attributes_.content_type = as.content_type;
    attributes_.encryption = as.encryption;
    attributes_.kms_key = as.kms_key;
  }
  void Append(std::string_view bytes) override { writer_->Append(bytes); }
  void Commit() override {
    writer_->Commit(bucket_, key_, attributes_, EtagFor(attributes_.encryption));
  }

 private:
  std::unique_ptr<ObjectStore::Writer> writer_;
  std::string bucket_;
  std::string key_;
  ObjectAttributes attributes_;
};

class OwnDownload final : public Storage::Download {
 public:
  explicit OwnDownload(const ObjectInfo& object) : left_(object.size), file_(object.file, 0) {}
  std::size_t Read(char* buffer, std::size_t size) override {
    if (left_ == 0) return 0;
    const std::string_view piece = file_.Read(std::min<std::uint64_t>(left_, size));
    std::memcpy(buffer, piece.data(), piece.size());
    left_ -= piece.size();
    return piece.size();
  }

 private:
  std::uint64_t left_;
  FileReader file_;
};

}  // namespace

std::optional<std::string> ObjectStore::RegionOf(const StoragePlace& place) const {
  const auto bucket = FindBucket(place.bucket);
  if (!bucket) return std::nullopt;
  return bucket->region;
}

std::unique_ptr<Storage::Upload> ObjectStore::StartUpload(const StoragePlace& place,
                                                          const std::string& key,
                                                          const StoredAs& as) {
  if (!Allowed(place.bucket, "s3:PutObject", key)) {
    throw Denied("s3:PutObject", place.bucket + "/" + key);
  }
  return std::make_unique<OwnUpload>(NewWriter(), place.bucket, key, as);
}

std::vector<StoredObject> ObjectStore::ListBelow(const StoragePlace& place,
                                                 const std::string& prefix,
                                                 std::size_t limit) const {
  (void)GetBucket(place.bucket);
  if (!Allowed(place.bucket, "s3:ListBucket", "")) throw Denied("s3:ListBucket", place.bucket);
  std::vector<StoredObject> out;
  for (ObjectInfo& object : List(place.bucket, prefix, "", limit)) {
    out.push_back({std::move(object.key), object.size, std::move(object.etag)});
  }
  return out;
}

std::optional<StoredObject> ObjectStore::FindObject(const StoragePlace& place,
                                                    const std::string& key) const {
  if (!Allowed(place.bucket, "s3:GetObject", key)) {
    throw Denied("s3:GetObject", place.bucket + "/" + key);
  }
  auto object = Find(place.bucket, key);
  if (!object) return std::nullopt;
  return StoredObject{key, object->size, std::move(object->etag)};
}

std::unique_ptr<Storage::Download> ObjectStore::StartDownload(const StoragePlace& place,
                                                              const StoredObject& object) const {
  const ObjectInfo info = Get(place.bucket, object.key);
  if (info.etag != object.etag || info.size != object.size) {
    throw ApiError(412, "PreconditionFailed", object.key + " was replaced meanwhile");
  }
  return std::make_unique<OwnDownload>(info);
}

}  // namespace ts_local
