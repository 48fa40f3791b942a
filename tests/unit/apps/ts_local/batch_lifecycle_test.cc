// A batch-load task's way through its states on a clock that the test moves: the workers that load
// the files are real threads, whatever takes service time is not waited for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/ts_local/scratch_dir.h"
#include "ts_local/api_error.h"
#include "ts_local/batch_load.h"
#include "ts_local/batch_task.h"
#include "ts_local/fault_rules.h"
#include "ts_local/object_store.h"

namespace ts_local {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::int64_t kStart = 1'790'000'000LL * 1'000'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;

class BatchLifecycleTest : public ::testing::Test {
 protected:
  BatchLifecycleTest() {
    objects_.CreateBucket("source", "eu-west-1");
    objects_.CreateBucket("errors", "eu-west-1");
    objects_.CreateBucket("rejected", "eu-west-1");
    tables_.CreateDatabase("eu-west-1", "db", "");
    TableProperties properties;
    properties.magnetic_writes = true;
    tables_.CreateTable({"eu-west-1", "db", "silent"}, properties);
    properties.rejected_bucket = "rejected";
    properties.rejected_prefix = "late";
    tables_.CreateTable(name_, properties);
  }
  void Open(const BatchLoadLimits& limits) {
    batch_ = std::make_unique<BatchLoad>(
        tables_, objects_, [this] { return now_.load(); }, limits, &faults_);
  }
  void Fail(const char* rule) { faults_.Add(FaultRule::Parse(rule)); }
  void Pass(std::int64_t ns) { now_ += ns; }

  // `rows` rows of one day each, of a value; the newest is `newest_ns` old.
  void Put(const std::string& key, int rows, std::int64_t newest_ns = kDay,
           const std::string& value = "1") {
    std::string text = "city,ns,v\n";
    for (int i = 0; i < rows; ++i) {
      text += "Oslo," + std::to_string(kStart - newest_ns - i * kDay) + "," + value + "\n";
    }
    objects_.Put("source", key, text);
  }
  static json Request(const std::string& prefix, std::int64_t version, const std::string& table) {
    json request = json::parse(R"({
      "TargetDatabaseName": "db",
      "DataSourceConfiguration": {"DataFormat": "CSV"},
      "ReportConfiguration": {"ReportS3Configuration": {"BucketName": "errors"}},
      "DataModelConfiguration": {"DataModel": {
        "TimeColumn": "ns", "TimeUnit": "NANOSECONDS",
        "DimensionMappings": [{"SourceColumn": "city"}],
        "MultiMeasureMappings": {"TargetMultiMeasureName": "m", "MultiMeasureAttributeMappings": [
          {"SourceColumn": "v", "MeasureValueType": "BIGINT"}]}}}})");
    request["TargetTableName"] = table;
    request["RecordVersion"] = version;
    request["DataSourceConfiguration"]["DataSourceS3Configuration"] = {{"BucketName", "source"},
                                                                       {"ObjectKeyPrefix", prefix}};
    return request;
  }
  std::string Create(const std::string& prefix = "in/", std::int64_t version = 1,
                     const std::string& table = "t") {
    return batch_->Create(caller_, Request(prefix, version, table))["TaskId"];
  }
  json Describe(const std::string& id) {
    return batch_->Describe(caller_, {{"TaskId", id}})["BatchLoadTaskDescription"];
  }
  // Waits for a worker to have loaded the files: the task then follows the clock alone.
  json Await(const std::string& id, const std::string& status) {
    json task = Describe(id);
    while (task["TaskStatus"] != status) {
      std::this_thread::yield();
      task = Describe(id);
    }
    return task;
  }
  static std::int64_t Processed(const json& task) {
    return task["ProgressReport"]["RecordsProcessed"];
  }
  std::string ResumeError(const std::string& id) {
    try {
      batch_->Resume(caller_, {{"TaskId", id}});
    } catch (const ApiError& error) {
      return error.code() + ": " + error.what();
    }
    return "";
  }
  std::string CreateError() {
    try {
      Create();
    } catch (const ApiError& error) {
      return error.code() + ": " + error.what();
    }
    return "";
  }
  std::int64_t Rows() {
    std::int64_t rows = 0;
    tables_.Scan(name_, tables_.Schema(name_), 0, INT64_MAX, [&](const RowView&) {
      ++rows;
      return true;
    });
    return rows;
  }
  // Waits until the files are in the table, which a paced task shows later.
  void AwaitRows(std::int64_t rows) {
    while (Rows() < rows) std::this_thread::yield();
  }

