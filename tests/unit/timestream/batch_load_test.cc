#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/client_bench.h"
#include "tsm/timestream/write_client.h"

namespace tsm::timestream {
namespace {

using nlohmann::json;
using test::ClientBench;
using test::Header;
using ::testing::HasSubstr;

struct BatchLoadTest : ::testing::Test {
  ClientBench bench;
  WriteClient write{bench.client, test::CustomEndpoint("127.0.0.1:4566"), "eu-west-1"};
  BatchLoadRequest request{
      .client_token = "token-1",
      .table = {.database = "targetdb", .table = "myTable"},
      .source_bucket = "src",
      .source_prefix = "dest/results/partition_date=2024-02-26/",
      .csv = {},
      .data_model_json = R"({"TimeColumn":"nanoseconds","TimeUnit":"NANOSECONDS",
                             "DimensionMappings":[{"SourceColumn":"city"}]})",
      .report_bucket = "errors",
      .report_prefix = "reports/"};

  json Sent() { return json::parse(bench.transport.requests().back().body); }
  std::string Target() { return Header(bench.transport.requests().back(), "x-amz-target"); }
};

TEST(TaskStatus, NamesAndActivity) {
  for (const std::string name :
       {"CREATED", "IN_PROGRESS", "FAILED", "SUCCEEDED", "PROGRESS_STOPPED", "PENDING_RESUME"}) {
    EXPECT_EQ(Name(ParseTaskStatus(name)), name);
  }
  EXPECT_EQ(ParseTaskStatus("in_progress"), TaskStatus::kUnknown);
  for (const TaskStatus status : {TaskStatus::kCreated, TaskStatus::kInProgress,
                                  TaskStatus::kPendingResume, TaskStatus::kUnknown}) {
    EXPECT_TRUE(IsActive(status)) << Name(status);
  }
  for (const TaskStatus status :
       {TaskStatus::kFailed, TaskStatus::kSucceeded, TaskStatus::kProgressStopped}) {
    EXPECT_FALSE(IsActive(status)) << Name(status);
  }
}

TEST_F(BatchLoadTest, CreateSendsTheWholeCsvConfiguration) {
  bench.transport.Add(200, R"({"TaskId":"9367BE28418C5EF902676482220B631C"})");
  const Result<std::string> id = write.CreateBatchLoadTask(request, {});
  ASSERT_TRUE(id) << id.error().Text();
  EXPECT_EQ(*id, "9367BE28418C5EF902676482220B631C");
  EXPECT_EQ(Target(), "Timestream_20181101.CreateBatchLoadTask");
  EXPECT_EQ(Sent(), json::parse(R"({"ClientToken":"token-1",
    "TargetDatabaseName":"targetdb","TargetTableName":"myTable",
    "DataModelConfiguration":{"DataModel":{"TimeColumn":"nanoseconds","TimeUnit":"NANOSECONDS",
      "DimensionMappings":[{"SourceColumn":"city"}]}},
    "DataSourceConfiguration":{"DataFormat":"CSV",
      "DataSourceS3Configuration":{"BucketName":"src",
      "ObjectKeyPrefix":"dest/results/partition_date=2024-02-26/"},
      "CsvConfiguration":{"ColumnSeparator":",","QuoteChar":"\"","EscapeChar":"\\",
      "TrimWhiteSpace":false}},
    "ReportConfiguration":{"ReportS3Configuration":{"BucketName":"errors",
      "ObjectKeyPrefix":"reports/","EncryptionOption":"SSE_S3"}}})"));
}

TEST_F(BatchLoadTest, CreateSendsANullValueOnlyWhereThereIsOne) {
  request.csv.null_value = "NULL";
  request.csv.trim_white_space = true;
  request.report_prefix.clear();
  bench.transport.Add(200, R"({"TaskId":"ABC"})");
  ASSERT_TRUE(write.CreateBatchLoadTask(request, {}));
  const json csv = Sent()["DataSourceConfiguration"]["CsvConfiguration"];
  EXPECT_EQ(csv["NullValue"], "NULL");
  EXPECT_EQ(csv["TrimWhiteSpace"], true);
  EXPECT_FALSE(Sent()["ReportConfiguration"]["ReportS3Configuration"].contains("ObjectKeyPrefix"));
}

TEST_F(BatchLoadTest, CreateSendsARecordVersionWhereThereIsOne) {
  request.record_version = 7;
  bench.transport.Add(200, R"({"TaskId":"ABC"})");
  ASSERT_TRUE(write.CreateBatchLoadTask(request, {}));
  EXPECT_EQ(Sent()["RecordVersion"], 7);
}

