// One UNLOAD from its first row to its manifest: the query's rows at their pace into the writer,
// and what of it is left where it fails on the way. Runs in the query's thread.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-best-practices.html
#pragma once

#include <memory>

#include "ts_local/query_run.h"
#include "ts_local/sql_exec.h"
#include "ts_local/unload.h"
#include "ts_local/unload_limits.h"

namespace ts_local {

class FaultRules;

struct UnloadJob {
  std::shared_ptr<const SelectQuery> query;
  RowSource rows;
  std::shared_ptr<UnloadWriter> writer;
  UnloadLimits limits;
  FaultRules* rules = nullptr;
};

// Pushes the UNLOAD's one row (rows, metadataFile, manifestFile). Throws ApiError; a rule that
// strikes (kUnloadStep) does it when half of the rows are written.
void RunUnload(const UnloadJob& job, QueryRun* run);

}  // namespace ts_local
