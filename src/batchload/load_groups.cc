#include "load_groups.h"

#include <algorithm>
#include <array>
#include <utility>

#include "prefix_groups.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

// What a file counts for against a task's limits.
struct Weight {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

Weight WeightOf(const GroupRules& rules, const FoundFile& file) {
  if (!rules.gzip) return {1, file.size};
  const std::uint64_t bytes = file.size * kInflation;
  return {std::max<std::uint64_t>(1, (bytes + kInflatedFileBytes - 1) / kInflatedFileBytes), bytes};
}

// "0007": as many digits as it takes, and zeros before it.
std::string Padded(std::size_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return text;
}

// The partitions among a key's folders, else the slice, else the folder: for people.
std::string LabelOf(const GroupRules& rules, const FoundFile& file) {
  const std::string_view folder = FolderOf(file.key.str());
  std::vector<std::string> partitions;
  for (const std::string_view segment : Split(folder, '/')) {
    if (segment.find('=') != std::string_view::npos) partitions.emplace_back(segment);
  }
  if (!partitions.empty()) return Join(partitions, "/");
  if (file.slice < rules.slice_labels.size()) return rules.slice_labels[file.slice];
  return std::string(folder.substr(0, folder.empty() ? 0 : folder.size() - 1));
}

void Count(const GroupRules& rules, const FoundFile& file, GroupDraft& group) {
  std::string label = LabelOf(rules, file);
  const std::string_view moment = PartitionOf(file.key.str(), rules.partition_alias);
  if (group.files == 0) {
    group.label = label;
    group.slice = file.slice;
    group.moment = moment;
  }
  group.last_label = std::move(label);
  group.slice = std::min(group.slice, file.slice);
  if (moment < group.moment) group.moment = moment;
  ++group.files;
  group.bytes += file.size;
  if (!file.rows || !group.rows) {
    group.rows.reset();
  } else {
    *group.rows += *file.rows;
  }
}

// Shows every file in order, kOther and kStrange ones too.
template <typename Visit>
Status ForEach(SortedSpool& files, const Visit& visit) {
  Result<std::unique_ptr<SortedSpool::Reader>> reader = files.Read();
  if (!reader) return reader.error();
  for (;;) {
    Result<bool> more = (*reader)->Next();
    if (!more) return more.error();
    if (!*more) return Ok();
    visit(Unpack((*reader)->value()));
  }
}

// Fills groups one after the other, each until the next file does not fit.
class Filler {
 public:
  explicit Filler(const GroupRules& rules) : rules_(rules) {}

  void Add(const FoundFile& file) {
    const Weight weight = WeightOf(rules_, file);
    const bool fits = weight_.files + weight.files <= rules_.max_files &&
                      weight_.bytes + weight.bytes <= rules_.max_bytes;
    if (groups_.empty() || !fits) {
      groups_.emplace_back();
      weight_ = {};
    }
    weight_.files += weight.files;
    weight_.bytes += weight.bytes;
    Count(rules_, file, groups_.back());
  }

  std::vector<GroupDraft> Take() {
    weight_ = {};
    return std::exchange(groups_, {});
  }

 private:
  const GroupRules& rules_;
  std::vector<GroupDraft> groups_;
  Weight weight_;
};

std::string TargetFolder(const GroupRules& rules, std::string_view key) {
  std::string folder = Concat({rules.destination_prefix, FolderOf(key)});
  return rules.safe_prefixes ? SafeFolder(folder) : folder;
}

// A folder at a time. One that is too large, or has data below it, is divided into folders of its
// own: `part-001/`.
class FolderDrafter {
 public:
  explicit FolderDrafter(const GroupRules& rules) : filler_(rules), rules_(rules) {}

  void Add(const FoundFile& file) {
    std::string folder = TargetFolder(rules_, file.key.str());
    if (folder != folder_) Close(folder);
    folder_ = std::move(folder);
    filler_.Add(file);
  }

  std::vector<GroupDraft> Finish() {
    Close("");
    return std::move(groups_);
  }

