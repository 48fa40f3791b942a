#include "ts_local/write_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/ts_local/scratch_dir.h"
#include "ts_local/api_error.h"
#include "ts_local/object_store.h"

namespace ts_local {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::int64_t kNow = 1'790'000'000LL * 1'000'000'000;

class WriteServiceTest : public ::testing::Test {
 protected:
  json Call(const std::string& operation, const json& body) {
    return json::parse(service_.Handle(caller_, operation, body.dump()));
  }
  // The error's code; "" where the call succeeds. `error_` is the whole error.
  std::string Refused(const std::string& operation, const json& body) {
    error_ = json::object();
    try {
      Call(operation, body);
    } catch (const ApiError& error) {
      error_ = {{"status", error.status()}, {"message", error.what()}};
      if (!error.body_json().empty()) error_["body"] = json::parse(error.body_json());
      return error.code();
    }
    return "";
  }
  void MakeTable(json request = json::object()) {
    Call("CreateDatabase", {{"DatabaseName", "db"}});
    request["DatabaseName"] = "db";
    request["TableName"] = "t";
    Call("CreateTable", request);
  }
  static json Write(json records, json common = json::object()) {
    return {{"DatabaseName", "db"},
            {"TableName", "t"},
            {"CommonAttributes", std::move(common)},
            {"Records", std::move(records)}};
  }
  static json Record(const std::string& value, std::int64_t seconds_ago = 0) {
    return {{"Dimensions", {{{"Name", "host"}, {"Value", "a"}}}},
            {"MeasureName", "cpu"},
            {"MeasureValue", value},
            {"Time", std::to_string(kNow / 1'000'000 - seconds_ago * 1000)}};
  }

