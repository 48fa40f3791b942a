// Deleting objects, and finding and aborting multipart uploads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_bench.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {
namespace {

using test::ClientBench;
using test::CustomEndpoint;
using test::Header;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kAllDeleted[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></DeleteResult>";

std::string ErrorBody(const std::string& code) {
  return "<Error><Code>" + code + "</Code><Message>text of " + code + "</Message></Error>";
}

std::string Refused(const std::string& key, const std::string& code) {
  return "<Error><Key>" + key + "</Key><Code>" + code + "</Code><Message>text of " + code +
         "</Message></Error>";
}

std::string Upload(const std::string& key, const std::string& id) {
  return "<Upload><Key>" + key + "</Key><UploadId>" + id +
         "</UploadId><Initiator><ID>arn</ID></Initiator><StorageClass>STANDARD</StorageClass>"
         "<Initiated>2024-02-26T17:24:38.000Z</Initiated></Upload>";
}

std::string UploadPage(const std::string& uploads, const std::string& next_key = "",
                       const std::string& next_id = "") {
  const std::string next = "<NextKeyMarker>" + next_key + "</NextKeyMarker><NextUploadIdMarker>" +
                           next_id + "</NextUploadIdMarker>";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListMultipartUploadsResult "
         "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>bkt</Bucket><KeyMarker/>"
         "<UploadIdMarker/>" +
         (next_key.empty() ? "" : next) +
         "<EncodingType>url</EncodingType><MaxUploads>1000</MaxUploads><IsTruncated>" +
         (next_key.empty() ? "false" : "true") + "</IsTruncated>" + uploads +
         "</ListMultipartUploadsResult>";
}

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

struct S3CleanupTest : ::testing::Test {
  ClientBench bench;
  BucketName bucket = *BucketName::Parse("bkt");
  S3Client client{bench.client, aws::EndpointResolver(CustomEndpoint("127.0.0.1:4566")),
                  "eu-west-1"};
  http::Request Sent() { return bench.transport.requests().back(); }

  Result<std::vector<std::string>> Uploads(const std::string& prefix = "") {
    std::vector<std::string> found;
    const Status status =
        client.ForEachMultipartUpload(bucket, prefix,
                                      [&](const MultipartUpload& upload) {
                                        found.push_back(upload.key.str() + "|" + upload.upload_id);
                                        return true;
                                      },
                                      {});
    if (!status) return status.error();
    return found;
  }
};

TEST_F(S3CleanupTest, DeleteObject) {
  bench.transport.Add(204, "");
  ASSERT_TRUE(client.DeleteObject(bucket, ObjectKey("a b"), {}));
  EXPECT_EQ(Sent().method, "DELETE");
  EXPECT_EQ(Sent().Target(), "/bkt/a%20b");
  EXPECT_EQ(Header(Sent(), "if-match"), "");

  bench.transport.Add(204, "");
  ASSERT_TRUE(client.DeleteObject(bucket, ObjectKey("k"), {.if_match = "e1"}, {}));
  EXPECT_EQ(Header(Sent(), "if-match"), "\"e1\"");
  bench.transport.Add(412, ErrorBody("PreconditionFailed"));
  EXPECT_EQ(client.DeleteObject(bucket, ObjectKey("k"), {.if_match = "e1"}, {}).error().kind,
            ErrorKind::kInTheWay);
}

TEST_F(S3CleanupTest, DeleteObjectsSendsEscapedKeysAndTheirChecksum) {
  bench.transport.Add(200, kAllDeleted);
  const auto failures =
      client.DeleteObjects(bucket, {ObjectKey("a&<b>\"' /ü+%20"), ObjectKey("tab\tlf\ncr\r")}, {});
  ASSERT_TRUE(failures) << failures.error().Text();
  EXPECT_TRUE(failures->empty());
  EXPECT_EQ(Sent().method, "POST");
  EXPECT_EQ(Sent().Target(), "/bkt?delete=");
  EXPECT_EQ(Sent().body,
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Object><Key>a&amp;&lt;b&gt;&quot;&apos; /ü+%20</Key></Object>"
            "<Object><Key>tab&#9;lf&#10;cr&#13;</Key></Object>"
            "<Quiet>true</Quiet></Delete>");
  // Python's base64 of hashlib's SHA-256 of these bytes.
  EXPECT_EQ(Header(Sent(), "x-amz-checksum-sha256"),
            "ZiuBEiph/9QVKK3inHNBVkpMEJkGWiBvFOBiUgXq4BY=");
  EXPECT_THAT(Header(Sent(), "authorization"), HasSubstr("x-amz-checksum-sha256;"));
}

TEST_F(S3CleanupTest, DeleteObjectsGoesInCallsOfAThousand) {
  std::vector<ObjectKey> keys;
  keys.reserve(2001);
  for (int i = 0; i < 2001; ++i) keys.emplace_back("k" + std::to_string(i));
  for (int i = 0; i < 3; ++i) bench.transport.Add(200, kAllDeleted);
  ASSERT_TRUE(client.DeleteObjects(bucket, keys, {}));
  const std::vector<http::Request> requests = bench.transport.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(Count(requests[0].body, "<Key>"), 1000U);
  EXPECT_EQ(Count(requests[1].body, "<Key>"), 1000U);
  EXPECT_THAT(requests[2].body, HasSubstr("<Object><Key>k2000</Key></Object><Quiet>"));
  EXPECT_EQ(Count(requests[2].body, "<Key>"), 1U);

  // Exactly full is one call, and nothing none.
  keys.resize(1000);
  bench.transport.Add(200, kAllDeleted);
  ASSERT_TRUE(client.DeleteObjects(bucket, keys, {}));
  ASSERT_TRUE(client.DeleteObjects(bucket, {}, {}));
  EXPECT_EQ(bench.transport.requests().size(), 4U);
}

TEST_F(S3CleanupTest, WhatWasRefusedInsideA200IsToldPerKey) {
  std::vector<ObjectKey> keys;
  keys.reserve(1001);
  for (int i = 0; i < 1001; ++i) keys.emplace_back("k" + std::to_string(i));
  bench.transport.Add(200, "<DeleteResult>" + Refused("k&amp;1&#13;", "AccessDenied") +
                               "<Deleted><Key>k5</Key></Deleted>" + Refused("k2", "InternalError") +
                               "</DeleteResult>");
  bench.transport.Add(200, "<DeleteResult>" + Refused("k1000", "NewCode") + "</DeleteResult>");
  const auto failures = client.DeleteObjects(bucket, keys, {});
  ASSERT_TRUE(failures) << failures.error().Text();
  ASSERT_EQ(failures->size(), 3U);
  EXPECT_EQ(failures->at(0).key.str(), "k&1\r");
  EXPECT_EQ(failures->at(0).kind, ErrorKind::kAccessDenied);
  EXPECT_EQ(failures->at(0).code, "AccessDenied");
  EXPECT_EQ(failures->at(0).message, "text of AccessDenied");
  EXPECT_EQ(failures->at(1).kind, ErrorKind::kTransient);
  EXPECT_EQ(failures->at(2).key.str(), "k1000");
  EXPECT_EQ(failures->at(2).kind, ErrorKind::kService);
}

TEST_F(S3CleanupTest, AFailingBatchIsRepeatedThenAnError) {
  bench.transport.Add(503, ErrorBody("SlowDown"));
  bench.transport.Add(200, ErrorBody("InternalError"));
  bench.transport.Add(200, kAllDeleted);
  ASSERT_TRUE(client.DeleteObjects(bucket, {ObjectKey("k")}, {}));
  EXPECT_EQ(bench.transport.requests().size(), 3U);

  // An empty answer is no "all deleted".
  for (int i = 0; i < 3; ++i) bench.transport.Add(200, "");
  const Error error = client.DeleteObjects(bucket, {ObjectKey("k")}, {}).error();
  EXPECT_EQ(error.kind, ErrorKind::kTransient);
  EXPECT_THAT(error.Text(), HasSubstr("DeleteObjects s3://bkt"));

  for (const char* reply :
       {"<Foreign/>", "<DeleteResult><Error><Key>k</Key></Error></DeleteResult>",
        "<DeleteResult><Error><Code>c</Code></Error></DeleteResult>"}) {
    bench.transport.Add(200, reply);
    EXPECT_EQ(client.DeleteObjects(bucket, {ObjectKey("k")}, {}).error().kind, ErrorKind::kBadReply)
        << reply;
  }
}

TEST_F(S3CleanupTest, KeysThatXmlCannotCarryGoAlone) {
  const std::vector<std::pair<std::string, std::string>> alone = {
      {"bell\x07", "/bkt/bell%07"},
      {"ffff\xEF\xBF\xBF", "/bkt/ffff%EF%BF%BF"},
      {"cut\xC3", "/bkt/cut%C3"},
      {"overlong\xC0\xAF", "/bkt/overlong%C0%AF"},
      {"overlong\xE0\x80\xAF", "/bkt/overlong%E0%80%AF"},
      {"surrogate\xED\xA0\x80", "/bkt/surrogate%ED%A0%80"},
      {"beyond\xF4\x90\x80\x80", "/bkt/beyond%F4%90%80%80"},
  };
  for (const auto& [key, target] : alone) {
    bench.transport.Add(204, "");
    bench.transport.Add(200, kAllDeleted);
    const std::size_t before = bench.transport.requests().size();
    ASSERT_TRUE(client.DeleteObjects(
        bucket, {ObjectKey("\xC2\x80 \xEF\xBF\xBD \xF4\x8F\xBF\xBD"), ObjectKey(key)}, {}));
    const std::vector<http::Request> requests = bench.transport.requests();
    ASSERT_EQ(requests.size(), before + 2) << key;
    EXPECT_EQ(requests[before].method, "DELETE");
    EXPECT_EQ(requests[before].Target(), target);
    EXPECT_EQ(Count(requests[before + 1].body, "<Key>"), 1U);
  }

  bench.transport.Add(403, ErrorBody("AccessDenied"));
  const auto failures = client.DeleteObjects(bucket, {ObjectKey("\x01")}, {});
  ASSERT_TRUE(failures) << failures.error().Text();
  ASSERT_EQ(failures->size(), 1U);
  EXPECT_EQ(failures->at(0).key.str(), "\x01");
  EXPECT_EQ(failures->at(0).code, "AccessDenied");
  bench.transport.Add(404, ErrorBody("NoSuchBucket"));
  EXPECT_EQ(client.DeleteObjects(bucket, {ObjectKey("\x01")}, {}).error().kind,
            ErrorKind::kNotFound);
}

TEST_F(S3CleanupTest, NothingIsDeletedWhereOneKeyIsNone) {
  EXPECT_EQ(client.DeleteObjects(bucket, {ObjectKey("k"), ObjectKey("")}, {}).error().kind,
            ErrorKind::kInvalidInput);
  EXPECT_EQ(client.DeleteObjects(bucket, {ObjectKey("k"), ObjectKey(std::string(1025, 'k'))}, {})
                .error()
                .kind,
            ErrorKind::kInvalidInput);
  EXPECT_TRUE(bench.transport.requests().empty());
}

TEST_F(S3CleanupTest, UploadsAreListedPageByPage) {
  bench.transport.Add(
      200, UploadPage(Upload("a%2Fb+c%2B%C3%BC%0A", "id1") + Upload("b", "id2"), "b+%25", "id/2"));
  bench.transport.Add(200, UploadPage(Upload("c", "id3"), "c"));
  bench.transport.Add(200, UploadPage(""));
  const auto found = Uploads("a=b/");
  ASSERT_TRUE(found) << found.error().Text();
  EXPECT_THAT(*found, ElementsAre("a/b c+ü\n|id1", "b|id2", "c|id3"));
  const std::vector<http::Request> requests = bench.transport.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].method, "GET");
  EXPECT_EQ(requests[0].Target(), "/bkt?uploads=&encoding-type=url&prefix=a%3Db%2F");
  EXPECT_EQ(requests[1].Target(),
            "/bkt?uploads=&encoding-type=url&prefix=a%3Db%2F&key-marker=b%20%25"
            "&upload-id-marker=id%2F2");
  // Without an id the next page starts after every upload of the key.
  EXPECT_EQ(requests[2].Target(), "/bkt?uploads=&encoding-type=url&prefix=a%3Db%2F&key-marker=c");
}

