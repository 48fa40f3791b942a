#include "tsm/unload/slice_plan.h"

#include <algorithm>
#include <limits>

#include "tsm/core/time_text.h"
#include "tsm/timestream/partition_calendar.h"

namespace tsm::unload {

namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kNumberDigits = 4;

std::uint64_t AddUpTo(std::uint64_t a, std::uint64_t b) { return a > kMost - b ? kMost : a + b; }

std::uint64_t MultiplyUpTo(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > kMost / b ? kMost : a * b;
}

// whole * part / of, where part <= of.
std::uint64_t Share(std::uint64_t whole, std::uint64_t part, std::uint64_t of) {
  if (of == 0 || part >= of) return whole;
  const double share =
      static_cast<double>(whole) * (static_cast<double>(part) / static_cast<double>(of));
  // The first double that an integer of 64 bits can't hold; doubles round up to it.
  return share >= static_cast<double>(whole) ? whole : static_cast<std::uint64_t>(share);
}

Error Invalid(std::string message) {
  return MakeError(ErrorKind::kInvalidInput, std::move(message));
}

Status CheckSurvey(const Survey& survey, PartitionUnit unit, const TimeRange& range) {
  for (std::size_t i = 0; i < survey.size(); ++i) {
    const UnixNanos start = survey[i].start;
    auto bad = [&](const std::string& why) {
      return Invalid("partition " + std::to_string(i + 1) + " of the survey, " +
                     FormatTimestamp(start) + ", " + why);
    };
    if (PartitionStart(unit, start) != start) return bad("is no start of a partition");
    if (i > 0 && start <= survey[i - 1].start) return bad("is not after the one before it");
    if (start >= range.end || NextPartition(unit, start) <= range.from) {
      return bad("lies outside of the range");
    }
  }
  return Ok();
}

Status Check(const SliceQuestion& question) {
  const TimeRange& range = question.range;
  if (range.from >= range.end) {
    return Invalid("the range from " + FormatTimestamp(range.from) + " to " +
                   FormatTimestamp(range.end) + " is empty: its end is not included");
  }
  if (question.limits.max_partitions == 0) return Invalid("a slice needs at least one partition");
  if (question.limits.max_rows == 0U) return Invalid("a slice needs room for at least one row");
  if (question.limits.max_rows && !question.survey) {
    return Invalid("slices of a limited number of rows need a survey of rows per partition");
  }
  if (!question.survey) return Ok();
  return CheckSurvey(*question.survey, SurveyUnit(question.unit), range);
}

// A slice from where the last one ends.
void Close(UnloadSlice slice, UnixNanos end, const SliceQuestion& question,
           std::vector<UnloadSlice>& slices) {
  slice.number = slices.size() + 1;
  slice.from = slices.empty() ? question.range.from : slices.back().end;
  slice.end = end;
  if (question.unit == PartitionUnit::kNone) slice.partitions = 1;
  if (slice.rows && question.bytes_per_row) {
    slice.bytes = MultiplyUpTo(*slice.rows, *question.bytes_per_row);
  }
  slices.push_back(std::move(slice));
}

// Taking as much as fits, from the first to the last, is the least number: whatever fits a slice
// fits it without its first partitions too, so no plan can be ahead of this one at any boundary.
std::vector<UnloadSlice> BySurvey(const SliceQuestion& question) {
  const std::uint64_t max_partitions =
      question.unit == PartitionUnit::kNone ? kMost : question.limits.max_partitions;
  const std::optional<std::uint64_t>& max_rows = question.limits.max_rows;
  std::vector<UnloadSlice> slices;
  UnloadSlice slice;
  slice.rows = 0;
  for (const SurveyedPartition& partition : *question.survey) {
    if (partition.rows == 0) continue;
    const bool fits =
        slice.partitions < max_partitions &&
        (!max_rows || (*slice.rows <= *max_rows && partition.rows <= *max_rows - *slice.rows));
    if (!fits && slice.partitions > 0) {
      Close(std::move(slice), partition.start, question, slices);
      slice = UnloadSlice();
      slice.rows = 0;
    }
    ++slice.partitions;
    slice.rows = AddUpTo(*slice.rows, partition.rows);
  }
  Close(std::move(slice), question.range.end, question, slices);
  return slices;
}

std::vector<UnloadSlice> ByCalendar(const SliceQuestion& question) {
  const TimeRange& range = question.range;
  std::int64_t number = PartitionNumber(question.unit, range.from);
  std::uint64_t left = CountPartitions(question.unit, range.from, range.end);
  std::vector<UnloadSlice> slices;
  while (left > 0) {
    UnloadSlice slice;
    slice.partitions = std::min(left, question.limits.max_partitions);
    left -= slice.partitions;
    number += static_cast<std::int64_t>(slice.partitions);
    Close(std::move(slice), left > 0 ? PartitionBegin(question.unit, number) : range.end, question,
          slices);
  }
  return slices;
}

// Between two moments; nothing where none lies between them.
std::optional<UnixNanos> Middle(UnixNanos from, UnixNanos end) {
  const std::uint64_t span = static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(from);
  if (from >= end || span < 2) return std::nullopt;
  return static_cast<UnixNanos>(static_cast<std::uint64_t>(from) + span / 2);
}

std::pair<UnloadSlice, UnloadSlice> CutAt(const UnloadSlice& slice, UnixNanos cut) {
  UnloadSlice left;
  left.number = slice.number;
  UnloadSlice right = left;
  left.part = slice.part + "a";
  right.part = slice.part + "b";
  left.from = slice.from;
  left.end = cut;
  right.from = cut;
  right.end = slice.end;
  return {std::move(left), std::move(right)};
}

std::optional<std::pair<UnloadSlice, UnloadSlice>> SplitByCalendar(const UnloadSlice& slice,
                                                                   PartitionUnit unit) {
  const std::uint64_t count = CountPartitions(unit, slice.from, slice.end);
  std::optional<UnixNanos> cut = Middle(slice.from, slice.end);
  if (!cut) return std::nullopt;
  if (count > 1) {
    cut = PartitionBegin(unit,
                         PartitionNumber(unit, slice.from) + static_cast<std::int64_t>(count / 2));
  }
  auto halves = CutAt(slice, *cut);
  halves.first.partitions = count > 1 ? count / 2 : 1;
  halves.second.partitions = count > 1 ? count - count / 2 : 1;
  return halves;
}

// The partitions of the slice that hold rows.
Survey Populated(const UnloadSlice& slice, PartitionUnit unit, const Survey& survey) {
  const auto first = std::lower_bound(
      survey.begin(), survey.end(), PartitionStart(unit, slice.from),
      [](const SurveyedPartition& partition, UnixNanos time) { return partition.start < time; });
  Survey populated;
  for (auto it = first; it != survey.end() && it->start < slice.end; ++it) {
    if (it->rows > 0) populated.push_back(*it);
  }
  return populated;
}

// Two or more partitions: before the one that leaves the halves' rows the nearest to each other.
std::pair<UnloadSlice, UnloadSlice> SplitByRows(const UnloadSlice& slice, const Survey& populated) {
  std::uint64_t total = 0;
  for (const SurveyedPartition& partition : populated) total = AddUpTo(total, partition.rows);
  std::size_t best = 1;
  std::uint64_t best_left = 0;
  std::uint64_t best_difference = kMost;
  std::uint64_t left = 0;
  for (std::size_t i = 1; i < populated.size(); ++i) {
    left = AddUpTo(left, populated[i - 1].rows);
    const std::uint64_t right = total - left;
    const std::uint64_t difference = left > right ? left - right : right - left;
    if (difference < best_difference) {
      best = i;
      best_left = left;
      best_difference = difference;
    }
  }
  auto halves = CutAt(slice, populated[best].start);
  halves.first.partitions = best;
  halves.second.partitions = populated.size() - best;
  // A slice whose rows are not known begins or ends within a partition of which the survey knows
  // only the whole.
  if (slice.rows) {
    halves.first.rows = best_left;
    halves.second.rows = total - best_left;
  }
  if (slice.rows && slice.bytes) {
    halves.first.bytes = Share(*slice.bytes, best_left, total);
    halves.second.bytes = *slice.bytes - *halves.first.bytes;
  }
  return halves;
}

}  // namespace

