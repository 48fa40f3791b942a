#include "tsm/http/message.h"

#include <gtest/gtest.h>

namespace tsm::http {
namespace {

TEST(MessageTest, FindHeaderIgnoresCaseAndTakesTheFirst) {
  const Headers headers = {{"Content-Type", "a"}, {"X-Amz-Id", "1"}, {"x-amz-id", "2"}};
  EXPECT_EQ(FindHeader(headers, "content-type"), "a");
  EXPECT_EQ(FindHeader(headers, "X-AMZ-ID"), "1");
  EXPECT_EQ(FindHeader(headers, "x-amz"), "");
}

TEST(MessageTest, TargetEncodesTheQueryAndKeepsThePath) {
  Request request;
  request.path = "/b/a%20b//../c";
  EXPECT_EQ(request.Target(), "/b/a%20b//../c");
  request.query = {{"prefix", "day=1/ü&x"}, {"list-type", "2"}, {"policy", ""}};
  EXPECT_EQ(request.Target(), "/b/a%20b//../c?prefix=day%3D1%2F%C3%BC%26x&list-type=2&policy=");
}

}  // namespace
}  // namespace tsm::http
