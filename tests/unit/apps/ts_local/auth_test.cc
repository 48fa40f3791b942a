// The signature check of ts-local against AWS's published examples and against forgeries.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "apps/ts_local/scratch_dir.h"
#include "ts_local/api_error.h"
#include "ts_local/aws_chunked.h"
#include "ts_local/checksum.h"
#include "ts_local/digest.h"
#include "ts_local/request_head.h"
#include "ts_local/sigv4_authorization.h"
#include "ts_local/sigv4_canonical.h"
#include "ts_local/sigv4_verifier.h"

namespace ts_local {
namespace {

// The key pair and the moment of the examples on
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
constexpr char kKeyId[] = "AKIAIOSFODNN7EXAMPLE";
constexpr char kSecret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr char kDate[] = "20130524T000000Z";
constexpr std::int64_t kNow = 1369353600000;  // that moment
constexpr char kEmptyHash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string CodeOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const ApiError& error) {
    return std::to_string(error.status()) + " " + error.code();
  }
  return "accepted";
}

// A request that can be signed afresh after each change, with the stages under test.
struct Signable {
  Request request;
  std::string secret = kSecret;
  std::string key_id = kKeyId;
  std::string region = "us-east-1";
  std::string service = "s3";
  std::string signed_headers = "host;x-amz-content-sha256;x-amz-date";
  Protocol protocol = Protocol::kS3;
  std::int64_t now = kNow;
  const SessionStore* sessions = nullptr;

  explicit Signable(const std::string& method = "GET", const std::string& target = "/bucket/key") {
    const auto head = ParseRequestHead(method + " " + target + " HTTP/1.1\r\n\r\n");
    request = head.value();
    Set("host", "127.0.0.1:4566");
    Set("x-amz-date", kDate);
    Set("x-amz-content-sha256", kEmptyHash);
  }

  void Set(const std::string& name, const std::string& value) {
    request.headers.erase(name);
    request.headers.emplace(name, value);
  }

