// Into which groups the files of a table are divided, one batch-load task each, and where their
// copies go. Pure but for the sorted file that holds the files; memory grows with the groups.
//
// What is guaranteed: every file is in one group; a group holds at most kMaxBatchLoadTaskFiles
// files and kMaxBatchLoadTaskBytes; its prefix is no prefix of another file's target. By folders
// and in place a group's files come from one folder. Packed groups are filled in the order of time,
// each until the next file does not fit: the fewest groups of all divisions that keep that order,
// so ceil(files / 100) where the number of files is what fills them.
// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html#limits.batch-load
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "found_file.h"
#include "tsm/core/result.h"
#include "tsm/core/sorted_spool.h"
#include "tsm/timestream/limits.h"

namespace tsm::batchload {

enum class Layout {
  kFolders,   // copied, keys kept: a folder is a group
  kPacked,    // copied into folders of this run's own
  kInPlace,   // not copied
  kCopyOnly,  // copied, keys kept, and loaded by nobody
};

// How many files one group of a run that only copies has: what its journal says of them is kept
// until they are all there.
inline constexpr std::uint64_t kCopyOnlyFiles = 1000;

// How much larger the CSV is that a gzip file holds. UNLOAD's files shrink to a fifth as a rule;
// columns that hardly change shrink to less. Beyond this the group is refused when its files are
// inflated and counted, before its task is created.
inline constexpr std::uint64_t kInflation = 20;
inline constexpr std::uint64_t kInflatedFileBytes = timestream::kGigabyte;

struct GroupRules {
  Layout layout = Layout::kFolders;
  std::string destination_prefix;  // before each source key; in place ""
  std::string packed_folder;       // below which packed groups get their folders
  bool safe_prefixes = false;
  bool gzip = false;
  std::string partition_alias = "partition_date";
  std::vector<std::string> slice_labels;  // of the record's slices
  std::size_t first_group = 0;            // how many groups the tables before have
  std::uint64_t max_files = timestream::kMaxBatchLoadTaskFiles;
  std::uint64_t max_bytes = timestream::kMaxBatchLoadTaskBytes;
};

// A group before it has its number: the next `files` data files in the order of OrderKey.
struct GroupDraft {
  std::string prefix;
  std::string label;
  std::string last_label;  // of its last file's folder
  std::uint32_t slice = 0;
  std::string moment;  // the first partition's text
  std::uint32_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> rows = 0;
};

// "g0001" for 0.
std::string GroupId(std::size_t index);

// "2024-02-26" of a key with the folder "<alias>=2024-02-26/", else "".
std::string_view PartitionOf(std::string_view key, std::string_view alias);

// The folder of the copy with every character that the published pattern of ObjectKeyPrefix does
// not have replaced by '-'.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_DataSourceS3Configuration.html
std::string SafeFolder(std::string_view folder);

// By what a table's files are sorted before they are divided.
std::string OrderKey(const GroupRules& rules, const FoundFile& file);

// Why batch load can't take the file, or its copy can't be made.
Status CheckFile(const GroupRules& rules, const FoundFile& file);

// `files` are sorted by OrderKey. Those that are kOther or kStrange may lie in no group: kInTheWay
// names them, kInvalidInput files that no prefix can tell from their neighbours.
Result<std::vector<GroupDraft>> DraftGroups(const GroupRules& rules, SortedSpool& files);

// Where the files of a group go, asked in their order.
class TargetNames {
 public:
  explicit TargetNames(const GroupRules& rules) : rules_(rules) {}
  void Begin(const GroupDraft& group);
  s3::ObjectKey Next(const FoundFile& file);

 private:
  const GroupRules& rules_;
  std::string prefix_;
  std::uint32_t count_ = 0;
  std::set<std::string, std::less<>> names_;  // of a packed group
};

}  // namespace tsm::batchload
