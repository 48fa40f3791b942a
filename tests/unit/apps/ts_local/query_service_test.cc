#include "ts_local/query_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/ts_local/scratch_dir.h"
#include "ts_local/object_store.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kStart = 1'774'051'200 * kNsPerSecond;  // 2026-03-21
const std::string kToken(36, 't');

class QueryApi : public ::testing::Test {
 protected:
  QueryApi()
      : tables_(dir_.path(), [this] { return now_.load(); }),
        objects_(dir_.path()),
        service_(tables_, objects_, [this] { return now_.load(); }) {
    tables_.CreateDatabase("us-east-1", "db", "");
    TableProperties properties;
    properties.memory_hours = 48;
    tables_.CreateTable(table_, properties);
    objects_.CreateBucket("bucket", "us-east-1");
    objects_.CreateBucket("far", "eu-west-1");
    caller_.account_id = "123456789012";
    caller_.arn = "arn:aws:iam::123456789012:user/a";
    caller_.region = "us-east-1";
  }

  void Fill(int rows) {
    std::vector<Record> records;
    for (int i = 0; i < rows; ++i) {
      Record record;
      record.dimensions = {{"city", i % 2 == 0 ? "Oslo" : "Zürich"}};
      record.measure_name = "m";
      record.multi = true;
      record.time_ns = kStart - kNsPerDay + i;
      record.measures = {{{"value", ScalarType::kBigint, true}, Value(std::int64_t{i})}};
      records.push_back(std::move(record));
    }
    const WriteResult result = tables_.Write(table_, records);
    ASSERT_EQ(result.ingested, rows);
  }

  json Call(const std::string& operation, const json& body) {
    return json::parse(service_.Handle(caller_, operation, body.dump()));
  }
  json Query(json body) { return Call("Query", body); }
  std::string Failure(const json& body, const std::string& operation = "Query") {
    try {
      Call(operation, body);
    } catch (const ApiError& error) {
      return error.code() + ": " + error.what();
    }
    return "accepted";
  }
  // All pages; their row counts in `pages`.
  std::vector<json> AllRows(json body, std::vector<std::size_t>* pages = nullptr) {
    std::vector<json> rows;
    while (true) {
      const json page = Query(body);
      if (pages != nullptr) pages->push_back(page["Rows"].size());
      for (const json& row : page["Rows"]) rows.push_back(row["Data"]);
      if (!page.contains("NextToken")) return rows;
      body["NextToken"] = page["NextToken"];
    }
  }
  std::vector<std::string> Texts(const std::string& sql) {
    std::vector<std::string> rows;
    for (const json& row : AllRows({{"QueryString", sql}})) {
      std::string text;
      for (const json& datum : row) {
        text += (text.empty() ? "" : "|") + datum.value("ScalarValue", datum.dump());
      }
      rows.push_back(text);
    }
    return rows;
  }

  ScratchDir dir_;
  std::atomic<std::int64_t> now_{kStart};
  const TableName table_{"us-east-1", "db", "t"};
  TableStore tables_;
  ObjectStore objects_;
  QueryService service_;
  Caller caller_;
};

const char kUnload[] =
    "UNLOAD (SELECT city, value FROM db.t) TO 's3://bucket/u' WITH (compression='NONE')";

TEST_F(QueryApi, AnswersRowsColumnsAndStatus) {
  Fill(3);
  const json page =
      Query({{"QueryString", "SELECT city, value, null AS x FROM db.t WHERE value = 1"}});
  EXPECT_EQ(page["Rows"],
            json::parse(
                R"([{"Data":[{"ScalarValue":"Zürich"},{"ScalarValue":"1"},{"NullValue":true}]}])"));
  EXPECT_EQ(page["ColumnInfo"][1],
            json::parse(R"({"Name":"value","Type":{"ScalarType":"BIGINT"}})"));
  EXPECT_EQ(page["QueryStatus"]["ProgressPercentage"], 100.0);
  EXPECT_GT(page["QueryStatus"]["CumulativeBytesScanned"], 0);
  EXPECT_EQ(page["QueryStatus"]["CumulativeBytesMetered"], 10'000'000);
  EXPECT_EQ(page["QueryId"].get<std::string>().size(), 63u);
  EXPECT_FALSE(page.contains("NextToken"));
}

TEST_F(QueryApi, ShowAndDescribe) {
  Fill(2);
  EXPECT_THAT(Texts("SHOW DATABASES"), ElementsAre("db"));
  EXPECT_THAT(Texts("SHOW DATABASES LIKE 'x%'"), ElementsAre());
  EXPECT_THAT(Texts("SHOW TABLES FROM \"db\" LIKE '_'"), ElementsAre("t"));
  EXPECT_THAT(Texts("SHOW MEASURES FROM db.t"),
              ElementsAre(R"(m|multi|{"ArrayValue":[{"RowValue":{"Data":[{"ScalarValue":"city"},)"
                          R"({"ScalarValue":"varchar"}]}}]})"));
  EXPECT_THAT(Texts("DESCRIBE \"db\".\"t\""),
              ElementsAre("city|varchar|DIMENSION", "measure_name|varchar|MEASURE_NAME",
                          "time|timestamp|TIMESTAMP", "value|bigint|MULTI"));
  EXPECT_EQ(Failure({{"QueryString", "SELECT * FROM db.nope"}}),
            "ValidationException: Table db.nope does not exist");
  EXPECT_EQ(Failure({{"QueryString", "SHOW TABLES FROM nope"}}),
            "ValidationException: Database nope does not exist");
  caller_.region = "eu-west-1";
  EXPECT_THAT(Texts("SHOW DATABASES"), ElementsAre());
}

