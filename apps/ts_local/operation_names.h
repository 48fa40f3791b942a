// What a request asks for, by AWS's name of the operation, before anything of it is verified or
// decoded further. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "ts_local/message.h"
#include "ts_local/sigv4_verifier.h"

namespace ts_local {

// What tells the protocols apart: a Timestream target, a form, or anything else (S3).
Protocol ProtocolOf(const Request& request);

// "Query", "PutObject", "GetCallerIdentity", ...; "" where it is none that ts-local knows.
std::string OperationOf(const Request& request, Protocol protocol);

// True where ts-local knows the operation in this protocol.
bool IsOperation(std::string_view name, Protocol protocol);

}  // namespace ts_local
