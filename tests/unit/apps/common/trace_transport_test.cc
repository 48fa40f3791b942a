#include "common/trace_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::apps {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class OneAnswer final : public http::Transport {
 public:
  explicit OneAnswer(Result<http::Response> answer) : answer_(std::move(answer)) {}
  Result<http::Response> Send(const http::Request&, std::stop_token) override { return answer_; }

 private:
  Result<http::Response> answer_;
};

class Notices final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override { texts.push_back(notice.text); }
  void OnProgress(const Progress&) override {}
  std::vector<std::string> texts;
};

http::Request SomeRequest() {
  http::Request request;
  request.method = "POST";
  request.host = "aws.test";
  request.path = "/bucket";
  request.query = {{"prefix", "customers/alice"}};
  request.headers = {{"X-Amz-Target", "Timestream_20181101.Query"},
                     {"Authorization", "AWS4-HMAC-SHA256 SIGNATURE"},
                     {"X-Amz-Security-Token", "TOKEN"}};
  request.body = "BODY";
  return request;
}

TEST(TraceTransportTest, TellsCallAnswerAndIdButNothingSecret) {
  OneAnswer inner(http::Response{200, {{"x-amzn-RequestId", "R-17"}}, "DATA"});
  Notices notices;
  const SystemClock clock;
  TraceTransport trace(inner, notices, clock);
  EXPECT_EQ(trace.Send(SomeRequest(), {})->body, "DATA");
  EXPECT_THAT(notices.texts,
              ElementsAre(AllOf(HasSubstr("POST aws.test/bucket Timestream_20181101.Query ?prefix"),
                                HasSubstr("200 (request id R-17)"), Not(HasSubstr("SIGNATURE")),
                                Not(HasSubstr("TOKEN")), Not(HasSubstr("BODY")),
                                Not(HasSubstr("alice")), Not(HasSubstr("DATA")))));
}

TEST(TraceTransportTest, TellsAFailureToo) {
  OneAnswer inner(MakeError(ErrorKind::kTransient, "connection refused"));
  Notices notices;
  const SystemClock clock;
  TraceTransport trace(inner, notices, clock);
  EXPECT_FALSE(trace.Send(SomeRequest(), {}));
  EXPECT_THAT(notices.texts, ElementsAre(HasSubstr("connection refused")));
}

}  // namespace
}  // namespace tsm::apps
