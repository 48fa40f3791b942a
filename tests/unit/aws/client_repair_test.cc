// What a client puts right by itself: expired credentials, a wrong clock, a rate that is too high.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client_fixture.h"
#include "tsm/aws/client.h"

namespace tsm::aws {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ExpiredTest : public ClientTest {};

TEST_F(ExpiredTest, ExpiredCredentialsAreRenewedAndTheCallRepeatedAtOnce) {
  for (const char* code : {"ExpiredToken", "ExpiredTokenException"}) {
    transport_.Add(Refusal(400, code));
    transport_.Add(200, "yes");
    ASSERT_TRUE(client_.Call(Read(), {})) << code;
  }
  EXPECT_THAT(credentials_->refused, ElementsAre("AK1", "AK3")) << "what the service was shown";
  EXPECT_THAT(Sent("authorization")[1], HasSubstr("Credential=AK2/"));
  EXPECT_THAT(clock_.sleeps(), IsEmpty());
}

TEST_F(ExpiredTest, TheRepeatTakesNothingFromTheRetries) {
  transport_.Add(MakeError(ErrorKind::kTransient, "reset"));
  transport_.Add(Refusal(400, "ExpiredToken"));
  transport_.Add(MakeError(ErrorKind::kTransient, "reset"));
  transport_.Add(200, "yes");
  ASSERT_TRUE(client_.Call(Read(), {}));
  EXPECT_THAT(Sent("amz-sdk-request"), ElementsAre("attempt=1; max=3", "attempt=2; max=3",
                                                   "attempt=3; max=4", "attempt=4; max=4"));
  EXPECT_THAT(clock_.sleeps(), ElementsAre(milliseconds(25), milliseconds(50)));
}

TEST_F(ExpiredTest, ASecondRefusalIsTheError) {
  transport_.Add(Refusal(400, "ExpiredToken"));
  transport_.Add(Refusal(400, "ExpiredToken"));
  EXPECT_EQ(client_.Call(Read(), {}).error().Text(),
            "Read thing: ExpiredToken: because; the credentials come from the test and were "
            "renewed a moment ago (HTTP 400, 2 attempts)");
  EXPECT_THAT(credentials_->refused, ElementsAre("AK1"));
}

TEST_F(ExpiredTest, CredentialsThatCannotBeRenewedEndTheCall) {
  credentials_->renewable = false;
  transport_.Add(Refusal(400, "ExpiredToken"));
  EXPECT_EQ(client_.Call(Read(), {}).error().Text(),
            "Read thing: ExpiredToken: because; the credentials come from the test (HTTP 400)");
  EXPECT_THAT(transport_.requests(), SizeIs(1));
}

TEST_F(ExpiredTest, AnUnsafeCallIsRepeatedToo) {
  Operation publish = Read();
  publish.idempotency = Idempotency::kUnsafe;
  transport_.Add(Refusal(403, "ExpiredToken"));
  transport_.Add(200, "sent");
  EXPECT_TRUE(client_.Call(publish, {}));
}

// The clock stands at 2024-02-26T17:24:38Z.
class SkewTest : public ClientTest {
 protected:
  static constexpr const char* kTenMinutesAhead = "Mon, 26 Feb 2024 17:34:38 GMT";
};

TEST_F(SkewTest, TheServicesTimeIsTakenOverAndTheCallRepeatedAtOnce) {
  struct Case {
    int status;
    const char* code;
  };
  for (const auto& [status, code] : {Case{403, "RequestTimeTooSkewed"},
                                     {400, "RequestExpired"},
                                     {400, "RequestInTheFuture"},
                                     {403, "SignatureDoesNotMatch"},
                                     {400, "InvalidSignatureException"},
                                     {401, "AuthFailure"}}) {
    skew_.Set(std::chrono::nanoseconds(0));
    transport_.Add(Refusal(status, code, {{"Date", kTenMinutesAhead}}));
    transport_.Add(200, "yes");
    ASSERT_TRUE(client_.Call(Read(), {})) << code;
    EXPECT_EQ(skew_.offset(), std::chrono::minutes(10)) << code;
    EXPECT_THAT(Sent("x-amz-date").back(), "20240226T173438Z") << code;
  }
  EXPECT_EQ(client_.Now(), clock_.Now() + std::chrono::minutes(10));
  EXPECT_THAT(clock_.sleeps(), IsEmpty());
  // The next call is right from the start.
  transport_.Add(200, "");
  ASSERT_TRUE(client_.Call(Read(), {}));
  EXPECT_EQ(Sent("x-amz-date").back(), "20240226T173438Z");
  EXPECT_EQ(Sent("amz-sdk-request").back(), "attempt=1; max=3");
}

TEST_F(SkewTest, AClockThatIsSetRightMeanwhileIsFollowed) {
  skew_.Set(std::chrono::minutes(10));
  transport_.Add(Refusal(403, "RequestTimeTooSkewed", {{"Date", "Mon, 26 Feb 2024 17:24:38 GMT"}}));
  transport_.Add(200, "yes");
  ASSERT_TRUE(client_.Call(Read(), {}));
  EXPECT_EQ(skew_.offset(), std::chrono::nanoseconds(0));
}

TEST_F(SkewTest, OfTwoDatesTheLastOneCounts) {
  transport_.Add(Refusal(403, "RequestTimeTooSkewed",
                         {{"Date", "Mon, 26 Feb 2024 17:24:38 GMT"}, {"date", kTenMinutesAhead}}));
  transport_.Add(200, "{}");
  ASSERT_TRUE(client_.Call(Read(), {}));
  EXPECT_EQ(skew_.offset(), std::chrono::minutes(10));
}

TEST_F(SkewTest, WhereAnotherThreadSetTheClockTheCallIsRepeatedAllTheSame) {
  int sent = 0;
  transport_.SetHandler([&](const http::Request&) -> Result<http::Response> {
    if (++sent > 1) return http::Response{200, {}, ""};
    skew_.Set(std::chrono::minutes(10));  // between signing and answer
    return Refusal(403, "RequestTimeTooSkewed", {{"Date", kTenMinutesAhead}});
  });
  EXPECT_TRUE(client_.Call(Read(), {}));
}

TEST_F(SkewTest, AHeadHasNoCodeAndAnXAmzDateCountsToo) {
  Operation head = Read();
  head.request.method = "HEAD";
  for (const int status : {400, 403}) {
    skew_.Set(std::chrono::nanoseconds(0));
    transport_.Add(status, "", {{"x-amz-date", "20240226T171438Z"}});
    transport_.Add(200, "");
    ASSERT_TRUE(client_.Call(head, {})) << status;
    EXPECT_EQ(skew_.offset(), -std::chrono::minutes(10));
  }
}

TEST_F(SkewTest, OtherRefusalsAndSmallDifferencesAreLeftAlone) {
  struct Case {
    int status;
    const char* code;
    const char* date;
  };
  const Case cases[] = {
      {403, "AccessDenied", kTenMinutesAhead},
      {404, "NoSuchBucket", kTenMinutesAhead},
      {403, "InvalidClientTokenId", kTenMinutesAhead},
      {403, "SignatureDoesNotMatch", "Mon, 26 Feb 2024 17:28:37 GMT"},  // 3 min 59 s
      {403, "SignatureDoesNotMatch", "Mon, 26 Feb 2024 17:20:39 GMT"},
      {403, "SignatureDoesNotMatch", "yesterday"},
  };
  for (const auto& [status, code, date] : cases) {
    transport_.Add(Refusal(status, code, {{"Date", date}}));
    const auto response = client_.Call(Read(), {});
    EXPECT_EQ(response.error().Text(), "Read thing: " + std::string(code) + ": because (HTTP " +
                                           std::to_string(status) + ")");
  }
  transport_.Add(403, "<html>blocked</html>", {{"Date", kTenMinutesAhead}});
  EXPECT_EQ(client_.Call(Read(), {}).error().attempts, 1) << "a gateway's page to a POST";
  transport_.Add(200, "", {{"Date", kTenMinutesAhead}});
  EXPECT_TRUE(client_.Call(Read(), {})) << "a success says nothing of the clock";
  EXPECT_EQ(skew_.offset(), std::chrono::nanoseconds(0));
}

TEST_F(SkewTest, ASecondRefusalIsTheErrorAndSaysByHowMuchTheClocksDiffer) {
  for (int i = 0; i < 2; ++i) {
    transport_.Add(Refusal(403, "RequestTimeTooSkewed", {{"Date", kTenMinutesAhead}}));
  }
  EXPECT_EQ(client_.Call(Read(), {}).error().Text(),
            "Read thing: RequestTimeTooSkewed: because; this machine's clock is 10 min 00 s behind "
            "the service's, and a request dated by the service's clock was refused too (HTTP 403, "
            "2 attempts)");
}

TEST_F(SkewTest, AServiceWhoseClockJumpsDoesNotKeepTheCall) {
  for (const char* time : {"17:34:38", "17:54:38", "18:14:38"}) {
    transport_.Add(Refusal(403, "RequestTimeTooSkewed",
                           {{"Date", "Mon, 26 Feb 2024 " + std::string(time) + " GMT"}}));
  }
  EXPECT_EQ(client_.Call(Read(), {}).error().attempts, 2);
  EXPECT_THAT(transport_.requests(), SizeIs(2));
}

TEST_F(SkewTest, AnUnsignedCallCarriesNoDateToPutRight) {
  Operation operation = Read();
  operation.sign = false;
  transport_.Add(Refusal(403, "RequestTimeTooSkewed", {{"Date", kTenMinutesAhead}}));
  EXPECT_EQ(client_.Call(operation, {}).error().Text(),
            "Read thing: RequestTimeTooSkewed: because (HTTP 403)");
  transport_.Add(Refusal(403, "RequestTimeTooSkewed"));
  EXPECT_EQ(client_.Call(operation, {}).error().Text(),
            "Read thing: RequestTimeTooSkewed: because (HTTP 403)");
}

TEST_F(SkewTest, WithoutTheServicesTimeNothingCanBeSetRight) {
  transport_.Add(Refusal(403, "RequestTimeTooSkewed"));
  EXPECT_EQ(client_.Call(Read(), {}).error().Text(),
            "Read thing: RequestTimeTooSkewed: because; the answer does not say the service's "
            "time, so set this machine's clock (HTTP 403)");
}

TEST_F(SkewTest, ExpiryAndSkewAreEachPutRightInOneCall) {
  transport_.Add(Refusal(403, "RequestTimeTooSkewed", {{"Date", kTenMinutesAhead}}));
  transport_.Add(Refusal(403, "ExpiredToken"));
  transport_.Add(MakeError(ErrorKind::kTransient, "reset"));
  transport_.Add(503, "");
  transport_.Add(200, "yes");
  ASSERT_TRUE(client_.Call(Read(), {}));
  EXPECT_EQ(Sent("amz-sdk-request").back(), "attempt=5; max=5");
  EXPECT_THAT(clock_.sleeps(), ElementsAre(milliseconds(25), milliseconds(50)));
}

TEST_F(SkewTest, AClientWithoutASharedSkewHasItsOwn) {
  parts_.skew = nullptr;
  Client client(parts_);
  transport_.Add(Refusal(403, "RequestTimeTooSkewed", {{"Date", kTenMinutesAhead}}));
  transport_.Add(200, "yes");
  ASSERT_TRUE(client.Call(Read(), {}));
  EXPECT_EQ(client.Now(), clock_.Now() + std::chrono::minutes(10));
  EXPECT_EQ(skew_.offset(), std::chrono::nanoseconds(0));
}

class AdaptiveClientTest : public ClientTest {
 protected:
  AdaptiveLimiter limiter_{clock_};
};

TEST_F(AdaptiveClientTest, AfterAThrottleEveryAttemptWaitsForAToken) {
  parts_.limiter = &limiter_;
  Client client(parts_);
  transport_.Add(200, "");
  ASSERT_TRUE(client.Call(Read(), {}));
  EXPECT_FALSE(limiter_.limiting());
  transport_.Add(Refusal(400, "ThrottlingException"));
  transport_.Add(200, "");
  ASSERT_TRUE(client.Call(Read(), {}));
  EXPECT_TRUE(limiter_.limiting());
  // The retry's own delay, then the rest of the token at half a request per second.
  EXPECT_THAT(clock_.sleeps(),
              ElementsAre(milliseconds(500), std::chrono::microseconds(1'500'001)));
}

TEST_F(AdaptiveClientTest, AStopWhileWaitingIsCancelled) {
  parts_.limiter = &limiter_;
  Client client(parts_);
  std::stop_source source;
  transport_.SetHandler([&](const http::Request&) -> Result<http::Response> {
    source.request_stop();
    return http::Response{200, {}, ""};
  });
  limiter_.Update(true);
  ASSERT_TRUE(client.Call(Read(), source.get_token()));
  const auto response = client.Call(Read(), source.get_token());
  EXPECT_EQ(response.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(response.error().attempts, 0);
  EXPECT_THAT(transport_.requests(), SizeIs(1));
}

TEST_F(AdaptiveClientTest, ThreadsShareClockRateAndQuota) {
  parts_.limiter = &limiter_;
  Credentials key;
  key.access_key_id = "AK";
  key.secret_access_key = "secret";
  parts_.credentials = std::make_shared<StaticCredentials>(key);
  Client client(parts_);
  std::atomic<int> sent{0};
  // The service is a day ahead and throttles every seventh first attempt.
  transport_.SetHandler([&](const http::Request& request) -> Result<http::Response> {
    if (!http::FindHeader(request.headers, "x-amz-date").starts_with("20240227")) {
      return Refusal(403, "RequestTimeTooSkewed", {{"Date", "Tue, 27 Feb 2024 12:00:00 GMT"}});
    }
    const bool first =
        http::FindHeader(request.headers, "amz-sdk-request").starts_with("attempt=1;");
    if (first && ++sent % 7 == 0) return Refusal(400, "ThrottlingException");
    return http::Response{200, {}, ""};
  });
  std::atomic<int> answered{0};
  {
    std::vector<std::jthread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int call = 0; call < 20; ++call) {
          if (client.Call(Read(), {})) ++answered;
        }
      });
    }
  }
  EXPECT_EQ(answered, 160);
  EXPECT_TRUE(limiter_.limiting());
}

}  // namespace
}  // namespace tsm::aws
