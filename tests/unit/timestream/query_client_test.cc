#include "tsm/timestream/query_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/client_bench.h"

namespace tsm::timestream {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using test::ClientBench;
using test::Header;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kToken[] = "7d444840-9dc0-11d1-b245-5ffdce74fad2";

// A page as the service writes it; `rows` is the JSON of the Rows.
std::string Page(const std::string& next_token, const std::string& rows = "[]",
                 const std::string& query_id = "AEDACANMQ3VGWZWZ") {
  const std::string next = next_token.empty() ? "" : "\"NextToken\":\"" + next_token + "\",";
  return "{\"QueryId\":\"" + query_id + "\"," + next +
         "\"ColumnInfo\":[{\"Name\":\"rows\",\"Type\":{\"ScalarType\":\"BIGINT\"}}],\"Rows\":" +
         rows +
         ",\"QueryStatus\":{\"ProgressPercentage\":42.5,\"CumulativeBytesScanned\":10485760,"
         "\"CumulativeBytesMetered\":10000000}}";
}

std::string OneRow(const std::string& value) {
  return "[{\"Data\":[{\"ScalarValue\":\"" + value + "\"}]}]";
}

struct QueryClientTest : ::testing::Test {
  ClientBench bench;
  QueryClient query{bench.client, test::CustomEndpoint("127.0.0.1:4566"), "eu-west-1"};
  json Sent(std::size_t index) { return json::parse(bench.transport.requests().at(index).body); }
};

TEST_F(QueryClientTest, QuerySendsJson10WithItsTarget) {
  bench.transport.Add(200, Page(""));
  ASSERT_TRUE(query.Query(
      {.sql = "SELECT 'ü'", .client_token = kToken, .next_token = "", .max_rows = 10}, {}));
  const http::Request request = bench.transport.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.Target(), "/");
  EXPECT_EQ(Header(request, "content-type"), "application/x-amz-json-1.0");
  EXPECT_EQ(Header(request, "x-amz-target"), "Timestream_20181101.Query");
  EXPECT_THAT(Header(request, "authorization"), HasSubstr("/eu-west-1/timestream/aws4_request"));
  EXPECT_EQ(Sent(0),
            json({{"QueryString", "SELECT 'ü'"}, {"ClientToken", kToken}, {"MaxRows", 10}}));
  // The service may hold a call for 60 s.
  EXPECT_GT(request.timeouts.idle, std::chrono::seconds(60));
}

TEST_F(QueryClientTest, ReadsColumnsRowsAndStatus) {
  bench.transport.Add(200, R"({"QueryId":"AEDA","NextToken":"next",
    "ColumnInfo":[{"Name":"s","Type":{"ScalarType":"VARCHAR"}},
                  {"Name":"a","Type":{"ArrayColumnInfo":{"Type":{"ScalarType":"BIGINT"}}}},
                  {"Name":"n","Type":{"ScalarType":"DOUBLE"}},
                  {"Type":{"RowColumnInfo":[]}},
                  {"Name":"t","Type":{"TimeSeriesMeasureValueColumnInfo":{"Type":
      {"ScalarType":"DOUBLE"}}}}],
    "Rows":[{"Data":[{"ScalarValue":"x, \"y\"\n"},{"ArrayValue":[{"ScalarValue":"1"}]},
      {"NullValue":true},
                     {"RowValue":{"Data":[{"ScalarValue":"2"}]}},
                     {"TimeSeriesValue":[{"Time":"2024-01-01 00:00:00.000000000","Value":
      {"ScalarValue":"3"}}]}]}],
    "QueryStatus":{"ProgressPercentage":99.5,"CumulativeBytesScanned":9007199254740993,
      "CumulativeBytesMetered":1.0E7}})");
  const Result<QueryPage> page =
      query.Query({.sql = "q", .client_token = kToken, .next_token = "", .max_rows = {}}, {});
  ASSERT_TRUE(page) << page.error().Text();
  EXPECT_EQ(page->query_id, "AEDA");
  EXPECT_EQ(page->next_token, "next");
  EXPECT_EQ(page->ColumnIndex("n"), 2U);
  EXPECT_EQ(page->ColumnIndex("N"), std::nullopt);
  EXPECT_EQ(page->columns[0].scalar_type, "VARCHAR");
  EXPECT_EQ(page->columns[1].scalar_type, "");
  ASSERT_EQ(page->rows.size(), 1U);
  EXPECT_THAT(
      page->rows[0],
      ElementsAre("x, \"y\"\n", R"([{"ScalarValue":"1"}])", std::nullopt,
                  R"({"Data":[{"ScalarValue":"2"}]})",
                  R"([{"Time":"2024-01-01 00:00:00.000000000","Value":{"ScalarValue":"3"}}])"));
  EXPECT_DOUBLE_EQ(page->status.progress_percentage, 99.5);
  EXPECT_EQ(page->status.bytes_scanned, 9'007'199'254'740'993);
  EXPECT_EQ(page->status.bytes_metered, 10'000'000);
}

