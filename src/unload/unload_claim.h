// The run's claim on its destination: a record that is put before anything is run, and the look
// whether somebody else's data or claim lies there. Putting first and looking second means that of
// two runs that start at once at least one sees the other.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/run/run_record.h"
#include "tsm/unload/unload_run.h"

namespace tsm::unload {

// Enough for a person to see what lies there; the count is always told in full.
inline constexpr std::size_t kMaxNamedKeys = 10;

Status PutRecord(const UnloadPlan& plan, const run::RunRecord& record,
                 const UnloadServices& services, std::stop_token stop);

// Best effort, not stopped by the run's stop: failing to clean up is told, not returned.
void DeleteRecord(const UnloadPlan& plan, const UnloadServices& services);

// kInTheWay where a data file or another run's record lies at the destination, after each was named
// to the sink (the first kMaxNamedKeys of them).
Status CheckNothingInTheWay(const UnloadPlan& plan, const UnloadServices& services,
                            std::stop_token stop);

// "1 data file", "25 data files".
std::string Counted(std::uint64_t count, std::string_view noun);

// The first of a list of findings, and how many there are.
struct Findings {
  std::vector<std::string> first;  // at most kMaxNamedKeys
  std::uint64_t count = 0;

  void Add(std::string text);
};
// One line per finding, and one for those that are not named.
void Tell(const Findings& findings, Severity severity, ProgressSink& progress);

// Data files below results/ whose QueryId is `query_id`; with "" all of them.
Result<Findings> DataFilesOf(const UnloadPlan& plan, const std::string& query_id,
                             const UnloadServices& services, std::stop_token stop);
// Data files below results/ of any other QueryId.
Result<Findings> DataFilesOfOthers(const UnloadPlan& plan, const std::string& query_id,
                                   const UnloadServices& services, std::stop_token stop);

}  // namespace tsm::unload
