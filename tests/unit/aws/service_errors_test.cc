#include "tsm/aws/service_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace tsm::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

http::Response Answer(int status, std::string body, http::Headers headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

// Whatever answered: an error is one line of a bounded length, without a terminal's controls.
TEST(ParseServiceErrorTest, CodeAndRequestIdAreOfOneLine) {
  const std::string noise = "a\nfaked log line\x1b[2J" + std::string(5000, 'x');
  const Error error = ParseServiceError(
      Protocol::kRestXml,
      Answer(400, "<Error><Code>" + noise + "</Code><RequestId>" + noise + "</RequestId></Error>"));
  const std::string text = error.Text();
  EXPECT_THAT(text, HasSubstr("faked log line"));
  EXPECT_EQ(text.find_first_of("\n\x1b"), std::string::npos) << text;
  EXPECT_LT(text.size(), 500U);
}

TEST(KindOfTest, CodesGoBeforeTheStatus) {
  const std::pair<const char*, ErrorKind> cases[] = {
      {"ThrottlingException", ErrorKind::kThrottled},
      {"SlowDown", ErrorKind::kThrottled},
      {"LimitExceededException", ErrorKind::kThrottled},
      {"InternalServerException", ErrorKind::kTransient},
      {"RequestTimeout", ErrorKind::kTransient},
      {"AccessDenied", ErrorKind::kAccessDenied},
      {"AccessDeniedException", ErrorKind::kAccessDenied},
      {"NoSuchBucket", ErrorKind::kNotFound},
      {"NoSuchBucketPolicy", ErrorKind::kNotFound},
      {"ResourceNotFoundException", ErrorKind::kNotFound},
      {"ConflictException", ErrorKind::kAlreadyExists},
      {"BucketAlreadyOwnedByYou", ErrorKind::kAlreadyExists},
      {"BucketAlreadyExists", ErrorKind::kAlreadyExists},
      {"PreconditionFailed", ErrorKind::kAlreadyExists},
      {"ServiceQuotaExceededException", ErrorKind::kQuotaExceeded},
      {"ExpiredToken", ErrorKind::kExpiredCredentials},
      {"ExpiredTokenException", ErrorKind::kExpiredCredentials},
      {"InvalidClientTokenId", ErrorKind::kCredentials},
      {"UnrecognizedClientException", ErrorKind::kCredentials},
      {"InvalidAccessKeyId", ErrorKind::kCredentials},
      {"SignatureDoesNotMatch", ErrorKind::kCredentials},
      {"InvalidSignatureException", ErrorKind::kCredentials},
      {"RequestTimeTooSkewed", ErrorKind::kClockSkew},
      {"RequestExpired", ErrorKind::kClockSkew},
      {"PermanentRedirect", ErrorKind::kWrongRegion},
      {"IllegalLocationConstraintException", ErrorKind::kWrongRegion},
      {"InvalidEndpointException", ErrorKind::kWrongEndpoint},
      {"QueryExecutionException", ErrorKind::kQueryFailed},
      {"ValidationException", ErrorKind::kValidation},
  };
  for (const auto& [code, kind] : cases) {
    for (const int status : {200, 400, 404, 500}) {
      EXPECT_EQ(KindOf(code, status), kind) << code << " " << status;
    }
  }
}

// The lists of the SDKs' retry specification, whole; a code that is on both counts as throttling.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
TEST(KindOfTest, TheRetrySpecificationsCodesAreAllKnown) {
  for (const char* code :
       {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
        "TooManyRequestsException", "ProvisionedThroughputExceededException",
        "TransactionInProgressException", "RequestLimitExceeded", "BandwidthLimitExceeded",
        "LimitExceededException", "RequestThrottled", "SlowDown", "PriorRequestNotComplete",
        "EC2ThrottledException"}) {
    EXPECT_EQ(KindOf(code, 400), ErrorKind::kThrottled) << code;
  }
  for (const char* code : {"RequestTimeout", "RequestTimeoutException", "IDPCommunicationError",
                           "InternalServerException", "InternalError", "ServiceUnavailable"}) {
    EXPECT_EQ(KindOf(code, 400), ErrorKind::kTransient) << code;
  }
  for (const int status : {500, 502, 503, 504}) {
    EXPECT_EQ(KindOf("NeverHeardOf", status), ErrorKind::kTransient) << status;
  }
}

TEST(KindOfTest, TheStatusDecidesWhereTheCodeIsUnknown) {
  const std::pair<int, ErrorKind> cases[] = {
      {400, ErrorKind::kValidation},    {403, ErrorKind::kAccessDenied},
      {404, ErrorKind::kNotFound},      {408, ErrorKind::kTransient},
      {412, ErrorKind::kAlreadyExists}, {421, ErrorKind::kWrongEndpoint},
      {429, ErrorKind::kThrottled},     {500, ErrorKind::kTransient},
      {503, ErrorKind::kTransient},     {504, ErrorKind::kTransient},
      {301, ErrorKind::kWrongRegion},   {501, ErrorKind::kService},
      {418, ErrorKind::kService}};
  for (const auto& [status, kind] : cases) {
    EXPECT_EQ(KindOf("", status), kind) << status;
    EXPECT_EQ(KindOf("NeverHeardOf", status), kind) << status;
  }
}

TEST(ParseServiceErrorTest, JsonWithAndWithoutNamespace) {
  for (const char* type : {"com.amazonaws.timestream.v20181101#ThrottlingException",
                           "ThrottlingException", "ThrottlingException:http://internal/"}) {
    const Error error = ParseServiceError(
        Protocol::kJson,
        Answer(400, R"({"__type":")" + std::string(type) + R"(","Message":"slower, please"})",
               {{"x-amzn-RequestId", "R1"}, {"Content-Type", "text/html"}}));
    EXPECT_EQ(error.kind, ErrorKind::kThrottled);
    EXPECT_EQ(error.code, "ThrottlingException");
    EXPECT_EQ(error.message, "slower, please");
    EXPECT_EQ(error.request_id, "R1");
    EXPECT_EQ(error.http_status, 400);
  }
}

TEST(ParseServiceErrorTest, JsonWithItsCodeInTheHeaderOnly) {
  const Error error = ParseServiceError(
      Protocol::kJson,
      Answer(400, R"({"message":"m"})",
             {{"X-Amzn-ErrorType", "ResourceNotFoundException:http://internal.amazon.com/x"}}));
  EXPECT_EQ(error.code, "ResourceNotFoundException");
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_EQ(error.message, "m");
}

TEST(ParseServiceErrorTest, OAuthErrorsAreReadBesideAwsOwn) {
  const char* body = R"({"error":"invalid_grant","error_description":"Invalid refresh token"})";
  const Error named = ParseServiceError(
      Protocol::kJson, Answer(400, body, {{"x-amzn-ErrorType", "InvalidGrantException"}}));
  EXPECT_EQ(named.Text(), "InvalidGrantException: Invalid refresh token (HTTP 400)");
  const Error bare = ParseServiceError(Protocol::kJson, Answer(400, body));
  EXPECT_EQ(bare.Text(), "invalid_grant: Invalid refresh token (HTTP 400)");
}

TEST(ParseServiceErrorTest, RejectedRecordsAreNamed) {
  const Error error = ParseServiceError(
      Protocol::kJson,
      Answer(419, R"({"__type":"RejectedRecordsException","Message":"some were rejected",
        "RejectedRecords":[{"RecordIndex":0,"Reason":"too old"},{"RecordIndex":7,"Reason":"dup"},
        {"RecordIndex":8,"Reason":"dup"},{"RecordIndex":9,"Reason":"dup"}]})"));
  EXPECT_EQ(error.message,
            "some were rejected; record 0: too old; record 7: dup; record 8: dup; and 1 more");
}

TEST(ParseServiceErrorTest, S3Xml) {
  const Error error =
      ParseServiceError(Protocol::kRestXml, Answer(404, R"(<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>NoSuchKey</Code><Message>The key
does not exist.</Message><Key>a</Key><RequestId>RID</RequestId></Error>)",
                                                   {{"x-amz-request-id", "other"}}));
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_EQ(error.code, "NoSuchKey");
  EXPECT_EQ(error.message, "The key\\ndoes not exist.");
  EXPECT_EQ(error.request_id, "RID");
}

