// The client of a foreign S3 over a real socket: against ts-local's own S3 behind its verifier, and
// against servers that fail in ways of their own.

#include "ts_local/foreign_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <filesystem>
#include <mutex>
#include <thread>

#include "apps/ts_local/scratch_dir.h"
#include "ts_local/dispatcher.h"
#include "ts_local/multipart_store.h"
#include "ts_local/object_store.h"
#include "ts_local/server.h"

namespace ts_local {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kNowMs = 1'790'000'000'000;
const AccessKey kKey{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
const StoragePlace kPlace{"us-east-1", "bucket"};

// Serves `handler` on a free port while it lives.
class Serving {
 public:
  explicit Serving(HttpServer::Handler handler) : server_(std::move(handler)) {
    port_ = server_.Bind("127.0.0.1", 0);
    thread_ = std::thread([this] { server_.Run(); });
  }
  ~Serving() {
    server_.Stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  HttpServer server_;
  int port_ = 0;
  std::thread thread_;
};

S3Client ClientOf(const std::string& url, AccessKey key = kKey, S3Client::Pause pause = {}) {
  return {std::get<S3Endpoint>(ParseS3Endpoint(url)), std::move(key), [] { return kNowMs; },
          std::move(pause)};
}

std::string FailureOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const ApiError& error) {
    return std::to_string(error.status()) + " " + error.code() + ": " + error.what();
  }
  return "none";
}

std::size_t FilesIn(const std::string& dir) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(dir), {}));
}

class ForeignStorageTest : public ::testing::Test {
 protected:
  ForeignStorageTest() {
    objects_.CreateBucket("bucket", "us-east-1");
    objects_.CreateBucket("abroad", "eu-west-1");
  }
  std::vector<std::string> KeysBelow(const std::string& prefix, std::size_t limit = 1000) const {
    std::vector<std::string> keys;
    for (const StoredObject& object : foreign_.ListBelow(kPlace, prefix, limit)) {
      keys.push_back(object.key);
    }
    return keys;
  }

  ScratchDir far_;
  ScratchDir near_;
  ObjectStore objects_{far_.path()};
  MultipartStore uploads_{far_.path()};
  S3Service s3_{objects_, uploads_};
  TableStore tables_{far_.path(), [] { return kNowMs * 1'000'000; }};
  QueryService query_{tables_, objects_, [] { return kNowMs * 1'000'000; }};
  WriteService write_{tables_, objects_, [] { return kNowMs * 1'000'000; }};
  SnsService sns_{far_.path(), [] { return kNowMs; }};
  SessionStore sessions_{far_.path(), std::nullopt, [] { return kNowMs; }};
  StsService sts_{"123456789012", sessions_};
  SigV4Verifier verifier_{{kKey}, "123456789012", [] { return kNowMs; }};
  Dispatcher dispatcher_{verifier_, {&s3_, query_, write_, sns_, sts_, ""}, [] { return kNowMs; }};
  Serving serving_{[this](Request& request) { return dispatcher_.Handle(request); }};
  ForeignStorage foreign_{near_.path(), ClientOf(serving_.url())};
};

TEST_F(ForeignStorageTest, OddKeysArriveAsTheyAre) {
  for (const std::string key :
       {"plain", "part=1/x", "a+b", "a%20b", "a b", " lead", "ü/日本", "a//b", "../x", "./y/.",
        "/lead", "q?a=1&b#c", "til~de_(1)'*!", "c:d;e@f"}) {
    PutWhole(foreign_, kPlace, key, "bytes of " + key, {"text/csv", "AES256", ""});
    const ObjectInfo stored = objects_.Get("bucket", key);
    EXPECT_EQ(objects_.Read(stored), "bytes of " + key);
    EXPECT_EQ(stored.content_type, "text/csv");
    const auto found = foreign_.FindObject(kPlace, key);
    ASSERT_TRUE(found) << key;
    EXPECT_EQ(found->etag, stored.etag);
    EXPECT_EQ(ReadWhole(foreign_, kPlace, *found), "bytes of " + key);
    EXPECT_THAT(KeysBelow(key), ElementsAre(key));
    objects_.Delete("bucket", key);
  }
}

