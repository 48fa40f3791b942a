// Databases, tables and records. The batch-load calls have a file of their own beside this one.
#include "tsm/timestream/write_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/client_bench.h"

namespace tsm::timestream {
namespace {

using nlohmann::json;
using test::ClientBench;
using test::Header;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct WriteClientTest : ::testing::Test {
  ClientBench bench;
  WriteClient write{bench.client, test::CustomEndpoint("127.0.0.1:4566", "/ts"), "eu-west-1"};
  TableRef table{.database = "targetdb", .table = "myTable"};

  json Sent() { return json::parse(bench.transport.requests().back().body); }
  std::string Target() { return Header(bench.transport.requests().back(), "x-amz-target"); }
};

TEST_F(WriteClientTest, CreateDatabase) {
  bench.transport.Add(200, R"({"Database":{"DatabaseName":"targetdb"}})");
  ASSERT_TRUE(write.CreateDatabase("targetdb", {}));
  EXPECT_EQ(Target(), "Timestream_20181101.CreateDatabase");
  EXPECT_EQ(Sent(), json({{"DatabaseName", "targetdb"}}));
  const http::Request request = bench.transport.requests().back();
  EXPECT_EQ(request.Target(), "/ts/");
  EXPECT_EQ(Header(request, "content-type"), "application/x-amz-json-1.0");
  EXPECT_THAT(Header(request, "authorization"), HasSubstr("/eu-west-1/timestream/aws4_request"));
}

TEST_F(WriteClientTest, WhatExistsIsToldApart) {
  bench.transport.Add(400, R"({"__type":"com.amazonaws.timestream.v20181101#ConflictException",
                               "message":"A database with this name already exists"})");
  const Status status = write.CreateDatabase("targetdb", {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_THAT(status.error().Text(), HasSubstr("CreateDatabase targetdb"));
}

TEST_F(WriteClientTest, DescribeDatabase) {
  bench.transport.Add(200, R"({"Database":{"DatabaseName":"targetdb","TableCount":1}})");
  ASSERT_TRUE(write.DescribeDatabase("targetdb", {}));
  EXPECT_EQ(Target(), "Timestream_20181101.DescribeDatabase");
  bench.transport.Add(200, R"({"Database":{"DatabaseName":"other"}})");
  EXPECT_EQ(write.DescribeDatabase("targetdb", {}).error().kind, ErrorKind::kBadReply);
  bench.transport.Add(400,
                      R"({"__type":"ResourceNotFoundException","message":"no such database"})");
  EXPECT_EQ(write.DescribeDatabase("targetdb", {}).error().kind, ErrorKind::kNotFound);
}

TEST_F(WriteClientTest, ListsEveryPage) {
  bench.transport.Add(
      200, R"({"Databases":[{"DatabaseName":"a"},{"DatabaseName":"b"}],"NextToken":"n"})");
  bench.transport.Add(200, R"({"Databases":[{"DatabaseName":"c"}]})");
  const Result<std::vector<std::string>> databases = write.ListDatabases({});
  ASSERT_TRUE(databases) << databases.error().Text();
  EXPECT_THAT(*databases, ElementsAre("a", "b", "c"));
  EXPECT_EQ(Sent(), json({{"MaxResults", 20}, {"NextToken", "n"}}));

  bench.transport.Add(
      200, R"({"Tables":[{"TableName":"t","DatabaseName":"targetdb"}],"NextToken":null})");
  const Result<std::vector<std::string>> tables = write.ListTables("targetdb", {});
  ASSERT_TRUE(tables) << tables.error().Text();
  EXPECT_THAT(*tables, ElementsAre("t"));
  EXPECT_EQ(Target(), "Timestream_20181101.ListTables");
  EXPECT_EQ(Sent(), json({{"MaxResults", 20}, {"DatabaseName", "targetdb"}}));

  bench.transport.Add(200, "{}");
  EXPECT_EQ(write.ListTables("targetdb", {}).error().kind, ErrorKind::kBadReply);
}

TEST_F(WriteClientTest, AListWhoseTokenStandsStillIsNotFollowed) {
  for (int i = 0; i < 5; ++i) {
    bench.transport.Add(200, R"({"Tables":[{"TableName":"t"}],"NextToken":"n"})");
  }
  const Result<std::vector<std::string>> tables = write.ListTables("targetdb", {});
  ASSERT_FALSE(tables);
  EXPECT_THAT(tables.error().Text(), HasSubstr("ListTables targetdb: the listing repeats"));
  EXPECT_EQ(bench.transport.requests().size(), 2U);
}

TEST_F(WriteClientTest, CreateTableWithAPartitionKey) {
  bench.transport.Add(200, "{}");
  ASSERT_TRUE(write.CreateTable(
      table,
      {.memory_store_hours = 24,
       .magnetic_store_days = 7300,
       .magnetic_writes = true,
       .rejected_data = RejectedDataLocation{.bucket = "errors", .prefix = "rejected/"},
       .partition_key = PartitionKey{.is_measure = false, .name = "city", .required = true}},
      {}));
  EXPECT_EQ(Target(), "Timestream_20181101.CreateTable");
  EXPECT_EQ(Sent(), json::parse(R"({
    "DatabaseName":"targetdb","TableName":"myTable",
    "RetentionProperties":{"MemoryStoreRetentionPeriodInHours":24,
      "MagneticStoreRetentionPeriodInDays":7300},
    "MagneticStoreWriteProperties":{"EnableMagneticStoreWrites":true,
      "MagneticStoreRejectedDataLocation":
      {"S3Configuration":{"BucketName":"errors","ObjectKeyPrefix":"rejected/",
      "EncryptionOption":"SSE_S3"}}},
    "Schema":{"CompositePartitionKey":[{"Type":"DIMENSION","Name":"city",
      "EnforcementInRecord":"REQUIRED"}]}})"));
}

TEST_F(WriteClientTest, CreateTableWithoutThem) {
  TableSettings settings;
  settings.memory_store_hours = 6;
  settings.magnetic_store_days = 1;
  settings.magnetic_writes = false;
  bench.transport.Add(200, "{}");
  ASSERT_TRUE(write.CreateTable(table, settings, {}));
  EXPECT_EQ(Sent(), json::parse(R"({"DatabaseName":"targetdb","TableName":"myTable",
    "RetentionProperties":{"MemoryStoreRetentionPeriodInHours":6,
      "MagneticStoreRetentionPeriodInDays":1},
    "MagneticStoreWriteProperties":{"EnableMagneticStoreWrites":false}})"));

  settings.partition_key = PartitionKey{.is_measure = true, .name = "", .required = true};
  bench.transport.Add(200, "{}");
  ASSERT_TRUE(write.CreateTable(table, settings, {}));
  EXPECT_EQ(Sent()["Schema"], json::parse(R"({"CompositePartitionKey":[{"Type":"MEASURE"}]})"));

  settings.partition_key = PartitionKey{.is_measure = false, .name = "k", .required = false};
  bench.transport.Add(200, "{}");
  ASSERT_TRUE(write.CreateTable(table, settings, {}));
  EXPECT_EQ(Sent()["Schema"]["CompositePartitionKey"][0]["EnforcementInRecord"], "OPTIONAL");
}

TEST_F(WriteClientTest, DescribeTable) {
  bench.transport.Add(200, R"({"Table":{
    "Arn":"arn:aws:timestream:eu-west-1:123456789012:database/targetdb/table/myTable",
    "TableName":"myTable","DatabaseName":"targetdb","TableStatus":"ACTIVE",
      "CreationTime":1.677167593266E9,
    "RetentionProperties":{"MemoryStoreRetentionPeriodInHours":24,
      "MagneticStoreRetentionPeriodInDays":3655},
    "MagneticStoreWriteProperties":{"EnableMagneticStoreWrites":true,
      "MagneticStoreRejectedDataLocation":
      {"S3Configuration":{"BucketName":"errors","ObjectKeyPrefix":"r",
      "EncryptionOption":"SSE_S3"}}},
    "Schema":{"CompositePartitionKey":[{"Type":"DIMENSION","Name":"city",
      "EnforcementInRecord":"OPTIONAL"}]}}})");
  const Result<TableDescription> described = write.DescribeTable(table, {});
  ASSERT_TRUE(described) << described.error().Text();
  EXPECT_EQ(described->table, table);
  EXPECT_EQ(described->status, "ACTIVE");
  EXPECT_EQ(described->arn,
            "arn:aws:timestream:eu-west-1:123456789012:database/targetdb/table/myTable");
  EXPECT_EQ(described->settings.memory_store_hours, 24);
  EXPECT_EQ(described->settings.magnetic_store_days, 3655);
  EXPECT_TRUE(described->settings.magnetic_writes);
  ASSERT_TRUE(described->settings.rejected_data);
  EXPECT_EQ(described->settings.rejected_data->bucket, "errors");
  ASSERT_TRUE(described->settings.partition_key);
  EXPECT_FALSE(described->settings.partition_key->is_measure);
  EXPECT_EQ(described->settings.partition_key->name, "city");
  EXPECT_FALSE(described->settings.partition_key->required);
}

TEST_F(WriteClientTest, ATableWithoutExtrasHasNone) {
  bench.transport.Add(
      200, R"({"Table":{"TableName":"myTable","DatabaseName":"targetdb","TableStatus":"ACTIVE",
    "RetentionProperties":{"MemoryStoreRetentionPeriodInHours":6,
      "MagneticStoreRetentionPeriodInDays":73000}}})");
  const Result<TableDescription> described = write.DescribeTable(table, {});
  ASSERT_TRUE(described) << described.error().Text();
  EXPECT_FALSE(described->settings.magnetic_writes);  // the service's default
  EXPECT_FALSE(described->settings.rejected_data);
  EXPECT_FALSE(described->settings.partition_key);

  bench.transport.Add(200, "{}");
  EXPECT_EQ(write.DescribeTable(table, {}).error().kind, ErrorKind::kBadReply);
}

