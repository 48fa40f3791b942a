// What the run record of an unload tells about data models: the model that loads the table back as
// it was, and how an edited model differs. The bridge between the record and tsm/model. Pure.
#pragma once

#include <optional>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"
#include "tsm/model/data_model_fit.h"
#include "tsm/model/data_model_generate.h"
#include "tsm/run/run_record.h"

namespace tsm::batchload {

// The columns that the record's files have, and under which names.
model::ModelSource SourceOf(const run::RunRecord& record);

// For FitToSource and FitPartitionKey. No rows where the record's counts are not known (--verify
// none, version 1).
model::RowCounts CountsOf(const run::RunRecord& record);

// Between which moments the record's rows lie, as closely as its slices with rows tell.
struct DataRange {
  std::optional<UnixNanos> oldest;  // no row is older; nothing: not known
  std::optional<UnixNanos> end;     // every row is older
};
DataRange RangeOf(const run::RunRecord& record);

// kInvalidInput as model::GenerateDataModel, and where the files are none that batch load reads by
// name (Parquet, no header).
Result<model::GeneratedModel> GenerateFromRecord(const run::RunRecord& record);

}  // namespace tsm::batchload
