#include "ts_local/unload_run.h"

#include <optional>
#include <string>

#include "ts_local/query_json.h"
#include "ts_local/unload_mishaps.h"

namespace ts_local {
namespace {

// How many rows the query will give; fewer once it is cancelled.
std::int64_t Count(const UnloadJob& job, QueryRun* run) {
  RunControl unseen;  // the run's own counts what was done
  std::int64_t rows = 0;
  job.query->Run(job.rows, &unseen, [&](const Cell*) {
    ++rows;
    return !run->control()->cancelled;
  });
  return rows;
}

void WriteRows(const UnloadJob& job, QueryRun* run) {
  const std::optional<ApiError> failure = NextUnloadFailure(job.rules);
  const std::int64_t total = failure || IsPaced(job.limits) ? Count(job, run) : 0;
  UnloadPace pace(job.limits, run, total);
  std::int64_t rows = 0;
  if (failure && rows == total / 2) throw ApiError(*failure);
  job.query->Run(job.rows, run->control(), [&](const Cell* row) {
    if (!pace.Row()) return false;
    job.writer->Add(row);
    if (failure && ++rows == total / 2) throw ApiError(*failure);
    return true;
  });
  pace.End();
}

}  // namespace

void RunUnload(const UnloadJob& job, QueryRun* run) {
  try {
    WriteRows(job, run);
  } catch (...) {
    job.writer->LeavePartial();
    throw;
  }
  if (run->control()->cancelled) {
    job.writer->LeavePartial();
    return;
  }
  const UnloadResult result = job.writer->Finish();
  run->Push(TextRowJson({std::to_string(result.rows), result.metadata_uri, result.manifest_uri}));
}

}  // namespace ts_local