TEST_F(WriteClientTest, WriteRecordsInNanoseconds) {
  bench.transport.Add(200, R"({"RecordsIngested":{"Total":2,"MemoryStore":2,"MagneticStore":0}})");
  const Record multi{.dimensions = {{"city", "Köln"}},
                     .measure_name = "wave",
                     .measures = {{.name = "load", .value = "1.5", .type = "DOUBLE"},
                                  {.name = "note", .value = "a,\"b\"", .type = "VARCHAR"}},
                     .time = 1'708'968'278'270'000'001,
                     .version = 3};
  const Record single{.dimensions = {{"city", "Bonn"}},
                      .measure_name = "load",
                      .measures = {{.name = "", .value = "7", .type = "BIGINT"}},
                      .time = 1};
  ASSERT_TRUE(write.WriteRecords(table, {multi, single}, {}));
  EXPECT_EQ(Sent(), json::parse(R"({"DatabaseName":"targetdb","TableName":"myTable","Records":[
    {"Dimensions":[{"Name":"city","Value":"Köln","DimensionValueType":"VARCHAR"}],
      "MeasureName":"wave",
     "MeasureValueType":"MULTI","MeasureValues":[{"Name":"load","Value":"1.5","Type":"DOUBLE"},
     {"Name":"note","Value":"a,\"b\"","Type":"VARCHAR"}],
     "Time":"1708968278270000001","TimeUnit":"NANOSECONDS","Version":3},
    {"Dimensions":[{"Name":"city","Value":"Bonn","DimensionValueType":"VARCHAR"}],
      "MeasureName":"load",
     "MeasureValue":"7","MeasureValueType":"BIGINT","Time":"1","TimeUnit":"NANOSECONDS",
      "Version":1}]})"));
}

TEST_F(WriteClientTest, RejectedRecordsAreNamed) {
  bench.transport.Add(419,
                      R"({"__type":"com.amazonaws.timestream.v20181101#RejectedRecordsException",
    "Message":"One or more records have been rejected. See RejectedRecords for details.",
    "RejectedRecords":[{"RecordIndex":4,
      "Reason":"The record timestamp is outside the time range"}]})");
  const Status status = write.WriteRecords(table, {Record{}}, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kValidation);
  EXPECT_EQ(status.error().code, "RejectedRecordsException");
  EXPECT_THAT(status.error().Text(), HasSubstr("record 4: The record timestamp is outside"));
}

TEST_F(WriteClientTest, WriteRecordsTakesOneToAHundred) {
  EXPECT_EQ(write.WriteRecords(table, {}, {}).error().kind, ErrorKind::kInvalidInput);
  EXPECT_EQ(write.WriteRecords(table, std::vector<Record>(101), {}).error().kind,
            ErrorKind::kInvalidInput);
  EXPECT_TRUE(bench.transport.requests().empty());
}

}  // namespace
}  // namespace tsm::timestream
