// What the calls of S3Client share: what is refused before a call, and an answer that is none.
// Pure.
#pragma once

#include <string>

#include "tsm/aws/client.h"
#include "tsm/core/result.h"
#include "tsm/s3/names.h"

namespace tsm::s3 {

// kInvalidInput: the key is empty or longer than S3 allows.
Status CheckKey(const ObjectKey& key);

// kBadReply with the operation's name.
Error BadReply(const aws::Operation& operation, std::string what);

}  // namespace tsm::s3
