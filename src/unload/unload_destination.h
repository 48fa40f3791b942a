// Where an unload goes: the bucket, checked or made, and its policy. The first effects of a run.
#pragma once

#include <stop_token>
#include <string>

#include "tsm/core/result.h"
#include "tsm/s3/names.h"
#include "tsm/unload/unload_run.h"

namespace tsm::unload {

// The destination asked for, its bucket being there and in the run's region; or the default bucket,
// made where it is missing.
Result<s3::S3Uri> PrepareDestination(const UnloadOptions& options, const UnloadServices& services,
                                     const std::string& account, std::stop_token stop);

// Lets `role_arn` read the bucket; see bucket_policy.h. Nothing is put where it may already.
Status AllowRole(const s3::BucketName& bucket, const std::string& role_arn,
                 const UnloadServices& services, std::stop_token stop);

}  // namespace tsm::unload
