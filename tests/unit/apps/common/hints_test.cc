#include "common/hints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::apps {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string DeniedHint(const std::string& operation) {
  return HintOf(MakeError(ErrorKind::kAccessDenied, "denied").With(operation));
}

TEST(HintsTest, ARefusedCallNamesThePermissionThatItNeeds) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"ListObjectsV2 s3://bkt/p", "permission s3:ListBucket on the bucket;"},
      {"DeleteObject s3://bkt/k", "permission s3:DeleteObject and"},
      {"DeleteObjects s3://bkt", "permission s3:DeleteObject;"},
      {"ListMultipartUploads s3://bkt/p",
       "permission s3:ListBucketMultipartUploads on the bucket;"},
      {"AbortMultipartUpload s3://bkt/k", "permission s3:AbortMultipartUpload;"},
  };
  for (const auto& [operation, text] : cases) {
    EXPECT_THAT(DeniedHint(operation), HasSubstr(text)) << operation;
  }
}

TEST(HintsTest, AnUnknownCallNamesNone) {
  EXPECT_THAT(DeniedHint("DeleteEverything s3://bkt"),
              EndsWith("see \"Permissions\" in the README."));
}

}  // namespace
}  // namespace tsm::apps