 private:
  void Close(const std::string& next) {
    std::vector<GroupDraft> parts = filler_.Take();
    const bool nested = !folder_.empty() && next.starts_with(folder_);
    const bool divided = nested || parts.size() > 1;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      parts[i].prefix = divided ? folder_ + "part-" + Padded(i + 1, 3) + "/" : folder_;
      if (parts.size() > 1) parts[i].label += " part " + std::to_string(i + 1);
      groups_.push_back(std::move(parts[i]));
    }
  }

  Filler filler_;
  const GroupRules& rules_;
  std::string folder_;
  std::vector<GroupDraft> groups_;
};

Result<std::vector<GroupDraft>> DraftFolders(const GroupRules& rules, SortedSpool& files) {
  FolderDrafter drafter(rules);
  Status status = ForEach(files, [&](const FoundFile& file) { drafter.Add(file); });
  if (!status) return status.error();
  return drafter.Finish();
}

Result<std::vector<GroupDraft>> DraftPacked(const GroupRules& rules, SortedSpool& files) {
  Filler filler(rules);
  Status status = ForEach(files, [&](const FoundFile& file) { filler.Add(file); });
  if (!status) return status.error();
  std::vector<GroupDraft> groups = filler.Take();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    GroupDraft& group = groups[i];
    group.prefix = rules.packed_folder + GroupId(rules.first_group + i) + "/";
    if (group.last_label != group.label) group.label += " to " + group.last_label;
  }
  return groups;
}

Result<std::vector<GroupDraft>> DraftCopyOnly(const GroupRules& rules, SortedSpool& files) {
  std::vector<GroupDraft> groups;
  std::string first;
  Status status = ForEach(files, [&](const FoundFile& file) {
    const std::string target =
        TargetFolder(rules, file.key.str()) + std::string(NameOf(file.key.str()));
    if (groups.empty() || groups.back().files == kCopyOnlyFiles) {
      groups.emplace_back();
      first = target;
    }
    const auto common = std::mismatch(first.begin(), first.end(), target.begin(), target.end());
    first.erase(common.first, first.end());
    groups.back().prefix = FolderOf(first);
    Count(rules, file, groups.back());
  });
  if (!status) return status.error();
  for (GroupDraft& group : groups) group.rows.reset();
  return groups;
}

// The group whose prefix the key begins with; null where there is none. Prefixes are in order and
// none is the beginning of another.
const GroupDraft* GroupOf(const std::vector<GroupDraft>& groups, std::string_view key) {
  const auto after = std::upper_bound(
      groups.begin(), groups.end(), key,
      [](std::string_view wanted, const GroupDraft& group) { return wanted < group.prefix; });
  if (after == groups.begin()) return nullptr;
  const GroupDraft& group = *std::prev(after);
  return key.starts_with(group.prefix) ? &group : nullptr;
}

Result<std::vector<GroupDraft>> DraftInPlace(const GroupRules& rules, SortedSpool& files) {
  PrefixDivider divider(rules.max_files, rules.max_bytes);
  std::string last;
  Status divided = ForEach(files, [&](const FoundFile& file) {
    // A file that one slice vouches for is seen again where the listing of another reaches it.
    if (file.kind == FoundFile::Kind::kStrange || file.key.str() == last) return;
    last = file.key.str();
    divider.Add(last, file.size, file.kind == FoundFile::Kind::kData);
  });
  if (!divided) return divided.error();
  Result<std::vector<PrefixGroup>> prefixes = divider.Finish();
  if (!prefixes) return prefixes.error();
  std::vector<GroupDraft> groups;
  for (PrefixGroup& prefix : *prefixes) groups.emplace_back().prefix = std::move(prefix.prefix);
  Findings strange;
  Status counted = ForEach(files, [&](const FoundFile& file) {
    const GroupDraft* group = GroupOf(groups, file.key.str());
    if (group == nullptr) return;
    if (file.kind == FoundFile::Kind::kStrange) strange.Add(file.key.str());
    if (file.kind != FoundFile::Kind::kData) return;
    Count(rules, file, groups[static_cast<std::size_t>(group - groups.data())]);
  });
  if (!counted) return counted.error();
  if (strange.empty()) return groups;
  return MakeError(ErrorKind::kInTheWay,
                   "a batch-load task loads all that lies below its prefix, and these are no data "
                   "files: " +
                       strange.Text() + "; move or delete them");
}

}  // namespace