  ScratchDir dir_;
  std::atomic<std::int64_t> now_ = kStart;
  TableStore tables_{dir_.path(), [this] { return now_.load(); }};
  ObjectStore objects_{dir_.path()};
  FaultRules faults_;
  std::unique_ptr<BatchLoad> batch_;
  const TableName name_{"eu-west-1", "db", "t"};
  Caller caller_{"test", "123456789012", "", "eu-west-1", "timestream"};
};

TEST_F(BatchLifecycleTest, ATaskTakesServiceTimeAndItsCountersGrow) {
  BatchLoadLimits limits;
  limits.time_scale = 10;
  limits.seconds = 60;
  limits.seconds_per_million_rows = 400'000;  // 100 rows: 40 s
  Open(limits);
  Put("in/a.csv", 100);
  const std::string id = Create();
  AwaitRows(100);
  EXPECT_EQ(Describe(id)["TaskStatus"], kCreated);
  EXPECT_EQ(Processed(Describe(id)), 0);
  Pass(kSecond / 10);
  Await(id, kInProgress);
  std::int64_t shown = 0;
  for (int second = 1; second < 10; ++second) {  // 100 s of the service
    Pass(kSecond);
    // Not before the worker has said how many rows there are do they show.
    json task = Describe(id);
    while (Processed(task) <= shown) {
      std::this_thread::yield();
      task = Describe(id);
    }
    EXPECT_EQ(task["TaskStatus"], kInProgress);
    shown = Processed(task);
    EXPECT_EQ(shown, 10 * second);
    EXPECT_EQ(task["ProgressReport"]["RecordsIngested"], shown);
  }
  Pass(kSecond);
  const json done = Describe(id);
  EXPECT_EQ(done["TaskStatus"], kSucceeded);
  EXPECT_EQ(Processed(done), 100);
  EXPECT_EQ(done["LastUpdatedTime"], (kStart / kSecond) + 10.1);
  Pass(100 * kSecond);
  EXPECT_EQ(Describe(id)["LastUpdatedTime"], done["LastUpdatedTime"]);
}

TEST_F(BatchLifecycleTest, AScriptedStopIsResumedPendingAndStoppedAgainWithoutProgress) {
  BatchLoadLimits limits;
  limits.resumable_seconds = 3600;
  limits.pending_resume_seconds = 30;
  Open(limits);
  Put("in/a.csv", 100);
  Put("other/a.csv", 1);
  Fail("Task:2:stop");
  Fail("Task:3:stop=0");
  Await(Create("other/"), kSucceeded);
  const std::string id = Create();
  const json stopped = Await(id, kProgressStopped);
  EXPECT_NEAR(static_cast<double>(Processed(stopped)), 50, 2);
  EXPECT_EQ(Rows(), Processed(stopped)) << "the stopped task has written what it says, no more";
  EXPECT_EQ(stopped["ResumableUntil"], (kStart / kSecond) + 3600.0);
  EXPECT_TRUE(objects_.List("errors", "", "", 10).empty());

  Pass(3599 * kSecond);
  EXPECT_EQ(ResumeError(id), "");
  EXPECT_EQ(Describe(id)["TaskStatus"], kPendingResume);
  EXPECT_FALSE(Describe(id).contains("ResumableUntil"));
  EXPECT_THAT(ResumeError(id), HasSubstr("ValidationException"));
  Pass(31 * kSecond);
  const json again = Await(id, kProgressStopped);
  EXPECT_EQ(Processed(again), Processed(stopped)) << "stop=0 moves nothing, and loses nothing";

  EXPECT_EQ(ResumeError(id), "");
  Pass(31 * kSecond);
  const json done = Await(id, kSucceeded);
  EXPECT_EQ(Processed(done), 100);
  EXPECT_EQ(done["ProgressReport"]["RecordsIngested"], 100);
  EXPECT_EQ(Rows(), 100);
}

