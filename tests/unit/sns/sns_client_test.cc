#include "tsm/sns/sns_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_bench.h"
#include "tsm/core/text.h"

namespace tsm::sns {
namespace {

using test::ClientBench;
using test::Header;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kReply[] =
    "<PublishResponse xmlns=\"https://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>"
    "<MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult><ResponseMetadata>"
    "<RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ResponseMetadata></"
    "PublishResponse>";

struct SnsClientTest : ::testing::Test {
  ClientBench bench;
  SnsClient sns{bench.client, aws::EndpointResolver(), "us-west-2"};
  TopicArn topic = *TopicArn::Parse("arn:aws:sns:us-west-2:123456789012:loads");

  // The decoded form parameter of the last request, "(absent)" where it is not there.
  std::string Sent(const std::string& name) {
    const std::string body = bench.transport.requests().back().body;
    for (const std::string_view pair : Split(body, '&')) {
      if (pair.starts_with(name + "=")) return PercentDecode(pair.substr(name.size() + 1));
    }
    return "(absent)";
  }
  void Publish(const std::string& subject, const std::string& message) {
    bench.transport.Add(200, kReply);
    const Result<std::string> id = sns.Publish(topic, subject, message, {});
    ASSERT_TRUE(id) << id.error().Text();
  }
};

TEST(TopicArn, Parse) {
  const Result<TopicArn> arn = TopicArn::Parse("arn:aws-cn:sns:cn-north-1:123456789012:t");
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->partition, "aws-cn");
  EXPECT_EQ(arn->region, "cn-north-1");
  for (const std::string text :
       {"", "loads", "arn:aws:sqs:us-west-2:123456789012:q", "arn:aws:sns::123456789012:t",
        "arn:aws:sns:us-west-2:1234:t", "arn:aws:sns:example.com/x:123456789012:t",
        "arn:aws:sns:US-WEST-2:123456789012:t", "arn:aws:sns:us-west-2:123456789012:",
        "arn:aws:sns:us-west-2:123456789012:t:11111111-subscription",
        "arn:aws:sns:us-west-2:123456789012:t.fifo"}) {
    ASSERT_FALSE(TopicArn::Parse(text)) << text;
    EXPECT_EQ(TopicArn::Parse(text).error().kind, ErrorKind::kInvalidInput);
  }
}

TEST_F(SnsClientTest, PublishSendsAForm) {
  bench.transport.Add(200, kReply);
  const Result<std::string> id = sns.Publish(topic, "A & B", "line 1\nü=+%", {});
  ASSERT_TRUE(id) << id.error().Text();
  EXPECT_EQ(*id, "94f20ce6-13c5-43a0-9a9e-ca52d816e90b");
  const http::Request request = bench.transport.requests().back();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.host, "sns.us-west-2.amazonaws.com");
  EXPECT_EQ(Header(request, "content-type"), "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_EQ(
      request.body,
      "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-west-2%3A123456789012%3A"
      "loads&Subject=A%20%26%20B&Message=line%201%0A%C3%BC%3D%2B%25");
  EXPECT_THAT(request.body, Not(HasSubstr("MessageStructure")));
}

TEST_F(SnsClientTest, ATopicOfAnotherRegionIsToldThere) {
  topic = *TopicArn::Parse("arn:aws:sns:eu-west-1:123456789012:loads");
  Publish("s", "m");
  EXPECT_EQ(bench.transport.requests().back().host, "sns.eu-west-1.amazonaws.com");
  EXPECT_THAT(Header(bench.transport.requests().back(), "authorization"),
              HasSubstr("/eu-west-1/sns/aws4_request"));
}

TEST_F(SnsClientTest, ATopicOfAnotherPartitionIsNotTold) {
  const TopicArn chinese = *TopicArn::Parse("arn:aws-cn:sns:cn-north-1:123456789012:t");
  const Result<std::string> id = sns.Publish(chinese, "s", "m", {});
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(id.error().Text(), HasSubstr("partition aws-cn"));
  EXPECT_TRUE(bench.transport.requests().empty());

  SnsClient from_china{bench.client, aws::EndpointResolver(), "cn-northwest-1"};
  bench.transport.Add(200, kReply);
  ASSERT_TRUE(from_china.Publish(chinese, "s", "m", {}));
  EXPECT_EQ(bench.transport.requests().back().host, "sns.cn-north-1.amazonaws.com.cn");
}

TEST_F(SnsClientTest, AConfiguredEndpointTakesTopicsOfEveryRegion) {
  SnsClient local{bench.client, aws::EndpointResolver(test::CustomEndpoint("127.0.0.1:1", "/sns")),
                  "us-west-2"};
  for (const char* arn :
       {"arn:aws:sns:eu-west-1:123456789012:t", "arn:aws-cn:sns:cn-north-1:123456789012:t"}) {
    topic = *TopicArn::Parse(arn);
    bench.transport.Add(200, kReply);
    ASSERT_TRUE(local.Publish(topic, "s", "m", {})) << arn;
    EXPECT_EQ(bench.transport.requests().back().host, "127.0.0.1:1");
    EXPECT_EQ(bench.transport.requests().back().path, "/sns/");
    EXPECT_THAT(Header(bench.transport.requests().back(), "authorization"),
                HasSubstr("/" + topic.region + "/sns/aws4_request"));
  }
}

TEST_F(SnsClientTest, TheSubjectIsMadeToFit) {
  Publish("Batch load\r\n\tof \"tädle\" failed ", "m");
  EXPECT_EQ(Sent("Subject"), "Batch load of \"t?dle\" failed");
  Publish(std::string(300, 'x'), "m");
  EXPECT_EQ(Sent("Subject"), std::string(99, 'x'));
  Publish("\n\x01", "m");
  EXPECT_EQ(Sent("Subject"), "(absent)");
}

TEST_F(SnsClientTest, TheMessageIsCutBetweenCharacters) {
  const std::string exact(256 * 1024, 'm');
  Publish("s", exact);
  EXPECT_EQ(Sent("Message"), exact);
  const std::string head(256 * 1024 - 1, 'm');
  Publish("s", head + "ü and more");
  EXPECT_EQ(Sent("Message"), head);
}

TEST_F(SnsClientTest, APublishThatMayHaveArrivedIsNotRepeated) {
  bench.transport.Add(MakeError(ErrorKind::kTransient, "connection reset"));
  EXPECT_EQ(sns.Publish(topic, "s", "m", {}).error().kind, ErrorKind::kTransient);
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(SnsClientTest, ErrorsCarryTopicAndCode) {
  bench.transport.Add(
      404,
      "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic "
      "does not exist</Message></Error><RequestId>r</RequestId></ErrorResponse>");
  const Result<std::string> id = sns.Publish(topic, "s", "m", {});
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(id.error().Text(), HasSubstr("Publish arn:aws:sns:us-west-2:123456789012:loads"));

  bench.transport.Add(200, "<PublishResponse/>");
  EXPECT_EQ(sns.Publish(topic, "s", "m", {}).error().kind, ErrorKind::kBadReply);
}

}  // namespace
}  // namespace tsm::sns