TEST_F(S3CleanupTest, AListingOfUploadsEndsWhereTheVisitorSaysSo) {
  bench.transport.Add(200, UploadPage(Upload("a", "1") + Upload("b", "2"), "b", "2"));
  int seen = 0;
  MultipartUpload first;
  ASSERT_TRUE(client.ForEachMultipartUpload(bucket, "",
                                            [&](const MultipartUpload& upload) {
                                              first = upload;
                                              return ++seen < 1;
                                            },
                                            {}));
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(first.initiated, "2024-02-26T17:24:38.000Z");
  EXPECT_EQ(bench.transport.requests().size(), 1U);
  EXPECT_THAT(Sent().Target(), Not(HasSubstr("prefix")));
}

TEST_F(S3CleanupTest, ListingsOfUploadsThatDoNotSayWhatTheyHoldAreRefused) {
  for (const std::string& reply :
       {std::string("<ListBucketResult/>"), UploadPage(Upload("", "1")),
        UploadPage(Upload("a", "")), std::string("<ListMultipartUploadsResult/>"),
        std::string("<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>"
                    "</ListMultipartUploadsResult>")}) {
    bench.transport.Add(200, reply);
    const auto found = Uploads();
    ASSERT_FALSE(found) << reply;
    EXPECT_EQ(found.error().kind, ErrorKind::kBadReply) << reply;
    EXPECT_THAT(found.error().Text(), HasSubstr("ListMultipartUploads s3://bkt"));
  }
  bench.transport.Add(200, UploadPage("", "a", "1"));
  bench.transport.Add(200, UploadPage("", "a", "1"));
  EXPECT_EQ(Uploads().error().kind, ErrorKind::kBadReply);
}

TEST_F(S3CleanupTest, AbortMultipartUpload) {
  bench.transport.Add(204, "");
  ASSERT_TRUE(client.AbortMultipartUpload(bucket, ObjectKey("a b"), "id+/=", {}));
  EXPECT_EQ(Sent().method, "DELETE");
  EXPECT_EQ(Sent().Target(), "/bkt/a%20b?uploadId=id%2B%2F%3D");

  bench.transport.Add(404, ErrorBody("NoSuchUpload"));
  EXPECT_TRUE(client.AbortMultipartUpload(bucket, ObjectKey("k"), "gone", {}));
  bench.transport.Add(404, ErrorBody("NoSuchBucket"));
  EXPECT_EQ(client.AbortMultipartUpload(bucket, ObjectKey("k"), "id", {}).error().kind,
            ErrorKind::kNotFound);
}

TEST_F(S3CleanupTest, AnAbortWithoutAnIdWouldDeleteTheObject) {
  EXPECT_EQ(client.AbortMultipartUpload(bucket, ObjectKey("k"), "", {}).error().kind,
            ErrorKind::kInvalidInput);
  EXPECT_TRUE(bench.transport.requests().empty());
}

}  // namespace
}  // namespace tsm::s3
