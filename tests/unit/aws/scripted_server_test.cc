// The client and the transport as they run in production, against a server that misbehaves by a
// script: how many attempts it sees, how long the client waits between them and what it says in the
// end. Time is the fake clock's; the delays are reckoned here from the 2026 retry contract
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/fake_clock.h"
#include "support/socket_server.h"
#include "tsm/aws/client.h"
#include "tsm/core/time_text.h"
#include "tsm/http/curl_transport.h"

namespace tsm::aws {
namespace {

using std::chrono::milliseconds;
using test::Connection;
using test::SocketServer;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::uint64_t kSeed = 7;

// What the server does with one request.
struct Step {
  std::string bytes;  // what it sends, as it stands
  enum class End {
    kClose,
    kReset,
    kHang,  // says no more and waits for the client to give up
  } end = End::kClose;
};

Step Answer(const std::string& status, const std::string& body, const std::string& headers = "") {
  return {"HTTP/1.1 " + status + "\r\nConnection: close\r\n" + headers +
          "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body};
}

Step Json(int status, const std::string& code, const std::string& headers = "") {
  return Answer(std::to_string(status) + " Refused",
                R"({"__type":")" + code + R"(","message":"because"})",
                "x-amzn-RequestId: R1\r\n" + headers);
}

Step Xml(const std::string& status, const std::string& code) {
  return Answer(status, "<?xml version=\"1.0\"?>\n<Error><Code>" + code +
                            "</Code><Message>because</Message><RequestId>R2</RequestId></Error>");
}

Step Ok(const std::string& body = "{}") { return Answer("200 OK", body); }

// Plays one step per request, each on a connection of its own.
class Script {
 public:
  explicit Script(std::vector<Step> steps) : steps_(std::move(steps)) {}

  void operator()(Connection& connection) {
    const std::string request = connection.ReadRequest();
    if (request.empty()) return;
    std::optional<Step> step;
    {
      const std::lock_guard lock(mutex_);
      if (seen_.size() < steps_.size()) step = steps_[seen_.size()];
      seen_.push_back(request);
    }
    // One request too many fails the test by its number and is not repeated.
    if (!step) step = Json(400, "TheScriptIsOver");
    connection.Write(step->bytes);
    if (step->end == Step::End::kReset) connection.ResetOnClose();
    if (step->end == Step::End::kHang) connection.WaitForClose();
  }

  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  const std::vector<Step> steps_;
  std::mutex mutex_;
  std::vector<std::string> seen_;
};

// Gives the n-th key at the n-th renewal.
class Renewing final : public CredentialsProvider {
 public:
  Result<Credentials> Get(std::stop_token) override {
    Credentials credentials;
    credentials.access_key_id = "AKID" + std::to_string(generation_);
    credentials.secret_access_key = "SECRETSECRET";
    credentials.session_token = "TOKENTOKEN";
    credentials.source = "the test";
    return credentials;
  }
  bool Renew(const Credentials&) override { return ++generation_ > 0; }

 private:
  int generation_ = 0;
};

// What the client waits after its n-th failure, the failures being throttles or not.
std::vector<std::chrono::nanoseconds> Delays(const std::vector<bool>& throttled,
                                             const std::vector<int>& hints = {}) {
  SeededRandom random(kSeed);
  static_cast<void>(random.Uuid());  // the invocation's id comes first
  std::vector<std::chrono::nanoseconds> delays;
  for (std::size_t i = 0; i < throttled.size(); ++i) {
    const double most = std::min((throttled[i] ? 1000.0 : 50.0) * std::pow(2.0, i), 20'000.0);
    double delay = std::round(random.Unit() * most);
    if (i < hints.size() && hints[i] >= 0) {
      delay = std::max(delay, std::min<double>(hints[i], delay + 5000));
    }
    delays.emplace_back(milliseconds(static_cast<std::int64_t>(delay)));
  }
  return delays;
}

struct Outcome {
  std::string text;  // of the error, with HOST for the server; "" for a success
  std::vector<std::string> seen;
  std::vector<std::chrono::nanoseconds> sleeps;
};

class ScriptedServerTest : public ::testing::Test {
 protected:
  static Operation Read() {
    Operation operation;
    operation.name = "Query";
    operation.request.method = "POST";
    operation.request.scheme = "http";
    operation.request.headers = {{"x-amz-target", "Timestream_20181101.Query"}};
    operation.request.body = R"({"ClientToken":"one-and-the-same"})";
    operation.request.timeouts.idle = milliseconds(2000);
    operation.scope = {"eu-west-1", "timestream"};
    return operation;
  }
  static Operation Copy() {
    Operation operation = Read();
    operation.name = "CopyObject s3://b/k";
    operation.request.method = "PUT";
    operation.protocol = Protocol::kRestXml;
    operation.may_hide_error = true;
    return operation;
  }
  static Operation Publish() {
    Operation operation = Read();
    operation.name = "Publish";
    operation.idempotency = Idempotency::kUnsafe;
    return operation;
  }

  Outcome Run(std::vector<Step> steps, Operation operation = Read()) {
    Script script(std::move(steps));
    SocketServer server(std::ref(script), SocketServer::Connections::kSideBySide);
    http::CurlTransport transport;
    test::FakeClock clock;
    SeededRandom random(kSeed);
    Client client(ClientParts{.transport = &transport,
                              .clock = &clock,
                              .random = &random,
                              .credentials = std::make_shared<Renewing>(),
                              .retry = {},
                              .user_agent = "ts-test/1.0"});
    operation.request.host = server.host();
    const auto response = client.Call(operation, {});
    std::string text = response ? std::string() : response.error().Text();
    for (std::size_t at = 0; (at = text.find(server.host())) != std::string::npos;) {
      text.replace(at, server.host().size(), "HOST");
    }
    EXPECT_THAT(text, Not(::testing::ContainsRegex("SECRET|TOKENTOKEN|Signature=")));
    return {text, script.seen(), clock.sleeps()};
  }
};

std::string HeaderOf(const std::string& request, const std::string& name) {
  const std::size_t at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t start = at + name.size() + 4;
  return request.substr(start, request.find("\r\n", start) - start);
}

struct Case {
  std::string name;
  Operation operation;
  std::vector<Step> steps;
  std::vector<bool> throttled;  // one per delay
  std::string text;             // "" for a success in the end; SPENT is the sum of the delays
};

TEST_F(ScriptedServerTest, AttemptsDelaysAndWords) {
  const Step reset_before{"", Step::End::kReset};
  const Step reset_in_head{"HTTP/1.1 200 OK\r\nContent-", Step::End::kReset};
  const Step reset_in_body{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Step::End::kReset};
  const Step closed_before{"", Step::End::kClose};
  const Step half_body{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Step::End::kClose};
  const Step half_chunk{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
                        Step::End::kClose};
  const Step slow_head{"", Step::End::kHang};
  const Step slow_body{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Step::End::kHang};
  Operation impatient = Read();
  impatient.request.timeouts.idle = milliseconds(60);
  const auto both = [](bool first, bool second) { return std::vector<bool>{first, second}; };
  const Case cases[] = {
      {"throttled as 400, then served",
       Read(),
       {Json(400, "ThrottlingException"), Ok()},
       {true},
       ""},
      {"throttled three times",
       Read(),
       {Json(400, "ThrottlingException"), Json(400, "ThrottlingException"),
        Json(400, "ThrottlingException")},
       both(true, true),
       "Query: ThrottlingException: because (HTTP 400, request id R1, 3 attempts in SPENT)"},
      {"503 SlowDown",
       Copy(),
       {Xml("503 Slow Down", "SlowDown"), Ok("<CopyObjectResult/>")},
       {true},
       ""},
      {"500s, then served",
       Read(),
       {Json(500, "InternalServerException"), Answer("502 Bad Gateway", "<html></html>"), Ok()},
       both(false, false),
       ""},
      {"500s without an end",
       Read(),
       {Json(500, "InternalServerException"), Answer("503 Unavailable", ""),
        Answer("504 Gateway Timeout", "<html><title>504 from a proxy</title></html>")},
       both(false, false),
       "Query: the answer is no JSON error document: 504 from a proxy (HTTP 504, 3 attempts in "
       "SPENT)"},
      {"a throttle and an outage",
       Read(),
       {Json(400, "Throttling"), Answer("503 x", ""), Ok()},
       both(true, false),
       ""},
      {"an outage and a throttle",
       Read(),
       {Answer("503 x", ""), Json(429, ""), Ok()},
       both(false, true),
       ""},
      {"reset before the head",
       Read(),
       {reset_before, reset_before, reset_before},
       both(false, false),
       "Query: http://HOST: Recv failure: Connection reset by peer (Connection reset by peer) (3 "
       "attempts in SPENT)"},
      {"reset within the head", Read(), {reset_in_head, Ok()}, {false}, ""},
      {"reset within the body", Read(), {reset_in_body, Ok()}, {false}, ""},
      {"closed before the head",
       Read(),
       {closed_before, closed_before, closed_before},
       both(false, false),
       "Query: http://HOST: Empty reply from server (3 attempts in SPENT)"},
      {"closed within the body",
       Read(),
       {half_body, half_body, half_body},
       both(false, false),
       "Query: http://HOST: transfer closed with 96 bytes remaining to read (3 attempts in SPENT)"},
      {"closed within a chunk", Read(), {half_chunk, Ok()}, {false}, ""},
      {"no head in time", impatient, {slow_head, Ok()}, {false}, ""},
      {"a body slower than the idle timeout",
       impatient,
       {slow_body, slow_body, slow_body},
       both(false, false),
       "Query: http://HOST: no byte for 60 ms (3 attempts in SPENT)"},
      {"a 200 with an error inside",
       Copy(),
       {Xml("200 OK", "InternalError"), Xml("200 OK", "SlowDown"), Ok("<CopyObjectResult/>")},
       both(false, true),
       ""},
      {"a 200 that stays an error",
       Copy(),
       {Xml("200 OK", "InternalError"), Xml("200 OK", "InternalError"),
        Xml("200 OK", "InternalError")},
       both(false, false),
       "CopyObject s3://b/k: InternalError: because (HTTP 200, request id R2, 3 attempts in "
       "SPENT)"},
      {"a 200 with a refusal inside",
       Copy(),
       {Xml("200 OK", "AccessDenied")},
       {},
       "CopyObject s3://b/k: AccessDenied: because (HTTP 200, request id R2)"},
      {"a 200 without a body",
       Copy(),
       {Ok(""), Ok(""), Ok("")},
       both(false, false),
       "CopyObject s3://b/k: the answer's body is not the promised document (HTTP 200, 3 attempts "
       "in SPENT)"},
      {"a refusal",
       Read(),
       {Json(400, "ValidationException")},
       {},
       "Query: ValidationException: because (HTTP 400, request id R1)"},
      {"an unsafe call, reset",
       Publish(),
       {reset_before},
       {},
       "Publish: http://HOST: Recv failure: Connection reset by peer (Connection reset by peer)"},
      {"an unsafe call, 500",
       Publish(),
       {Json(500, "InternalFailure")},
       {},
       "Publish: InternalFailure: because (HTTP 500, request id R1)"},
      {"an unsafe call, throttled", Publish(), {Json(400, "Throttling"), Ok()}, {true}, ""},
  };
  for (Case one : cases) {
    SCOPED_TRACE(one.name);
    const Outcome outcome = Run(one.steps, one.operation);
    if (const std::size_t at = one.text.find("SPENT"); at != std::string::npos) {
      std::chrono::nanoseconds spent{};
      for (const auto delay : Delays(one.throttled)) spent += delay;
      one.text.replace(at, 5, FormatDuration(spent));
    }
    EXPECT_EQ(outcome.text, one.text);
    EXPECT_EQ(outcome.sleeps, Delays(one.throttled));
    EXPECT_THAT(outcome.seen, SizeIs(one.steps.size()));
    const std::string id =
        outcome.seen.empty() ? "" : HeaderOf(outcome.seen[0], "amz-sdk-invocation-id");
    for (std::size_t i = 0; i < outcome.seen.size(); ++i) {
      const std::string& sent = outcome.seen[i];
      EXPECT_EQ(HeaderOf(sent, "amz-sdk-invocation-id"), id);
      EXPECT_EQ(HeaderOf(sent, "amz-sdk-request"), "attempt=" + std::to_string(i + 1) + "; max=3");
      EXPECT_EQ(HeaderOf(sent, "user-agent"), "ts-test/1.0");
      EXPECT_EQ(sent.substr(sent.find("\r\n\r\n") + 4), one.operation.request.body)
          << "the whole body, with the same ClientToken, in every attempt";
    }
  }
}

TEST_F(ScriptedServerTest, AServersHintIsKeptWithinFiveSecondsOfTheOwnDelay) {
  const Outcome outcome = Run({Json(400, "ThrottlingException", "x-amz-retry-after: 3000\r\n"),
                               Json(503, "", "x-amz-retry-after: 3600000\r\n"), Ok()});
  EXPECT_EQ(outcome.text, "");
  EXPECT_EQ(outcome.sleeps, Delays({true, false}, {3000, 3'600'000}));
  EXPECT_EQ(outcome.sleeps.at(0), milliseconds(3000));
  EXPECT_GT(outcome.sleeps.at(1), milliseconds(5000));
  EXPECT_LE(outcome.sleeps.at(1), milliseconds(5100));
  const Outcome least = Run({Json(400, "ThrottlingException", "x-amz-retry-after: 0\r\n"), Ok()});
  EXPECT_EQ(least.sleeps, Delays({true}));
  const Outcome nonsense =
      Run({Json(400, "ThrottlingException", "x-amz-retry-after: -5\r\n"), Ok()});
  EXPECT_EQ(nonsense.sleeps, Delays({true}));
}

TEST_F(ScriptedServerTest, AnExpiredTokenIsRenewedOnce) {
  const Outcome outcome = Run({Json(400, "ExpiredTokenException"), Ok()});
  EXPECT_EQ(outcome.text, "");
  EXPECT_THAT(outcome.sleeps, IsEmpty());
  ASSERT_THAT(outcome.seen, SizeIs(2));
  EXPECT_THAT(HeaderOf(outcome.seen[0], "authorization"), HasSubstr("Credential=AKID0/"));
  EXPECT_THAT(HeaderOf(outcome.seen[1], "authorization"), HasSubstr("Credential=AKID1/"));
  EXPECT_EQ(HeaderOf(outcome.seen[1], "amz-sdk-request"), "attempt=2; max=4");

  const Outcome twice =
      Run({Json(400, "ExpiredTokenException"), Json(400, "ExpiredTokenException")});
  EXPECT_EQ(twice.text,
            "Query: ExpiredTokenException: because; the credentials come from the test and were "
            "renewed a moment ago (HTTP 400, request id R1, 2 attempts)");
  EXPECT_THAT(twice.seen, SizeIs(2));
}

TEST_F(ScriptedServerTest, AWrongClockIsPutRightOnce) {
  // The fake clock stands at 17:24:38.
  const std::string date = "Date: Mon, 26 Feb 2024 17:14:38 GMT\r\n";
  const Outcome outcome = Run({Json(403, "InvalidSignatureException", date), Ok()});
  EXPECT_EQ(outcome.text, "");
  EXPECT_THAT(outcome.sleeps, IsEmpty());
  ASSERT_THAT(outcome.seen, SizeIs(2));
  EXPECT_EQ(HeaderOf(outcome.seen[0], "x-amz-date"), "20240226T172438Z");
  EXPECT_EQ(HeaderOf(outcome.seen[1], "x-amz-date"), "20240226T171438Z");

  const Outcome twice =
      Run({Json(403, "RequestTimeTooSkewed", date), Json(403, "RequestTimeTooSkewed", date)});
  EXPECT_EQ(twice.text,
            "Query: RequestTimeTooSkewed: because; this machine's clock is 10 min 00 s ahead of "
            "the service's, and a request dated by the service's clock was refused too (HTTP 403, "
            "request id R1, 2 attempts)");
}

}  // namespace
}  // namespace tsm::aws
