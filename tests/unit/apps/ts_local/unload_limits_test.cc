// What ends or slows an UNLOAD in the service: its start rate, its hour, its memory; and what then
// lies in the bucket.

#include "ts_local/unload_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/ts_local/scratch_dir.h"
#include "ts_local/fault_rules.h"
#include "ts_local/object_store.h"
#include "ts_local/query_service.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kStart = 1'774'051'200 * kNsPerSecond;  // 2026-03-21

class UnloadLimitsTest : public testing::Test {
 protected:
  UnloadLimitsTest() {
    tables_.CreateDatabase("us-east-1", "db", "");
    TableProperties properties;
    properties.memory_hours = 48;
    tables_.CreateTable(table_, properties);
    objects_.CreateBucket("bucket", "us-east-1");
    std::vector<Record> records;
    for (int i = 0; i < 100; ++i) {
      Record record;
      record.dimensions = {{"city", "c" + std::to_string(i / 10)}};
      record.measure_name = "m";
      record.multi = true;
      record.time_ns = kStart - kNsPerDay + i;
      record.measures = {{{"value", ScalarType::kBigint, true}, Value(std::int64_t{i})}};
      records.push_back(std::move(record));
    }
    EXPECT_EQ(tables_.Write(table_, records).ingested, 100);
    caller_.account_id = "123456789012";
    caller_.arn = "arn:aws:iam::123456789012:user/a";
    caller_.region = "us-east-1";
  }

  void Begin(const UnloadLimits& limits, std::size_t memory_partitions = 0) {
    QueryTiming timing;
    timing.unload_poll = std::chrono::milliseconds(5);
    const auto leave = [this](const StoragePlace& place, const std::string& key, const StoredAs&,
                              std::string_view bytes) {
      EXPECT_EQ(place.bucket, "bucket");
      EXPECT_FALSE(bytes.empty());
      unfinished_.push_back(key);
    };
    service_ = std::make_unique<QueryService>(
        tables_, objects_, [] { return kStart; }, timing, limits,
        UnloadMishaps{memory_partitions, &rules_, leave});
  }

  // Rows are told city by city: `partitions` of ten rows each.
  static std::string Sql(int partitions = 10) {
    return "UNLOAD (SELECT value, city FROM db.t WHERE value < " + std::to_string(partitions * 10) +
           ") TO 's3://bucket/u' WITH (compression='NONE', partitioned_by = ARRAY['city'])";
  }

  json Call(const std::string& operation, const json& body) {
    return json::parse(service_->Handle(caller_, operation, body.dump()));
  }

  // "<rows>", or the refusal.
  std::string Outcome(const std::string& sql, std::vector<double>* percents = nullptr) {
    json body{{"QueryString", sql}};
    try {
      while (true) {
        const json page = Call("Query", body);
        if (percents != nullptr) percents->push_back(page["QueryStatus"]["ProgressPercentage"]);
        if (!page.contains("NextToken")) return page["Rows"][0]["Data"][0]["ScalarValue"];
        body["NextToken"] = page["NextToken"];
      }
    } catch (const ApiError& error) {
      return error.code() + ": " + error.what();
    }
  }

  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    for (const auto& object : objects_.List("bucket", "", "", 1000)) keys.push_back(object.key);
    return keys;
  }
  std::size_t LinesInBucket() {
    std::size_t lines = 0;
    for (const auto& key : Keys()) {
      const ObjectInfo info = objects_.Get("bucket", key);
      std::ifstream in(info.file);
      for (std::string line; std::getline(in, line);) ++lines;
    }
    return lines;
  }

  ScratchDir dir_;
  const TableName table_{"us-east-1", "db", "t"};
  TableStore tables_{dir_.path(), [] { return kStart; }};
  ObjectStore objects_{dir_.path()};
  Caller caller_;
  FaultRules rules_;
  std::vector<std::string> unfinished_;  // by the query's thread: read when its run has ended
  std::unique_ptr<QueryService> service_;
};

