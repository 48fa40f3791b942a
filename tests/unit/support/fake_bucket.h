// A bucket of the fake S3 (fake_unload_service.h). The data files of an UNLOAD are kept as what
// they were made from, and their keys, their listing and their manifest are computed when they are
// asked for: a million files cost little. Plain data; the service's lock guards it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tsm/core/clock.h"

namespace tsm::test {

// Rows that UNLOAD puts into one folder.
struct ResultFolder {
  std::string name;  // "partition_date=2024-02-26/", "" without partitions
  std::uint64_t rows = 0;
};

// What one UNLOAD has written. Files are counted over all folders, in the order of their keys.
class ResultSet {
 public:
  // `folder`: "" or ends in '/'; `folders` in the order of their names.
  ResultSet(std::string bucket, std::string folder, std::string query_id,
            std::vector<ResultFolder> folders, std::uint64_t bytes_per_row,
            std::uint64_t files_per_folder);

  std::uint64_t files() const { return first_.empty() ? 0 : first_.back(); }
  std::string Key(std::uint64_t file) const;
  std::uint64_t Rows(std::uint64_t file) const;
  std::uint64_t Bytes(std::uint64_t file) const { return Rows(file) * bytes_per_row_; }
  // The first file whose key is `key` or behind it.
  std::uint64_t LowerBound(const std::string& key) const;
  bool MayHold(const std::string& prefix) const;

  std::string manifest_key() const { return stem() + "_manifest.json"; }
  std::string metadata_key() const { return stem() + "_metadata.json"; }
  std::string Manifest() const;
  std::uint64_t rows() const;

  std::set<std::uint64_t> removed;  // files that were deleted

 private:
  std::string stem() const;
  std::size_t FolderOf(std::uint64_t file) const;

  std::string bucket_;
  std::string folder_;
  std::string query_id_;
  std::vector<ResultFolder> folders_;
  std::uint64_t bytes_per_row_;
  std::uint64_t files_per_folder_;
  std::vector<std::uint64_t> first_;  // of each folder the first file, and behind the last one
};

struct FakeObject {
  std::string body;                      // "" of a manifest, which is computed
  std::shared_ptr<const ResultSet> set;  // whose manifest it is
  UnixNanos modified = 0;

  std::string Body() const { return set ? set->Manifest() : body; }
  std::string ETag() const;
};

struct ListedObject {
  std::string key;
  std::uint64_t bytes = 0;
  std::string etag;
};

struct Listing {
  std::vector<ListedObject> objects;
  std::vector<std::string> common_prefixes;
  std::string next;  // "" on the last page
};

struct FakeBucket {
  std::string region = "eu-west-1";
  std::string policy;
  std::map<std::string, FakeObject> objects;              // all but data files
  std::vector<std::shared_ptr<ResultSet>> sets;           // whose data files lie here
  std::set<std::pair<std::string, std::string>> uploads;  // multipart: key and upload id

  // One page of ListObjectsV2; `after`: the last key or common prefix of the page before.
  Listing List(const std::string& prefix, const std::string& delimiter, const std::string& after,
               std::size_t max_keys) const;
  // Whether there was one.
  bool Delete(const std::string& key);
  std::optional<std::uint64_t> SizeOf(const std::string& key) const;
  std::uint64_t CountDataFiles(const std::string& prefix) const;
};

}  // namespace tsm::test