  ScratchDir dir_;
  TableStore tables_{dir_.path(), [] { return kNow; }};
  ObjectStore objects_{dir_.path()};
  WriteService service_{tables_, objects_, [] { return kNow; }};
  Caller caller_{"test", "123456789012", "", "eu-west-1", "timestream"};
  json error_;
};

TEST_F(WriteServiceTest, DatabasesAndTables) {
  const json database = Call("CreateDatabase", {{"DatabaseName", "db"}})["Database"];
  EXPECT_EQ(database["Arn"], "arn:aws:timestream:eu-west-1:123456789012:database/db");
  EXPECT_DOUBLE_EQ(database["CreationTime"], 1790000000.0);
  EXPECT_EQ(Refused("CreateDatabase", {{"DatabaseName", "db"}}), "ConflictException");
  const json named = {{"DatabaseName", "db"}, {"TableName", "t"}};
  EXPECT_EQ(Refused("DescribeTable", named), "ResourceNotFoundException");
  json create = named;
  create["RetentionProperties"] = {{"MemoryStoreRetentionPeriodInHours", 24},
                                   {"MagneticStoreRetentionPeriodInDays", 3655}};
  create["MagneticStoreWriteProperties"] = {
      {"EnableMagneticStoreWrites", true},
      {"MagneticStoreRejectedDataLocation",
       {{"S3Configuration", {{"BucketName", "errors"}, {"ObjectKeyPrefix", "late/"}}}}}};
  create["Schema"]["CompositePartitionKey"] = {
      {{"Type", "DIMENSION"}, {"Name", "city"}, {"EnforcementInRecord", "REQUIRED"}}};
  Call("CreateTable", create);
  const json table = Call("DescribeTable", named)["Table"];
  EXPECT_EQ(table["TableStatus"], "ACTIVE");
  EXPECT_EQ(table["Arn"], "arn:aws:timestream:eu-west-1:123456789012:database/db/table/t");
  EXPECT_EQ(table["RetentionProperties"], create["RetentionProperties"]);
  EXPECT_EQ(table["MagneticStoreWriteProperties"], create["MagneticStoreWriteProperties"]);
  EXPECT_EQ(table["Schema"], create["Schema"]);
  EXPECT_EQ(Refused("CreateTable", create), "ConflictException");
  EXPECT_EQ(Call("DescribeDatabase", named)["Database"]["TableCount"], 1);
  json update = named;
  update["RetentionProperties"] = {{"MemoryStoreRetentionPeriodInHours", 1},
                                   {"MagneticStoreRetentionPeriodInDays", 7300}};
  EXPECT_EQ(Call("UpdateTable", update)["Table"]["Schema"], create["Schema"]);
  update["Schema"]["CompositePartitionKey"] = {{{"Type", "MEASURE"}}};
  EXPECT_EQ(Refused("UpdateTable", update), "ValidationException");
  Call("DeleteTable", named);
  Call("DeleteDatabase", {{"DatabaseName", "db"}});
  EXPECT_EQ(Refused("DescribeDatabase", named), "ResourceNotFoundException");
}

TEST_F(WriteServiceTest, RequestsThatAreNotFit) {
  EXPECT_EQ(Refused("CreateDatabase", json::object()), "ValidationException");
  EXPECT_EQ(Refused("CreateDatabase", {{"DatabaseName", "a/b"}}), "ValidationException");
  EXPECT_EQ(Refused("CreateDatabase", {{"DatabaseName", 5}}), "SerializationException");
  EXPECT_EQ(Refused("TagResource", json::object()), "UnknownOperationException");
  EXPECT_EQ(error_["status"], 404);
  EXPECT_THROW(service_.Handle(caller_, "CreateDatabase", "{"), ApiError);
  MakeTable();
  json table = {{"DatabaseName", "db"}, {"TableName", "u"}};
  table["RetentionProperties"] = {{"MemoryStoreRetentionPeriodInHours", 8767},
                                  {"MagneticStoreRetentionPeriodInDays", 1}};
  EXPECT_EQ(Refused("CreateTable", table), "ValidationException");
  table["RetentionProperties"]["MemoryStoreRetentionPeriodInHours"] = 1;
  table["RetentionProperties"]["MagneticStoreRetentionPeriodInDays"] = 73001;
  EXPECT_EQ(Refused("CreateTable", table), "ValidationException");
}

TEST_F(WriteServiceTest, ListsInPages) {
  MakeTable();
  for (int i = 0; i < 30; ++i) {
    Call("CreateTable", {{"DatabaseName", "db"}, {"TableName", "t" + std::to_string(i)}});
  }
  std::vector<std::string> names;
  json request = {{"DatabaseName", "db"}, {"MaxResults", 7}};
  int pages = 0;
  while (true) {
    const json page = Call("ListTables", request);
    ++pages;
    for (const json& table : page["Tables"]) names.push_back(table["TableName"]);
    if (!page.contains("NextToken")) break;
    request["NextToken"] = page["NextToken"];
  }
  EXPECT_EQ(pages, 5);
  EXPECT_EQ(names.size(), 31U);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 31U);
  EXPECT_EQ(Call("ListDatabases", json::object())["Databases"].size(), 1U);
  EXPECT_EQ(Refused("ListTables", {{"MaxResults", 21}}), "ValidationException");
}

TEST_F(WriteServiceTest, WritesWithCommonAttributes) {
  MakeTable();
  const json common = {{"Dimensions", {{{"Name", "zone"}, {"Value", "z"}}}},
                       {"MeasureValueType", "MULTI"},
                       {"TimeUnit", "NANOSECONDS"},
                       {"MeasureName", "climate"}};
  const json records = {{{"Dimensions", {{{"Name", "host"}, {"Value", "a"}}}},
                         {"Time", std::to_string(kNow - 7)},
                         {"MeasureValues",
                          {{{"Name", "t"}, {"Value", "1.5"}, {"Type", "DOUBLE"}},
                           {{"Name", "at"}, {"Value", "99"}, {"Type", "TIMESTAMP"}}}}}};
  const json ingested = Call("WriteRecords", Write(records, common))["RecordsIngested"];
  EXPECT_EQ(ingested, (json{{"Total", 1}, {"MemoryStore", 1}, {"MagneticStore", 0}}));
  const TableName name{"eu-west-1", "db", "t"};
  const TableSchema schema = tables_.Schema(name);
  EXPECT_EQ(schema.dimensions, (std::vector<std::string>{"zone", "host"}));
  tables_.Scan(name, schema, 0, kNow + 1, [&](const RowView& row) {
    EXPECT_EQ(row.time_ns, kNow - 7);
    EXPECT_EQ(row.measures, (std::vector<Value>{1.5, Timestamp{99}}));
    return true;
  });
}