TEST(ParseServiceErrorTest, QueryXml) {
  const Error error = ParseServiceError(
      Protocol::kQueryXml,
      Answer(403, R"(<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
<Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>unknown</Message></Error>
<RequestId>Q1</RequestId></ErrorResponse>)"));
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_EQ(error.message, "unknown");
  EXPECT_EQ(error.request_id, "Q1");
}

TEST(ParseServiceErrorTest, XmlOnAJsonServiceIsReadAllTheSame) {
  const Error error = ParseServiceError(
      Protocol::kJson, Answer(403,
                              "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code>"
                              "<Message>no match</Message></Error></ErrorResponse>"));
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_EQ(error.code, "SignatureDoesNotMatch");
}

TEST(ParseServiceErrorTest, AProxysPageIsNamedByItsTitle) {
  const Error error =
      ParseServiceError(Protocol::kJson, Answer(502,
                                                "<!DOCTYPE html><html><head><Title> Bad\nGateway "
                                                "</Title></head><body><p>unclosed<br></body>"));
  EXPECT_EQ(error.kind, ErrorKind::kTransient);
  EXPECT_EQ(error.code, "");
  EXPECT_EQ(error.message, "the answer is no JSON error document: Bad\\nGateway");
}

TEST(ParseServiceErrorTest, NothingMakesItFail) {
  for (const char* body : {"", " ", "{", "[1]", "{\"__type\":7,\"message\":[]}", "<", "<a>",
                           "\xFF\xFE", "<Error/>", "null", "<Error><Code/></Error>"}) {
    for (const Protocol protocol : {Protocol::kJson, Protocol::kRestXml, Protocol::kQueryXml}) {
      const Error error = ParseServiceError(protocol, Answer(503, body));
      EXPECT_EQ(error.kind, ErrorKind::kTransient) << body;
      EXPECT_FALSE(error.Text().empty());
    }
  }
}

TEST(ParseServiceErrorTest, HeadAnswersAreReadFromTheStatus) {
  EXPECT_EQ(ParseServiceError(Protocol::kRestXml, Answer(404, "")).Text(), "not found (HTTP 404)");
  EXPECT_EQ(ParseServiceError(Protocol::kRestXml, Answer(403, "")).kind, ErrorKind::kAccessDenied);
  EXPECT_EQ(ParseServiceError(Protocol::kRestXml, Answer(400, "")).kind, ErrorKind::kValidation);
  for (const int status : {301, 400}) {
    const Error error = ParseServiceError(
        Protocol::kRestXml, Answer(status, "", {{"x-amz-bucket-region", "eu-west-1"}}));
    EXPECT_EQ(error.kind, ErrorKind::kWrongRegion);
    EXPECT_EQ(error.region_hint, "eu-west-1");
    EXPECT_EQ(error.message, "lives in region eu-west-1");
  }
}

TEST(ParseServiceErrorTest, TheRegionComesFromTheHeaderOrTheBody) {
  const std::string malformed =
      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong</Message>"
      "<Region>eu-west-1</Region></Error>";
  EXPECT_EQ(ParseServiceError(Protocol::kRestXml, Answer(400, malformed)).region_hint, "eu-west-1");
  const Error both = ParseServiceError(
      Protocol::kRestXml, Answer(400, malformed, {{"x-amz-bucket-region", "eu-west-2"}}));
  EXPECT_EQ(both.kind, ErrorKind::kWrongRegion);
  EXPECT_EQ(both.region_hint, "eu-west-2");
  const Error neither = ParseServiceError(
      Protocol::kRestXml, Answer(400, "<Error><Code>AuthorizationHeaderMalformed</Code></Error>"));
  EXPECT_EQ(neither.kind, ErrorKind::kCredentials);
  const Error in_words = ParseServiceError(
      Protocol::kRestXml,
      Answer(
          400,
          "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is "
          "malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message></Error>"));
  EXPECT_EQ(in_words.kind, ErrorKind::kWrongRegion);
  EXPECT_EQ(in_words.region_hint, "eu-west-1");
}

TEST(ParseServiceErrorTest, AnotherErrorsRegionIsNoHint) {
  const Error error =
      ParseServiceError(Protocol::kRestXml, Answer(403, "<Error><Code>AccessDenied</Code></Error>",
                                                   {{"x-amz-bucket-region", "eu-west-1"}}));
  EXPECT_EQ(error.kind, ErrorKind::kAccessDenied);
  EXPECT_EQ(error.region_hint, "");
}

TEST(ParseServiceErrorTest, ASignatureMismatchDoesNotQuoteTheSessionToken) {
  const Error error = ParseServiceError(
      Protocol::kJson,
      Answer(
          403,
          R"({"__type":"InvalidSignatureException","message":"The signature does not match.\n\nThe Canonical String for this request should have been\n'POST\nx-amz-security-token:TOKEN'"})"));
  EXPECT_EQ(error.message, "The signature does not match.");
  EXPECT_THAT(error.Text(), Not(HasSubstr("TOKEN")));
}

TEST(HidesErrorTest, OnlyAPromisedDocumentIsASuccess) {
  EXPECT_FALSE(HidesError(Answer(200, "<CopyObjectResult/>")));
  EXPECT_FALSE(
      HidesError(Answer(200, " \r\n\n <?xml version=\"1.0\"?><CompleteMultipartUploadResult/>")));
  EXPECT_TRUE(HidesError(Answer(200, "<?xml version=\"1.0\"?>\n<Error><Code>X</Code></Error>")));
  EXPECT_TRUE(HidesError(Answer(200, "")));
  EXPECT_TRUE(HidesError(Answer(200, "  \n")));
  EXPECT_TRUE(HidesError(Answer(200, "<CopyObjectResult>")));
  EXPECT_TRUE(HidesError(Answer(200, "plain text")));
  // Told by both ends of the document where that is possible, by a parser where not.
  EXPECT_FALSE(
      HidesError(Answer(200, "<CopyObjectResult xmlns=\"x\"><ETag>e</ETag></CopyObjectResult>\n")));
  EXPECT_FALSE(HidesError(Answer(200, "<Errors><Error>e</Error></Errors>")));
  EXPECT_FALSE(HidesError(Answer(200, "<!-- note --><CopyObjectResult></CopyObjectResult>")));
  EXPECT_TRUE(HidesError(Answer(200, "<!-- note --><Error></Error>")));
  EXPECT_TRUE(
      HidesError(Answer(200, "<?xml version=\"1.0\"?><Error xmlns=\"x\"><Code>X</Code></Error>")));
  EXPECT_TRUE(HidesError(Answer(200, "<?xml version=\"1.0\"")));
  EXPECT_TRUE(HidesError(Answer(200, "<ListBucketResult><Name>b</Name><Contents>")));
  EXPECT_TRUE(HidesError(Answer(200, "<ListBucketResult><Name>b</Name></ListBucketRes")));
  EXPECT_TRUE(HidesError(Answer(200, "<>")));
}

}  // namespace
}  // namespace tsm::aws
