#include "common/exit_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/hints.h"

namespace tsm::apps {
namespace {

using ::testing::HasSubstr;

TEST(ExitCodeTest, FollowsTheKind) {
  const std::pair<ErrorKind, int> table[] = {{ErrorKind::kInvalidInput, 2},
                                             {ErrorKind::kInTheWay, 2},
                                             {ErrorKind::kNotFound, 2},
                                             {ErrorKind::kAlreadyExists, 2},
                                             {ErrorKind::kConfiguration, 3},
                                             {ErrorKind::kCredentials, 3},
                                             {ErrorKind::kExpiredCredentials, 3},
                                             {ErrorKind::kAccessDenied, 3},
                                             {ErrorKind::kLocalIo, 3},
                                             {ErrorKind::kClockSkew, 3},
                                             {ErrorKind::kWrongRegion, 3},
                                             {ErrorKind::kProof, 4},
                                             {ErrorKind::kValidation, 5},
                                             {ErrorKind::kThrottled, 5},
                                             {ErrorKind::kQuotaExceeded, 5},
                                             {ErrorKind::kTransient, 5},
                                             {ErrorKind::kWrongEndpoint, 5},
                                             {ErrorKind::kQueryFailed, 5},
                                             {ErrorKind::kBadReply, 5},
                                             {ErrorKind::kService, 5},
                                             {ErrorKind::kCancelled, 130}};
  for (const auto& [kind, code] : table) {
    EXPECT_EQ(static_cast<int>(ExitCodeOf(MakeError(kind, "x"))), code) << Name(kind);
  }
}

TEST(HintTest, NamesThePermissionThatTheCallNeeds) {
  const Error error = MakeError(ErrorKind::kAccessDenied, "no", "AccessDenied")
                          .With("PutObject s3://bucket/key")
                          .With("writing the run record");
  EXPECT_THAT(HintOf(error), HasSubstr("s3:PutObject"));
  EXPECT_THAT(HintOf(MakeError(ErrorKind::kAccessDenied, "no").With("PutObjectLegalHold x")),
              HasSubstr("README"))
      << "an operation's name is not the beginning of another one's";
}

TEST(HintTest, TellsAnUnreachableServiceFromAFailingOne) {
  Error error = MakeError(ErrorKind::kTransient, "connection refused");
  EXPECT_THAT(HintOf(error), HasSubstr("AWS_ENDPOINT_URL"));
  error.http_status = 503;
  EXPECT_THAT(HintOf(error), HasSubstr("passing failure"));
}

TEST(HintTest, SaysNothingWhereTheErrorSaysAll) {
  EXPECT_EQ(HintOf(MakeError(ErrorKind::kInTheWay, "x")), "");
  EXPECT_EQ(HintOf(MakeError(ErrorKind::kProof, "x")), "");
}

}  // namespace
}  // namespace tsm::apps