TEST_F(BatchLifecycleTest, AStoppedTaskIsNotResumedAfterItsTime) {
  BatchLoadLimits limits;
  limits.resumable_seconds = 60;
  Open(limits);
  Put("in/a.csv", 4);
  Fail("Task:1:stop");
  const std::string id = Create();
  Await(id, kProgressStopped);
  Pass(60 * kSecond);
  EXPECT_THAT(ResumeError(id), HasSubstr("ValidationException"));
  EXPECT_THAT(ResumeError(id), HasSubstr("ResumableUntil"));
  EXPECT_EQ(Describe(id)["TaskStatus"], kProgressStopped);
}

TEST_F(BatchLifecycleTest, AScriptedFailureHasAReportWithATaskError) {
  Open({});
  Put("in/a.csv", 100);
  Fail("Task:1:fail=25");
  const json failed = Await(Create(), kFailed);
  EXPECT_NEAR(static_cast<double>(Processed(failed)), 25, 2);
  EXPECT_THAT(failed["ErrorMessage"].get<std::string>(), HasSubstr("s3://errors/"));
  const auto reports = objects_.List("errors", "", "", 10);
  ASSERT_EQ(reports.size(), 1U);
  const json report = json::parse(objects_.Read(reports[0]));
  EXPECT_EQ(report["taskId"], failed["TaskId"]);
  EXPECT_EQ(report["fileErrors"], json::array());
  ASSERT_EQ(report["taskErrors"].size(), 1U);
  EXPECT_THAT(report["taskErrors"][0]["reason"].get<std::string>(), HasSubstr("told to let"));
}

TEST_F(BatchLifecycleTest, TheReportIsEncryptedAsAsked) {
  Open({});
  Put("in/a.csv", 1, 0, "no number");
  json request = Request("in/", 1, "t");
  request["ReportConfiguration"]["ReportS3Configuration"]["EncryptionOption"] = "SSE_KMS";
  request["ReportConfiguration"]["ReportS3Configuration"]["KmsKeyId"] = "alias/reports";
  Await(batch_->Create(caller_, request)["TaskId"], kFailed);
  const auto reports = objects_.List("errors", "", "", 10);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].encryption, "aws:kms");
  EXPECT_EQ(reports[0].kms_key, "alias/reports");
}

TEST_F(BatchLifecycleTest, OthersTasksTakeUpTheQuotasAndAreListed) {
  BatchLoadLimits limits;
  limits.table_tasks = 2;
  limits.account_tasks = 4;
  Open(limits);
  OtherTasks others{"eu-west-1", "db", "t", 2, 600};
  EXPECT_EQ(batch_->AddOthers(others), 2U);
  EXPECT_THAT(CreateError(), HasSubstr("ServiceQuotaExceededException: The table has 2 active"));
  Pass(599 * kSecond);
  EXPECT_THAT(CreateError(), HasSubstr("The table"));
  Pass(kSecond);
  EXPECT_EQ(batch_->CountOthers(), 0U);
  Await(Create("nothing/"), kFailed);

  others = {"eu-west-1", "theirs", "big", 4, 600};
  EXPECT_EQ(batch_->AddOthers(others), 4U);
  EXPECT_THAT(CreateError(), HasSubstr("The account has 4 active"));
  others.region = "us-east-1";
  EXPECT_EQ(batch_->AddOthers(others), 8U) << "another region has quotas of its own";
  const json listed = batch_->List(caller_, {{"TaskStatus", kInProgress}})["BatchLoadTasks"];
  ASSERT_EQ(listed.size(), 4U);
  EXPECT_EQ(listed[0]["TableName"], "big");
  const json theirs = Describe(listed[0]["TaskId"]);
  EXPECT_EQ(theirs["DataSourceConfiguration"]["DataSourceS3Configuration"]["BucketName"],
            "somebody-elses-bucket");
  EXPECT_EQ(batch_->EndOthers(), 0U);
  EXPECT_EQ(Describe(listed[0]["TaskId"])["TaskStatus"], kSucceeded);
  EXPECT_EQ(CreateError(), "");
}

TEST_F(BatchLifecycleTest, ARestartEndsOthersTasks) {
  Open({});
  batch_->AddOthers({"eu-west-1", "db", "t", 1, 600});
  const std::string id = batch_->List(caller_, json::object())["BatchLoadTasks"][0]["TaskId"];
  batch_.reset();
  Open({});
  EXPECT_EQ(Describe(id)["TaskStatus"], kSucceeded);
}

