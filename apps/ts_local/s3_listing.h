// S3's listings: ListObjectsV2, ListObjects, ListMultipartUploads. Each answers one page.
#pragma once

#include "ts_local/s3_call.h"

namespace ts_local {

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
Response ListObjectsV2(const S3Call& call);
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
Response ListObjectsV1(const S3Call& call);
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
Response ListMultipartUploads(const S3Call& call);

}  // namespace ts_local
