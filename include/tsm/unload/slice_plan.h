// Into which time slices an unload is cut, one UNLOAD each, and into which halves a slice whose
// UNLOAD was too large. Pure: the same question has the same answer, so that a resumed run plans
// the slices it planned before. Plain values.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-limits.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"
#include "tsm/unload/partition_unit.h"

namespace tsm::unload {

// from <= time < end, UTC.
struct TimeRange {
  UnixNanos from = 0;
  UnixNanos end = 0;
};

// What a grouped count has told: the partitions that hold rows of the range, in the order of time.
// A partition that is not listed holds none (one of 0 rows counts as not listed).
struct SurveyedPartition {
  UnixNanos start = 0;     // PartitionStart of it, also where the range begins in its middle
  std::uint64_t rows = 0;  // of the range
};
using Survey = std::vector<SurveyedPartition>;

// By what a survey for this unit counts: by the unit itself, by the day for kNone.
PartitionUnit SurveyUnit(PartitionUnit unit);

struct SliceLimits {
  std::uint64_t max_partitions = kMaxPartitionsPerUnload;  // has no bearing on kNone
  std::optional<std::uint64_t> max_rows;                   // needs a survey
};

struct SliceQuestion {
  TimeRange range;
  PartitionUnit unit = PartitionUnit::kNone;
  SliceLimits limits;
  std::optional<Survey> survey;
  std::optional<std::uint64_t> bytes_per_row;  // of the files, where something is known
  bool recent_first = false;
};

struct UnloadSlice {
  std::size_t number = 0;  // 1, 2, 3, … in the order of time, also where the recent run first
  std::string part;        // "" as planned; "a" and "b" its halves, "aa" and "ab" the half's halves
  UnixNanos from = 0;      // inclusive
  UnixNanos end = 0;       // exclusive
  // That hold rows, by the survey; without one all that the calendar has. With kNone 1.
  std::uint64_t partitions = 0;
  std::optional<std::uint64_t> rows;   // nothing: not known
  std::optional<std::uint64_t> bytes;  // an estimate

  // "0007", "0007a", "0007ab": short, for it stands in every key; the same in every resume.
  std::string Id() const;
};

// Slices that cover every nanosecond of the range once and end on boundaries of partitions (of days
// with kNone), the first and the last cut to the range: as few as the limits allow. In the order in
// which they are to run: the latest first with recent_first.
//
// A slice's partitions are those of the survey, so that a sparse table takes few slices however
// long it is; what lies between them goes with the slice before. Rows that arrive after the survey
// in a partition that was empty are thus unloaded too; where they take a full slice over the
// service's limit its UNLOAD fails and SplitSlice, asked without the survey, makes two that fit. A
// partition that alone exceeds max_rows is a slice of its own.
//
// kInvalidInput: an empty range, a limit of 0, max_rows without a survey, or a survey that is out
// of order, off the boundaries or out of the range.
Result<std::vector<UnloadSlice>> PlanSlices(const SliceQuestion& question);

// The two halves of a slice whose UNLOAD was too large, cut at the boundary of partitions that lies
// nearest the middle: by rows where a survey is given, by count without one. A slice whose rows all
// lie in one partition is cut in the middle of what it has of that partition's time; both halves
// then write the same folder, under prefixes of their own. Nothing where the slice is as short as a
// nanosecond.
//
// `survey` is the plan's, or none where the failure was the limit of partitions: then more
// partitions hold rows than the survey knew, and only halving the calendar is sure to end.
std::optional<std::pair<UnloadSlice, UnloadSlice>> SplitSlice(const UnloadSlice& slice,
                                                              PartitionUnit unit,
                                                              const Survey* survey = nullptr);

}  // namespace tsm::unload
