// A file of the source on its way from a listing to its group, and the sorted file of the run
// directory that holds all of them. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/core/sorted_spool.h"
#include "tsm/s3/s3_client.h"

namespace tsm::batchload {

struct FoundFile {
  // Others matter only to groups that are loaded where they lie.
  enum class Kind : char {
    kData = 'd',     // to be loaded
    kOther = 'o',    // a data file that is none of the plan's
    kStrange = 's',  // no data file
  };

  Kind kind = Kind::kData;
  s3::ObjectKey key;
  std::uint64_t size = 0;
  std::string etag;
  std::optional<std::uint64_t> rows;
  std::uint32_t slice = 0;  // of the record, in the order of time; 0 without record

  static FoundFile Of(const s3::ObjectSummary& object, Kind kind);
};

std::string Pack(const FoundFile& file);
FoundFile Unpack(std::string_view packed);  // of what Pack made

// "" or what comes before the last segment, with its '/'; and that segment.
std::string_view FolderOf(std::string_view key);
std::string_view NameOf(std::string_view key);

// What does not agree, a line each: the first are kept, all are counted.
class Findings {
 public:
  void Add(std::string line);
  std::uint64_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::string Text() const;  // "a, b and 7 more"

 private:
  std::vector<std::string> lines_;
  std::uint64_t count_ = 0;
};

// A folder marker of the S3 console.
bool IsFolderMarker(const s3::ObjectSummary& object);

}  // namespace tsm::batchload
