#include "tsm/timestream/endpoint_discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "support/client_bench.h"
#include "tsm/timestream/query_client.h"
#include "tsm/timestream/write_client.h"

namespace tsm::timestream {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::ClientBench;
using test::CustomEndpoint;
using test::Header;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kRegional[] = "query.timestream.eu-west-1.amazonaws.com";
constexpr char kToken[] = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
constexpr char kPage[] = R"({"QueryId":"A","Rows":[],"ColumnInfo":[]})";

std::string Describes(const std::string& address, int period = 1440) {
  return R"({"Endpoints":[{"Address":")" + address + R"(","CachePeriodInMinutes":)" +
         std::to_string(period) + "}]}";
}

std::string Cell(int number) {
  return "query-cell" + std::to_string(number) + ".timestream.eu-west-1.amazonaws.com";
}

struct EndpointDiscoveryTest : ::testing::Test {
  ClientBench bench;
  EndpointDiscovery discovery{bench.client, Api::kQuery, test::AwsEndpoint(kRegional), "eu-west-1"};

  std::string Host(const Result<aws::Endpoint>& endpoint) {
    return endpoint ? endpoint->scheme + "://" + endpoint->host + endpoint->base_path
                    : endpoint.error().Text();
  }
  std::vector<std::string> Hosts() {
    std::vector<std::string> hosts;
    for (const http::Request& request : bench.transport.requests()) hosts.push_back(request.host);
    return hosts;
  }
  std::size_t calls() { return bench.transport.requests().size(); }
};

TEST_F(EndpointDiscoveryTest, AsksTheRegionalHost) {
  bench.transport.Add(200, Describes(Cell(1)));
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(1));
  const http::Request sent = bench.transport.requests().at(0);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.scheme, "https");
  EXPECT_EQ(sent.host, kRegional);
  EXPECT_EQ(sent.Target(), "/");
  EXPECT_EQ(sent.body, "{}");
  EXPECT_EQ(Header(sent, "x-amz-target"), "Timestream_20181101.DescribeEndpoints");
  EXPECT_EQ(Header(sent, "content-type"), "application/x-amz-json-1.0");
  EXPECT_THAT(Header(sent, "authorization"), HasSubstr("/eu-west-1/timestream/aws4_request"));
}

TEST_F(EndpointDiscoveryTest, AConfiguredEndpointIsNotDiscovered) {
  EndpointDiscovery custom(bench.client, Api::kQuery, CustomEndpoint("127.0.0.1:1", "/ts"),
                           "eu-west-1");
  EXPECT_EQ(Host(custom.Get({})), "http://127.0.0.1:1/ts");
  custom.Forget(*custom.Get({}));
  EXPECT_EQ(Host(custom.Get({})), "http://127.0.0.1:1/ts");
  EXPECT_EQ(calls(), 0U);
}

TEST_F(EndpointDiscoveryTest, KeepsTheAddressForAsLongAsTheServiceSays) {
  bench.transport.Add(200, Describes(Cell(1), 1440));
  bench.transport.Add(200, Describes(Cell(2), 1440));
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(1));
  bench.clock.Advance(minutes(1440) - seconds(1));
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(1));
  EXPECT_EQ(calls(), 1U);
  bench.clock.Advance(seconds(1));
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(2));
  EXPECT_EQ(calls(), 2U);
}

TEST_F(EndpointDiscoveryTest, APeriodOfNothingStillHoldsAMinute) {
  for (const char* body : {R"({"Endpoints":[{"Address":"a.example","CachePeriodInMinutes":0}]})",
                           R"({"Endpoints":[{"Address":"a.example","CachePeriodInMinutes":-5}]})",
                           R"({"Endpoints":[{"Address":"a.example"}]})"}) {
    EndpointDiscovery fresh(bench.client, Api::kQuery, test::AwsEndpoint(kRegional), "eu-west-1");
    const std::size_t before = calls();
    bench.transport.Add(200, body);
    ASSERT_TRUE(fresh.Get({})) << body;
    bench.clock.Advance(seconds(59));
    ASSERT_TRUE(fresh.Get({}));
    EXPECT_EQ(calls() - before, 1U) << body;
    bench.clock.Advance(seconds(1));
    bench.transport.Add(200, body);
    ASSERT_TRUE(fresh.Get({}));
    EXPECT_EQ(calls() - before, 2U) << body;
  }
}