TEST_F(QueryClientTest, RefusesRepliesThatAreNoPage) {
  for (
      const std::string reply :
      {"", "<html/>", "[]", "{}", R"({"QueryId":"A"})", R"({"Rows":[],"ColumnInfo":[]})",
       R"({"QueryId":"A","Rows":[{"Data":[{"ScalarValue":"1"}]}],"ColumnInfo":[]})",
       R"({"QueryId":"A","Rows":[{"Data":[{"Other":"1"}]}],"ColumnInfo":[{"Name":"c","Type":{}}]})",
       R"({"QueryId":"A","Rows":[{"Data":[7]}],"ColumnInfo":[{"Name":"c","Type":{}}]})"}) {
    bench.transport.Add(200, reply);
    const Result<QueryPage> page =
        query.Query({.sql = "q", .client_token = kToken, .next_token = "", .max_rows = {}}, {});
    ASSERT_FALSE(page) << reply;
    EXPECT_EQ(page.error().kind, ErrorKind::kBadReply) << reply;
  }
}

TEST_F(QueryClientTest, TextThatIsNotUtf8IsNotSent) {
  const Result<QueryPage> page = query.Query(
      {.sql = "SELECT '\xff'", .client_token = kToken, .next_token = "", .max_rows = {}}, {});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::kInvalidInput);
  EXPECT_TRUE(bench.transport.requests().empty());
}

TEST_F(QueryClientTest, AQueryWithoutTokenIsNotRepeatedBlindly) {
  bench.transport.Add(MakeError(ErrorKind::kTransient, "connection reset"));
  EXPECT_FALSE(query.Query({.sql = "q", .client_token = "", .next_token = "", .max_rows = {}}, {}));
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(QueryClientTest, ARepeatedFirstCallKeepsItsToken) {
  bench.transport.Add(MakeError(ErrorKind::kTransient, "connection reset"));
  bench.transport.Add(200, Page(""));
  ASSERT_TRUE(
      query.Query({.sql = "q", .client_token = kToken, .next_token = "", .max_rows = {}}, {}));
  EXPECT_EQ(Sent(0), Sent(1));
  EXPECT_EQ(Sent(1)["ClientToken"], kToken);
}

TEST_F(QueryClientTest, ForEachPageFollowsTheNewestTokenWithTheSameSql) {
  bench.transport.Add(200, Page("t1", OneRow("1")));
  bench.transport.Add(200, Page("t2"));
  bench.transport.Add(200, Page("", OneRow("2")));
  std::vector<std::size_t> rows;
  ASSERT_TRUE(query.ForEachPage("SELECT 1", kToken,
                                [&](const QueryPage& page) {
                                  rows.push_back(page.rows.size());
                                  EXPECT_DOUBLE_EQ(page.status.progress_percentage, 42.5);
                                  return Ok();
                                },
                                {}));
  EXPECT_THAT(rows, ElementsAre(1U, 0U, 1U));
  EXPECT_EQ(Sent(0), json({{"QueryString", "SELECT 1"}, {"ClientToken", kToken}}));
  EXPECT_EQ(Sent(1), json({{"QueryString", "SELECT 1"}, {"NextToken", "t1"}}));
  EXPECT_EQ(Sent(2), json({{"QueryString", "SELECT 1"}, {"NextToken", "t2"}}));
}

TEST_F(QueryClientTest, EmptyPagesThatComeAtOnceAreSpacedOut) {
  for (int i = 0; i < 6; ++i) bench.transport.Add(200, Page("t" + std::to_string(i)));
  bench.transport.Add(200, Page("t6", OneRow("1")));
  bench.transport.Add(200, Page("t7"));
  bench.transport.Add(200, Page(""));
  ASSERT_TRUE(query.ForEachPage("q", kToken, [](const QueryPage&) { return Ok(); }, {}));
  EXPECT_THAT(
      bench.clock.sleeps(),
      ElementsAre(milliseconds(100), milliseconds(200), milliseconds(400), milliseconds(800),
                  milliseconds(1000), milliseconds(1000), milliseconds(100)));
}

TEST_F(QueryClientTest, AServerThatHoldsTheCallIsAskedAgainAtOnce) {
  int calls = 0;
  bench.transport.SetHandler([&](const http::Request&) -> Result<http::Response> {
    bench.clock.Advance(std::chrono::seconds(55));
    return http::Response{.status = 200, .headers = {}, .body = Page(++calls < 4 ? "t" : "")};
  });
  ASSERT_TRUE(query.ForEachPage("q", kToken, [](const QueryPage&) { return Ok(); }, {}));
  EXPECT_EQ(calls, 4);
  EXPECT_TRUE(bench.clock.sleeps().empty());
}

TEST_F(QueryClientTest, AStopEndsTheWait) {
  std::stop_source source;
  bench.transport.SetHandler([&](const http::Request&) -> Result<http::Response> {
    source.request_stop();
    return http::Response{.status = 200, .headers = {}, .body = Page("t")};
  });
  const Status status = query.ForEachPage(
      "q", kToken, [](const QueryPage&) { return Ok(); }, source.get_token());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kCancelled);
}

