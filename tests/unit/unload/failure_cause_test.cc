#include "tsm/unload/failure_cause.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tsm::unload {
namespace {

FailureCause Cause(const std::string& message, ErrorKind kind = ErrorKind::kQueryFailed) {
  return CauseOf(MakeError(kind, message));
}

TEST(FailureCause, ByTheServicesWords) {
  const std::vector<std::pair<std::string, FailureCause>> cases = {
      {"The query computation exceeds maximum available memory", FailureCause::kMemory},
      {"We have detected that Amazon S3 is throttling the writes from UNLOAD command.",
       FailureCause::kS3Throttling},
      {"UNLOAD exceeded the limit of 100 partitions", FailureCause::kPartitions},
      {"The number of PARTITIONS exceeds the maximum", FailureCause::kPartitions},
      {"Too many partitions", FailureCause::kPartitions},
      {"Query timed out", FailureCause::kTimeout},
      {"query exceeded the time limit of 60 minutes", FailureCause::kTimeout},
      {"Timeout", FailureCause::kTimeout},
      {"Column 'x' cannot be resolved", FailureCause::kUnknown},
      {"", FailureCause::kUnknown},
  };
  for (const auto& [message, cause] : cases) EXPECT_EQ(Cause(message), cause) << message;
}

// https://docs.aws.amazon.com/timestream/latest/developerguide/troubleshoot-export-unload.html
TEST(FailureCause, AKeyThatGrowsTooLongIsNoMatterOfSize) {
  const std::vector<std::string> messages = {
      "UNLOAD result file key when using partitioned_by [city] will exceed the S3 allowed key "
      "length. Please reduce the length of the partition column values",
      "UNLOAD result file key when using the S3 prefix [s3://b/p] along with the partitioned_by "
      "[city] will exceed the S3 allowed key length limit",
      "The generated S3 object key: unload/timeout/partition_date=2024/limit.csv is too long."};
  for (const std::string& message : messages) {
    EXPECT_EQ(Cause(message), FailureCause::kUnknown) << message;
    EXPECT_EQ(Cause(message, ErrorKind::kValidation), FailureCause::kUnknown) << message;
  }
}

TEST(FailureCause, OnlyOfQueriesThatFailedOrWereRefused) {
  EXPECT_EQ(Cause("too many partitions", ErrorKind::kValidation), FailureCause::kPartitions);
  for (const ErrorKind kind : {ErrorKind::kTransient, ErrorKind::kThrottled, ErrorKind::kService,
                               ErrorKind::kQuotaExceeded, ErrorKind::kProof}) {
    EXPECT_EQ(Cause("timeout", kind), FailureCause::kUnknown) << Name(kind);
  }
}

TEST(FailureCause, SmallerSlicesHelpWhereSizeWasTheCause) {
  EXPECT_TRUE(IsTooLarge(FailureCause::kPartitions));
  EXPECT_TRUE(IsTooLarge(FailureCause::kMemory));
  EXPECT_TRUE(IsTooLarge(FailureCause::kTimeout));
  EXPECT_FALSE(IsTooLarge(FailureCause::kS3Throttling));
  EXPECT_FALSE(IsTooLarge(FailureCause::kUnknown));
}

TEST(FailureCause, Names) {
  EXPECT_EQ(Name(FailureCause::kPartitions), "partitions");
  EXPECT_EQ(Name(FailureCause::kMemory), "memory");
  EXPECT_EQ(Name(FailureCause::kTimeout), "timeout");
  EXPECT_EQ(Name(FailureCause::kS3Throttling), "s3_throttling");
  EXPECT_EQ(Name(FailureCause::kUnknown), "unknown");
}

}  // namespace
}  // namespace tsm::unload
