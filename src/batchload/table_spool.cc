#include "table_spool.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/run/file_spool.h"
#include "tsm/s3/s3_client.h"

namespace tsm::batchload {

namespace {

// What an inflated file's name may be longer by: "x.gz" becomes "x-0001.csv".
constexpr std::size_t kInflatedSuffix = 6;

// "<number> <packed file>".
std::string PackNumbered(std::size_t number, const FoundFile& file) {
  return std::to_string(number) + " " + Pack(file);
}

std::pair<std::size_t, FoundFile> UnpackNumbered(std::string_view packed) {
  const std::size_t blank = packed.find(' ');
  const auto number = ParseInt64(packed.substr(0, blank)).value_or(0);
  return {static_cast<std::size_t>(number), Unpack(packed.substr(blank + 1))};
}

// Of each draft its number among the groups in run order.
std::vector<std::size_t> NumbersOf(const GroupRules& rules, const std::vector<GroupDraft>& drafts,
                                   std::size_t first) {
  std::vector<std::size_t> order(drafts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Packed groups are in the order of time already, and named by it; where nothing is loaded the
  // order of the keys is the best.
  if (rules.layout == Layout::kFolders || rules.layout == Layout::kInPlace) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::tie(drafts[a].slice, drafts[a].moment, drafts[a].prefix) <
             std::tie(drafts[b].slice, drafts[b].moment, drafts[b].prefix);
    });
  }
  std::vector<std::size_t> numbers(drafts.size());
  for (std::size_t i = 0; i < order.size(); ++i) numbers[order[i]] = first + i;
  return numbers;
}

// What all begin with, up to a '/'.
std::string CommonFolder(const std::vector<GroupDraft>& drafts) {
  if (drafts.empty()) return "";
  std::string common = drafts.front().prefix;
  for (const GroupDraft& draft : drafts) {
    const auto end =
        std::mismatch(common.begin(), common.end(), draft.prefix.begin(), draft.prefix.end());
    common.erase(end.first, common.end());
  }
  return std::string(FolderOf(common));
}

}  // namespace

Status TableSpool::CheckTarget(const FoundFile& file, const s3::ObjectKey& target) const {
  const std::size_t bytes = target.str().size() + (rules.gzip ? kInflatedSuffix : 0);
  if (bytes <= s3::kMaxKeyBytes) return Ok();
  return MakeError(ErrorKind::kInvalidInput,
                   "the copy of " + file.key.str() + " would have a key of " +
                       std::to_string(bytes) + " bytes, S3's end at " +
                       std::to_string(s3::kMaxKeyBytes) +
                       ": give a shorter prefix in the target bucket, or --group_by packed");
}

Status TableSpool::SortByTarget(SortedSpool& files, const std::vector<GroupDraft>& drafts,
                                const std::vector<std::size_t>& numbers, PlaceCounter& places,
                                SortedSpool& targets) const {
  Result<std::unique_ptr<SortedSpool::Reader>> reader = files.Read();
  if (!reader) return reader.error();
  TargetNames names(rules);
  std::size_t draft = 0;
  std::uint32_t seen = 0;  // of the draft's files
  for (;;) {
    Result<bool> more = (*reader)->Next();
    if (!more) return more.error();
    if (!*more) return Ok();
    const FoundFile file = Unpack((*reader)->value());
    if (file.kind != FoundFile::Kind::kData) continue;
    if (seen == 0) names.Begin(drafts[draft]);
    const s3::ObjectKey target = names.Next(file);
    if (Status fits = CheckTarget(file, target); !fits) return fits;
    places.Add(file, numbers[draft]);
    Status added = targets.Add(target.str(), PackNumbered(numbers[draft], file));
    if (!added) return added;
    if (++seen < drafts[draft].files) continue;
    ++draft;
    seen = 0;
  }
}

Status TableSpool::WriteSpool(SortedSpool& targets, std::vector<LoadGroup>& groups) const {
  auto writer = run::FileSpoolWriter::Create(directory / table.spool);
  if (!writer) return writer.error();
  Result<std::unique_ptr<SortedSpool::Reader>> reader = targets.Read();
  if (!reader) return reader.error();
  run::SpooledFile last;
  for (bool first = true;; first = false) {
    Result<bool> more = (*reader)->Next();
    if (!more) return more.error();
    if (!*more) break;
    auto [number, found] = UnpackNumbered((*reader)->value());
    run::SpooledFile file;
    file.group = number;
    file.source = std::move(found.key);
    file.target = s3::ObjectKey(std::string((*reader)->key()));
    file.size = found.size;
    file.etag = std::move(found.etag);
    file.rows = found.rows;
    if (!first && file.target == last.target) {
      return MakeError(ErrorKind::kInvalidInput,
                       last.source.str() + " and " + file.source.str() +
                           " would both be copied to " + file.target.str() +
                           ": load their folders one by one, or without --safe_prefixes");
    }
    const bool begins = first || file.group != last.group;
    file.ordinal = begins ? 0 : last.ordinal + 1;
    Result<std::uint64_t> offset = (*writer)->Append(file);
    if (!offset) return offset.error();
    if (begins) groups[number].offset = *offset;
    last = std::move(file);
  }
  return (*writer)->Close();
}

Status TableSpool::Write(SortedSpool& files, std::vector<LoadGroup>& groups, PlaceCounter& places) {
  Result<std::vector<GroupDraft>> drafts = DraftGroups(rules, files);
  if (!drafts) return drafts.error();
  const std::vector<std::size_t> numbers = NumbersOf(rules, *drafts, groups.size());
  table.target_prefix = CommonFolder(*drafts);
  SortedSpool targets(directory);
  Status sorted = SortByTarget(files, *drafts, numbers, places, targets);
  if (!sorted) return sorted;
  groups.resize(groups.size() + drafts->size());
  for (std::size_t i = 0; i < drafts->size(); ++i) {
    GroupDraft& draft = (*drafts)[i];
    LoadGroup& group = groups[numbers[i]];
    group.id = GroupId(numbers[i]);
    group.table = index;
    group.prefix = std::move(draft.prefix);
    group.label = std::move(draft.label);
    group.files = draft.files;
    group.bytes = draft.bytes;
    if (table.rows) group.rows = draft.rows;
  }
  return WriteSpool(targets, groups);
}

}  // namespace tsm::batchload
