// The XML bodies that S3 requests carry, as plain values. Each throws ApiError 400 MalformedXML
// where the body is something else. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ts_local {

// CreateBucketConfiguration's LocationConstraint; "" where the body or the element is absent.
std::string ReadLocationConstraint(std::string_view body);

struct CompletedPart {
  int number = 0;
  std::string etag;  // without quotes
};
std::vector<CompletedPart> ReadCompletedParts(std::string_view body);

struct DeleteRequest {
  bool quiet = false;
  std::vector<std::string> keys;
};
DeleteRequest ReadDelete(std::string_view body);

// Checks that the body is a document whose root has this name.
void CheckRoot(std::string_view body, const char* root);

}  // namespace ts_local
