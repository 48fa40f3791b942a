// Where an unload goes: the bucket, checked or made, and its policy. The first effects of a run.
#pragma once

#include <stop_token>
#include <string>

#include "tsm/core/result.h"
#include "tsm/s3/names.h"
#include "tsm/unload/unload_run.h"

namespace tsm::unload {

// The plan's bucket is there and in the region of the tables; one of the default name is made where
// it is missing.
Status PrepareBucket(const UnloadPlan& plan, const UnloadServices& services, std::stop_token stop);

// Lets `role_arn` read the bucket; see bucket_policy.h. Nothing is put where it may already.
Status AllowRole(const s3::BucketName& bucket, const std::string& role_arn,
                 const UnloadServices& services, std::stop_token stop);

}  // namespace tsm::unload