TEST_F(EndpointDiscoveryTest, AddressesWithAndWithoutScheme) {
  const std::pair<const char*, const char*> cases[] = {
      {"cell.example", "https://cell.example"},
      {"cell.example:8443", "https://cell.example:8443"},
      {"https://cell.example", "https://cell.example"},
      {"http://127.0.0.1:4566", "http://127.0.0.1:4566"},
      {"http://127.0.0.1:4566/base", "http://127.0.0.1:4566/base"},
  };
  for (const auto& [address, expected] : cases) {
    EndpointDiscovery fresh(bench.client, Api::kQuery, test::AwsEndpoint(kRegional), "eu-west-1");
    bench.transport.Add(200, Describes(address));
    EXPECT_EQ(Host(fresh.Get({})), expected);
  }
}

TEST_F(EndpointDiscoveryTest, AnswersThatNameNoHost) {
  for (const std::string& body :
       {std::string("{}"), std::string("<html/>"), std::string(R"({"Endpoints":[]})"),
        std::string(R"({"Endpoints":[7]})"), std::string(R"({"Endpoints":[{}]})"),
        std::string(R"({"Endpoints":[{"Address":7}]})"), Describes(""), Describes("a b"),
        Describes("ftp://a.example"), Describes("http://"), Describes("user@a.example"),
        Describes("a.example\\r\\nx: y")}) {
    bench.transport.Add(200, body);
    const Result<aws::Endpoint> endpoint = discovery.Get({});
    ASSERT_FALSE(endpoint) << body;
    EXPECT_EQ(endpoint.error().kind, ErrorKind::kBadReply) << body;
    EXPECT_THAT(
        endpoint.error().Text(),
        HasSubstr("DescribeEndpoints (endpoint discovery of Timestream Query in eu-west-1)"));
    EXPECT_THAT(endpoint.error().Text(), HasSubstr("--query_endpoint"));
  }
}

TEST_F(EndpointDiscoveryTest, AFailedRenewalGoesOnWithTheOldAddressForAMinute) {
  bench.transport.Add(200, Describes(Cell(1), 60));
  ASSERT_TRUE(discovery.Get({}));
  bench.clock.Advance(minutes(60));
  bench.transport.Add(400, R"({"__type":"ValidationException","message":"m"})");
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(1));
  EXPECT_EQ(calls(), 2U);
  bench.clock.Advance(seconds(59));
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(1));
  EXPECT_EQ(calls(), 2U);
  bench.clock.Advance(seconds(1));
  bench.transport.Add(200, Describes(Cell(2), 60));
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(2));
}

TEST_F(EndpointDiscoveryTest, WithoutAnyAddressEachCallAsks) {
  bench.transport.Add(403, R"({"__type":"AccessDeniedException","message":"no"})");
  bench.transport.Add(200, Describes(Cell(1)));
  EXPECT_FALSE(discovery.Get({}));
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(1));
}

TEST_F(EndpointDiscoveryTest, SaysWhatToDo) {
  struct Case {
    http::Response answer;
    const char* says;
    bool names_the_flag;
  };
  const Case cases[] = {
      {{403, {}, R"({"__type":"AccessDeniedException","message":"no"})"},
       "timestream:DescribeEndpoints",
       true},
      {{200, {}, "<html><title>Sign in</title></html>"}, "DescribeEndpoints", true},
      {{400, {}, R"({"__type":"UnrecognizedClientException","message":"key"})"}, "key", false},
      {{400, {}, R"({"__type":"ValidationException","message":"bad"})"}, "bad", false},
  };
  for (const Case& c : cases) {
    bench.transport.Add(c.answer);
    EndpointDiscovery write(bench.client, Api::kWrite, test::AwsEndpoint("ingest.example"),
                            "eu-west-1");
    const Result<aws::Endpoint> endpoint = write.Get({});
    ASSERT_FALSE(endpoint);
    const std::string text = endpoint.error().Text();
    EXPECT_THAT(text, HasSubstr("(endpoint discovery of Timestream Write in eu-west-1)"));
    EXPECT_THAT(text, HasSubstr(c.says));
    EXPECT_EQ(text.find("--ingest_endpoint") != std::string::npos, c.names_the_flag) << text;
  }
}

