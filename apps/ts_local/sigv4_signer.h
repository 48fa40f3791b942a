// Signs the requests that ts-local itself sends to a foreign S3. The same stages as the verifier's,
// other direction. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ts_local/message.h"
#include "ts_local/sigv4_verifier.h"

namespace ts_local {

// Adds x-amz-date, x-amz-content-sha256 and authorization to the headers; every header that is
// there already, "host" among them, is signed. `payload_hash` is the body's SHA-256 in hex.
void SignS3(const AccessKey& key, const std::string& region, std::int64_t unix_ms,
            std::string_view payload_hash, Request* request);

}  // namespace ts_local
