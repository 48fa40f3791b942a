// /ts-local/tasks: batch-load tasks of other people in the account, which take up its quotas while
// ts-local runs: POST adds some, GET counts the active ones, DELETE ends them all. Answered without
// signature, to callers on this machine alone. No state; thread-safe.
#pragma once

#include "ts_local/batch_load.h"
#include "ts_local/message.h"

namespace ts_local {

// A signed request for the same path is S3's: bucket "ts-local", key "tasks".
bool IsTaskControl(const Request& request);

// POST takes {"database", "table", "region", "count", "seconds"}, each of which may be left out
// (see OtherTasks); `seconds` are the service's. The answer is JSON, {"active": N}, or
// {"error": "..."} with 400, 403 or 405 and nothing changed.
Response ControlTasks(const Request& request, BatchLoad* tasks);

}  // namespace ts_local