  std::string SeedSignature() const {
    const std::string date(request.Header("x-amz-date"));
    const std::string payload = service == "s3"
                                    ? std::string(request.Header("x-amz-content-sha256"))
                                    : HexEncode(Sha256(request.body));
    const std::string canonical =
        CanonicalRequest(request, signed_headers, payload, service == "s3");
    const std::string scope = date.substr(0, 8) + "/" + region + "/" + service + "/aws4_request";
    return HexEncode(HmacSha256(
        SigningKey(secret, date.substr(0, 8), region, service),
        "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + HexEncode(Sha256(canonical))));
  }

  void Sign() {
    const std::string date(request.Header("x-amz-date"));
    Set("authorization", "AWS4-HMAC-SHA256 Credential=" + key_id + "/" + date.substr(0, 8) + "/" +
                             region + "/" + service + "/aws4_request, SignedHeaders=" +
                             signed_headers + ", Signature=" + SeedSignature());
  }

  Caller Verify() {
    const SigV4Verifier verifier(
        {{"other", "other"}, {kKeyId, kSecret}}, "123456789012", [this] { return now; }, sessions);
    if (protocol == Protocol::kS3) return verifier.Verify(request, protocol, {"s3"});
    if (protocol == Protocol::kJson) return verifier.Verify(request, protocol, {"timestream"});
    return verifier.Verify(request, protocol, {"sts", "sns"});
  }

  std::string Outcome() {
    return CodeOf([this] { (void)Verify(); });
  }
};

TEST(SigV4Verifier, AcceptsThePublishedRangeExample) {
  auto head = ParseRequestHead(
      "GET /test.txt HTTP/1.1\r\n"
      "Host: examplebucket.s3.amazonaws.com\r\n"
      "Range: bytes=0-9\r\n"
      "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n"
      "x-amz-date: 20130524T000000Z\r\n"
      "Authorization: AWS4-HMAC-SHA256 "
      "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
      "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
      "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41\r\n\r\n");
  ASSERT_TRUE(head);
  const SigV4Verifier verifier({{kKeyId, kSecret}}, "123456789012", [] { return kNow; });
  const Caller caller = verifier.Verify(*head, Protocol::kS3, {"s3"});
  EXPECT_EQ(caller.region, "us-east-1");
  EXPECT_EQ(caller.account_id, "123456789012");
  EXPECT_EQ(caller.access_key_id, kKeyId);
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, "Example"
ChunkSigning PublishedStream(const std::string& seed) {
  return {SigningKey(kSecret, "20130524", "us-east-1", "s3"), kDate,
          "20130524/us-east-1/s3/aws4_request", seed};
}

TEST(AwsChunked, AcceptsThePublishedChunksAndNoOthers) {
  const ChunkSigning signing =
      PublishedStream("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  const std::string body =
      "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
      std::string(65536, 'a') +
      "\r\n400;chunk-signature="
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
      std::string(1024, 'a') +
      "\r\n0;chunk-signature="
      "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
  EXPECT_EQ(DecodeAwsChunked(body, &signing, false).bytes, std::string(66560, 'a'));

  std::string forged = body;
  forged[forged.find("aaaa")] = 'b';
  EXPECT_EQ(CodeOf([&] { (void)DecodeAwsChunked(forged, &signing, false); }),
            "403 SignatureDoesNotMatch");
  // Cut off at a chunk's end: the last, empty chunk is what says that all came.
  const std::string cut = body.substr(0, body.find("0;chunk-signature=b6"));
  EXPECT_EQ(CodeOf([&] { (void)DecodeAwsChunked(cut, &signing, false); }), "400 IncompleteBody");
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html, "Example"
TEST(AwsChunked, AcceptsThePublishedTrailer) {
  const ChunkSigning signing =
      PublishedStream("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  const std::string head =
      "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" +
      std::string(65536, 'a') +
      "\r\n400;chunk-signature="
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" +
      std::string(1024, 'a') +
      "\r\n0;chunk-signature="
      "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
      "x-amz-checksum-crc32c:sOO8/Q==\r\n";
  const std::string signature =
      "x-amz-trailer-signature:"
      "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
  const UnchunkedBody body = DecodeAwsChunked(head + signature, &signing, true);
  ASSERT_EQ(body.trailers.size(), 1U);
  EXPECT_EQ(body.trailers[0].second, Checksum("crc32c", body.bytes));
  EXPECT_EQ(CodeOf([&] { (void)DecodeAwsChunked(head + "\r\n", &signing, true); }),
            "403 SignatureDoesNotMatch");
}

TEST(SigV4Verifier, UnwrapsAnUnsignedStreamAndItsTrailer) {
  Signable put("PUT");
  put.request.body = "4\r\nabcd\r\n5\r\nefghi\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
  put.Set("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  put.Set("x-amz-decoded-content-length", "9");
  put.signed_headers = "host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length";
  put.Sign();
  Signable again = put;
  ASSERT_EQ(put.Outcome(), "accepted");
  EXPECT_EQ(put.request.body, "abcdefghi");
  EXPECT_EQ(put.request.Header("x-amz-checksum-crc32"), "AAAAAA==");

  again.Set("x-amz-decoded-content-length", "8");
  again.Sign();
  EXPECT_EQ(again.Outcome(), "400 IncompleteBody");
}

TEST(SigV4Verifier, S3PathsAreEncodedOnceAndOddKeysPass) {
  for (const char* target : {"/b/a%2Bb", "/b/%C3%BC", "/b/part%3D1/x", "/b/a%2520b", "/b/a//b",
                             "/b/../x", "/b/%20lead", "/b/a%3Ab?prefix=a%2Fb&x=&y"}) {
    Signable get("GET", target);
    get.Sign();
    EXPECT_EQ(get.Outcome(), "accepted") << target;
  }
  Signable get("GET", "/b/a+b%7E");
  EXPECT_EQ(CanonicalRequest(get.request, "host", "-", true).substr(0, 15), "GET\n/b/a%2Bb~\n\n");
}

TEST(SigV4Verifier, RefusesInS3sWords) {
  const auto outcome = [](const std::function<void(Signable&)>& before,
                          const std::function<void(Signable&)>& after = {}) {
    Signable get;
    if (before) before(get);
    get.Sign();
    if (after) after(get);
    return get.Outcome();
  };
  EXPECT_EQ(outcome({}), "accepted");
  EXPECT_EQ(outcome([](Signable& s) { s.secret = "wrong"; }), "403 SignatureDoesNotMatch");
  EXPECT_EQ(outcome([](Signable& s) { s.key_id = "AKIAOTHER"; }), "403 InvalidAccessKeyId");
  EXPECT_EQ(outcome([](Signable& s) { s.service = "timestream"; }),
            "400 AuthorizationHeaderMalformed");
  EXPECT_EQ(outcome([](Signable& s) { s.now += 16 * 60 * 1000; }), "403 RequestTimeTooSkewed");
  EXPECT_EQ(outcome([](Signable& s) { s.now -= 16 * 60 * 1000; }), "403 RequestTimeTooSkewed");
  EXPECT_EQ(outcome([](Signable& s) { s.now += 14 * 60 * 1000; }), "accepted");
  EXPECT_EQ(outcome([](Signable& s) { s.Set("x-amz-meta-a", "1"); }), "403 AccessDenied");
  EXPECT_EQ(outcome([](Signable& s) { s.signed_headers = "x-amz-content-sha256;x-amz-date"; }),
            "403 AccessDenied");
  EXPECT_EQ(outcome([](Signable& s) {
              s.Set("x-amz-security-token", "t");
              s.signed_headers += ";x-amz-security-token";
            }),
            "400 InvalidToken");
  EXPECT_EQ(outcome({}, [](Signable& s) { s.request.raw_target = "/bucket/other"; }),
            "403 SignatureDoesNotMatch");
  EXPECT_EQ(outcome({}, [](Signable& s) { s.request.method = "DELETE"; }),
            "403 SignatureDoesNotMatch");
  EXPECT_EQ(outcome({}, [](Signable& s) { s.request.body = "smuggled"; }),
            "400 XAmzContentSHA256Mismatch");
  EXPECT_EQ(outcome({}, [](Signable& s) { s.request.headers.erase("authorization"); }),
            "403 AccessDenied");
  EXPECT_EQ(outcome({}, [](Signable& s) { s.Set("authorization", "Basic abc"); }),
            "400 AuthorizationHeaderMalformed");
  EXPECT_EQ(outcome([](Signable& s) {
              s.request.headers.erase("x-amz-content-sha256");
              s.signed_headers = "host;x-amz-date";
            }),
            "400 InvalidRequest");
}

TEST(SigV4Verifier, RefusesInEachProtocolsWords) {
  const auto outcome = [](Protocol protocol, const std::function<void(Signable&)>& change) {
    Signable post("POST", "/");
    post.protocol = protocol;
    post.service = protocol == Protocol::kJson ? "timestream" : "sts";
    post.request.headers.erase("x-amz-content-sha256");
    post.signed_headers = "host;x-amz-date";
    post.request.body = "{}";
    change(post);
    post.Sign();
    return post.Outcome();
  };
  const auto json = [&](const auto& change) { return outcome(Protocol::kJson, change); };
  const auto query = [&](const auto& change) { return outcome(Protocol::kQuery, change); };
  EXPECT_EQ(json([](Signable&) {}), "accepted");
  EXPECT_EQ(query([](Signable&) {}), "accepted");
  EXPECT_EQ(query([](Signable& s) { s.service = "sns"; }), "accepted");
  EXPECT_EQ(json([](Signable& s) { s.secret = "no"; }), "400 InvalidSignatureException");
  EXPECT_EQ(query([](Signable& s) { s.secret = "no"; }), "403 SignatureDoesNotMatch");
  EXPECT_EQ(json([](Signable& s) { s.key_id = "no"; }), "400 UnrecognizedClientException");
  EXPECT_EQ(query([](Signable& s) { s.key_id = "no"; }), "403 InvalidClientTokenId");
  EXPECT_EQ(json([](Signable& s) { s.service = "s3"; }), "400 InvalidSignatureException");
  EXPECT_EQ(query([](Signable& s) { s.service = "s3"; }), "403 SignatureDoesNotMatch");
  EXPECT_EQ(json([](Signable& s) { s.now += 3'600'000; }), "400 InvalidSignatureException");
  EXPECT_EQ(query([](Signable& s) { s.now += 3'600'000; }), "403 SignatureDoesNotMatch");
}

// The first refusal of each row is S3's, then Timestream's, then STS's and SNS's.
TEST(SigV4Verifier, SessionsNeedTheirTokenAndEnd) {
  const ScratchDir dir;
  SessionStore sessions(dir.path(), 60, [] { return kNow; });
  const Session session = sessions.Issue("arn:aws:sts::1:assumed-role/r/n", "AROA1:n", 3600);
  const Session other = sessions.Issue("arn:aws:sts::1:assumed-role/r/o", "AROA1:o", 3600);
  struct Case {
    const char* name;
    std::string token;
    std::int64_t later_ms;
    std::vector<std::string> outcomes;
  };
  const std::vector<std::string> accepted(3, "accepted");
  const std::vector<std::string> expired = {"400 ExpiredToken", "400 ExpiredTokenException",
                                            "403 ExpiredToken"};
  const std::vector<std::string> foreign = {"400 InvalidToken", "400 UnrecognizedClientException",
                                            "403 InvalidClientTokenId"};
  const std::vector<std::string> unknown = {
      "403 InvalidAccessKeyId", "400 UnrecognizedClientException", "403 InvalidClientTokenId"};
  for (const Case& c : std::vector<Case>{{"right", session.token, 0, accepted},
                                         {"just before the end", session.token, 59'999, accepted},
                                         {"at the end", session.token, 60'000, expired},
                                         {"another session's", other.token, 0, foreign},
                                         {"cut", session.token.substr(1), 60'000, foreign},
                                         {"none", "", 0, unknown}}) {
    for (std::size_t i = 0; i < c.outcomes.size(); ++i) {
      Signable post("POST", "/");
      post.protocol = std::vector{Protocol::kS3, Protocol::kJson, Protocol::kQuery}[i];
      post.service = std::vector{"s3", "timestream", "sns"}[i];
      post.sessions = &sessions;
      post.key_id = session.access_key_id;
      post.secret = session.secret;
      post.now = kNow + c.later_ms;
      if (!c.token.empty()) {
        post.Set("x-amz-security-token", c.token);
        post.signed_headers += ";x-amz-security-token";
      }
      post.Sign();
      EXPECT_EQ(post.Outcome(), c.outcomes[i]) << c.name << " " << post.service;
      if (c.outcomes[i] != "accepted") continue;
      const Caller caller = post.Verify();
      EXPECT_EQ(caller.arn, session.arn);
      EXPECT_EQ(caller.user_id, session.user_id);
      EXPECT_TRUE(caller.temporary);
      post.secret = other.secret;
      post.Sign();
      EXPECT_NE(post.Outcome(), "accepted");
    }
  }
}

TEST(Checksum, MatchesThePublishedCheckValues) {
  // The catalogue's check input: https://reveng.sourceforge.io/crc-catalogue/all.htm
  EXPECT_EQ(HexEncode(Base64Decode(Checksum("crc32", "123456789"))), "cbf43926");
  EXPECT_EQ(HexEncode(Base64Decode(Checksum("crc32c", "123456789"))), "e3069283");
  EXPECT_EQ(HexEncode(Base64Decode(Checksum("crc64nvme", "123456789"))), "ae8b14860a799888");
}

TEST(ParseAmzDate, ReadsOnlyRealMoments) {
  EXPECT_EQ(ParseAmzDate(kDate), kNow);
  for (const char* wrong : {"", "20130524", "20131324T000000Z", "20130230T000000Z",
                            "20130524T240000Z", "2013-5-24T000000Z", "20130524T000000+"}) {
    EXPECT_FALSE(ParseAmzDate(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace ts_local