TEST_F(BatchLoadTest, OnePageIsListedWhereAsked) {
  bench.transport.Add(200, R"({"BatchLoadTasks":[{"TaskId":"A","TaskStatus":"CREATED"}],
                               "NextToken":"n2"})");
  const Result<BatchLoadTaskPage> page = write.ListBatchLoadTasksPage("", "n1", {});
  ASSERT_TRUE(page) << page.error().Text();
  EXPECT_EQ(page->tasks.size(), 1U);
  EXPECT_EQ(page->next_token, "n2");
  EXPECT_EQ(Sent(), json({{"MaxResults", 100}, {"NextToken", "n1"}}));
}

TEST_F(BatchLoadTest, ARepeatedCreateKeepsItsToken) {
  bench.transport.Add(500, R"({"__type":"InternalServerException","message":"m"})");
  bench.transport.Add(200, R"({"TaskId":"ABC"})");
  ASSERT_TRUE(write.CreateBatchLoadTask(request, {}));
  ASSERT_EQ(bench.transport.requests().size(), 2U);
  EXPECT_EQ(bench.transport.requests()[0].body, bench.transport.requests()[1].body);
}

TEST_F(BatchLoadTest, CreateRefusesWhatCannotBeMeant) {
  BatchLoadRequest without_token = request;
  without_token.client_token.clear();
  EXPECT_EQ(write.CreateBatchLoadTask(without_token, {}).error().kind, ErrorKind::kInvalidInput);
  request.data_model_json = "[1]";
  EXPECT_EQ(write.CreateBatchLoadTask(request, {}).error().kind, ErrorKind::kInvalidInput);
  EXPECT_TRUE(bench.transport.requests().empty());
}

TEST_F(BatchLoadTest, OverQuotaIsItsOwnKindAndNotRepeated) {
  bench.transport.Add(402,
                      R"({"__type":"ServiceQuotaExceededException","message":"5 active tasks"})");
  EXPECT_EQ(write.CreateBatchLoadTask(request, {}).error().kind, ErrorKind::kQuotaExceeded);
  EXPECT_EQ(bench.transport.requests().size(), 1U);
}

TEST_F(BatchLoadTest, DescribeReadsEverything) {
  bench.transport.Add(
      200, R"({"BatchLoadTaskDescription":{"TaskId":"ABC","TaskStatus":"PROGRESS_STOPPED",
    "ErrorMessage":"throttled","TargetDatabaseName":"targetdb","TargetTableName":"myTable",
    "DataSourceConfiguration":{"DataFormat":"CSV","CsvConfiguration":{},
      "DataSourceS3Configuration":{"BucketName":"src","ObjectKeyPrefix":"p/"}},
    "ReportConfiguration":{"ReportS3Configuration":{"BucketName":"errors","ObjectKeyPrefix":"r",
      "EncryptionOption":"SSE_S3"}},
    "ProgressReport":{"RecordsProcessed":24906,"RecordsIngested":24900,"ParseFailures":1,
      "RecordIngestionFailures":5,"FileFailures":2,"BytesMetered":7793122},
    "CreationTime":1677167593.266,"LastUpdatedTime":1677167602.38,
      "ResumableUntil":1.677253993266E9}})");
  const Result<BatchLoadTask> task = write.DescribeBatchLoadTask("ABC", {});
  ASSERT_TRUE(task) << task.error().Text();
  EXPECT_EQ(Sent(), json({{"TaskId", "ABC"}}));
  EXPECT_EQ(task->task_id, "ABC");
  EXPECT_EQ(task->status, TaskStatus::kProgressStopped);
  EXPECT_EQ(task->status_text, "PROGRESS_STOPPED");
  EXPECT_EQ(task->error_message, "throttled");
  EXPECT_EQ(task->table.str(), "targetdb.myTable");
  EXPECT_EQ(task->source_bucket, "src");
  EXPECT_EQ(task->source_prefix, "p/");
  EXPECT_EQ(task->report_bucket, "errors");
  EXPECT_EQ(task->report_prefix, "r");
  EXPECT_EQ(task->progress.records_processed, 24'906);
  EXPECT_EQ(task->progress.records_ingested, 24'900);
  EXPECT_EQ(task->progress.parse_failures, 1);
  EXPECT_EQ(task->progress.record_ingestion_failures, 5);
  EXPECT_EQ(task->progress.file_failures, 2);
  EXPECT_EQ(task->progress.bytes_metered, 7'793'122);
  EXPECT_DOUBLE_EQ(task->creation_time, 1'677'167'593.266);
  EXPECT_DOUBLE_EQ(task->resumable_until, 1'677'253'993.266);
}

TEST_F(BatchLoadTest, DescribeReadsTheCliPagesNamesToo) {
  bench.transport.Add(200,
                      R"({"BatchLoadTaskDescription":{"TaskId":"ABC","TaskStatus":"NEWER_STATE",
    "ProgressReport":{"FileParseFailures":3,"BytesIngested":9}}})");
  const Result<BatchLoadTask> task = write.DescribeBatchLoadTask("ABC", {});
  ASSERT_TRUE(task) << task.error().Text();
  EXPECT_EQ(task->status, TaskStatus::kUnknown);
  EXPECT_EQ(task->status_text, "NEWER_STATE");
  EXPECT_EQ(task->progress.parse_failures, 3);
  EXPECT_EQ(task->progress.bytes_metered, 9);
  EXPECT_EQ(task->resumable_until, 0);

  bench.transport.Add(200, "{}");
  EXPECT_EQ(write.DescribeBatchLoadTask("ABC", {}).error().kind, ErrorKind::kBadReply);
}

TEST_F(BatchLoadTest, ListReadsEveryPage) {
  bench.transport.Add(
      200, R"({"BatchLoadTasks":[{"TaskId":"A","TaskStatus":"CREATED","DatabaseName":"d1",
    "TableName":"t","CreationTime":5.5}],"NextToken":"n"})");
  bench.transport.Add(200, R"({"BatchLoadTasks":[{"TaskId":"B","TaskStatus":"SUCCEEDED"}]})");
  const Result<std::vector<BatchLoadTaskSummary>> tasks = write.ListBatchLoadTasks("", {});
  ASSERT_TRUE(tasks) << tasks.error().Text();
  ASSERT_EQ(tasks->size(), 2U);
  EXPECT_EQ(tasks->at(0).task_id, "A");
  EXPECT_EQ(tasks->at(0).table.str(), "d1.t");
  EXPECT_EQ(tasks->at(0).status, TaskStatus::kCreated);
  EXPECT_DOUBLE_EQ(tasks->at(0).creation_time, 5.5);
  EXPECT_EQ(Sent(), json({{"MaxResults", 100}, {"NextToken", "n"}}));

  bench.transport.Add(200, R"({"BatchLoadTasks":[]})");
  ASSERT_TRUE(write.ListBatchLoadTasks("IN_PROGRESS", {}));
  EXPECT_EQ(Sent(), json({{"MaxResults", 100}, {"TaskStatus", "IN_PROGRESS"}}));

  bench.transport.Add(200, "{}");  // is no empty list: a load would start beside running tasks
  EXPECT_EQ(write.ListBatchLoadTasks("", {}).error().kind, ErrorKind::kBadReply);
}