TEST_F(EndpointDiscoveryTest, OnlyTheForgottenAddressIsForgotten) {
  bench.transport.Add(200, Describes(Cell(1)));
  bench.transport.Add(200, Describes(Cell(2)));
  const aws::Endpoint first = *discovery.Get({});
  discovery.Forget(first);
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(2));
  // The second of two calls that failed at the old one comes late.
  discovery.Forget(first);
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(2));
  EXPECT_EQ(calls(), 2U);
}

// The asking of one thread is held up until `others` more threads are inside Get.
struct Crowd {
  EndpointDiscovery& discovery;
  std::latch inside;
  std::vector<std::string> answers;
  std::mutex mutex;
  std::vector<std::jthread> threads;

  Crowd(EndpointDiscovery& asked, int others) : discovery(asked), inside(others) {}
  void Enter(std::stop_token stop = {}) {
    threads.emplace_back([this, stop] {
      inside.count_down();
      const Result<aws::Endpoint> endpoint = discovery.Get(stop);
      const std::lock_guard lock(mutex);
      answers.push_back(endpoint ? endpoint->host : std::string(Name(endpoint.error().kind)));
    });
  }
};

TEST_F(EndpointDiscoveryTest, ManyThreadsAskOnce) {
  for (const bool good : {true, false}) {
    EndpointDiscovery shared(bench.client, Api::kQuery, test::AwsEndpoint(kRegional), "eu-west-1");
    Crowd crowd(shared, 8);
    std::atomic<int> asked = 0;
    bench.transport.SetHandler([&](const http::Request&) -> Result<http::Response> {
      ++asked;
      crowd.inside.wait();
      if (good) return http::Response{200, {}, Describes("cell.example")};
      return http::Response{403, {}, R"({"__type":"AccessDeniedException","message":"no"})"};
    });
    for (int i = 0; i < 8; ++i) crowd.Enter();
    for (std::jthread& thread : crowd.threads) thread.join();
    EXPECT_EQ(crowd.answers.size(), 8U);
    for (const std::string& answer : crowd.answers) {
      EXPECT_EQ(answer, good ? "cell.example" : "access_denied");
    }
    // A thread that came into Get only after a failed asking has ended asks for itself.
    EXPECT_GE(asked, 1);
    EXPECT_LE(asked, good ? 1 : 8);
  }
}

TEST_F(EndpointDiscoveryTest, WhileOneRenewsTheOthersGoOnWithTheOldAddress) {
  bench.transport.Add(200, Describes(Cell(1), 60));
  ASSERT_TRUE(discovery.Get({}));
  bench.clock.Advance(minutes(60));
  std::string meanwhile;
  bench.transport.SetHandler([&](const http::Request&) -> Result<http::Response> {
    meanwhile = Host(discovery.Get({}));
    return http::Response{200, {}, Describes(Cell(2), 60)};
  });
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(2));
  EXPECT_EQ(meanwhile, "https://" + Cell(1));
  EXPECT_EQ(calls(), 2U);
}

TEST_F(EndpointDiscoveryTest, AStopEndsTheWaitAndAnotherTakesOver) {
  std::stop_source first;
  std::stop_source second;
  std::atomic<int> asked = 0;
  std::string waiting;
  bench.transport.SetHandler([&](const http::Request&) -> Result<http::Response> {
    if (++asked > 1) return http::Response{200, {}, Describes(Cell(1))};
    // One thread waits for this asking and is stopped.
    std::jthread waiter([&] { waiting = Host(discovery.Get(second.get_token())); });
    second.request_stop();
    waiter.join();
    first.request_stop();
    return MakeError(ErrorKind::kCancelled, "stopped");
  });
  const Result<aws::Endpoint> stopped = discovery.Get(first.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);
  EXPECT_THAT(waiting, HasSubstr("stopped while waiting for the endpoint of Timestream Query"));
  EXPECT_EQ(Host(discovery.Get({})), "https://" + Cell(1));
}

