// What lies under a group's prefix just before its task is created: a task loads all of it, so it
// must be the group's files and nothing else. Thread-safe as the client is.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "tsm/s3/s3_client.h"

namespace tsm::batchload {

// kInTheWay names foreign keys and keys that are missing, and what to do; the service's errors as
// they come. `keys` in S3's order. Folder markers of the S3 console (empty, with '/' at the end)
// are allowed.
Status CheckGroupPrefix(s3::S3Client& s3, const s3::BucketName& bucket, const std::string& prefix,
                        const std::vector<s3::ObjectKey>& keys, std::stop_token stop);

}  // namespace tsm::batchload