PartitionUnit SurveyUnit(PartitionUnit unit) {
  return unit == PartitionUnit::kNone ? PartitionUnit::kDay : unit;
}

std::string UnloadSlice::Id() const {
  std::string id = std::to_string(number);
  if (id.size() < kNumberDigits) id.insert(0, kNumberDigits - id.size(), '0');
  return id + part;
}

Result<std::vector<UnloadSlice>> PlanSlices(const SliceQuestion& question) {
  Status good = Check(question);
  if (!good) return good.error();
  std::vector<UnloadSlice> slices = question.survey ? BySurvey(question) : ByCalendar(question);
  if (question.recent_first) std::reverse(slices.begin(), slices.end());
  return slices;
}

std::optional<std::pair<UnloadSlice, UnloadSlice>> SplitSlice(const UnloadSlice& slice,
                                                              PartitionUnit unit,
                                                              const Survey* survey) {
  if (survey == nullptr) return SplitByCalendar(slice, unit);
  const PartitionUnit counted = SurveyUnit(unit);
  const Survey populated = Populated(slice, counted, *survey);
  if (populated.empty()) return SplitByCalendar(slice, unit);
  std::pair<UnloadSlice, UnloadSlice> halves;
  if (populated.size() > 1) {
    halves = SplitByRows(slice, populated);
  } else {
    const UnixNanos start = populated.front().start;
    const std::optional<UnixNanos> cut =
        Middle(std::max(slice.from, start), std::min(slice.end, NextPartition(counted, start)));
    if (!cut) return SplitByCalendar(slice, unit);
    halves = CutAt(slice, *cut);
    halves.first.partitions = halves.second.partitions = 1;
  }
  if (unit == PartitionUnit::kNone) halves.first.partitions = halves.second.partitions = 1;
  return halves;
}

}  // namespace tsm::unload
