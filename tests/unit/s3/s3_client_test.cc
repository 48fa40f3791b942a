// What goes on the wire and how the plain answers are read. Region redirects and listings have
// files of their own beside this one.
#include "tsm/s3/s3_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_bench.h"

namespace tsm::s3 {
namespace {

using test::ClientBench;
using test::CustomEndpoint;
using test::Header;
using ::testing::HasSubstr;

BucketName Bucket(std::string_view text) { return *BucketName::Parse(text); }

constexpr char kCopyReply[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<CopyObjectResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    "<LastModified>2024-02-26T17:24:38.000Z</LastModified>"
    "<ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag></CopyObjectResult>";

std::string ErrorBody(const std::string& code) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code +
         "</Code><Message>text of " + code +
         "</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>";
}

struct S3ClientTest : ::testing::Test {
  ClientBench bench;
  S3Client aws{bench.client, aws::EndpointResolver(), "eu-west-1"};
  S3Client local{bench.client, aws::EndpointResolver(CustomEndpoint("127.0.0.1:4566", "/base")),
                 "eu-west-1"};
  http::Request Sent() { return bench.transport.requests().back(); }
};

TEST_F(S3ClientTest, AwsIsSpokenToByVirtualHost) {
  bench.transport.Add(200, "hello");
  ASSERT_TRUE(aws.GetObject(Bucket("bkt"), ObjectKey("a/b"), std::nullopt, {}));
  EXPECT_EQ(Sent().scheme, "https");
  EXPECT_EQ(Sent().host, "bkt.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(Sent().Target(), "/a/b");
  EXPECT_THAT(Header(Sent(), "authorization"),
              HasSubstr("Credential=AKIDEXAMPLE/20240226/eu-west-1/s3/aws4_request"));
  EXPECT_THAT(Header(Sent(), "authorization"), HasSubstr("x-amz-content-sha256"));
  // SHA-256 of nothing.
  EXPECT_EQ(Header(Sent(), "x-amz-content-sha256"),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(S3ClientTest, ABucketNameWithADotGoesIntoThePath) {
  bench.transport.Add(200, "hello");
  ASSERT_TRUE(aws.GetObject(Bucket("my.bkt"), ObjectKey("a"), std::nullopt, {}));
  EXPECT_EQ(Sent().host, "s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(Sent().Target(), "/my.bkt/a");
}

TEST_F(S3ClientTest, AConfiguredEndpointIsSpokenToByPath) {
  bench.transport.Add(200, "hello");
  ASSERT_TRUE(local.GetObject(Bucket("bkt"), ObjectKey("a"), std::nullopt, {}));
  EXPECT_EQ(Sent().scheme, "http");
  EXPECT_EQ(Sent().host, "127.0.0.1:4566");
  EXPECT_EQ(Sent().Target(), "/base/bkt/a");
}

TEST_F(S3ClientTest, KeysAreEncodedOnceAndNeverNormalized) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a//b", "/base/bkt/a//b"},
      {"../x", "/base/bkt/../x"},
      {"./x/.", "/base/bkt/./x/."},
      {" lead", "/base/bkt/%20lead"},
      {"/lead", "/base/bkt//lead"},
      {"ü", "/base/bkt/%C3%BC"},
      {"a+b", "/base/bkt/a%2Bb"},
      {"a%20b", "/base/bkt/a%2520b"},
      {"partition_date=2024-02-26/x.csv", "/base/bkt/partition_date%3D2024-02-26/x.csv"},
      {"q?a=1&b#c", "/base/bkt/q%3Fa%3D1%26b%23c"},
      {"til~de_(1)'*!", "/base/bkt/til~de_%281%29%27%2A%21"},
  };
  for (const auto& [key, target] : cases) {
    bench.transport.Add(200, "");
    ASSERT_TRUE(local.GetObject(Bucket("bkt"), ObjectKey(key), std::nullopt, {})) << key;
    EXPECT_EQ(Sent().Target(), target) << key;
  }
}

TEST_F(S3ClientTest, GetObjectAsksForARangeAndInsistsOnIt) {
  bench.transport.Add(206, "ell");
  const Result<std::string> body =
      local.GetObject(Bucket("bkt"), ObjectKey("k"), ByteRange{.first = 1, .last = 3}, {});
  ASSERT_TRUE(body) << body.error().Text();
  EXPECT_EQ(*body, "ell");
  EXPECT_EQ(Header(Sent(), "range"), "bytes=1-3");

  bench.transport.Add(200, "hello");
  const Result<std::string> whole =
      local.GetObject(Bucket("bkt"), ObjectKey("k"), ByteRange{.first = 1, .last = 3}, {});
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().kind, ErrorKind::kBadReply);

  EXPECT_EQ(local.GetObject(Bucket("bkt"), ObjectKey("k"), ByteRange{.first = 3, .last = 1}, {})
                .error()
                .kind,
            ErrorKind::kInvalidInput);
}

TEST_F(S3ClientTest, AMissingObjectIsNotFoundWithItsUri) {
  bench.transport.Add(404, ErrorBody("NoSuchKey"));
  const Result<std::string> body = local.GetObject(Bucket("bkt"), ObjectKey("k"), std::nullopt, {});
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(body.error().code, "NoSuchKey");
  EXPECT_THAT(body.error().Text(), HasSubstr("GetObject s3://bkt/k"));
}

TEST_F(S3ClientTest, HeadObjectReadsTheHeaders) {
  bench.transport.Add(
      200, "",
      {{"Content-Length", "5368709120"}, {"ETag", "\"abc-3\""}, {"Content-Type", "text/csv"}});
  const Result<ObjectHead> head = local.HeadObject(Bucket("bkt"), ObjectKey("k"), {});
  ASSERT_TRUE(head) << head.error().Text();
  EXPECT_EQ(Sent().method, "HEAD");
  EXPECT_EQ(head->size, 5'368'709'120U);
  EXPECT_EQ(head->etag, "abc-3");
  EXPECT_EQ(head->content_type, "text/csv");

  bench.transport.Add(200, "", {{"ETag", "\"abc\""}});
  EXPECT_EQ(local.HeadObject(Bucket("bkt"), ObjectKey("k"), {}).error().kind, ErrorKind::kBadReply);
}

TEST_F(S3ClientTest, PutObjectSendsTheBodyAndItsHash) {
  const std::string body(3'000'000, 'x');
  bench.transport.Add(200, "", {{"ETag", "\"d41d\""}});
  const Result<std::string> etag = local.PutObject(Bucket("bkt"), ObjectKey("k"), body, {}, {});
  ASSERT_TRUE(etag) << etag.error().Text();
  EXPECT_EQ(*etag, "d41d");
  EXPECT_EQ(Sent().method, "PUT");
  EXPECT_EQ(Sent().body, body);
  EXPECT_EQ(Header(Sent(), "x-amz-content-sha256"), aws::Sha256Hex(body));
  EXPECT_EQ(Header(Sent(), "if-none-match"), "");
}

TEST_F(S3ClientTest, ConditionalPutTellsThatTheKeyExists) {
  bench.transport.Add(412, ErrorBody("PreconditionFailed"));
  const Result<std::string> etag =
      local.PutObject(Bucket("bkt"), ObjectKey("k"), "mine", {.only_if_absent = true}, {});
  ASSERT_FALSE(etag);
  EXPECT_EQ(etag.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(Header(Sent(), "if-none-match"), "*");
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(S3ClientTest, ConditionalPutKnowsItsOwnLostWriteAgain) {
  bench.transport.Add(MakeError(ErrorKind::kTransient, "connection reset"));
  bench.transport.Add(412, ErrorBody("PreconditionFailed"));
  bench.transport.Add(200, "mine", {{"ETag", "\"e1\""}});
  const Result<std::string> etag =
      local.PutObject(Bucket("bkt"), ObjectKey("k"), "mine", {.only_if_absent = true}, {});
  ASSERT_TRUE(etag) << etag.error().Text();
  EXPECT_EQ(*etag, "e1");

  bench.transport.Add(MakeError(ErrorKind::kTransient, "connection reset"));
  bench.transport.Add(412, ErrorBody("PreconditionFailed"));
  bench.transport.Add(200, "somebody else's");
  EXPECT_EQ(local.PutObject(Bucket("bkt"), ObjectKey("k"), "mine", {.only_if_absent = true}, {})
                .error()
                .kind,
            ErrorKind::kAlreadyExists);
}

TEST_F(S3ClientTest, AReplacingPutNamesTheEtagAndTellsAChangedObjectFromAMissingOne) {
  bench.transport.Add(200, "", {{"ETag", "\"e2\""}});
  const Result<std::string> etag =
      local.PutObject(Bucket("bkt"), ObjectKey("k"), "mine", {.if_match = "e1"}, {});
  ASSERT_TRUE(etag) << etag.error().Text();
  EXPECT_EQ(*etag, "e2");
  EXPECT_EQ(Header(Sent(), "if-match"), "\"e1\"");
  EXPECT_EQ(Header(Sent(), "if-none-match"), "");

  bench.transport.Add(412, ErrorBody("PreconditionFailed"));
  const Error changed =
      local.PutObject(Bucket("bkt"), ObjectKey("k"), "mine", {.if_match = "e1"}, {}).error();
  EXPECT_EQ(changed.kind, ErrorKind::kInTheWay);
  EXPECT_EQ(changed.code, "PreconditionFailed");

  bench.transport.Add(404, ErrorBody("NoSuchKey"));
  EXPECT_EQ(
      local.PutObject(Bucket("bkt"), ObjectKey("k"), "mine", {.if_match = "e1"}, {}).error().kind,
      ErrorKind::kNotFound);
  EXPECT_EQ(bench.transport.requests().size(), 3U);
}

TEST_F(S3ClientTest, AReplacingPutKnowsItsOwnLostWriteAgain) {
  bench.transport.Add(500, ErrorBody("InternalError"));
  bench.transport.Add(412, ErrorBody("PreconditionFailed"));
  bench.transport.Add(200, "mine", {{"ETag", "\"e2\""}});
  const Result<std::string> etag =
      local.PutObject(Bucket("bkt"), ObjectKey("k"), "mine", {.if_match = "e1"}, {});
  ASSERT_TRUE(etag) << etag.error().Text();
  EXPECT_EQ(*etag, "e2");

  bench.transport.Add(500, ErrorBody("InternalError"));
  bench.transport.Add(412, ErrorBody("PreconditionFailed"));
  bench.transport.Add(200, "another's", {{"ETag", "\"e3\""}});
  EXPECT_EQ(
      local.PutObject(Bucket("bkt"), ObjectKey("k"), "mine", {.if_match = "e1"}, {}).error().kind,
      ErrorKind::kInTheWay);
}

TEST_F(S3ClientTest, AnUndecidedRaceOfConditionalPutsIsRepeatedThenPassing) {
  bench.transport.Add(409, ErrorBody("ConditionalRequestConflict"));
  bench.transport.Add(200, "", {{"ETag", "\"e2\""}});
  EXPECT_TRUE(local.PutObject(Bucket("bkt"), ObjectKey("k"), "mine", {.if_match = "e1"}, {}));

  for (int i = 0; i < 3; ++i) bench.transport.Add(409, ErrorBody("ConditionalRequestConflict"));
  const Error error =
      local.PutObject(Bucket("bkt"), ObjectKey("k"), "mine", {.only_if_absent = true}, {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kTransient);
  EXPECT_EQ(error.code, "ConditionalRequestConflict");
  EXPECT_EQ(error.attempts, 3);
}

TEST_F(S3ClientTest, TheTimesOfAnObjectAreS3sOwn) {
  using std::chrono::seconds;
  const http::Headers headers = {{"Content-Length", "4"},
                                 {"ETag", "\"e1\""},
                                 {"Date", "Mon, 26 Feb 2024 09:00:00 GMT"},  // of a proxy
                                 {"Last-Modified", "Mon, 26 Feb 2024 17:14:38 GMT"},
                                 {"Date", "Mon, 26 Feb 2024 17:24:38 GMT"}};
  bench.transport.Add(200, "", headers);
  const Result<ObjectHead> head = local.HeadObject(Bucket("bkt"), ObjectKey("k"), {});
  ASSERT_TRUE(head) << head.error().Text();
  ASSERT_TRUE(head->date && head->last_modified);
  EXPECT_EQ(head->date->time_since_epoch(), seconds(1'708'968'278));
  EXPECT_EQ(*head->date - *head->last_modified, seconds(600));

  bench.transport.Add(200, "mine", headers);
  const Result<ObjectContent> content = local.GetObjectContent(Bucket("bkt"), ObjectKey("k"), {});
  ASSERT_TRUE(content) << content.error().Text();
  EXPECT_EQ(Sent().method, "GET");
  EXPECT_EQ(content->body, "mine");
  EXPECT_EQ(content->head.size, 4U);
  EXPECT_EQ(content->head.etag, "e1");
  EXPECT_EQ(content->head.date, head->date);
  EXPECT_EQ(content->head.last_modified, head->last_modified);

  bench.transport.Add(200, "mine", {{"Date", "yesterday"}});
  const Result<ObjectContent> bare = local.GetObjectContent(Bucket("bkt"), ObjectKey("k"), {});
  ASSERT_TRUE(bare) << bare.error().Text();
  EXPECT_FALSE(bare->head.date || bare->head.last_modified);
}

TEST_F(S3ClientTest, CopyObjectNamesItsSourceEncoded) {
  bench.transport.Add(200, kCopyReply);
  const Result<CopyResult> copy =
      local.CopyObject(Bucket("src"), ObjectKey("a//b=ü +%20.csv"), Bucket("dst"), ObjectKey("c"),
                       {.source_etag = "abc-2"}, {});
  ASSERT_TRUE(copy) << copy.error().Text();
  EXPECT_EQ(copy->etag, "9b2cf535f27731c974343645a3985328");
  EXPECT_EQ(Sent().method, "PUT");
  EXPECT_EQ(Sent().Target(), "/base/dst/c");
  EXPECT_EQ(Header(Sent(), "x-amz-copy-source"), "/src/a//b%3D%C3%BC%20%2B%2520.csv");
  EXPECT_EQ(Header(Sent(), "x-amz-copy-source-if-match"), "\"abc-2\"");
  EXPECT_THAT(Header(Sent(), "authorization"), HasSubstr("x-amz-copy-source;"));
  EXPECT_GT(Sent().timeouts.idle, std::chrono::minutes(4));
}

TEST_F(S3ClientTest, AnErrorInsideA200OfACopyIsRepeated) {
  bench.transport.Add(200, ErrorBody("InternalError"));
  bench.transport.Add(200, kCopyReply);
  const Result<CopyResult> copy =
      local.CopyObject(Bucket("src"), ObjectKey("k"), Bucket("dst"), ObjectKey("k"), {}, {});
  ASSERT_TRUE(copy) << copy.error().Text();
  EXPECT_EQ(bench.transport.requests().size(), 2U);
}

TEST_F(S3ClientTest, AnErrorInsideEvery200OfACopyIsAnError) {
  for (int i = 0; i < 3; ++i) bench.transport.Add(200, ErrorBody("InternalError"));
  const Result<CopyResult> copy =
      local.CopyObject(Bucket("src"), ObjectKey("k"), Bucket("dst"), ObjectKey("k"), {}, {});
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error().code, "InternalError");
}

TEST_F(S3ClientTest, ACopyAnsweredWithAnotherDocumentIsNoSuccess) {
  bench.transport.Add(200, "<?xml version=\"1.0\"?><ListBucketResult/>");
  const Result<CopyResult> copy =
      local.CopyObject(Bucket("src"), ObjectKey("k"), Bucket("dst"), ObjectKey("k"), {}, {});
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error().kind, ErrorKind::kBadReply);
  EXPECT_THAT(copy.error().Text(), HasSubstr("ListBucketResult"));
}

TEST_F(S3ClientTest, ACopyOfAChangedSourceIsRefusedNotTakenForDone) {
  bench.transport.Add(412, ErrorBody("PreconditionFailed"));
  const Result<CopyResult> copy = local.CopyObject(Bucket("src"), ObjectKey("k"), Bucket("dst"),
                                                   ObjectKey("k"), {.source_etag = "abc"}, {});
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error().kind, ErrorKind::kValidation);
  EXPECT_THAT(copy.error().Text(), HasSubstr("no longer what was listed"));
}

TEST_F(S3ClientTest, KeysThatS3CannotHoldAreNotSent) {
  EXPECT_EQ(local.DeleteObject(Bucket("bkt"), ObjectKey(""), {}).error().kind,
            ErrorKind::kInvalidInput);
  EXPECT_EQ(local.HeadObject(Bucket("bkt"), ObjectKey(std::string(1025, 'k')), {}).error().kind,
            ErrorKind::kInvalidInput);
  EXPECT_TRUE(bench.transport.requests().empty());
}

TEST_F(S3ClientTest, CreateBucketNamesItsRegion) {
  bench.transport.Add(200, "");
  ASSERT_TRUE(aws.CreateBucket(Bucket("bkt"), {}));
  EXPECT_EQ(Sent().method, "PUT");
  EXPECT_EQ(Sent().Target(), "/");
  EXPECT_EQ(Sent().body,
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>");
}

TEST_F(S3ClientTest, CreateBucketInUsEast1NamesNone) {
  S3Client east(bench.client, aws::EndpointResolver(), "us-east-1");
  bench.transport.Add(200, "");
  ASSERT_TRUE(east.CreateBucket(Bucket("bkt"), {}));
  EXPECT_EQ(Sent().body, "");
}

TEST_F(S3ClientTest, CreateBucketTellsWhoseItIs) {
  for (const std::string code : {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}) {
    bench.transport.Add(409, ErrorBody(code));
    const Status status = local.CreateBucket(Bucket("bkt"), {});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::kAlreadyExists);
    EXPECT_EQ(status.error().code, code);
  }
}

TEST_F(S3ClientTest, CreateBucketIsNotRedirected) {
  bench.transport.Add(400, ErrorBody("IllegalLocationConstraintException"));
  const Status status = local.CreateBucket(Bucket("bkt"), {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kValidation);
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(S3ClientTest, BucketPolicy) {
  bench.transport.Add(200, R"({"Version":"2012-10-17","Statement":[]})");
  const Result<std::string> policy = local.GetBucketPolicy(Bucket("bkt"), {});
  ASSERT_TRUE(policy) << policy.error().Text();
  EXPECT_EQ(*policy, R"({"Version":"2012-10-17","Statement":[]})");
  EXPECT_EQ(Sent().Target(), "/base/bkt?policy=");

  bench.transport.Add(404, ErrorBody("NoSuchBucketPolicy"));
  const Result<std::string> none = local.GetBucketPolicy(Bucket("bkt"), {});
  ASSERT_TRUE(none) << none.error().Text();
  EXPECT_EQ(*none, "");

  bench.transport.Add(404, ErrorBody("NoSuchBucket"));
  EXPECT_EQ(local.GetBucketPolicy(Bucket("bkt"), {}).error().kind, ErrorKind::kNotFound);

  // An empty answer is not "no policy": what is there would be replaced.
  bench.transport.Add(200, " \n");
  EXPECT_EQ(local.GetBucketPolicy(Bucket("bkt"), {}).error().kind, ErrorKind::kBadReply);

  bench.transport.Add(204, "");
  ASSERT_TRUE(local.PutBucketPolicy(Bucket("bkt"), "{}", {}));
  EXPECT_EQ(Sent().method, "PUT");
  EXPECT_EQ(Sent().Target(), "/base/bkt?policy=");
  EXPECT_EQ(Sent().body, "{}");
}

}  // namespace
}  // namespace tsm::s3
