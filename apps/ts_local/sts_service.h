// STS of ts-local: GetCallerIdentity, of the one account there is. Stateless, thread-safe.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
#pragma once

#include <string>

#include "ts_local/message.h"
#include "ts_local/query_protocol.h"

namespace ts_local {

// The XML answer. Throws ApiError: InvalidAction for any other action.
std::string HandleSts(const Caller& caller, const QueryForm& form, const std::string& request_id);

}  // namespace ts_local
