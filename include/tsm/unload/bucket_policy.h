// The two statements that let a role read the unloaded files (what --iam_role_arn asks for), added
// to whatever policy the bucket has. Pure.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
#pragma once

#include <optional>
#include <string>

#include "tsm/core/result.h"
#include "tsm/s3/names.h"

namespace tsm::unload {

// "aws", "aws-cn", "aws-us-gov": what ARNs in that region begin with.
std::string PartitionOfRegion(const std::string& region);

// The policy to put, or nothing where it already allows this (the same statements, under whatever
// Sid). `existing` is the policy's text, "" where there is none. Every existing statement and every
// other member stays as it is; a Sid in use gets a number behind it. A policy that does not parse
// is kBadReply and is never replaced.
Result<std::optional<std::string>> AddReadStatements(const std::string& existing,
                                                     const s3::BucketName& bucket,
                                                     const std::string& role_arn,
                                                     const std::string& partition);

}  // namespace tsm::unload
