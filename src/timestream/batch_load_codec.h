// The four batch-load calls' requests and replies as JSON text. Pure functions.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_CreateBatchLoadTask.html
#pragma once

#include <string>
#include <string_view>

#include "tsm/core/result.h"
#include "tsm/timestream/batch_load_types.h"

namespace tsm::timestream {

// kInvalidInput where the data model is no JSON object or the ClientToken is missing.
Result<std::string> EncodeCreateBatchLoadTask(const BatchLoadRequest& request);
Result<std::string> EncodeTaskId(const std::string& task_id);
// `status` "" lists all.
Result<std::string> EncodeListBatchLoadTasks(const std::string& status,
                                             const std::string& next_token);

Result<std::string> DecodeTaskId(std::string_view body);
Result<BatchLoadTask> DecodeBatchLoadTask(std::string_view body);
Result<BatchLoadTaskPage> DecodeBatchLoadTasks(std::string_view body);

}  // namespace tsm::timestream