TEST_F(BatchLifecycleTest, TooManyActivePartitionsStopATaskUntilTheyAreInactive) {
  BatchLoadLimits limits;
  limits.magnetic_partitions = 10;
  limits.magnetic_partition_seconds = 6 * 3600;
  Open(limits);
  Put("in/a.csv", 25);  // 25 days of the magnetic store
  const std::string id = Create();
  const json stopped = Await(id, kProgressStopped);
  EXPECT_EQ(Processed(stopped), 10);
  EXPECT_EQ(Rows(), 10);
  EXPECT_THAT(stopped["ErrorMessage"].get<std::string>(), HasSubstr("magnetic store partitions"));

  ASSERT_EQ(ResumeError(id), "");
  EXPECT_EQ(Processed(Await(id, kProgressStopped)), 10) << "they are active still";
  for (const int rows : {20, 25}) {
    Pass(6 * 3600 * kSecond);
    ASSERT_EQ(ResumeError(id), "");
    const json task = Await(id, rows == 25 ? kSucceeded : kProgressStopped);
    EXPECT_EQ(Processed(task), rows);
    EXPECT_EQ(Rows(), rows);
  }
}

TEST_F(BatchLifecycleTest, VersionConflictsOfTheMagneticStoreAreToldToItsLocationAlone) {
  Open({});
  Put("in/a.csv", 3);
  Await(Create(), kSucceeded);
  Put("in/a.csv", 3, kDay, "2");
  const json task = Await(Create(), kSucceeded);
  EXPECT_EQ(task["ProgressReport"]["RecordsIngested"], 3) << "as if nothing had been rejected";
  EXPECT_EQ(task["ProgressReport"]["RecordIngestionFailures"], 0);
  EXPECT_TRUE(objects_.List("errors", "", "", 10).empty());
  const auto rejected = objects_.List("rejected", "late/db/t/", "", 10);
  ASSERT_EQ(rejected.size(), 1U);
  const json report = json::parse(objects_.Read(rejected[0]));
  ASSERT_EQ(report["rejectedRecords"].size(), 3U);
  EXPECT_EQ(report["rejectedRecords"][0]["ExistingVersion"], 1);

  const auto value = [this] {
    Value found;
    tables_.Scan(name_, tables_.Schema(name_), 0, INT64_MAX, [&](const RowView& row) {
      found = row.measures[0];
      return true;
    });
    return found;
  };
  EXPECT_EQ(value(), Value(std::int64_t{1}));
  Await(Create("in/", 2), kSucceeded);
  EXPECT_EQ(value(), Value(std::int64_t{2})) << "a higher version overwrites";
  EXPECT_EQ(objects_.List("rejected", "", "", 10).size(), 1U);
}

TEST_F(BatchLifecycleTest, WithoutALocationVersionConflictsAreLostInSilence) {
  Open({});
  Put("in/a.csv", 3);
  Await(Create("in/", 1, "silent"), kSucceeded);
  Put("in/a.csv", 3, kDay, "2");
  const json task = Await(Create("in/", 1, "silent"), kSucceeded);
  EXPECT_EQ(task["ProgressReport"]["RecordsIngested"], 3);
  EXPECT_TRUE(objects_.List("errors", "", "", 10).empty());
  EXPECT_TRUE(objects_.List("rejected", "", "", 10).empty());
}

TEST_F(BatchLifecycleTest, RowsAreSeenSoLongAfterTheTasksEnd) {
  BatchLoadLimits limits;
  limits.time_scale = 10;
  limits.seconds = 99;
  limits.visible_seconds = 600;
  Open(limits);
  Put("in/a.csv", 5);
  const std::string id = Create();
  Pass(10 * kSecond);
  Await(id, kSucceeded);
  EXPECT_EQ(Rows(), 0);
  EXPECT_FALSE(tables_.Bounds(name_, 0, INT64_MAX).has_value());
  Pass(59 * kSecond);
  EXPECT_EQ(Rows(), 0);
  Pass(2 * kSecond);
  EXPECT_EQ(Rows(), 5);
  EXPECT_EQ(tables_.Bounds(name_, 0, INT64_MAX)->max_ns, kStart - kDay);
  // What is there stays seen while more comes.
  Put("in/b.csv", 1, 20 * kDay);
  const std::string second = Create();
  Await(second, kCreated);
  EXPECT_EQ(Rows(), 5);
  EXPECT_EQ(tables_.Bounds(name_, 0, INT64_MAX)->min_ns, kStart - 5 * kDay);
}

}  // namespace
}  // namespace ts_local
