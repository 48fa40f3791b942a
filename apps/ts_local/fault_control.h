// /ts-local/fail: the rules of --fail looked at (GET), added to (POST) and dropped (DELETE) while
// ts-local runs. Answered without signature, to callers on this machine alone. Thread-safe.
#pragma once

#include "ts_local/fault_rules.h"
#include "ts_local/message.h"

namespace ts_local {

// A signed request for the same path is S3's: bucket "ts-local", key "fail".
bool IsFaultControl(const Request& request);

// The answer is JSON: the rules, or {"error": "..."} with 400, 403 or 405 and nothing changed. POST
// takes {"rules": ["OPERATION:WHEN:WHAT", ...]}: all are added, or none.
Response ControlFaults(const Request& request, FaultRules* rules);

}  // namespace ts_local
