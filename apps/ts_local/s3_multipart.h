// S3's multipart operations. The bucket exists and is in the caller's region.
#pragma once

#include "ts_local/s3_call.h"

namespace ts_local {

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
Response CreateMultipartUpload(const S3Call& call);
Response UploadPart(const S3Call& call);
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
Response UploadPartCopy(const S3Call& call);
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
Response CompleteMultipartUpload(const S3Call& call);
Response AbortMultipartUpload(const S3Call& call);
Response ListParts(const S3Call& call);

}  // namespace ts_local
