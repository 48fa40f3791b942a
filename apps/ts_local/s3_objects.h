// S3's operations on single objects. The bucket exists and is in the caller's region.
#pragma once

#include "ts_local/s3_call.h"

namespace ts_local {

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html; HeadObject where the method
// is HEAD.
Response GetObject(const S3Call& call);
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
Response PutObject(const S3Call& call);
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
Response CopyObject(const S3Call& call);
Response DeleteObject(const S3Call& call);
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
Response DeleteObjects(const S3Call& call);
// Always the empty set: ts-local keeps no tags.
Response GetObjectTagging(const S3Call& call);

// The object that x-amz-copy-source names, its conditions met and its reading allowed.
ObjectInfo ReadCopySource(const S3Call& call);

}  // namespace ts_local
