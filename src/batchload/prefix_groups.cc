#include "prefix_groups.h"

#include <algorithm>
#include <utility>

#include "found_file.h"
#include "tsm/run/manifest.h"

namespace tsm::batchload {

namespace {

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Whole characters only: a prefix is UTF-8 too.
std::size_t CommonBytes(std::string_view a, std::string_view b) {
  std::size_t common = static_cast<std::size_t>(
      std::mismatch(a.begin(),
                    a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())),
                    b.begin())
          .first -
      a.begin());
  const auto inside = [common](std::string_view text, std::size_t at) {
    return at == common && at < text.size() && ContinuesCharacter(text[at]);
  };
  if (!inside(a, common) && !inside(b, common)) return common;
  while (common > 0 && ContinuesCharacter(a[common - 1])) --common;
  return common > 0 ? common - 1 : 0;
}

// How long the prefix of a group is. More than `above` bytes belong to it alone, and `depth` bytes
// are common to all of it; any length between the two names the same files.
std::size_t PrefixBytes(std::string_view path, std::size_t above, std::size_t depth) {
  const std::size_t folder = FolderOf(path).size();
  if (folder > above) return folder;
  const std::optional<std::string> query = run::QueryIdOfDataFile(path);
  if (!query) return depth;
  const std::size_t named = folder + query->size() + 1;
  if (named > depth) return depth;
  return std::max(named, above + 1);
}

}  // namespace

bool PrefixDivider::IsWhole(const Node& node) const {
  return !node.others && !node.broken && node.folder > 0 && node.folder <= node.depth &&
         node.files <= max_files_ && node.bytes <= max_bytes_;
}

void PrefixDivider::Join(Node& node, Node part) const {
  node.files += part.files;
  node.bytes += part.bytes;
  node.folder = std::max(node.folder, part.folder);
  node.others = node.others || part.others;
  node.broken = node.broken || part.broken;
  node.parts.push_back(std::move(part));
}

void PrefixDivider::Emit(const Node& node, std::size_t above) {
  groups_.push_back(
      {node.path.substr(0, PrefixBytes(node.path, above, node.depth)), node.files, node.bytes});
}

// Where a node can't be one group, each part of it that can is one.
void PrefixDivider::Settle(Node& node) {
  if (IsWhole(node)) {
    node.parts.clear();
    return;
  }
  if (node.is_file && !error_) {
    const std::string key = node.path.substr(0, node.depth);
    error_ =
        MakeError(ErrorKind::kInvalidInput,
                  "the key " + key +
                      " is the beginning of other keys, so that no prefix "
                      "names it alone, and all of them are no group for one batch-load task: copy "
                      "them with --copy_s3_bucket, or move one of them");
  }
  for (const Node& part : node.parts) {
    if (IsWhole(part)) Emit(part, node.depth);
  }
  node.parts.clear();
  node.broken = true;
}

void PrefixDivider::CloseDownTo(std::size_t depth) {
  while (!open_.empty() && open_.back().depth > depth) {
    Node closed = std::move(open_.back());
    open_.pop_back();
    Settle(closed);
    if (open_.empty() || open_.back().depth < depth) {
      Node node;
      node.depth = depth;
      node.path = closed.path;
      open_.push_back(std::move(node));
    }
    Join(open_.back(), std::move(closed));
  }
}

void PrefixDivider::Add(std::string_view key, std::uint64_t bytes, bool ours) {
  if (!open_.empty()) CloseDownTo(CommonBytes(last_, key));
  last_ = key;
  Node leaf;
  leaf.depth = key.size();
  leaf.path = key;
  leaf.files = ours ? 1 : 0;
  leaf.bytes = ours ? bytes : 0;
  leaf.folder = ours ? FolderOf(key).size() : 0;
  leaf.others = !ours;
  leaf.is_file = ours;
  open_.push_back(std::move(leaf));
}

Result<std::vector<PrefixGroup>> PrefixDivider::Finish() {
  CloseDownTo(0);
  if (!open_.empty()) {
    // The empty prefix is none.
    Node all = std::move(open_.back());
    open_.clear();
    all.others = true;
    Settle(all);
  }
  if (error_) return *error_;
  std::sort(groups_.begin(), groups_.end(),
            [](const PrefixGroup& a, const PrefixGroup& b) { return a.prefix < b.prefix; });
  return std::move(groups_);
}

}  // namespace tsm::batchload