TEST_F(ForeignStorageTest, ALargeFileGoesAndComesInPieces) {
  std::string bytes;
  while (bytes.size() < (20U << 20U)) bytes += std::to_string(bytes.size()) + ",";
  const auto upload = foreign_.StartUpload(kPlace, "large", {});
  for (std::size_t at = 0; at < bytes.size(); at += 70'000) {
    upload->Append(std::string_view(bytes).substr(at, 70'000));
  }
  EXPECT_FALSE(objects_.Find("bucket", "large")) << "visible before its end";
  upload->Commit();
  const auto found = foreign_.FindObject(kPlace, "large");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size, bytes.size());
  EXPECT_TRUE(ReadWhole(foreign_, kPlace, *found) == bytes);
}

TEST_F(ForeignStorageTest, AnUploadThatIsDroppedLeavesNothing) {
  auto upload = foreign_.StartUpload(kPlace, "k", {});
  upload->Append(std::string(100'000, 'x'));
  EXPECT_EQ(FilesIn(near_.path() + "/spool"), 0u) << "what waits has a name that a crash leaves";
  upload.reset();
  EXPECT_FALSE(objects_.Find("bucket", "k"));
}

TEST_F(ForeignStorageTest, AMultipartUploadThatNobodyCompletes) {
  foreign_.StartMultipart(kPlace, "u/a b.csv", {"text/csv", "AES256", ""});
  const auto uploads = uploads_.List("bucket", "u/", "", "", 10);
  ASSERT_EQ(uploads.size(), 1u);
  EXPECT_EQ(uploads[0].key, "u/a b.csv");
  EXPECT_EQ(uploads[0].attributes.content_type, "text/csv");
  EXPECT_THROW(foreign_.StartMultipart({"us-east-1", "absent"}, "k", {}), ApiError);
}

TEST_F(ForeignStorageTest, AnEmptyObject) {
  PutWhole(foreign_, kPlace, "empty", "", {});
  const auto found = foreign_.FindObject(kPlace, "empty");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size, 0u);
  EXPECT_EQ(ReadWhole(foreign_, kPlace, *found), "");
}

TEST_F(ForeignStorageTest, BucketsAndTheirRegions) {
  EXPECT_EQ(foreign_.RegionOf(kPlace), "us-east-1");
  EXPECT_EQ(foreign_.RegionOf({"us-east-1", "abroad"}), "eu-west-1");
  EXPECT_EQ(foreign_.RegionOf({"us-east-1", "nowhere"}), std::nullopt);
}

TEST_F(ForeignStorageTest, WhatIsRefusedIsNamed) {
  EXPECT_FALSE(foreign_.FindObject(kPlace, "absent"));
  const StoragePlace nowhere{"us-east-1", "nowhere"};
  const std::string put = FailureOf([&] { PutWhole(foreign_, nowhere, "k", "x", {}); });
  EXPECT_THAT(put, HasSubstr("404 NoSuchBucket: PutObject on s3://nowhere/k at http://127.0.0.1:"));
  EXPECT_THAT(FailureOf([&] { foreign_.ListBelow(nowhere, "", 10); }), HasSubstr("NoSuchBucket"));
  objects_.Put("bucket", "shut", "x");
  objects_.SetPolicy("bucket", R"({"Statement": [{"Effect": "Deny", "Principal": "*",
      "Action": "s3:*Object", "Resource": "arn:aws:s3:::bucket/shut"}]})");
  EXPECT_THAT(FailureOf([&] { PutWhole(foreign_, kPlace, "shut", "x", {}); }),
              HasSubstr("403 AccessDenied"));
  EXPECT_THAT(FailureOf([&] { (void)foreign_.FindObject(kPlace, "shut"); }),
              HasSubstr("403 AccessDenied: HeadObject"));
}

TEST_F(ForeignStorageTest, AWrongSecretIsDeniedAndNotTold) {
  const AccessKey wrong{kKey.id, "wrong-secret"};
  const ForeignStorage storage(near_.path(), ClientOf(serving_.url(), wrong));
  const std::string failure = FailureOf([&] { (void)storage.RegionOf(kPlace); });
  EXPECT_THAT(failure, HasSubstr("403 SignatureDoesNotMatch: GetBucketLocation"));
  EXPECT_THAT(failure, Not(HasSubstr("wrong-secret")));
}

TEST_F(ForeignStorageTest, AFileReplacedWhileItIsReadEndsTheReading) {
  objects_.Put("bucket", "k", std::string(10U << 20U, 'a'));
  const auto found = foreign_.FindObject(kPlace, "k");
  const auto download = foreign_.StartDownload(kPlace, *found);
  std::string buffer(8U << 20U, '\0');
  ASSERT_EQ(download->Read(buffer.data(), buffer.size()), buffer.size());
  objects_.Put("bucket", "k", std::string(10U << 20U, 'b'));
  EXPECT_THAT(FailureOf([&] { download->Read(buffer.data(), 1); }),
              HasSubstr("412 PreconditionFailed: GetObject"));
}

