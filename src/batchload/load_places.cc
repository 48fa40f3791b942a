#include "load_places.h"

#include <algorithm>
#include <utility>

#include "load_groups.h"
#include "tsm/core/time_text.h"
#include "tsm/timestream/partition_calendar.h"

namespace tsm::batchload {

namespace {

using timestream::PartitionUnit;

std::vector<std::size_t> InOrder(std::vector<std::size_t> groups) {
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

}  // namespace

std::string ShortTime(UnixNanos time) {
  std::string text = FormatTimestamp(time);  // "2024-02-26 17:24:38.270000000"
  constexpr std::string_view kNoFraction = ".000000000";
  if (!text.ends_with(kNoFraction)) return text;
  text.resize(text.size() - kNoFraction.size());
  constexpr std::string_view kMidnight = " 00:00:00";
  if (text.ends_with(kMidnight)) text.resize(text.size() - kMidnight.size());
  return text;
}

std::string SliceLabel(const run::RecordSlice& slice) {
  return ShortTime(slice.from) + " to " + ShortTime(slice.end);
}

PlaceCounter::PlaceCounter(const run::RunRecord* record)
    : record_(record), unit_(PartitionUnit::kNone) {
  if (record == nullptr) return;
  const auto unit = timestream::ParsePartitionUnit(record->partition);
  known_ = unit.has_value() && record->from && record->end;
  unit_ = unit.value_or(PartitionUnit::kNone);
  if (!record->partition_alias.empty()) alias_ = record->partition_alias;
}

void PlaceCounter::Add(const FoundFile& file, std::size_t group) {
  if (!known_) return;
  const bool by_slice = record_ != nullptr && unit_ == PartitionUnit::kNone;
  const std::string_view text = PartitionOf(file.key.str(), alias_);
  if (!file.rows || (text.empty() && !by_slice)) {
    known_ = false;
    by_partition_.clear();
    return;
  }
  Tally& tally = by_slice ? by_slice_[file.slice] : by_partition_[std::string(text)];
  tally.rows += *file.rows;
  if (tally.groups.empty() || tally.groups.back() != group) tally.groups.push_back(group);
}

std::vector<LoadPlace> PlaceCounter::ByPartition(PartitionUnit unit) {
  std::vector<LoadPlace> places;
  for (const auto& [text, tally] : by_partition_) {
    const std::optional<UnixNanos> begin = timestream::ParsePartitionText(unit, text);
    if (!begin) return {};
    LoadPlace place;
    place.label = text;
    place.from = *begin;
    place.end = timestream::NextPartition(unit, *begin);
    if (record_ != nullptr) {
      place.from = std::max(place.from, *record_->from);
      place.end = std::min(place.end, *record_->end);
    }
    // A folder outside of the record's range: then its names tell something else.
    if (place.from >= place.end) return {};
    place.rows = tally.rows;
    place.groups = InOrder(tally.groups);
    places.push_back(std::move(place));
  }
  return places;
}

std::vector<LoadPlace> PlaceCounter::BySlice() {
  std::vector<LoadPlace> places;
  for (const auto& [index, tally] : by_slice_) {
    const run::RecordSlice& slice = record_->slices[index];
    places.push_back({SliceLabel(slice), slice.from, slice.end, tally.rows, InOrder(tally.groups)});
  }
  return places;
}

std::vector<LoadPlace> PlaceCounter::Finish() {
  if (!known_) return {};
  if (record_ != nullptr) {
    return unit_ == PartitionUnit::kNone ? BySlice() : ByPartition(unit_);
  }
  for (const PartitionUnit unit :
       {PartitionUnit::kHour, PartitionUnit::kDay, PartitionUnit::kMonth, PartitionUnit::kYear}) {
    std::vector<LoadPlace> places = ByPartition(unit);
    if (!places.empty()) return places;
  }
  return {};
}

}  // namespace tsm::batchload