struct DiscoveredCallsTest : EndpointDiscoveryTest {
  QueryClient query{bench.client, test::AwsEndpoint(kRegional), "eu-west-1"};
  WriteClient write{bench.client, test::AwsEndpoint("ingest.timestream.eu-west-1.amazonaws.com"),
                    "eu-west-1"};
  Result<QueryPage> Query(std::string client_token = kToken) {
    return query.Query({.sql = "SELECT 1",
                        .client_token = std::move(client_token),
                        .next_token = "",
                        .max_rows = {}},
                       {});
  }
};

TEST_F(DiscoveredCallsTest, CallsGoToTheCell) {
  bench.transport.Add(200, Describes(Cell(1)));
  bench.transport.Add(200, kPage);
  bench.transport.Add(200, "{}");
  ASSERT_TRUE(Query());
  ASSERT_TRUE(query.CancelQuery("A", {}));
  EXPECT_THAT(Hosts(), ElementsAre(kRegional, Cell(1), Cell(1)));
  // Query and Write have cells of their own.
  bench.transport.Add(200, Describes("ingest-cell3.timestream.eu-west-1.amazonaws.com"));
  bench.transport.Add(200, "{}");
  ASSERT_TRUE(write.CreateDatabase("d", {}));
  EXPECT_EQ(Hosts().at(3), "ingest.timestream.eu-west-1.amazonaws.com");
  EXPECT_EQ(Hosts().at(4), "ingest-cell3.timestream.eu-west-1.amazonaws.com");
}

TEST_F(DiscoveredCallsTest, AWrongEndpointIsDiscoveredAgainAndTheCallRepeatedAsItWas) {
  const http::Response refusals[] = {
      {421, {}, ""},
      {400, {}, R"({"__type":"InvalidEndpointException","message":"not here"})"},
  };
  for (const http::Response& refusal : refusals) {
    // Also without ClientToken, where a call must not run twice.
    for (const std::string token : {kToken, ""}) {
      QueryClient fresh(bench.client, test::AwsEndpoint(kRegional), "eu-west-1");
      const std::size_t before = calls();
      bench.transport.Add(200, Describes(Cell(1)));
      bench.transport.Add(refusal);
      bench.transport.Add(200, Describes(Cell(2)));
      bench.transport.Add(200, kPage);
      const Result<QueryPage> page = fresh.Query(
          {.sql = "SELECT 1", .client_token = token, .next_token = "", .max_rows = {}}, {});
      ASSERT_TRUE(page) << page.error().Text();
      const std::vector<http::Request> sent = bench.transport.requests();
      ASSERT_EQ(sent.size() - before, 4U);
      EXPECT_EQ(sent[before + 1].host, Cell(1));
      EXPECT_EQ(sent[before + 2].host, kRegional);
      EXPECT_EQ(sent[before + 3].host, Cell(2));
      EXPECT_EQ(sent[before + 3].body, sent[before + 1].body);
      EXPECT_EQ(sent[before + 3].body.find("ClientToken") != std::string::npos, !token.empty());
    }
  }
}

TEST_F(DiscoveredCallsTest, ASecondWrongEndpointIsTheError) {
  bench.transport.Add(200, Describes(Cell(1)));
  bench.transport.Add(421, "");
  bench.transport.Add(200, Describes(Cell(2)));
  bench.transport.Add(421, "");
  const Result<QueryPage> page = Query();
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::kWrongEndpoint);
  EXPECT_EQ(calls(), 4U);
}

TEST_F(DiscoveredCallsTest, AConfiguredEndpointThatRefusesIsNotAskedAgain) {
  QueryClient local(bench.client, CustomEndpoint("127.0.0.1:1", "/ts"), "eu-west-1");
  bench.transport.Add(421, "");
  const Status status = local.CancelQuery("A", {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kWrongEndpoint);
  EXPECT_EQ(bench.transport.requests().at(0).path, "/ts/");
  EXPECT_EQ(calls(), 1U);
}

TEST_F(DiscoveredCallsTest, TheErrorOfDiscoveryNamesTheCallThatNeededIt) {
  bench.transport.Add(403, R"({"__type":"AccessDeniedException","message":"not allowed"})");
  const Status status = write.CreateDatabase("sourcedb", {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kAccessDenied);
  EXPECT_THAT(status.error().Text(), HasSubstr("CreateDatabase sourcedb: DescribeEndpoints ("));
  EXPECT_EQ(calls(), 1U);
}

}  // namespace
}  // namespace tsm::timestream