TEST_F(ForeignStorageTest, TooLargeForOnePut) {
  // Address space without memory: the size alone is looked at.
  const std::size_t size = (5ULL << 30U) + 1;
  void* bytes =
      ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(bytes, MAP_FAILED);
  const auto upload = foreign_.StartUpload(kPlace, "k", {});
  EXPECT_THAT(FailureOf([&] {
                upload->Append({static_cast<const char*>(bytes), size});
              }),
              HasSubstr("400 EntityTooLarge: s3://bucket/k: "));
  ::munmap(bytes, size);
}

// A server with answers of its own; what it was asked is kept.
class CannedTest : public ::testing::Test {
 protected:
  static Response Answer(int status, std::string body = "") {
    Response response;
    response.status = status;
    response.headers = {{"Content-Type", "application/xml"}};
    response.body = std::move(body);
    return response;
  }
  std::vector<std::string> Asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  std::function<Response(const Request&)> answer_;
  Request last_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::vector<milliseconds> pauses_;
  ScratchDir dir_;
  Serving serving_{[this](Request& request) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(request.method + " " + request.raw_target);
    last_ = request;
    return answer_(request);
  }};
  ForeignStorage storage_{dir_.path(), ClientOf(serving_.url(), kKey, [this](milliseconds time) {
                            pauses_.push_back(time);
                          })};
};

TEST_F(CannedTest, APassingFailureIsTriedAgainWithTheWholeBody) {
  answer_ = [&](const Request& request) {
    EXPECT_EQ(request.body, "the body");
    return Answer(asked_.size() < 3 ? 503 : 200);
  };
  PutWhole(storage_, kPlace, "k", "the body", {});
  EXPECT_EQ(Asked().size(), 3u);
  EXPECT_THAT(pauses_, ElementsAre(milliseconds(200), milliseconds(400)));
}

TEST_F(CannedTest, AFailureThatStaysKeepsItsCode) {
  answer_ = [](const Request&) {
    return Answer(503, "<Error><Code>SlowDown</Code><Message>Please.</Message></Error>");
  };
  EXPECT_THAT(
      FailureOf([&] { PutWhole(storage_, kPlace, "k", "x", {}); }),
      HasSubstr("503 SlowDown: PutObject on s3://bucket/k at " + serving_.url() + ": Please."));
  EXPECT_EQ(Asked().size(), 3u);
}

TEST_F(CannedTest, ARefusalIsAskedOnce) {
  for (const auto& [status, told] : std::map<int, std::string>{
           {301, "502 HTTP301"}, {403, "403 AccessDenied"}, {501, "501 HTTP501"}}) {
    const std::size_t before = Asked().size();
    answer_ = [status = status](const Request&) { return Answer(status, "no XML"); };
    EXPECT_THAT(FailureOf([&] { storage_.ListBelow(kPlace, "p/", 10); }), HasSubstr(told));
    EXPECT_EQ(Asked().size(), before + 1);
  }
}

TEST_F(CannedTest, ListsPageAfterPage) {
  answer_ = [&](const Request& request) {
    const std::string* token = request.Query("continuation-token");
    const std::string entry = "<Contents><Key>a%2B" + std::to_string(asked_.size()) +
                              "+b</Key><Size>7</Size><ETag>\"e\"</ETag></Contents>";
    return Answer(
        200, "<ListBucketResult><EncodingType>url</EncodingType>" + entry +
                 (token == nullptr ? "<IsTruncated>true</IsTruncated><NextContinuationToken>t/1+"
                                     "</NextContinuationToken>"
                                   : "<IsTruncated>false</IsTruncated>") +
                 "</ListBucketResult>");
  };
  const auto objects = storage_.ListBelow(kPlace, "a+", 1000);
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(objects[0].key, "a+1 b");
  EXPECT_EQ(objects[1].key, "a+2 b");
  EXPECT_EQ(objects[1].size, 7u);
  EXPECT_EQ(objects[1].etag, "e");
  EXPECT_THAT(Asked(),
              ElementsAre("GET /bucket?list-type=2&encoding-type=url&max-keys=1000&prefix=a%2B",
                          "GET /bucket?list-type=2&encoding-type=url&max-keys=999&prefix=a%2B&"
                          "continuation-token=t%2F1%2B"));
}

TEST_F(CannedTest, AListingThatIsNoneOrTurnsInACircle) {
  answer_ = [](const Request&) { return Answer(200, "<html/>"); };
  EXPECT_THAT(FailureOf([&] { storage_.ListBelow(kPlace, "", 10); }), HasSubstr("is no listing"));
  answer_ = [](const Request&) {
    return Answer(200,
                  "<ListBucketResult><IsTruncated>true</IsTruncated>"
                  "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>");
  };
  EXPECT_THAT(FailureOf([&] { storage_.ListBelow(kPlace, "", 10); }), HasSubstr("is no listing"));
}

