#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_bench.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {
namespace {

using test::ClientBench;
using test::CustomEndpoint;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Page(const std::string& contents, const std::string& next_token,
                 const std::string& encoding = "<EncodingType>url</EncodingType>") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bkt</Name>"
         "<Prefix>dest%2F</Prefix><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys>" +
         encoding + "<IsTruncated>" + (next_token.empty() ? "false" : "true") + "</IsTruncated>" +
         contents +
         (next_token.empty()
              ? ""
              : "<NextContinuationToken>" + next_token + "</NextContinuationToken>") +
         "</ListBucketResult>";
}

std::string Object(const std::string& key, const std::string& size = "7") {
  return "<Contents><Key>" + key + "</Key><LastModified>2024-02-26T17:24:38.000Z</LastModified>" +
         "<ETag>&quot;9b2cf5&quot;</ETag><Size>" + size +
         "</Size><StorageClass>STANDARD</StorageClass></Contents>";
}

struct S3ListTest : ::testing::Test {
  ClientBench bench;
  BucketName bucket = *BucketName::Parse("bkt");
  S3Client client{bench.client, aws::EndpointResolver(CustomEndpoint("127.0.0.1:4566")),
                  "eu-west-1"};

  Result<ListPage> List(const std::string& reply) {
    bench.transport.Add(200, reply);
    return client.ListObjects(bucket, "dest/", "", {}, {});
  }
};

TEST_F(S3ListTest, AsksForOnePageOfVersion2WithEncodedKeys) {
  bench.transport.Add(200, Page("", ""));
  ASSERT_TRUE(client.ListObjects(
      bucket, "a=b/c d+",
      "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=", {.delimiter = "/", .max_keys = 5}, {}));
  const http::Request request = bench.transport.requests().back();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/bkt");
  EXPECT_EQ(request.Target(),
            "/bkt?list-type=2&encoding-type=url&max-keys=5&prefix=a%3Db%2Fc%20d%2B&delimiter=%2F"
            "&continuation-token=1ueGcxLPRx1Tr%2FXYExHnhbYLgveDs2J%2Fwm36Hy4vbOwM%3D");
}

TEST_F(S3ListTest, ReadsObjectsAndPrefixes) {
  const Result<ListPage> page = List(Page(
      Object("dest%2Fa+b%2Bc%2520%C3%BC%0A.csv", "5368709120") +
          "<CommonPrefixes><Prefix>dest%2Fpartition_date%3D2024-02-26%2F</Prefix></CommonPrefixes>",
      ""));
  ASSERT_TRUE(page) << page.error().Text();
  ASSERT_EQ(page->objects.size(), 1U);
  EXPECT_EQ(page->objects[0].key.str(), "dest/a b+c%20ü\n.csv");
  EXPECT_EQ(page->objects[0].size, 5'368'709'120U);
  EXPECT_EQ(page->objects[0].etag, "9b2cf5");
  EXPECT_EQ(page->objects[0].last_modified, "2024-02-26T17:24:38.000Z");
  EXPECT_THAT(page->common_prefixes, ElementsAre(ObjectKey("dest/partition_date=2024-02-26/")));
  EXPECT_EQ(page->next_token, "");
}

TEST_F(S3ListTest, KeysStayAsTheyAreWhereTheServerDoesNotEncode) {
  const Result<ListPage> page = List(Page(Object("a+b%20c &amp; d"), "", ""));
  ASSERT_TRUE(page) << page.error().Text();
  EXPECT_EQ(page->objects.at(0).key.str(), "a+b%20c & d");
}

TEST_F(S3ListTest, WalksEveryPageAndHandsOverTheToken) {
  bench.transport.Add(200, Page(Object("a"), "t+1/="));
  bench.transport.Add(200, Page("", "t2"));
  bench.transport.Add(200, Page(Object("b") + Object("c"), ""));
  std::vector<std::string> keys;
  ASSERT_TRUE(client.ForEachObject(
      bucket, "",
      [&](const ObjectSummary& object) { return keys.push_back(object.key.str()), true; }, {}));
  EXPECT_THAT(keys, ElementsAre("a", "b", "c"));
  const std::vector<http::Request> requests = bench.transport.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_THAT(requests[0].Target(), ::testing::Not(HasSubstr("continuation-token")));
  EXPECT_THAT(requests[1].Target(), HasSubstr("continuation-token=t%2B1%2F%3D"));
  EXPECT_THAT(requests[2].Target(), HasSubstr("continuation-token=t2"));
}

TEST_F(S3ListTest, StopsWhereTheVisitorSaysSo) {
  bench.transport.Add(200, Page(Object("a") + Object("b"), "more"));
  int seen = 0;
  ASSERT_TRUE(
      client.ForEachObject(bucket, "", [&](const ObjectSummary&) { return ++seen < 1; }, {}));
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(S3ListTest, AKeyCantForgeALineOfTheLog) {
  bench.transport.Add(403, "<Error><Code>AccessDenied</Code><Message>m</Message></Error>");
  const std::string key = std::string(1000, 'k') + "\nINFO all proven\x1B[2J";
  const Result<std::string> body = client.GetObject(bucket, ObjectKey(key), std::nullopt, {});
  ASSERT_FALSE(body);
  EXPECT_THAT(body.error().Text(), HasSubstr("kkk\\nINFO all proven\\x1b[2J: AccessDenied"));
}

TEST_F(S3ListTest, ATokenThatStandsStillEndsTheWalk) {
  bench.transport.Add(200, Page(Object("a"), "same"));
  bench.transport.Add(200, Page(Object("a"), "same"));
  const Status status =
      client.ForEachObject(bucket, "", [](const ObjectSummary&) { return true; }, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kBadReply);
}

TEST_F(S3ListTest, RefusesRepliesThatDoNotSayWhatTheyHold) {
  const std::vector<std::string> replies = {
      "<?xml version=\"1.0\"?><Foreign/>",
      "<html><body>Welcome</body></html>",
      Page(Object("", "7"), ""),
      Page(Object("a", "many"), ""),
      Page(Object("a", "-1"), ""),
      "<ListBucketResult>" + Object("a") + "</ListBucketResult>",
      "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
  };
  for (const std::string& reply : replies) {
    const Result<ListPage> page = List(reply);
    ASSERT_FALSE(page) << reply;
    EXPECT_EQ(page.error().kind, ErrorKind::kBadReply) << reply;
    EXPECT_THAT(page.error().Text(), HasSubstr("ListObjectsV2 s3://bkt/dest/"));
  }
}

TEST_F(S3ListTest, AnEmptyBodyIsNoEmptyListing) {
  bench.transport.SetHandler([](const http::Request&) -> Result<http::Response> {
    return http::Response{.status = 200, .headers = {}, .body = ""};
  });
  EXPECT_FALSE(client.ListObjects(bucket, "", "", {}, {}));
}

}  // namespace
}  // namespace tsm::s3