TEST_F(WriteServiceTest, RejectedRecordsInTheServicesWords) {
  MakeTable();
  Call("WriteRecords", Write({Record("1")}));
  EXPECT_EQ(Refused("WriteRecords", Write({Record("1"), Record("2"), Record("3", 7 * 3600)})),
            "RejectedRecordsException");
  const json rejected = error_["body"]["RejectedRecords"];
  ASSERT_EQ(rejected.size(), 2U);
  EXPECT_EQ(rejected[0]["RecordIndex"], 1);
  EXPECT_EQ(rejected[0]["ExistingVersion"], 1);
  EXPECT_EQ(rejected[1]["RecordIndex"], 2);
  EXPECT_THAT(rejected[1]["Reason"].get<std::string>(), HasSubstr("of the memory store."));
  EXPECT_EQ(error_["body"]["message"],
            "One or more records have been rejected. See RejectedRecords for details.");
}

TEST_F(WriteServiceTest, LateVersionConflictsGoToTheRejectedDataLocation) {
  objects_.CreateBucket("errors", "eu-west-1");
  MakeTable({{"MagneticStoreWriteProperties",
              {{"EnableMagneticStoreWrites", true},
               {"MagneticStoreRejectedDataLocation",
                {{"S3Configuration", {{"BucketName", "errors"}, {"ObjectKeyPrefix", "late"}}}}}}}});
  Call("WriteRecords", Write({Record("1", 86400)}));
  const json ingested = Call("WriteRecords", Write({Record("2", 86400)}))["RecordsIngested"];
  EXPECT_EQ(ingested["MagneticStore"], 1) << "accepted at first, as the service does";
  const auto reports = objects_.List("errors", "late/db/t/", "", 10);
  ASSERT_EQ(reports.size(), 1U);
  const json report = json::parse(objects_.Read(reports[0]));
  EXPECT_EQ(report["rejectedRecords"][0]["ExistingVersion"], 1);
}

TEST_F(WriteServiceTest, InvalidRecords) {
  MakeTable();
  const auto invalid = [&](const std::function<void(json*)>& change) {
    json record = Record("1");
    change(&record);
    return Refused("WriteRecords", Write({record})) == "ValidationException";
  };
  EXPECT_FALSE(invalid([](json*) {}));
  EXPECT_TRUE(invalid([](json* r) { (*r)["MeasureValue"] = "NaN"; }));
  EXPECT_TRUE(invalid([](json* r) { (*r)["MeasureValue"] = "Infinity"; }));
  EXPECT_TRUE(invalid([](json* r) { (*r)["MeasureValue"] = ""; }));
  EXPECT_TRUE(invalid([](json* r) { (*r)["MeasureValue"] = "1 "; }));
  EXPECT_TRUE(invalid([](json* r) {
    (*r)["MeasureValueType"] = "BIGINT";
    (*r)["MeasureValue"] = "9223372036854775808";
  }));
  EXPECT_TRUE(invalid([](json* r) { (*r)["MeasureValueType"] = "TIMESTAMP"; }));
  EXPECT_TRUE(invalid([](json* r) { (*r)["MeasureValueType"] = "MULTI"; }));
  EXPECT_TRUE(invalid([](json* r) { (*r)["Time"] = "1.5"; }));
  EXPECT_TRUE(invalid([](json* r) { r->erase("Time"); }));
  EXPECT_TRUE(invalid([](json* r) { r->erase("Dimensions"); }));
  EXPECT_TRUE(invalid([](json* r) { (*r)["Version"] = 0; }));
  EXPECT_TRUE(invalid([](json* r) { (*r)["TimeUnit"] = "MINUTES"; }));
  json many = json::array();
  for (int i = 0; i < 101; ++i) many.push_back(Record("1", i));
  EXPECT_EQ(Refused("WriteRecords", Write(many)), "ValidationException");
  EXPECT_EQ(Refused("WriteRecords", Write(json::array())), "ValidationException");
}

}  // namespace
}  // namespace ts_local