TEST_F(QueryClientTest, PagesOfAnotherQueryAreRefused) {
  bench.transport.Add(200, Page("t1"));
  bench.transport.Add(200, Page("", OneRow("1"), "ANOTHER"));
  int visits = 0;
  const Status status = query.ForEachPage("q", kToken,
                                          [&](const QueryPage&) {
                                            ++visits;
                                            return Ok();
                                          },
                                          {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kBadReply);
  EXPECT_EQ(visits, 1);
}

TEST_F(QueryClientTest, TheVisitorsErrorEndsTheWalk) {
  bench.transport.Add(200, Page("t1"));
  const Status status = query.ForEachPage(
      "q", kToken,
      [](const QueryPage&) -> Status { return MakeError(ErrorKind::kProof, "enough"); }, {});
  EXPECT_EQ(status.error().kind, ErrorKind::kProof);
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(QueryClientTest, CollectGathersEveryRow) {
  bench.transport.Add(200, Page("t1", OneRow("1")));
  bench.transport.Add(
      200, R"({"QueryId":"AEDACANMQ3VGWZWZ","Rows":[],"ColumnInfo":[],"NextToken":"t2"})");
  bench.transport.Add(200, Page("", OneRow("2")));
  const Result<QueryPage> all = query.Collect("q", {});
  ASSERT_TRUE(all) << all.error().Text();
  EXPECT_THAT(all->rows, ElementsAre(ElementsAre("1"), ElementsAre("2")));
  EXPECT_EQ(all->columns.size(), 1U);
  EXPECT_EQ(all->next_token, "");
  EXPECT_EQ(Sent(0)["ClientToken"].get<std::string>().size(), 36U);
}

TEST_F(QueryClientTest, AFailedQueryKeepsTheServicesText) {
  bench.transport.Add(400,
                      R"({"__type":"com.amazonaws.timestream.v20181101.query#ValidationException",
    "message":"line 1:15: Table sourcedb.nope does not exist"})");
  const Result<QueryPage> page = query.Collect("q", {});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::kValidation);
  EXPECT_THAT(page.error().Text(), HasSubstr("Table sourcedb.nope does not exist"));
}

TEST_F(QueryClientTest, CancelQuery) {
  bench.transport.Add(200, R"({"CancellationMessage":"Query is cancelled"})");
  ASSERT_TRUE(query.CancelQuery("AEDA", {}));
  EXPECT_EQ(Header(bench.transport.requests().at(0), "x-amz-target"),
            "Timestream_20181101.CancelQuery");
  EXPECT_EQ(Sent(0), json({{"QueryId", "AEDA"}}));
}

}  // namespace
}  // namespace tsm::timestream
