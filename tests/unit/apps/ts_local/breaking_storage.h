// An ObjectStore as a storage that breaks where the test says. For one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ts_local/object_store.h"
#include "ts_local/storage.h"

namespace ts_local {

inline const ApiError kOutage{503, "ServiceUnavailable", "GetObject at http://s3: Connection"};

class BreakingStorage final : public Storage {
 public:
  explicit BreakingStorage(ObjectStore& objects) : objects_(objects) {}

  class CutDownload final : public Download {
   public:
    CutDownload(std::unique_ptr<Download> whole, std::size_t left)
        : whole_(std::move(whole)), left_(left) {}
    std::size_t Read(char* buffer, std::size_t size) override {
      if (left_ == 0) throw ApiError(kOutage);
      const std::size_t count = whole_->Read(buffer, std::min(size, left_));
      left_ -= count;
      return count;
    }

   private:
    std::unique_ptr<Download> whole_;
    std::size_t left_;
  };
  class RefusedUpload final : public Upload {
   public:
    void Append(std::string_view) override {}
    void Commit() override { throw ApiError(kOutage); }
  };

  std::optional<std::string> RegionOf(const StoragePlace& place) const override {
    return objects_.RegionOf(place);
  }
  std::unique_ptr<Upload> StartUpload(const StoragePlace& place, const std::string& key,
                                      const StoredAs& as) override {
    if (key.ends_with(refuse_put)) return std::make_unique<RefusedUpload>();
    return objects_.StartUpload(place, key, as);
  }
  std::vector<StoredObject> ListBelow(const StoragePlace& place, const std::string& prefix,
                                      std::size_t limit) const override {
    if (no_listing) throw ApiError(kOutage);
    return objects_.ListBelow(place, prefix, limit);
  }
  std::optional<StoredObject> FindObject(const StoragePlace& place,
                                         const std::string& key) const override {
    return objects_.FindObject(place, key);
  }
  std::unique_ptr<Download> StartDownload(const StoragePlace& place,
                                          const StoredObject& object) const override {
    auto whole = objects_.StartDownload(place, object);
    return std::make_unique<CutDownload>(std::move(whole), readable);
  }

  std::string refuse_put = "nothing";
  bool no_listing = false;
  std::size_t readable = SIZE_MAX;

 private:
  ObjectStore& objects_;
};

}  // namespace ts_local
