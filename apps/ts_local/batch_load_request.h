// CreateBatchLoadTask's request, checked against the stores, and the parts of it that a run needs.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_CreateBatchLoadTask.html
// No state; thread-safe as the stores are.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "ts_local/batch_load_file.h"
#include "ts_local/batch_load_model.h"
#include "ts_local/batch_task.h"
#include "ts_local/message.h"
#include "ts_local/storage.h"
#include "ts_local/table_store.h"

namespace ts_local {

// A task that is not stored yet, without id and times. Throws ApiError: ValidationException,
// ResourceNotFoundException (database, table), and what S3 refuses as AsTimestream shapes it.
BatchTask ParseCreateRequest(const Caller& caller, const nlohmann::json& request,
                             const TableStore& tables, const Storage& storage);

// What a run reads out of a stored task.
struct BatchPlan {
  std::string source_bucket;
  std::string source_prefix;
  std::string report_bucket;
  std::string report_prefix;
  StoredAs report_as;
  CsvConfiguration csv;
  DataModel model;
};
BatchPlan PlanOf(const BatchTask& task);

}  // namespace ts_local
