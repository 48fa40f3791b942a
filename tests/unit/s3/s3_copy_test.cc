// Multipart uploads, conditional reads and what goes with copies: on the wire and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_bench.h"
#include "tsm/aws/signer.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {
namespace {

using test::ClientBench;
using test::CustomEndpoint;
using test::Header;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kXml[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

std::string Document(const std::string& root, const std::string& inside) {
  return kXml + ("<" + root) + " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + inside +
         "</" + root + ">";
}

std::string ETag(const std::string& etag) { return "<ETag>&quot;" + etag + "&quot;</ETag>"; }

std::string ErrorBody(const std::string& code) {
  return kXml + ("<Error><Code>" + code) + "</Code><Message>text of " + code + "</Message></Error>";
}

struct S3CopyTest : ::testing::Test {
  ClientBench bench;
  S3Client client{bench.client, aws::EndpointResolver(CustomEndpoint("127.0.0.1:4566")),
                  "eu-west-1"};
  BucketName source = *BucketName::Parse("src");
  BucketName bucket = *BucketName::Parse("dst");
  ObjectKey key{"a=1/b"};
  http::Request Sent() { return bench.transport.requests().back(); }
  std::size_t Calls() { return bench.transport.requests().size(); }

  Result<CopyResult> Complete(std::chrono::nanoseconds age = std::chrono::minutes(5)) {
    return client.CompleteMultipartUpload(bucket, key, "id/1+", {"e1", "e2"},
                                          {.size = 77, .age = age}, {});
  }
};

TEST_F(S3CopyTest, ACopySaysHowItIsKeptAndHowItWas) {
  bench.transport.Add(200, Document("CopyObjectResult", ETag("e")),
                      {{"x-amz-server-side-encryption", "aws:kms"}});
  CopyOptions options;
  options.storage = {
      .encryption = "aws:kms", .kms_key_id = "k1", .bucket_owner_full_control = true};
  const Result<CopyResult> copy = client.CopyObject(source, key, bucket, key, options, {});
  ASSERT_TRUE(copy) << copy.error().Text();
  EXPECT_EQ(copy->encryption, "aws:kms");
  EXPECT_EQ(Header(Sent(), "x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(Header(Sent(), "x-amz-server-side-encryption-aws-kms-key-id"), "k1");
  EXPECT_EQ(Header(Sent(), "x-amz-acl"), "bucket-owner-full-control");
  EXPECT_EQ(Header(Sent(), "x-amz-metadata-directive"), "");
}

TEST_F(S3CopyTest, AThrottledCallIsLeftToACallerWithAPaceOfItsOwn) {
  bench.transport.Add(503, ErrorBody("SlowDown"));
  CopyOptions options;
  options.repeat_throttled = false;
  const Result<CopyResult> copy = client.CopyObject(source, key, bucket, key, options, {});
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(copy.error().attempts, 1);
  EXPECT_EQ(Calls(), 1U);

  // Other failures that pass are still repeated.
  bench.transport.Add(500, ErrorBody("InternalError"));
  bench.transport.Add(200, Document("CopyObjectResult", ETag("e")));
  EXPECT_TRUE(client.CopyObject(source, key, bucket, key, options, {}));
}

TEST_F(S3CopyTest, AReadGivesMetadataAsACopyWouldSendIt) {
  bench.transport.Add(206, "ell",
                      {{"ETag", "\"e\""},
                       {"Content-Type", "text/csv"},
                       {"Content-Encoding", "gzip"},
                       {"X-Amz-Meta-Origin", "unload"},
                       {"x-amz-server-side-encryption", "AES256"},
                       {"x-amz-request-id", "R"}});
  const Result<ObjectContent> content = client.GetObjectContent(
      bucket, key, {.range = ByteRange{.first = 1, .last = 3}, .if_match = "e"}, {});
  ASSERT_TRUE(content) << content.error().Text();
  EXPECT_EQ(Header(Sent(), "range"), "bytes=1-3");
  EXPECT_EQ(Header(Sent(), "if-match"), "\"e\"");
  EXPECT_EQ(content->body, "ell");
  EXPECT_EQ(content->head.size, 3U);
  EXPECT_EQ(content->head.encryption, "AES256");
  EXPECT_EQ(content->head.metadata,
            (http::Headers{{"content-encoding", "gzip"}, {"x-amz-meta-origin", "unload"}}));
}

TEST_F(S3CopyTest, AReadOfAChangedObjectIsRefused) {
  bench.transport.Add(412, ErrorBody("PreconditionFailed"));
  const Result<ObjectContent> content =
      client.GetObjectContent(bucket, key, {.range = {}, .if_match = "e"}, {});
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().kind, ErrorKind::kValidation);
  EXPECT_THAT(content.error().Text(), HasSubstr("no longer what was listed (ETag e)"));
}

TEST_F(S3CopyTest, ALargeBodyIsSentAsItStands) {
  bench.transport.Add(200, "", {{"ETag", "\"e\""}, {"x-amz-server-side-encryption", "AES256"}});
  const auto body = std::make_shared<const std::string>(1000, 'x');
  PutOptions options;
  options.content_type = "text/csv";
  options.metadata = {{"x-amz-meta-origin", "unload"}};
  options.storage.encryption = "AES256";
  const Result<CopyResult> put = client.PutObject(bucket, key, body, options, {});
  ASSERT_TRUE(put) << put.error().Text();
  EXPECT_EQ(put->etag, "e");
  EXPECT_EQ(put->encryption, "AES256");
  EXPECT_EQ(Sent().Body(), *body);
  EXPECT_EQ(Sent().Body().data(), body->data());  // not a copy of it
  EXPECT_EQ(Header(Sent(), "x-amz-content-sha256"), aws::Sha256Hex(*body));
  EXPECT_EQ(Header(Sent(), "content-type"), "text/csv");
  EXPECT_EQ(Header(Sent(), "x-amz-meta-origin"), "unload");
  EXPECT_EQ(Header(Sent(), "x-amz-server-side-encryption"), "AES256");
}

TEST_F(S3CopyTest, AnUploadIsCreatedWithWhatTheObjectWillHave) {
  bench.transport.Add(200, Document("InitiateMultipartUploadResult", "<UploadId>id/1+</UploadId>"));
  const Result<std::string> id = client.CreateMultipartUpload(
      bucket, key,
      {.content_type = "text/csv",
       .metadata = {{"x-amz-meta-origin", "unload"}},
       .storage = {.encryption = "aws:kms", .bucket_owner_full_control = true}},
      {});
  ASSERT_TRUE(id) << id.error().Text();
  EXPECT_EQ(*id, "id/1+");
  EXPECT_EQ(Sent().method, "POST");
  EXPECT_EQ(Sent().Target(), "/dst/a%3D1/b?uploads=");
  EXPECT_EQ(Header(Sent(), "content-type"), "text/csv");
  EXPECT_EQ(Header(Sent(), "x-amz-meta-origin"), "unload");
  EXPECT_EQ(Header(Sent(), "x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(Header(Sent(), "x-amz-acl"), "bucket-owner-full-control");

  bench.transport.Add(200, Document("InitiateMultipartUploadResult", ""));
  EXPECT_EQ(client.CreateMultipartUpload(bucket, key, {}, {}).error().kind, ErrorKind::kBadReply);
}

TEST_F(S3CopyTest, APartIsCopiedByItsRange) {
  bench.transport.Add(200, Document("CopyPartResult", ETag("p7")));
  const Result<std::string> etag = client.UploadPartCopy(
      {.bucket = source, .key = key, .etag = "e", .range = {.first = 100, .last = 299}}, bucket,
      {.key = key, .upload_id = "id/1+", .number = 7}, {});
  ASSERT_TRUE(etag) << etag.error().Text();
  EXPECT_EQ(*etag, "p7");
  EXPECT_EQ(Sent().method, "PUT");
  EXPECT_EQ(Sent().Target(), "/dst/a%3D1/b?partNumber=7&uploadId=id%2F1%2B");
  EXPECT_EQ(Header(Sent(), "x-amz-copy-source"), "/src/a%3D1/b");
  EXPECT_EQ(Header(Sent(), "x-amz-copy-source-range"), "bytes=100-299");
  EXPECT_EQ(Header(Sent(), "x-amz-copy-source-if-match"), "\"e\"");
}

TEST_F(S3CopyTest, AnErrorInsideA200OfAPartIsRepeated) {
  bench.transport.Add(200, "\n" + ErrorBody("InternalError"));
  bench.transport.Add(200, "\n" + Document("CopyPartResult", ETag("p")));
  const Result<std::string> etag =
      client.UploadPartCopy({.bucket = source, .key = key, .etag = "", .range = {}}, bucket,
                            {.key = key, .upload_id = "i", .number = 1}, {});
  ASSERT_TRUE(etag) << etag.error().Text();
  EXPECT_EQ(Calls(), 2U);
}

TEST_F(S3CopyTest, APartOfAChangedSourceOrALostUploadIsRefused) {
  const PartPlace place{.key = key, .upload_id = "i", .number = 1};
  const PartSource part{.bucket = source, .key = key, .etag = "e", .range = {}};
  bench.transport.Add(412, ErrorBody("PreconditionFailed"));
  EXPECT_EQ(client.UploadPartCopy(part, bucket, place, {}).error().kind, ErrorKind::kValidation);
  bench.transport.Add(404, ErrorBody("NoSuchUpload"));
  EXPECT_EQ(client.UploadPartCopy(part, bucket, place, {}).error().code, "NoSuchUpload");
}

TEST_F(S3CopyTest, APartIsUploadedAndMustHaveAnETag) {
  const auto body = std::make_shared<const std::string>("part");
  const PartPlace place{.key = key, .upload_id = "i", .number = 2};
  bench.transport.Add(200, "", {{"ETag", "\"p2\""}});
  const Result<std::string> etag = client.UploadPart(bucket, place, body, {});
  ASSERT_TRUE(etag) << etag.error().Text();
  EXPECT_EQ(*etag, "p2");
  EXPECT_EQ(Sent().Body(), "part");
  EXPECT_EQ(Sent().Target(), "/dst/a%3D1/b?partNumber=2&uploadId=i");

  bench.transport.Add(200, "");
  EXPECT_EQ(client.UploadPart(bucket, place, body, {}).error().kind, ErrorKind::kBadReply);
  EXPECT_EQ(
      client.UploadPart(bucket, {.key = key, .upload_id = "", .number = 2}, body, {}).error().kind,
      ErrorKind::kInvalidInput);
  EXPECT_EQ(Calls(), 2U);
}

TEST_F(S3CopyTest, ACompletionNamesAllParts) {
  bench.transport.Add(200, " \n " + Document("CompleteMultipartUploadResult", ETag("whole-2")));
  const Result<CopyResult> done = Complete();
  ASSERT_TRUE(done) << done.error().Text();
  EXPECT_EQ(done->etag, "whole-2");
  EXPECT_EQ(Sent().method, "POST");
  EXPECT_EQ(Sent().Target(), "/dst/a%3D1/b?uploadId=id%2F1%2B");
  EXPECT_THAT(Sent().body,
              HasSubstr("<Part><PartNumber>1</PartNumber><ETag>&quot;e1&quot;</ETag></Part>"
                        "<Part><PartNumber>2</PartNumber><ETag>&quot;e2&quot;</ETag></Part>"));
}

TEST_F(S3CopyTest, AnErrorBehindBlanksInA200OfACompletionIsFollowed) {
  bench.transport.Add(200, "   " + ErrorBody("InternalError"));
  bench.transport.Add(200, Document("CompleteMultipartUploadResult", ETag("whole-2")));
  EXPECT_TRUE(Complete());
  for (int i = 0; i < 3; ++i) bench.transport.Add(200, "   " + ErrorBody("InternalError"));
  EXPECT_EQ(Complete().error().code, "InternalError");
}

TEST_F(S3CopyTest, ACompletionWhoseAnswerWasLostIsLookedFor) {
  const auto there = [](const std::string& etag, const std::string& size,
                        const std::string& modified) {
    return http::Headers{{"Content-Length", size},
                         {"ETag", "\"" + etag + "\""},
                         {"Last-Modified", modified},
                         {"Date", "Mon, 26 Feb 2024 17:24:38 GMT"}};
  };
  const std::string now = "Mon, 26 Feb 2024 17:24:30 GMT";
  struct Case {
    http::Headers headers;
    bool success;
  };
  const std::vector<Case> cases = {
      {there("whole-2", "77", now), true},
      {there("whole-2", "78", now), false},
      {there("whole-3", "77", now), false},
      {there("whole-2", "77", "Mon, 26 Feb 2024 17:00:00 GMT"), false},  // older than the upload
      {there("whole-2", "77", "long ago"), false},
  };
  for (const Case& look : cases) {
    bench.transport.Add(MakeError(ErrorKind::kTransient, "connection reset"));
    bench.transport.Add(404, ErrorBody("NoSuchUpload"));
    bench.transport.Add(200, "", look.headers);
    const Result<CopyResult> done = Complete();
    EXPECT_EQ(done.has_value(), look.success) << look.headers[1].second;
    if (!done) {
      EXPECT_EQ(done.error().code, "NoSuchUpload");
    }
    EXPECT_EQ(bench.transport.remaining(), 0U);
  }
  bench.transport.Add(404, ErrorBody("NoSuchUpload"));
  bench.transport.Add(404, "");
  EXPECT_EQ(Complete().error().code, "NoSuchUpload");
}

}  // namespace
}  // namespace tsm::s3