TEST_F(UnloadLimitsTest, MoreThanOneStartInASecondIsThrottledPerRegion) {
  UnloadLimits limits;
  limits.starts_per_second = 1;
  limits.time_scale = 0.001;  // a start in a thousand seconds
  Begin(limits);
  EXPECT_EQ(Outcome(Sql()), "100");
  EXPECT_THAT(Outcome(Sql()), HasSubstr("ThrottlingException: "));
  EXPECT_THAT(Outcome("UNLOAD (SELECT value, nope FROM db.t) TO 's3://bucket/u' WITH "
                      "(compression='NONE')"),
              HasSubstr("ValidationException: "))
      << "what can't start is not counted";
  EXPECT_THAT(Call("Query", {{"QueryString", "SELECT 1"}})["Rows"], SizeIs(1));
  tables_.CreateDatabase("eu-west-1", "db", "");
  tables_.CreateTable({"eu-west-1", "db", "t"}, {});
  objects_.CreateBucket("far", "eu-west-1");
  caller_.region = "eu-west-1";
  const std::string far =
      "UNLOAD (SELECT time FROM db.t) TO 's3://far/u' WITH (compression='NONE')";
  EXPECT_EQ(Outcome(far), "0");
  EXPECT_THAT(Outcome(far), HasSubstr("ThrottlingException: "));
}

TEST_F(UnloadLimitsTest, ScaledTimeBringsTheNextStartNearer) {
  UnloadLimits limits;
  limits.starts_per_second = 1;
  limits.time_scale = 1e9;
  limits.timeout_seconds = 1e15;
  Begin(limits);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Outcome(Sql()), "100");
}

TEST_F(UnloadLimitsTest, ARepeatedClientTokenIsNoStart) {
  UnloadLimits limits;
  limits.starts_per_second = 0.001;
  Begin(limits);
  const json body{{"QueryString", Sql()}, {"ClientToken", std::string(40, 't')}};
  const json first = Call("Query", body);
  EXPECT_EQ(Call("Query", body)["QueryId"], first["QueryId"]);
}

TEST_F(UnloadLimitsTest, AfterAnHourItFailsAndLeavesItsFiles) {
  UnloadLimits limits;
  limits.time_scale = 1e7;
  limits.seconds_per_million_rows = 120e6;  // two minutes a row: thirty rows in the hour
  Begin(limits);
  EXPECT_EQ(Outcome(Sql(3)), "30");
  EXPECT_THAT(Keys(), SizeIs(3 + 2));
  for (const auto& key : Keys()) objects_.Delete("bucket", key);
  EXPECT_THAT(Outcome(Sql(10)), HasSubstr("QueryExecutionException: The query timed out"));
  EXPECT_THAT(Keys(), SizeIs(3));
  EXPECT_THAT(Keys(), Each(EndsWith(".csv")));
  EXPECT_EQ(LinesInBucket(), 30U);
}

TEST_F(UnloadLimitsTest, ProgressGrowsWithTheRows) {
  UnloadLimits limits;
  limits.seconds_per_million_rows = 2000;  // 0.2 s for the hundred rows
  Begin(limits);
  std::vector<double> percents;
  EXPECT_EQ(Outcome(Sql(), &percents), "100");
  ASSERT_GE(percents.size(), 2U);
  EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
  EXPECT_LT(percents.front(), 100);
  EXPECT_EQ(percents.back(), 100);
}

TEST_F(UnloadLimitsTest, TooManyPartitionsForTheMemoryFail) {
  Begin({}, 4);
  EXPECT_EQ(Outcome(Sql(4)), "40");
  for (const auto& key : Keys()) objects_.Delete("bucket", key);
  EXPECT_EQ(Outcome(Sql(5)),
            "QueryExecutionException: The query computation exceeds maximum available memory");
  EXPECT_THAT(Keys(), SizeIs(4));
  EXPECT_THAT(Keys(), Each(EndsWith(".csv")));
  EXPECT_EQ(LinesInBucket(), 40U);
  EXPECT_THAT(unfinished_, ElementsAre(HasSubstr("u/results/city=c3/")));
}

TEST_F(UnloadLimitsTest, ARuleEndsItHalfWayAfterThePageWithItsId) {
  rules_.Add(FaultRule::Parse("Unload:2:InternalServerException"));
  Begin({});
  EXPECT_EQ(Outcome(Sql(2)), "20");
  EXPECT_THAT(unfinished_, IsEmpty()) << "what succeeds leaves nothing behind";
  for (const auto& key : Keys()) objects_.Delete("bucket", key);
  json body{{"QueryString", Sql()}};
  const json page = Call("Query", body);
  EXPECT_THAT(page["Rows"], IsEmpty());
  body["NextToken"] = page["NextToken"];
  try {
    while (true) body["NextToken"] = Call("Query", body)["NextToken"];
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status(), 500);
    EXPECT_EQ(error.code(), "InternalServerException");
  }
  const std::string id = page["QueryId"];
  EXPECT_THAT(Keys(), SizeIs(5));
  EXPECT_THAT(Keys(), Each(AllOf(HasSubstr(id), EndsWith(".csv"))));
  EXPECT_EQ(LinesInBucket(), 50U);
  EXPECT_THAT(unfinished_, ElementsAre(AllOf(HasSubstr("u/results/city=c4/"), HasSubstr(id))));
  EXPECT_EQ(Outcome(Sql()), "100") << "the rule is for the second alone";
}