TEST_F(CannedTest, ARangeThatIsNotWhatWasAskedFor) {
  const StoredObject object{"k", 9U << 20U, "e"};
  std::string byte(1, '\0');
  const auto read = [&] {
    return FailureOf([&] { storage_.StartDownload(kPlace, object)->Read(byte.data(), 1); });
  };
  answer_ = [](const Request&) { return Answer(206, "short"); };
  EXPECT_THAT(read(), HasSubstr("IncompleteBody"));
  answer_ = [](const Request&) { return Answer(200, std::string(9U << 20U, 'x')); };
  EXPECT_THAT(read(), HasSubstr("the answer is larger than 8388608 bytes"));
  EXPECT_EQ(last_.Header("range"), "bytes=0-8388607");
  EXPECT_EQ(last_.Header("if-match"), "\"e\"");
}

TEST_F(CannedTest, EncryptionIsAskedForOnlyWithKms) {
  answer_ = [](const Request&) { return Answer(200); };
  PutWhole(storage_, kPlace, "k", "x", {"text/csv", "AES256", ""});
  EXPECT_EQ(last_.Header("x-amz-server-side-encryption"), "");
  EXPECT_EQ(last_.Header("content-md5"), "ndTkYSaMgDT1yFZOFVxnpg==");
  PutWhole(storage_, kPlace, "k", "x", {"text/csv", "aws:kms", "alias/mine"});
  EXPECT_EQ(last_.Header("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(last_.Header("x-amz-server-side-encryption-aws-kms-key-id"), "alias/mine");
  EXPECT_THAT(last_.Header("authorization"), HasSubstr("x-amz-server-side-encryption-aws-kms"));
  const std::size_t before = Asked().size();
  EXPECT_THAT(FailureOf([&] {
                PutWhole(storage_, kPlace, "k", "x", {"text/csv", "aws:kms", "a\r\nx-evil: 1"});
              }),
              HasSubstr("400 InvalidArgument"));
  EXPECT_EQ(Asked().size(), before);
}

TEST(ForeignStorage, AnEndpointThatNobodyServes) {
  const ScratchDir dir;
  std::string url;
  {
    url = Serving([](Request&) { return Response{}; }).url();
  }
  const ForeignStorage storage(dir.path(), ClientOf(url));
  EXPECT_THAT(FailureOf([&] { (void)storage.RegionOf(kPlace); }),
              HasSubstr("503 ServiceUnavailable: GetBucketLocation on s3://bucket at " + url));
}

TEST(Storage, S3sRefusalsInTimestreamsShape) {
  const auto shape = [](int status, const char* code) {
    const ApiError error = AsTimestream({status, code, "why"});
    return std::to_string(error.status()) + " " + error.code() + " " + error.what();
  };
  EXPECT_EQ(shape(403, "SignatureDoesNotMatch"),
            "400 AccessDeniedException SignatureDoesNotMatch: why");
  EXPECT_EQ(shape(404, "NoSuchBucket"), "400 ValidationException NoSuchBucket: why");
  EXPECT_EQ(shape(503, "SlowDown"), "500 InternalServerException SlowDown: why");
}

TEST(S3Endpoint, UrlsInParts) {
  const auto parts = [](std::string_view url) {
    const auto parsed = ParseS3Endpoint(url);
    const auto* endpoint = std::get_if<S3Endpoint>(&parsed);
    return endpoint == nullptr ? "wrong" : endpoint->origin + " " + endpoint->host;
  };
  EXPECT_EQ(parts("http://127.0.0.1:4566"), "http://127.0.0.1:4566 127.0.0.1:4566");
  EXPECT_EQ(parts("http://minio/"), "http://minio:80 minio");
  EXPECT_EQ(parts("http://minio:80"), "http://minio:80 minio");
  EXPECT_EQ(parts("https://s3.eu-west-1.amazonaws.com"),
            "https://s3.eu-west-1.amazonaws.com:443 s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(parts("https://h:80"), "https://h:80 h:80");
  EXPECT_EQ(parts("http://[::1]:4566"), "http://[::1]:4566 [::1]:4566");
  for (const std::string_view url :
       {"", "h", "h:80", "ftp://h", "http://", "http://:80", "http://h:", "http://h:0",
        "http://h:65536", "http://h:8x", "http://h/p", "http://h?q", "http://u@h", "http://[::1",
        "http://h h", "http://h\r\nx"}) {
    EXPECT_EQ(parts(url), "wrong") << url;
  }
}

}  // namespace
}  // namespace ts_local
