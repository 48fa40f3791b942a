// What the calls of S3Client share: timeouts, headers, what is refused before a call, and an answer
// that is none. Pure.
#pragma once

#include <chrono>
#include <string>

#include "tsm/aws/client.h"
#include "tsm/core/result.h"
#include "tsm/s3/names.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {

// S3 holds the line while it copies; 5 GB at the 20 MB/s of a slow day is about four minutes.
inline constexpr http::Timeouts kCopyTimeouts{.connect = std::chrono::seconds(10),
                                              .idle = std::chrono::minutes(10),
                                              .total = std::chrono::minutes(30)};
// Bodies of any size: silence ends the call, not its length.
inline constexpr http::Timeouts kBodyTimeouts{.connect = std::chrono::seconds(10),
                                              .idle = std::chrono::seconds(70),
                                              .total = std::chrono::hours(1)};

// For messages: a key may hold line breaks and what a terminal takes for commands, and whoever
// writes into the bucket chooses it.
std::string UriText(const BucketName& bucket, const ObjectKey& key);

// kInvalidInput: the key is empty or longer than S3 allows.
Status CheckKey(const ObjectKey& key);

// The headers that ask for encryption and owner.
void AddStorageHeaders(const StorageOptions& storage, http::Headers& headers);

// A 412 to a read or copy: kValidation, for the table of codes reads it as "exists already", which
// is what it means for a put.
Error ChangedSince(Error refusal, const std::string& etag);

// kBadReply with the operation's name.
Error BadReply(const aws::Operation& operation, std::string what);

}  // namespace tsm::s3
