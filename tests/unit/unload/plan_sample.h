// A plan for the tests of what a run remembers: one table by the day in two slices; and how two
// states, slices or attempts are told apart.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "tsm/unload/unload_plan.h"
#include "tsm/unload/unload_proof.h"
#include "tsm/unload/unload_state.h"

namespace tsm::unload {

inline constexpr UnixNanos kDay = 86'400'000'000'000;

inline UnloadSlice MakeSlice(std::size_t number, UnixNanos from, UnixNanos end) {
  UnloadSlice slice;
  slice.number = number;
  slice.from = from;
  slice.end = end;
  slice.partitions = static_cast<std::uint64_t>((end - from) / kDay);
  return slice;
}

inline TablePlan SampleTable(const std::string& table = "myTable") {
  TablePlan plan;
  plan.select.table = *timestream::TableRef::Make("sourcedb", table);
  plan.select.partition = PartitionUnit::kDay;
  plan.destination = *s3::S3Uri::Parse("s3://bkt/unload");
  plan.range = TimeRange{0, 20 * kDay};
  plan.slices = {MakeSlice(1, 0, 10 * kDay), MakeSlice(2, 10 * kDay, 20 * kDay)};
  return plan;
}

inline UnloadPlan SamplePlan() {
  UnloadPlan plan;
  plan.run_id = "r1";
  plan.partition = PartitionUnit::kDay;
  plan.root = *s3::S3Uri::Parse("s3://bkt/unload");
  plan.tables = {SampleTable()};
  return plan;
}

// As a run makes them: below results/, or flat at the destination itself.
inline Attempt NestedAttempt(const std::string& slice, const std::string& id) {
  Attempt attempt;
  attempt.id = id;
  attempt.to = *s3::S3Uri::Parse("s3://bkt/unload/results/" + AttemptFolder(slice, id));
  attempt.client_token = "token-" + id;
  return attempt;
}

inline Attempt FlatAttempt(const std::string& id) {
  Attempt attempt;
  attempt.id = id;
  attempt.to = *s3::S3Uri::Parse("s3://bkt/unload");
  attempt.flat = true;
  attempt.client_token = "token-" + id;
  return attempt;
}

}  // namespace tsm::unload