TEST_F(BatchLoadTest, AListWhoseTokenStandsStillIsNotFollowed) {
  for (int i = 0; i < 5; ++i) {
    bench.transport.Add(200, R"({"BatchLoadTasks":[],"NextToken":"n"})");
  }
  const Result<std::vector<BatchLoadTaskSummary>> tasks = write.ListBatchLoadTasks("", {});
  ASSERT_FALSE(tasks);
  EXPECT_THAT(tasks.error().Text(), HasSubstr("ListBatchLoadTasks: the listing repeats"));
  EXPECT_EQ(bench.transport.requests().size(), 2U);
}

TEST_F(BatchLoadTest, ANumberBeyond64BitsIsNone) {
  bench.transport.Add(200, R"({"BatchLoadTaskDescription":{"TaskId":"A","TaskStatus":"SUCCEEDED",
    "ProgressReport":{"RecordsIngested":1e30,"RecordsProcessed":-99999999999999999999,
    "BytesMetered":18446744073709551615}}})");
  const Result<BatchLoadTask> task = write.DescribeBatchLoadTask("A", {});
  ASSERT_TRUE(task) << task.error().Text();
  EXPECT_EQ(task->progress.records_ingested, 0);
  EXPECT_EQ(task->progress.records_processed, 0);
  EXPECT_EQ(task->progress.bytes_metered, 0);
}

TEST_F(BatchLoadTest, ResumeIsNotRepeatedBlindly) {
  bench.transport.Add(200, "{}");
  ASSERT_TRUE(write.ResumeBatchLoadTask("ABC", {}));
  EXPECT_EQ(Target(), "Timestream_20181101.ResumeBatchLoadTask");
  EXPECT_EQ(Sent(), json({{"TaskId", "ABC"}}));

  bench.transport.Add(MakeError(ErrorKind::kTransient, "connection reset"));
  EXPECT_EQ(write.ResumeBatchLoadTask("ABC", {}).error().kind, ErrorKind::kTransient);
  EXPECT_EQ(bench.transport.requests().size(), 2U);
}

}  // namespace
}  // namespace tsm::timestream