TEST_F(UnloadLimitsTest, AnUnloadOfNothingFailsByARuleToo) {
  rules_.Add(FaultRule::Parse("Unload:*:QueryExecutionException"));
  Begin({});
  EXPECT_EQ(Outcome(Sql(0)),
            "QueryExecutionException: Timestream was unable to run the query successfully.");
  EXPECT_EQ(Outcome("UNLOAD (SELECT value FROM db.t LIMIT 1) TO 's3://bucket/u'"),
            "QueryExecutionException: Timestream was unable to run the query successfully.");
  EXPECT_THAT(Keys(), IsEmpty());
  EXPECT_THAT(unfinished_, IsEmpty());
}

TEST_F(UnloadLimitsTest, WritesThatS3ThrottlesEndItWithTheDocumentedWords) {
  rules_.Add(FaultRule::Parse("UnloadWrite:3:SlowDown"));
  rules_.Add(FaultRule::Parse("UnloadWrite:5:AccessDenied"));
  Begin({});
  EXPECT_EQ(Outcome(Sql()),
            "QueryExecutionException: We have detected that Amazon S3 is throttling the writes "
            "from UNLOAD command. See Amazon Timestream documentation for more information");
  EXPECT_THAT(Keys(), SizeIs(2));
  EXPECT_EQ(LinesInBucket(), 20U);
  EXPECT_THAT(unfinished_, ElementsAre(HasSubstr("u/results/city=c2/")));
  EXPECT_THAT(Outcome(Sql()), HasSubstr("AccessDeniedException: AccessDenied: ts-local was told"));
  EXPECT_EQ(Outcome(Sql(2)), "20");
}

TEST_F(UnloadLimitsTest, EachTakesItsSecondsWhateverItsRows) {
  UnloadLimits limits;
  limits.seconds = 300;
  limits.time_scale = 1000;
  Begin(limits);
  for (const int partitions : {10, 1, 0}) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(Outcome(Sql(partitions)), std::to_string(partitions * 10));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    EXPECT_GE(took.count(), 0.27) << partitions;
  }
  limits.time_scale = 1e6;
  limits.seconds = 4000;
  Begin(limits);
  for (const int partitions : {10, 0}) {
    for (const auto& key : Keys()) objects_.Delete("bucket", key);
    EXPECT_THAT(Outcome(Sql(partitions)),
                HasSubstr("QueryExecutionException: The query timed out"));
    EXPECT_EQ(LinesInBucket(), partitions * 9U) << "3,600 of 4,000 seconds";
  }
}

TEST_F(UnloadLimitsTest, BothPacesAddUp) {
  UnloadLimits limits;
  limits.seconds = 1800;
  limits.seconds_per_million_rows = 36e6;  // 36 s a row beside the 18 s
  limits.time_scale = 1e6;
  Begin(limits);
  EXPECT_THAT(Outcome(Sql()), HasSubstr("QueryExecutionException: The query timed out"));
  EXPECT_EQ(LinesInBucket(), 66U) << "66 * 54 s are 3,564 s";
}

TEST_F(UnloadLimitsTest, ACancelledOneStopsWaitingAndLeavesItsFiles) {
  UnloadLimits limits;
  limits.seconds_per_million_rows = 30e6;  // fifty minutes in all: only cancelling ends the test
  Begin(limits);
  const json page = Call("Query", {{"QueryString", Sql()}});
  EXPECT_LT(page["QueryStatus"]["ProgressPercentage"], 50);
  Call("CancelQuery", {{"QueryId", page["QueryId"]}});
  service_.reset();  // joins the query's thread
  EXPECT_THAT(Keys(), Each(EndsWith(".csv")));
}

}  // namespace
}  // namespace ts_local
