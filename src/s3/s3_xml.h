// S3's XML documents, in and out. Pure functions; namespaces and prefixes are ignored. A reply
// whose root is not the promised element, an empty one included, is kBadReply.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {

// <ListBucketResult>, keys decoded where the reply says EncodingType url.
Result<ListPage> ParseListPage(std::string_view body);

// The ETag, without quotes, in <CopyObjectResult>, <CopyPartResult> and
// <CompleteMultipartUploadResult>.
Result<std::string> ParseETag(std::string_view body, std::string_view promised);

// <InitiateMultipartUploadResult>.
Result<std::string> ParseUploadId(std::string_view body);

// The body of CompleteMultipartUpload; the parts' numbers are 1, 2, 3, …
std::string CompleteBody(const std::vector<std::string>& etags);

// <LocationConstraint>: the bucket's region, with us-east-1 and eu-west-1 under their old names.
Result<std::string> ParseLocation(std::string_view body);

// <DeleteResult>: what was refused.
Result<std::vector<DeleteFailure>> ParseDeleteResult(std::string_view body);

// <ListMultipartUploadsResult>, keys decoded where the reply says EncodingType url.
Result<MultipartUploadPage> ParseMultipartUploadPage(std::string_view body);

// The body of DeleteObjects for keys that fit XML, answered with the refused ones only.
std::string DeleteBody(const std::vector<ObjectKey>& keys);

// Whether XML 1.0 has a way to write the text: UTF-8, and of the control characters only tab, line
// feed and carriage return, not U+FFFE and U+FFFF. https://www.w3.org/TR/xml/#charsets
bool FitsXml(std::string_view text);

// The body of CreateBucket for a region: "" for us-east-1, which must not be named.
std::string CreateBucketBody(std::string_view region);

// "\"abc\"" -> "abc".
std::string StripQuotes(std::string_view etag);

}  // namespace tsm::s3
