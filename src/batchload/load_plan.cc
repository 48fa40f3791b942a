#include "tsm/batchload/load_plan.h"

#include <map>

#include "tsm/core/text.h"
#include "tsm/run/manifest.h"
#include "tsm/timestream/limits.h"

namespace tsm::batchload {
namespace {

constexpr std::string_view kCsv = ".csv";

std::string FolderOf(const std::string& key) {
  const auto slash = key.rfind('/');
  return slash == std::string::npos ? "" : key.substr(0, slash + 1);
}

Error Refuse(std::string message) {
  return MakeError(ErrorKind::kInvalidInput, std::move(message));
}

using Folders = std::map<std::string, LoadGroup>;

Result<Folders> SortIntoFolders(const std::string& listed,
                                const std::vector<s3::ObjectSummary>& objects) {
  Folders folders;
  std::vector<std::string> unreadable;
  for (const s3::ObjectSummary& object : objects) {
    const std::string& key = object.key.str();
    if (!run::IsDataFile(key)) continue;
    if (!key.ends_with(kCsv)) {
      unreadable.push_back(key);
      continue;
    }
    LoadGroup& group = folders[FolderOf(key)];
    if (group.folder.empty()) group.folder = FolderOf(key);
    group.files.push_back({object.key, object.size, object.etag, std::nullopt});
  }
  if (!unreadable.empty()) {
    return Refuse(
        "batch load reads uncompressed CSV, these are something else: " + NameSome(unreadable) +
        "; unload with format CSV and compression NONE, as ts-unload does");
  }
  if (folders.empty()) return Refuse("there are no data files (*.csv) under " + listed);
  return folders;
}

Status CheckLimits(const LoadGroup& group) {
  if (group.folder.empty()) {
    return Refuse("the file " + group.files.front().key.str() +
                  " lies in no folder: a batch-load task needs a prefix to load");
  }
  for (const DataFile& file : group.files) {
    if (file.size <= timestream::kMaxBatchLoadFileBytes) continue;
    return Refuse(file.key.str() + " has " + FormatBytes(file.size) + ", batch load takes " +
                  FormatBytes(timestream::kMaxBatchLoadFileBytes) +
                  " a file: unload again with a smaller max_file_size (ts-unload's is 1GB)");
  }
  if (group.files.size() > static_cast<std::size_t>(timestream::kMaxBatchLoadTaskFiles)) {
    return Refuse("the folder " + group.folder + " holds " + WithThousands(group.files.size()) +
                  " data files, a batch-load task takes " +
                  std::to_string(timestream::kMaxBatchLoadTaskFiles) +
                  ": unload with a finer --partition");
  }
  if (group.bytes() > timestream::kMaxBatchLoadTaskBytes) {
    return Refuse("the folder " + group.folder + " holds " + FormatBytes(group.bytes()) +
                  ", a batch-load task takes " + FormatBytes(timestream::kMaxBatchLoadTaskBytes) +
                  ": unload with a finer --partition");
  }
  return Ok();
}

// Folders come in byte order, so everything below a folder follows it at once.
Status CheckNotNested(const Folders& folders) {
  const std::string* outer = nullptr;
  for (const auto& [folder, group] : folders) {
    if (outer != nullptr && folder.starts_with(*outer)) {
      return Refuse("the folder " + *outer + " holds data files and so does " + folder +
                    " below it: a task on the first would load both, and the second's rows twice; "
                    "move one of them, or give the inner folder as the prefix");
    }
    outer = &folder;
  }
  return Ok();
}

// Objects that a task on a group's folder would load although the plan does not.
Status CheckNothingElse(const Folders& folders, const std::vector<s3::ObjectSummary>& objects) {
  std::vector<std::string> foreign;
  for (const s3::ObjectSummary& object : objects) {
    const std::string& key = object.key.str();
    if (key.ends_with(kCsv)) continue;
    if (object.size == 0 && key.ends_with('/')) continue;  // a folder marker of the S3 console
    const auto after = folders.upper_bound(key);
    if (after == folders.begin()) continue;
    if (key.starts_with(std::prev(after)->first)) foreign.push_back(key);
  }
  if (foreign.empty()) return Ok();
  return MakeError(ErrorKind::kInTheWay,
                   "a batch-load task loads all that lies below its folder, and these are no data "
                   "files: " +
                       NameSome(foreign) + "; move or delete them");
}

}  // namespace

std::uint64_t LoadGroup::bytes() const {
  std::uint64_t sum = 0;
  for (const DataFile& file : files) sum += file.size;
  return sum;
}

std::optional<std::uint64_t> LoadGroup::rows() const {
  std::uint64_t sum = 0;
  for (const DataFile& file : files) {
    if (!file.rows) return std::nullopt;
    sum += *file.rows;
  }
  return sum;
}

std::uint64_t LoadPlan::files() const {
  std::uint64_t sum = 0;
  for (const LoadGroup& group : groups) sum += group.files.size();
  return sum;
}

std::uint64_t LoadPlan::bytes() const {
  std::uint64_t sum = 0;
  for (const LoadGroup& group : groups) sum += group.bytes();
  return sum;
}

std::optional<std::uint64_t> LoadPlan::rows() const {
  std::uint64_t sum = 0;
  for (const LoadGroup& group : groups) {
    const std::optional<std::uint64_t> rows = group.rows();
    if (!rows) return std::nullopt;
    sum += *rows;
  }
  return sum;
}

Result<LoadPlan> PlanLoad(const std::string& listed, const std::vector<s3::ObjectSummary>& objects,
                          bool in_place) {
  Result<Folders> folders = SortIntoFolders(listed, objects);
  if (!folders) return folders.error();
  for (const auto& [folder, group] : *folders) {
    if (Status status = CheckLimits(group); !status) return status.error();
  }
  if (Status status = CheckNotNested(*folders); !status) return status.error();
  if (in_place) {
    if (Status status = CheckNothingElse(*folders, objects); !status) return status.error();
  }
  LoadPlan plan;
  plan.listed = listed;
  plan.groups.reserve(folders->size());
  for (auto& [folder, group] : *folders) plan.groups.push_back(std::move(group));
  return plan;
}

std::string NameSome(const std::vector<std::string>& items, std::size_t limit) {
  std::string text;
  for (std::size_t i = 0; i < items.size() && i < limit; ++i) {
    text += (i == 0 ? "" : ", ") + items[i];
  }
  if (items.size() > limit) text += " and " + WithThousands(items.size() - limit) + " more";
  return text;
}

}  // namespace tsm::batchload
