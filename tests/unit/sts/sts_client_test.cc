#include "tsm/sts/sts_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_bench.h"

namespace tsm::sts {
namespace {

using test::ClientBench;
using test::Header;
using ::testing::HasSubstr;

constexpr char kReply[] =
    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
    "  <GetCallerIdentityResult>\n"
    "    <Arn>arn:aws:sts::123456789012:assumed-role/Migration/op</Arn>\n"
    "    <UserId>ARO123EXAMPLE123:op</UserId>\n"
    "    <Account>123456789012</Account>\n"
    "  </GetCallerIdentityResult>\n"
    "  "
    "<ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></"
    "ResponseMetadata>\n"
    "</GetCallerIdentityResponse>";

TEST(StsClient, GetCallerIdentity) {
  ClientBench bench;
  StsClient sts(bench.client, test::AwsEndpoint("sts.eu-west-1.amazonaws.com"), "eu-west-1");
  bench.transport.Add(200, kReply);
  const Result<CallerIdentity> identity = sts.GetCallerIdentity({});
  ASSERT_TRUE(identity) << identity.error().Text();
  EXPECT_EQ(identity->account, "123456789012");
  EXPECT_EQ(identity->arn, "arn:aws:sts::123456789012:assumed-role/Migration/op");
  EXPECT_EQ(identity->user_id, "ARO123EXAMPLE123:op");
  const http::Request request = bench.transport.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.host, "sts.eu-west-1.amazonaws.com");
  EXPECT_EQ(request.Target(), "/");
  EXPECT_EQ(request.body, "Action=GetCallerIdentity&Version=2011-06-15");
  EXPECT_EQ(Header(request, "content-type"), "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_THAT(Header(request, "authorization"), HasSubstr("/eu-west-1/sts/aws4_request"));
}

TEST(StsClient, AWrongKeyIsACredentialsError) {
  ClientBench bench;
  StsClient sts(bench.client, test::CustomEndpoint("127.0.0.1:1"), "eu-west-1");
  bench.transport.Add(
      403,
      "<ErrorResponse "
      "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
      "<Code>InvalidClientTokenId</Code><Message>The security token included in the request is "
      "invalid.</Message></Error><RequestId>r-1</RequestId></ErrorResponse>");
  const Result<CallerIdentity> identity = sts.GetCallerIdentity({});
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().kind, ErrorKind::kCredentials);
  EXPECT_EQ(identity.error().code, "InvalidClientTokenId");
  EXPECT_THAT(identity.error().Text(), HasSubstr("GetCallerIdentity"));
}

TEST(StsClient, AReplyWithoutAccountIsABadReply) {
  for (const std::string body : {"", "<html>hello</html>", "<GetCallerIdentityResponse/>"}) {
    ClientBench bench;
    StsClient sts(bench.client, test::CustomEndpoint("127.0.0.1:1"), "eu-west-1");
    bench.transport.Add(200, body);
    const Result<CallerIdentity> identity = sts.GetCallerIdentity({});
    ASSERT_FALSE(identity) << body;
    EXPECT_EQ(identity.error().kind, ErrorKind::kBadReply) << body;
  }
}

}  // namespace
}  // namespace tsm::sts
