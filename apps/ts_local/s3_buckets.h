// S3's operations on buckets. The caller has found the bucket and its region to be right, except
// for CreateBucket and ListBuckets.
#pragma once

#include "ts_local/s3_call.h"

namespace ts_local {

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
Response CreateBucket(const S3Call& call);
Response ListBuckets(const S3Call& call);
Response HeadBucket(const S3Call& call);
Response DeleteBucket(const S3Call& call);
Response GetBucketLocation(const S3Call& call);
Response GetBucketAcl(const S3Call& call);
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
Response GetBucketPolicy(const S3Call& call);
Response PutBucketPolicy(const S3Call& call);
Response DeleteBucketPolicy(const S3Call& call);
// The setting is checked and has no further effect: nothing in ts-local is public.
Response PutPublicAccessBlock(const S3Call& call);

}  // namespace ts_local
