#include "slice_content.h"

#include <algorithm>
#include <utility>

namespace tsm::verify {

namespace {

// "0007ab", a half's half, is a part of "0007".
std::string PlannedId(const std::string& id) {
  return id.substr(0, std::min(id.size(), id.find_first_not_of("0123456789")));
}

}  // namespace

std::vector<ContentSlice> ContentSlices(const run::RunRecord& record) {
  std::vector<ContentSlice> slices;
  for (const run::RecordSlice& slice : record.slices) {
    const std::string id = PlannedId(slice.id);
    const auto found = std::find_if(slices.rbegin(), slices.rend(),
                                    [&](const ContentSlice& other) { return other.id == id; });
    if (found == slices.rend()) {
      slices.push_back({id, slice.from, slice.end});
    } else {
      found->from = std::min(found->from, slice.from);
      found->end = std::max(found->end, slice.end);
    }
  }
  return slices;
}

Result<std::optional<run::PartitionContent>> SliceContent::NextLine() {
  if (rest_.empty()) return std::optional<run::PartitionContent>();
  const std::string_view line = rest_.substr(0, rest_.find('\n'));
  rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
  ++line_;
  Result<run::PartitionContent> content = run::ParseContentLine(line);
  if (!content) return content.error().With("line " + std::to_string(line_));
  return std::optional<run::PartitionContent>(*std::move(content));
}

Result<std::vector<run::PartitionContent>> SliceContent::NextQuestion() {
  std::vector<run::PartitionContent> lines;
  for (;;) {
    if (!ahead_) {
      Result<std::optional<run::PartitionContent>> next = NextLine();
      if (!next) return next.error();
      ahead_ = *std::move(next);
    }
    if (!ahead_) return lines;
    if (!lines.empty() && ahead_->partition <= lines.back().partition) return lines;
    lines.push_back(*std::move(ahead_));
    ahead_.reset();
  }
}

}  // namespace tsm::verify
