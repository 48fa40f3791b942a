// S3's XML documents, in and out. Pure functions; namespaces and prefixes are ignored. A reply
// whose root is not the promised element, an empty one included, is kBadReply.
#pragma once

#include <string>
#include <string_view>

#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {

// <ListBucketResult>, keys decoded where the reply says EncodingType url.
Result<ListPage> ParseListPage(std::string_view body);

// <CopyObjectResult>.
Result<CopyResult> ParseCopyResult(std::string_view body);

// <LocationConstraint>: the bucket's region, with us-east-1 and eu-west-1 under their old names.
Result<std::string> ParseLocation(std::string_view body);

// The body of CreateBucket for a region: "" for us-east-1, which must not be named.
std::string CreateBucketBody(std::string_view region);

// "\"abc\"" -> "abc".
std::string StripQuotes(std::string_view etag);

}  // namespace tsm::s3