std::string GroupId(std::size_t index) { return "g" + Padded(index + 1, 4); }

std::string_view PartitionOf(std::string_view key, std::string_view alias) {
  for (const std::string_view segment : Split(FolderOf(key), '/')) {
    if (segment.size() > alias.size() && segment.starts_with(alias) &&
        segment[alias.size()] == '=') {
      return segment.substr(alias.size() + 1);
    }
  }
  return {};
}

std::string SafeFolder(std::string_view folder) {
  const auto is_alnum = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  std::string safe;
  for (const char c : folder) {
    // The bytes of one character make one '-'.
    if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) continue;
    constexpr std::string_view kFirst = "|!-_*'()";
    constexpr std::string_view kRest = "!-_*'()/.";
    const std::string_view others = safe.empty() ? kFirst : kRest;
    safe += is_alnum(c) || others.find(c) != std::string_view::npos ? c : '-';
  }
  return safe;
}

std::string OrderKey(const GroupRules& rules, const FoundFile& file) {
  const std::string& key = file.key.str();
  const auto with_zero = [](std::string_view text) { return std::string(text) + '\0'; };
  switch (rules.layout) {
    case Layout::kFolders:
      return with_zero(TargetFolder(rules, key)) + std::string(NameOf(key));
    case Layout::kPacked:
      return Padded(file.slice, 10) + with_zero(PartitionOf(key, rules.partition_alias)) +
             with_zero(FolderOf(key)) + std::string(NameOf(key));
    case Layout::kInPlace:
      return with_zero(key) + static_cast<char>(file.kind);
    case Layout::kCopyOnly:
      break;
  }
  return TargetFolder(rules, key) + std::string(NameOf(key));
}

Status CheckFile(const GroupRules& rules, const FoundFile& file) {
  const auto refuse = [](std::string why) {
    return MakeError(ErrorKind::kInvalidInput, std::move(why));
  };
  const std::string& key = file.key.str();
  if (rules.layout == Layout::kCopyOnly) return Ok();
  if (rules.layout != Layout::kPacked && TargetFolder(rules, key).empty()) {
    return refuse("the file " + key +
                  " lies in no folder: a batch-load task needs a prefix to load");
  }
  if (!rules.gzip && file.size > timestream::kMaxBatchLoadFileBytes) {
    return refuse(key + " has " + FormatBytes(file.size) + ", batch load takes " +
                  FormatBytes(timestream::kMaxBatchLoadFileBytes) +
                  " a file: unload again with a smaller max_file_size (ts-unload's is 1GB), or "
                  "only copy it with --copy_only");
  }
  return Ok();
}

Result<std::vector<GroupDraft>> DraftGroups(const GroupRules& rules, SortedSpool& files) {
  switch (rules.layout) {
    case Layout::kFolders:
      return DraftFolders(rules, files);
    case Layout::kPacked:
      return DraftPacked(rules, files);
    case Layout::kInPlace:
      return DraftInPlace(rules, files);
    case Layout::kCopyOnly:
      return DraftCopyOnly(rules, files);
  }
  return std::vector<GroupDraft>();
}

void TargetNames::Begin(const GroupDraft& group) {
  prefix_ = group.prefix;
  count_ = 0;
  names_.clear();
}

s3::ObjectKey TargetNames::Next(const FoundFile& file) {
  const std::string& key = file.key.str();
  if (rules_.layout == Layout::kInPlace) return file.key;
  std::string name(NameOf(key));
  if (rules_.layout == Layout::kCopyOnly) return s3::ObjectKey(TargetFolder(rules_, key) + name);
  if (rules_.layout == Layout::kFolders) return s3::ObjectKey(prefix_ + name);
  // UNLOAD's names differ; those of other makers may be the same in every folder.
  ++count_;
  if (names_.count(name) > 0) name.insert(0, Padded(count_, 3) + "-");
  while (!names_.insert(name).second) name.insert(0, "-");
  return s3::ObjectKey(prefix_ + name);
}

}  // namespace tsm::batchload