TEST_F(QueryApi, PagesHoldAtMostMaxRowsAndAThousandByDefault) {
  Fill(2500);
  std::vector<std::size_t> pages;
  EXPECT_EQ(AllRows({{"QueryString", "SELECT * FROM db.t"}}, &pages).size(), 2500u);
  EXPECT_THAT(pages, ElementsAre(1000, 1000, 500));
  pages.clear();
  EXPECT_EQ(
      AllRows({{"QueryString", "SELECT * FROM db.t LIMIT 20"}, {"MaxRows", 8}}, &pages).size(),
      20u);
  EXPECT_THAT(pages, ElementsAre(0, 8, 8, 4)) << "with MaxRows a longer result begins empty";
  pages.clear();
  EXPECT_EQ(AllRows({{"QueryString", "SELECT * FROM db.t LIMIT 8"}, {"MaxRows", 8}}, &pages).size(),
            8u);
  EXPECT_THAT(pages, ElementsAre(8));
}

TEST_F(QueryApi, PagesStayBelowAMegabyte) {
  Fill(30);
  const std::string wide = "'" + std::string(90'000, 'w') + "' || cast(value AS varchar)";
  std::vector<std::size_t> pages;
  EXPECT_EQ(AllRows({{"QueryString", "SELECT " + wide + " FROM db.t"}}, &pages).size(), 30u);
  EXPECT_THAT(pages, ElementsAre(11, 11, 8));
}

TEST_F(QueryApi, ARowBeyondAMegabyteEndsTheQuery) {
  // A control character takes six bytes of JSON: 200 kB of query, 1.2 MB of row.
  EXPECT_EQ(Failure({{"QueryString", "SELECT '" + std::string(200'000, '\x01') + "'"}}),
            "QueryExecutionException: Query aborted as max page response size has been exceeded by "
            "the output result row");
}

TEST_F(QueryApi, TokensMayBeRepeatedUntilTheNextIsUsed) {
  Fill(30);
  json body{{"QueryString", "SELECT value FROM db.t"}, {"MaxRows", 10}};
  const json first = Query(body);
  body["NextToken"] = first["NextToken"];
  const json second = Query(body);
  EXPECT_EQ(second["Rows"].size(), 10u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Query(body), second);
  EXPECT_EQ(Failure(body), "ValidationException: Invalid pagination token") << "a sixth use";
  json third = body;
  third["NextToken"] = second["NextToken"];
  json other = third;
  other["QueryString"] = "SELECT value FROM db.t ";
  EXPECT_EQ(Failure(other), "ValidationException: Invalid pagination token");
  EXPECT_EQ(Query(third)["Rows"].size(), 10u);
  EXPECT_EQ(Failure(body), "ValidationException: Invalid pagination token");
  caller_.arn = "arn:aws:iam::123456789012:user/b";
  EXPECT_EQ(Failure(third), "ValidationException: Invalid pagination token");
  caller_.arn = "arn:aws:iam::123456789012:user/a";
  now_ += 3'601 * kNsPerSecond;
  EXPECT_EQ(Failure(third), "ValidationException: Invalid pagination token");
  third["NextToken"] = "x";
  EXPECT_EQ(Failure(third), "ValidationException: Invalid pagination token");
}

TEST_F(QueryApi, UnloadShowsAnEmptyPageThenItsOneRow) {
  Fill(50);
  std::vector<std::size_t> pages;
  const std::vector<json> rows = AllRows({{"QueryString", kUnload}}, &pages);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(pages.front(), 0u);
  EXPECT_EQ(pages.back(), 1u);
  EXPECT_EQ(rows[0][0]["ScalarValue"], "50");
  EXPECT_THAT(rows[0][2]["ScalarValue"].get<std::string>(), HasSubstr("_manifest.json"));
  EXPECT_EQ(objects_.List("bucket", "u/results/", "", 10).size(), 1u);
}

TEST_F(QueryApi, ARepeatedClientTokenStartsNoSecondUnload) {
  Fill(50);
  json body{{"QueryString", kUnload}, {"ClientToken", kToken}};
  const json first = Query(body);
  const json again = Query(body);
  EXPECT_EQ(first["QueryId"], again["QueryId"]);
  body["NextToken"] = again["NextToken"];
  json last = Query(body);
  while (last.contains("NextToken")) {
    body["NextToken"] = last["NextToken"];
    last = Query(body);
  }
  body.erase("NextToken");
  EXPECT_EQ(Query(body)["Rows"], last["Rows"]) << "a finished run answers its result";
  EXPECT_EQ(objects_.List("bucket", "u/results/", "", 10).size(), 1u);
  json other = body;
  other["QueryString"] = "SELECT 1";
  EXPECT_THAT(Failure(other), HasSubstr("used with another query"));
  now_ += 301 * kNsPerSecond;
  EXPECT_THAT(Failure(body), HasSubstr("more than 5 minutes ago"));
  now_ += 4 * 3'600 * kNsPerSecond;
  EXPECT_NE(Query(body)["QueryId"], first["QueryId"]);
}

TEST_F(QueryApi, ASelectReadToItsEndIsReadAnew) {
  Fill(30);
  json body{{"QueryString", "SELECT value FROM db.t"}, {"ClientToken", kToken}, {"MaxRows", 20}};
  EXPECT_EQ(AllRows(body).size(), 30u);
  EXPECT_EQ(AllRows(body).size(), 30u);
}

TEST_F(QueryApi, UnloadDestinationsAreChecked) {
  const auto unload = [](const std::string& bucket) {
    return json{
        {"QueryString", "UNLOAD (SELECT 1) TO 's3://" + bucket + "/' WITH (compression='NONE')"}};
  };
  EXPECT_THAT(Failure(unload("nowhere")), HasSubstr("bucket nowhere does not exist"));
  EXPECT_THAT(Failure(unload("far")), HasSubstr("it must be in us-east-1"));
}

TEST_F(QueryApi, ADeniedUnloadFailsAndWritesNoManifest) {
  Fill(1);
  objects_.SetPolicy("bucket",
                     R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
      "Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/u/results/*"}]})");
  const json page = Query({{"QueryString", kUnload}});
  EXPECT_THAT(page["Rows"], IsEmpty()) << "its QueryId is known before it fails";
  EXPECT_THAT(Failure({{"QueryString", kUnload}, {"NextToken", page["NextToken"]}}),
              HasSubstr("AccessDeniedException"));
  EXPECT_TRUE(objects_.List("bucket", "", "", 10).empty());
}

TEST_F(QueryApi, ACancelledQueryCanNotBePolled) {
  Fill(2000);
  json body{{"QueryString",
             "SELECT '" + std::string(5'000, 'w') + "' || cast(value AS varchar) FROM db.t"}};
  const json page = Query(body);  // ten megabytes: the query waits for its reader
  const json cancel = Call("CancelQuery", {{"QueryId", page["QueryId"]}});
  EXPECT_THAT(cancel["CancellationMessage"].get<std::string>(), HasSubstr("is being cancelled"));
  body["NextToken"] = page["NextToken"];
  EXPECT_EQ(Failure(body), "ConflictException: Unable to poll results for a cancelled query");
  EXPECT_THAT(Failure({{"QueryId", "NOSUCHQUERY"}}, "CancelQuery"), HasSubstr("does not exist"));
}

TEST_F(QueryApi, PrepareQueryTellsTheColumns) {
  Fill(1);
  const json answer = Call(
      "PrepareQuery", {{"QueryString", "SELECT city, max(value) AS top FROM db.t GROUP BY city"},
                       {"ValidateOnly", true}});
  EXPECT_EQ(answer["Columns"],
            json::parse(R"([{"Name":"city","Type":{"ScalarType":"VARCHAR"},"Aliased":false,
                            "DatabaseName":"db","TableName":"t"},
                           {"Name":"top","Type":{"ScalarType":"BIGINT"},"Aliased":true}])"));
  EXPECT_THAT(Failure({{"QueryString", "SELECT 1"}}, "PrepareQuery"), HasSubstr("ValidateOnly"));
  EXPECT_THAT(
      Failure({{"QueryString", "SELECT nope FROM db.t"}, {"ValidateOnly", true}}, "PrepareQuery"),
      HasSubstr("'nope' does not exist"));
}

TEST_F(QueryApi, UnfitRequestsAreRefused) {
  EXPECT_THAT(Failure(json::object()), HasSubstr("ValidationException"));
  EXPECT_THAT(Failure({{"QueryString", "SELECT 1"}, {"ClientToken", "short"}}),
              HasSubstr("ClientToken"));
  EXPECT_THAT(Failure({{"QueryString", "SELECT 1"}, {"MaxRows", 1001}}),
              HasSubstr("ValidationException"));
  EXPECT_THAT(Failure({{"QueryString", std::string(262'145, ' ')}}), HasSubstr("QueryString"));
  EXPECT_THAT(Failure({{"QueryString", "DROP TABLE x"}}), HasSubstr("mismatched input 'DROP'"));
  EXPECT_THAT(Failure({{"QueryString", "SELECT 1"},
                       {"QueryInsights", {{"Mode", "ENABLED_WITH_RATE_CONTROL"}}}}),
              HasSubstr("QueryInsights"));
  EXPECT_THAT(Failure(json::object(), "Frobnicate"), HasSubstr("UnknownOperationException"));
}

}  // namespace
}  // namespace ts_local
