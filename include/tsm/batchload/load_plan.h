// What is to be loaded: the data files of a listing, in groups of one folder each, one batch-load
// task per group. Pure. The plan holds every file of the run in memory, about 300 bytes each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"

namespace tsm::batchload {

struct DataFile {
  s3::ObjectKey key;
  std::uint64_t size = 0;
  std::string etag;
  std::optional<std::uint64_t> rows;  // from the manifest, header not counted
};

// The files directly in one folder. A task loads whatever lies below its prefix, so the folder of
// one group is never a prefix of another's key.
struct LoadGroup {
  std::string folder;  // ends in '/'
  std::vector<DataFile> files;

  std::uint64_t bytes() const;
  // The rows that must be processed; nothing where the manifests do not tell it for every file.
  std::optional<std::uint64_t> rows() const;
};

struct LoadPlan {
  std::string listed;             // "s3://bucket/prefix", for messages
  std::vector<LoadGroup> groups;  // by folder name, which is time order for UNLOAD's partitions

  std::uint64_t files() const;
  std::uint64_t bytes() const;
  std::optional<std::uint64_t> rows() const;
};

// Groups the .csv objects of a listing (S3's key order). kInvalidInput, naming the keys and what to
// do, where there is no data file, one that batch load can't read (.gz, .parquet), a file, folder
// or prefix beyond the service's limits, or a folder with data files that has more data below it.
// `in_place`: the folders themselves are the tasks' prefixes, so that any other object in them
// would be loaded too and is refused.
// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html#limits.batch-load
Result<LoadPlan> PlanLoad(const std::string& listed, const std::vector<s3::ObjectSummary>& objects,
                          bool in_place);

// "a, b, c and 7 more": at most `limit` of the items.
std::string NameSome(const std::vector<std::string>& items, std::size_t limit = 5);

}  // namespace tsm::batchload
