#include "tsm/core/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tsm/core/result.h"

namespace tsm {
namespace {

TEST(ErrorTest, TextReadsFromTheOutsideIn) {
  Error error = MakeError(ErrorKind::kAccessDenied, "not allowed to put", "AccessDenied");
  error.http_status = 403;
  error.request_id = "ABC123";
  error.attempts = 3;
  error.spent = std::chrono::milliseconds(4200);
  error = std::move(error).With("PutObject s3://b/k").With("writing the run record");
  EXPECT_EQ(error.Text(),
            "writing the run record: PutObject s3://b/k: AccessDenied: not allowed to put "
            "(HTTP 403, request id ABC123, 3 attempts in 4.2 s)");
}

TEST(ErrorTest, TextLeavesOutWhatIsNotKnown) {
  EXPECT_EQ(MakeError(ErrorKind::kInvalidInput, "no such file").Text(), "no such file");
  EXPECT_EQ(MakeError(ErrorKind::kService, "", "Teapot").Text(), "Teapot");
  EXPECT_EQ(MakeError(ErrorKind::kBadReply, "").Text(), "bad_reply");
  Error once = MakeError(ErrorKind::kTransient, "reset");
  once.attempts = 1;
  once.spent = std::chrono::seconds(9);
  EXPECT_EQ(once.Text(), "reset");
}

TEST(ErrorTest, WithOnAnLvalueLeavesTheOriginalAlone) {
  const Error error = MakeError(ErrorKind::kNotFound, "gone");
  EXPECT_EQ(error.With("looking").Text(), "looking: gone");
  EXPECT_EQ(error.Text(), "gone");
}

TEST(ErrorTest, EveryKindHasANameOfItsOwn) {
  std::set<std::string_view> names;
  const int count = static_cast<int>(ErrorKind::kService) + 1;
  for (int kind = 0; kind < count; ++kind) names.insert(Name(static_cast<ErrorKind>(kind)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(count));
  EXPECT_EQ(Name(ErrorKind::kThrottled), "throttled");
}

TEST(ResultTest, HoldsAValueOrAnError) {
  Result<std::string> value = std::string("x");
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, "x");
  EXPECT_EQ(value->size(), 1U);
  const Result<std::string> failure = MakeError(ErrorKind::kNotFound, "gone");
  ASSERT_FALSE(failure);
  EXPECT_EQ(failure.error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(Ok());
}

TEST(ResultDeathTest, TheWrongSideAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Result<int> failure = MakeError(ErrorKind::kNotFound, "gone");
  const Result<int> value = 1;
  EXPECT_DEATH((void)failure.value(), "");
  EXPECT_DEATH((void)value.error(), "");
}

}  // namespace
}  // namespace tsm
