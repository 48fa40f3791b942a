#include "unload_destination.h"

#include "tsm/unload/bucket_policy.h"

namespace tsm::unload {

namespace {

constexpr std::string_view kOwnedByYou = "BucketAlreadyOwnedByYou";

// UNLOAD writes to no other region.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-prerequisites.html
Status CheckRegion(const s3::BucketName& bucket, const std::string& bucket_region,
                   const std::string& region) {
  // S3-compatible stores need not tell; then the service decides.
  if (bucket_region.empty() || bucket_region == region) return Ok();
  return MakeError(ErrorKind::kInvalidInput,
                   "bucket " + bucket.str() + " is in " + bucket_region + ", the table in " +
                       region +
                       ": UNLOAD writes only to a bucket of the table's own region; name "
                       "another with --s3_uri");
}

Status CheckBucket(const s3::BucketName& bucket, const UnloadServices& services,
                   std::stop_token stop) {
  Result<std::string> found = services.s3.HeadBucket(bucket, stop);
  if (!found) return found.error();
  return CheckRegion(bucket, *found, services.region);
}

Status MakeDefaultBucket(const s3::BucketName& bucket, const UnloadServices& services,
                         std::stop_token stop) {
  // Asked first: in us-east-1 creating a bucket that one owns succeeds and resets its ACL.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
  Status there = CheckBucket(bucket, services, stop);
  if (there || there.error().kind != ErrorKind::kNotFound) return there;
  Status created = services.s3.CreateBucket(bucket, stop);
  if (created) {
    services.progress.Info("bucket " + bucket.str() + " created");
    return created;
  }
  const Error& error = created.error();
  if (error.kind != ErrorKind::kAlreadyExists) return created;
  if (error.code == kOwnedByYou) return CheckBucket(bucket, services, stop);
  return MakeError(ErrorKind::kAlreadyExists,
                   "the default bucket name " + bucket.str() +
                       " belongs to another account; name a bucket with --s3_uri",
                   error.code);
}

}  // namespace

Status PrepareBucket(const UnloadPlan& plan, const UnloadServices& services, std::stop_token stop) {
  const s3::BucketName& bucket = plan.root.bucket;
  if (plan.default_bucket) return MakeDefaultBucket(bucket, services, stop);
  Status there = CheckBucket(bucket, services, stop);
  if (there || there.error().kind != ErrorKind::kNotFound) return there;
  return MakeError(ErrorKind::kNotFound,
                   "bucket " + bucket.str() + " of --s3_uri does not exist; create it in " +
                       services.region + ", or leave --s3_uri away for a bucket of our own",
                   there.error().code);
}

Status AllowRole(const s3::BucketName& bucket, const std::string& role_arn,
                 const UnloadServices& services, std::stop_token stop) {
  Result<std::string> existing = services.s3.GetBucketPolicy(bucket, stop);
  if (!existing) return existing.error();
  Result<std::optional<std::string>> policy =
      AddReadStatements(*existing, bucket, role_arn, PartitionOfRegion(services.region));
  if (!policy) return policy.error();
  if (!policy->has_value()) {
    services.progress.Info("the policy of bucket " + bucket.str() + " lets " + role_arn +
                           " read already");
    return Ok();
  }
  Status put = services.s3.PutBucketPolicy(bucket, **policy, stop);
  if (!put) return put;
  services.progress.Info("the policy of bucket " + bucket.str() + " now lets " + role_arn +
                         " read" + (existing->empty() ? "" : "; what it said before is kept"));
  return Ok();
}

}  // namespace tsm::unload
