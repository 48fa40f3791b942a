// The multipart uploads of ts-local that are under way: parts in files, a small SQLite index beside
// them. A finished upload becomes an object of the ObjectStore and is forgotten here. Thread-safe.
// Errors are ApiError with S3's codes (NoSuchUpload).
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ts_local/object_files.h"
#include "ts_local/object_store.h"

namespace ts_local {

struct Upload {
  std::string id;
  std::string bucket;
  std::string key;
  ObjectAttributes attributes;
  std::int64_t initiated_ms = 0;
};

struct Part {
  int number = 0;
  std::uint64_t size = 0;
  std::string etag;  // MD5, hex
  std::int64_t modified_ms = 0;
  std::string file;
};

class MultipartStore {
 public:
  explicit MultipartStore(const std::string& dir);
  ~MultipartStore();
  MultipartStore(const MultipartStore&) = delete;
  MultipartStore& operator=(const MultipartStore&) = delete;

  Upload Create(const std::string& bucket, const std::string& key,
                const ObjectAttributes& attributes);
  Upload Get(const std::string& bucket, const std::string& key, const std::string& id) const;

  // Bytes for a part; AddPart makes them one, in place of an earlier part of that number.
  std::unique_ptr<PendingFile> NewFile() const;
  Part AddPart(const Upload& upload, int number, PendingFile& file);
  // In order of number, those > `after`, at most `limit`.
  std::vector<Part> Parts(const Upload& upload, int after, std::size_t limit) const;

  // In order of key and id, after (key, id), those whose key starts with `prefix`.
  std::vector<Upload> List(const std::string& bucket, const std::string& prefix,
                           const std::string& after_key, const std::string& after_id,
                           std::size_t limit) const;
  // Forgets the upload and its parts' files.
  void Remove(const Upload& upload);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts_local
