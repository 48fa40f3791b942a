// Another S3 (LocalStack, MinIO, moto, S3 itself) as the storage that ts-local's Timestream works
// on. A file to be written waits in DIR/spool and goes out in one PutObject; a file is read by
// ranges. Memory stays bounded whatever the size. Thread-safe.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
#pragma once

#include <string>

#include "ts_local/s3_client.h"
#include "ts_local/storage.h"

namespace ts_local {

class ForeignStorage final : public Storage {
 public:
  // Creates `dir`/spool; throws std::runtime_error where the directory is unusable.
  ForeignStorage(const std::string& dir, S3Client client);

  std::optional<std::string> RegionOf(const StoragePlace& place) const override;
  // The upload throws EntityTooLarge beyond S3's 5 GiB of one PutObject.
  std::unique_ptr<Upload> StartUpload(const StoragePlace& place, const std::string& key,
                                      const StoredAs& as) override;
  // Begins a multipart upload that nobody completes.
  void StartMultipart(const StoragePlace& place, const std::string& key, const StoredAs& as);
  std::vector<StoredObject> ListBelow(const StoragePlace& place, const std::string& prefix,
                                      std::size_t limit) const override;
  std::optional<StoredObject> FindObject(const StoragePlace& place,
                                         const std::string& key) const override;
  // A file that is replaced while it is read ends with PreconditionFailed.
  std::unique_ptr<Download> StartDownload(const StoragePlace& place,
                                          const StoredObject& object) const override;

 private:
  std::string spool_;
  S3Client client_;
};

}  // namespace ts_local
