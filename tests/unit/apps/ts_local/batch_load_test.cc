#include "ts_local/batch_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/ts_local/scratch_dir.h"
#include "ts_local/api_error.h"
#include "ts_local/batch_task.h"
#include "ts_local/object_store.h"

namespace ts_local {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::int64_t kNow = 1'790'000'000LL * 1'000'000'000;
constexpr std::int64_t kDay = 86'400'000'000'000;

// Holds whoever passes while it is closed.
class Gate {
 public:
  void Close() { Set(true); }
  void Open() { Set(false); }
  void Pass() {
    std::unique_lock lock(mutex_);
    if (!closed_) return;
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !closed_; });
    --waiting_;
  }
  void WaitForOneAtIt() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

 private:
  void Set(bool closed) {
    const std::lock_guard lock(mutex_);
    closed_ = closed;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool closed_ = false;
};

class BatchLoadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    objects_.CreateBucket("source", "eu-west-1");
    objects_.CreateBucket("errors", "eu-west-1");
    objects_.CreateBucket("abroad", "us-west-2");
    tables_.CreateDatabase("eu-west-1", "db", "");
    TableProperties properties;
    properties.magnetic_days = 365;
    properties.magnetic_writes = true;
    tables_.CreateTable(name_, properties);
    Open();
  }
  void Open() {
    batch_.reset();
    batch_ = std::make_unique<BatchLoad>(tables_, objects_, [] { return kNow; });
  }

  static json Request() {
    return json::parse(R"({
      "TargetDatabaseName": "db", "TargetTableName": "t",
      "DataSourceConfiguration": {
        "DataFormat": "CSV",
        "DataSourceS3Configuration": {"BucketName": "source", "ObjectKeyPrefix": "day=1/"},
        "CsvConfiguration": {"EscapeChar": "\\", "QuoteChar": "\""}},
      "ReportConfiguration": {"ReportS3Configuration": {"BucketName": "errors",
                                                        "ObjectKeyPrefix": "reports"}},
      "DataModelConfiguration": {"DataModel": {
        "TimeColumn": "nanoseconds", "TimeUnit": "NANOSECONDS", "MeasureNameColumn": "measure_name",
        "DimensionMappings": [{"SourceColumn": "city"}, {"SourceColumn": "dev"}],
        "MultiMeasureMappings": {"MultiMeasureAttributeMappings": [
          {"SourceColumn": "temp", "MeasureValueType": "DOUBLE"},
          {"SourceColumn": "n", "MeasureValueType": "BIGINT"},
          {"SourceColumn": "ok", "MeasureValueType": "BOOLEAN"},
          {"SourceColumn": "note", "TargetMultiMeasureAttributeName": "remark",
           "MeasureValueType": "VARCHAR"}]}}}})");
  }
  static json& Model(json* request) { return (*request)["DataModelConfiguration"]["DataModel"]; }
  static std::string Time(std::int64_t ago_ns) { return std::to_string(kNow - ago_ns); }
  static std::string Header() { return "city,dev,measure_name,time,temp,n,ok,note,nanoseconds\n"; }

  std::string Create(const json& request) { return batch_->Create(caller_, request)["TaskId"]; }
  json Describe(const std::string& id) {
    return batch_->Describe(caller_, {{"TaskId", id}})["BatchLoadTaskDescription"];
  }
  // Waits for the workers (real threads) until the task is at its end.
  json Finish(const std::string& id) {
    json task = Describe(id);
    while (task["TaskStatus"] == kCreated || task["TaskStatus"] == kInProgress ||
           task["TaskStatus"] == kPendingResume) {
      std::this_thread::yield();
      task = Describe(id);
    }
    return task;
  }
  json Run(const json& request = Request()) { return Finish(Create(request)); }
  std::string Refused(const json& request) {
    try {
      Create(request);
    } catch (const ApiError& error) {
      message_ = error.what();
      return error.code();
    }
    return "";
  }
  json Report(const json& task) {
    const auto reports = objects_.List("errors", "reports/", "", 10);
    for (const ObjectInfo& object : reports) {
      if (object.key.find(task["TaskId"].get<std::string>()) != std::string::npos) {
        return json::parse(objects_.Read(object));
      }
    }
    return nullptr;
  }
  struct Row {
    std::vector<std::optional<std::string>> dimensions;
    std::string measure_name;
    std::int64_t time;
    std::vector<Value> measures;
  };
  std::vector<Row> Rows() {
    std::vector<Row> rows;
    tables_.Scan(name_, tables_.Schema(name_), 0, INT64_MAX, [&](const RowView& row) {
      rows.push_back({row.dimensions, row.measure_name, row.time_ns, row.measures});
      return true;
    });
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.time < b.time; });
    return rows;
  }

  ScratchDir dir_;
  Gate gate_;
  TableStore tables_{dir_.path(), [this] {
                       gate_.Pass();  // the store asks for the time at every write
                       return kNow;
                     }};
  ObjectStore objects_{dir_.path()};
  std::unique_ptr<BatchLoad> batch_;
  const TableName name_{"eu-west-1", "db", "t"};
  Caller caller_{"test", "123456789012", "", "eu-west-1", "timestream"};
  std::string message_;
};

TEST_F(BatchLoadTest, LoadsMultiMeasureRows) {
  objects_.Put("source", "day=1/a.csv",
               Header() + "Zürich,d1,climate,x,1.5,,TRUE,\"say \\\"hi\\\", \\\\\nbye\"," + Time(2) +
                   "\n\"New York, NY\",,power,x,,-7,false,," + Time(1) + "\n");
  objects_.Put("source", "day=1/b.csv", Header() + "Oslo,d2,climate,x,1E3,,,," + Time(0) + "\n");
  objects_.Put("source", "day=1/", "");
  objects_.Put("source", "day=10/not-mine.csv", "nonsense");
  const json task = Run();
  EXPECT_EQ(task["TaskStatus"], kSucceeded) << task.dump(1);
  EXPECT_EQ(task["ProgressReport"]["RecordsProcessed"], 3);
  EXPECT_EQ(task["ProgressReport"]["RecordsIngested"], 3);
  EXPECT_GT(task["ProgressReport"]["BytesMetered"], 100);
  EXPECT_FALSE(task.contains("ErrorMessage"));
  EXPECT_EQ(task["DataModelConfiguration"]["DataModel"]["DimensionMappings"][0],
            (json{{"SourceColumn", "city"}, {"DestinationColumn", "city"}}));
  const std::vector<Row> rows = Rows();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].measure_name, "climate");
  EXPECT_EQ(rows[0].dimensions[0], "Zürich");
  // Columns in order of first appearance: temp, ok, remark, n.
  EXPECT_EQ(rows[0].measures,
            (std::vector<Value>{1.5, true, std::string("say \"hi\", \\\nbye"), Value()}));
  EXPECT_FALSE(rows[1].dimensions[1].has_value()) << "an empty dimension is absent";
  EXPECT_EQ(rows[1].measures, (std::vector<Value>{Value(), false, Value(), std::int64_t{-7}}));
  EXPECT_EQ(rows[2].measures[0], Value(1000.0));
  EXPECT_TRUE(objects_.List("errors", "", "", 10).empty());

  const json again = Run();
  EXPECT_EQ(again["TaskStatus"], kSucceeded) << "identical rows are no conflict";
  EXPECT_EQ(Rows().size(), 3U);
}

TEST_F(BatchLoadTest, BadRowsAreReportedAndGoodOnesStay) {
  objects_.Put("source", "day=1/a.csv",
               Header() + "a,d,m,x,1,,,," + Time(1) + "\n" +                  // 2
                   "a,d,m,x,nope,,,," + Time(2) + "\n" +                      // 3
                   "a,d,m,x,NaN,,,," + Time(3) + "\n" +                       // 4
                   "a,d,m,x,1,,,," + Time(366 * kDay) + "\n" +                // 5
                   "a,d,m,x,1,,,\"two\nlines\"," + Time(367 * kDay) + "\n" +  // 6, 7
                   "a,d,m,x,1,,,\n" +                                         // 8
                   "a,d,m,x,2,,,," + Time(1) + "\n" +      // 9: other data, same key
                   "a,d,m,x,,,,," + Time(4) + "\n" +       // 10: nothing measured
                   "a,d,m,x,1,,,,2026-09-21 00:00:00\n" +  // 11
                   "a,d,m,x,1,1.5,,," + Time(5) + "\n");   // 12
  const json task = Run();
  EXPECT_EQ(task["TaskStatus"], kFailed);
  EXPECT_THAT(task["ErrorMessage"].get<std::string>(), HasSubstr("completed with errors"));
  const json progress = task["ProgressReport"];
  EXPECT_EQ(progress["RecordsProcessed"], 10);
  EXPECT_EQ(progress["RecordsIngested"], 1);
  EXPECT_EQ(progress["ParseFailures"], 6);
  EXPECT_EQ(progress["RecordIngestionFailures"], 3);
  EXPECT_EQ(Rows().size(), 1U);
  const json report = Report(task);
  ASSERT_FALSE(report.is_null());
  EXPECT_EQ(report["taskId"], task["TaskId"]);
  EXPECT_EQ(report["fileErrors"][0]["fileName"], "day=1/a.csv");
  std::map<std::string, json> lines;
  for (const json& error : report["fileErrors"][0]["errors"]) {
    lines[error["reason"]] = error["lineRanges"];
  }
  EXPECT_EQ(lines["The record timestamp is outside the time range of the data ingestion window."],
            json::parse("[[5,7]]"));
  EXPECT_EQ(lines["The value of the column temp is not a DOUBLE."], json::parse("[[3,4]]"));
  EXPECT_EQ(lines["The value of the column n is not a BIGINT."], json::parse("[[12,12]]"));
  EXPECT_EQ(lines["The record does not have as many columns as the header."],
            json::parse("[[8,8]]"));
  EXPECT_EQ(lines["The record has no measure value."], json::parse("[[10,10]]"));
  EXPECT_EQ(lines.size(), 7U);
}

TEST_F(BatchLoadTest, HigherRecordVersionOverwrites) {
  objects_.Put("source", "day=1/a.csv", Header() + "a,d,m,x,1,,,," + Time(1) + "\n");
  Run();
  objects_.Put("source", "day=1/a.csv", Header() + "a,d,m,x,2,,,," + Time(1) + "\n");
  EXPECT_EQ(Run()["TaskStatus"], kFailed);
  json request = Request();
  request["RecordVersion"] = 2;
  EXPECT_EQ(Run(request)["TaskStatus"], kSucceeded);
  EXPECT_EQ(Rows()[0].measures[0], Value(2.0));
}

TEST_F(BatchLoadTest, MixedMappingsChooseByMeasureName) {
  json request = Request();
  Model(&request) = json::parse(R"({
    "TimeColumn": "t", "TimeUnit": "SECONDS", "MeasureNameColumn": "measure_name",
    "DimensionMappings": [{"SourceColumn": "host", "DestinationColumn": "machine"}],
    "MixedMeasureMappings": [
      {"MeasureName": "cpu", "SourceColumn": "measure_value::double", "MeasureValueType": "DOUBLE"},
      {"MeasureName": "up", "SourceColumn": "measure_value::boolean", "TargetMeasureName": "alive",
       "MeasureValueType": "BOOLEAN"},
      {"MeasureName": "both", "MeasureValueType": "MULTI", "MultiMeasureAttributeMappings": [
        {"SourceColumn": "measure_value::double", "TargetMultiMeasureAttributeName": "d",
         "MeasureValueType": "DOUBLE"}]}]})");
  objects_.Put("source", "day=1/a.csv",
               "host,measure_name,measure_value::double,measure_value::boolean,t\n"
               "h,cpu,0.5,,1789999990\nh,up,,true,1789999991\nh,both,2,,1789999992\n"
               "h,other,2,,1789999993\n");
  const json task = Run(request);
  EXPECT_EQ(task["TaskStatus"], kFailed);
  EXPECT_EQ(task["ProgressReport"]["ParseFailures"], 1);
  const std::vector<Row> rows = Rows();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].measure_name, "cpu");
  EXPECT_EQ(rows[1].measure_name, "alive");
  const TableSchema schema = tables_.Schema(name_);
  EXPECT_EQ(schema.dimensions, std::vector<std::string>{"machine"});
  EXPECT_EQ(schema.measures[0].name, "measure_value::double");
  EXPECT_FALSE(schema.measures[0].multi);
  EXPECT_EQ(rows[2].measures, (std::vector<Value>{Value(), Value(), 2.0}));
}

TEST_F(BatchLoadTest, FilesThatCannotBeUsed) {
  objects_.Put("source", "day=1/a.csv", Header() + "a,d,m,x,1,,,," + Time(1) + "\n");
  objects_.Put("source", "day=1/b.csv", "city,dev\na,b\n");
  objects_.Put("source", "day=1/c.csv", "");
  objects_.Put("source", "day=1/d.csv", Header());
  objects_.SetPolicy("source", R"({"Statement": [{"Effect": "Deny", "Principal": "*",
      "Action": "s3:GetObject", "Resource": "arn:aws:s3:::source/day=1/d.csv"}]})");
  const json task = Run();
  EXPECT_EQ(task["TaskStatus"], kFailed);
  EXPECT_EQ(task["ProgressReport"]["FileFailures"], 3);
  EXPECT_EQ(task["ProgressReport"]["RecordsIngested"], 1);
  const std::string report = Report(task).dump();
  EXPECT_THAT(report, HasSubstr("The column nanoseconds of the data model"));
  EXPECT_THAT(report, HasSubstr("no header row"));
  EXPECT_THAT(report, HasSubstr("AccessDenied"));
}

TEST_F(BatchLoadTest, TooManyOrNoFiles) {
  const json none = Run();
  EXPECT_EQ(none["TaskStatus"], kFailed);
  EXPECT_THAT(none["ErrorMessage"].get<std::string>(), HasSubstr("no file"));
  for (int i = 0; i < 101; ++i) {
    objects_.Put("source", "day=1/" + std::to_string(i), Header());
  }
  const json many = Run();
  EXPECT_EQ(many["TaskStatus"], kFailed);
  EXPECT_THAT(many["ErrorMessage"].get<std::string>(), HasSubstr("more than 100 files"));
}

TEST_F(BatchLoadTest, RequestsAreChecked) {
  const auto refused = [&](const std::function<void(json*)>& change) {
    json request = Request();
    change(&request);
    return Refused(request);
  };
  constexpr const char* kInvalid = "ValidationException";
  EXPECT_EQ(refused([](json* r) { (*r)["TargetTableName"] = "u"; }), "ResourceNotFoundException");
  EXPECT_EQ(refused([](json* r) { r->erase("ReportConfiguration"); }), kInvalid);
  const auto bucket = [](json* r, const char* name) {
    (*r)["DataSourceConfiguration"]["DataSourceS3Configuration"]["BucketName"] = name;
  };
  EXPECT_EQ(refused([&](json* r) { bucket(r, "nowhere"); }), kInvalid);
  EXPECT_EQ(refused([&](json* r) { bucket(r, "abroad"); }), kInvalid);
  EXPECT_THAT(message_, HasSubstr("us-west-2"));
  EXPECT_EQ(refused([](json* r) {
              (*r)["ReportConfiguration"]["ReportS3Configuration"]["BucketName"] = "abroad";
            }),
            kInvalid);
  EXPECT_EQ(refused([](json* r) { (*r)["RecordVersion"] = 0; }), kInvalid);
  EXPECT_EQ(refused([](json* r) { Model(r).erase("TimeColumn"); }), kInvalid);
  EXPECT_EQ(refused([](json* r) { Model(r)["DimensionMappings"] = json::array(); }), kInvalid);
  EXPECT_EQ(refused([](json* r) { Model(r).erase("MeasureNameColumn"); }), kInvalid);
  EXPECT_EQ(refused([](json* r) { Model(r).erase("MultiMeasureMappings"); }), kInvalid);
  EXPECT_EQ(refused([](json* r) { Model(r)["TimeUnit"] = "DAYS"; }), kInvalid);
  EXPECT_EQ(
      refused([](json* r) { Model(r)["DimensionMappings"][1]["DestinationColumn"] = "city"; }),
      kInvalid);
  EXPECT_EQ(
      refused([](json* r) { Model(r)["DimensionMappings"][1]["DestinationColumn"] = "temp"; }),
      kInvalid);
  EXPECT_EQ(
      refused([](json* r) { Model(r)["DimensionMappings"][1]["DestinationColumn"] = "time"; }),
      kInvalid);
  EXPECT_EQ(refused([](json* r) {
              Model(r)["MixedMeasureMappings"] =
                  json::parse(R"([{"SourceColumn": "temp", "MeasureValueType": "DOUBLE"}])");
            }),
            kInvalid);
  EXPECT_EQ(refused([](json* r) {
              Model(r).erase("MultiMeasureMappings");
              Model(r)["MixedMeasureMappings"] =
                  json::parse(R"([{"SourceColumn": "temp", "MeasureValueType": "DOUBLE"}])");
            }),
            kInvalid)
      << "MeasureName is required beside a MeasureNameColumn";
  EXPECT_EQ(refused([](json* r) {
              (*r)["DataSourceConfiguration"]["CsvConfiguration"]["QuoteChar"] = "ab";
            }),
            kInvalid);
}

TEST_F(BatchLoadTest, ARequiredPartitionKeyMustBeMapped) {
  TableProperties properties;
  properties.magnetic_writes = true;
  properties.partition_key = PartitionKey{false, "region", true};
  tables_.CreateTable({"eu-west-1", "db", "keyed"}, properties);
  json request = Request();
  request["TargetTableName"] = "keyed";
  EXPECT_EQ(Refused(request), "ValidationException");
  EXPECT_THAT(message_, HasSubstr("region"));
  Model(&request)["DimensionMappings"][1]["DestinationColumn"] = "region";
  EXPECT_EQ(Refused(request), "");
}

TEST_F(BatchLoadTest, TheDataModelMayLieInS3) {
  json request = Request();
  objects_.Put("source", "model.json", Model(&request).dump());
  objects_.Put("source", "day=1/a.csv", Header() + "a,d,m,x,1,,,," + Time(1) + "\n");
  request["DataModelConfiguration"] = {
      {"DataModelS3Configuration", {{"BucketName", "source"}, {"ObjectKey", "model.json"}}}};
  const json task = Run(request);
  EXPECT_EQ(task["TaskStatus"], kSucceeded);
  EXPECT_EQ(task["DataModelConfiguration"], request["DataModelConfiguration"]);
  request["DataModelConfiguration"]["DataModelS3Configuration"]["ObjectKey"] = "none.json";
  EXPECT_EQ(Refused(request), "ValidationException");
}

TEST_F(BatchLoadTest, AClientTokenCreatesOneTask) {
  objects_.Put("source", "day=1/a.csv", Header() + "a,d,m,x,1,,,," + Time(1) + "\n");
  json request = Request();
  request["ClientToken"] = "token-1";
  const std::string id = Create(request);
  EXPECT_EQ(Create(request), id);
  request["RecordVersion"] = 2;
  EXPECT_EQ(Refused(request), "ConflictException");
  Finish(id);
  EXPECT_EQ(batch_->List(caller_, json::object())["BatchLoadTasks"].size(), 1U);
}

TEST_F(BatchLoadTest, ListsNewestFirstInPagesAndByStatus) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(Create(Request()));
    Finish(ids.back());  // no file: FAILED
  }
  json request = {{"MaxResults", 2}};
  std::vector<std::string> listed;
  while (true) {
    const json page = batch_->List(caller_, request);
    for (const json& task : page["BatchLoadTasks"]) listed.push_back(task["TaskId"]);
    if (!page.contains("NextToken")) break;
    request["NextToken"] = page["NextToken"];
  }
  std::reverse(listed.begin(), listed.end());
  EXPECT_EQ(listed, ids);
  EXPECT_EQ(batch_->List(caller_, {{"TaskStatus", kFailed}})["BatchLoadTasks"].size(), 5U);
  EXPECT_EQ(batch_->List(caller_, {{"TaskStatus", kSucceeded}})["BatchLoadTasks"].size(), 0U);
  Caller elsewhere = caller_;
  elsewhere.region = "us-west-2";
  EXPECT_EQ(batch_->List(elsewhere, json::object())["BatchLoadTasks"].size(), 0U);
  EXPECT_THROW(batch_->Describe(elsewhere, {{"TaskId", ids[0]}}), ApiError);
}

// Tasks as a killed ts-local leaves them.
BatchTask Left(const std::string& id, const char* status, const json& request) {
  BatchTask task;
  task.id = id;
  task.region = "eu-west-1";
  task.database = "db";
  task.table = "t";
  task.status = status;
  task.model = request["DataModelConfiguration"]["DataModel"].dump();
  task.configuration = json{{"DataSourceConfiguration", request["DataSourceConfiguration"]},
                            {"ReportConfiguration", request["ReportConfiguration"]},
                            {"DataModelConfiguration", request["DataModelConfiguration"]}}
                           .dump();
  return task;
}

TEST_F(BatchLoadTest, ARestartStopsRunningTasksWhichThenResume) {
  objects_.Put("source", "day=1/a.csv", Header() + "a,d,m,x,1,,,," + Time(1) + "\n");
  batch_.reset();
  {
    BatchTaskStore store(tables_.dir());
    BatchTask running = Left("RUNNING", kInProgress, Request());
    BatchTask created = Left("CREATED", kCreated, Request());
    store.Insert(&running);
    store.Insert(&created);
  }
  Open();
  EXPECT_EQ(Finish("CREATED")["TaskStatus"], kSucceeded) << "a task that had not begun just runs";
  const json stopped = Describe("RUNNING");
  EXPECT_EQ(stopped["TaskStatus"], kProgressStopped);
  EXPECT_GT(stopped["ResumableUntil"], 1790000000.0);
  EXPECT_EQ(batch_->Resume(caller_, {{"TaskId", "RUNNING"}}), json::object());
  const json resumed = Finish("RUNNING");
  EXPECT_EQ(resumed["TaskStatus"], kSucceeded);
  EXPECT_FALSE(resumed.contains("ResumableUntil"));
  EXPECT_THROW(batch_->Resume(caller_, {{"TaskId", "RUNNING"}}), ApiError);
  Open();
  EXPECT_EQ(Describe("RUNNING")["ProgressReport"], resumed["ProgressReport"]);
}

TEST_F(BatchLoadTest, QuotasOfActiveTasksAndAStopThatDoesNotWaitForTheLoads) {
  objects_.Put("source", "day=1/a.csv", Header() + "a,d,m,x,1,,,," + Time(1) + "\n");
  tables_.CreateTable({"eu-west-1", "db", "u"}, tables_.GetTable(name_).properties);
  tables_.CreateTable({"eu-west-1", "db", "v"}, tables_.GetTable(name_).properties);
  gate_.Close();  // tasks stay active: each load waits at its first write
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(Create(Request()));
  EXPECT_EQ(Refused(Request()), "ServiceQuotaExceededException");
  EXPECT_THAT(message_, HasSubstr("5 active"));
  json other = Request();
  other["TargetTableName"] = "u";
  for (int i = 0; i < 5; ++i) ids.push_back(Create(other));
  other["TargetTableName"] = "v";
  EXPECT_EQ(Refused(other), "ServiceQuotaExceededException");
  EXPECT_THAT(message_, HasSubstr("10 active"));

  gate_.WaitForOneAtIt();
  batch_->Stop();
  gate_.Open();
  Open();
  int stopped = 0;
  for (const std::string& id : ids) {
    const json task = Finish(id);
    if (task["TaskStatus"] == kProgressStopped) {
      ++stopped;
    } else {
      EXPECT_EQ(task["TaskStatus"], kSucceeded) << "a task that had not begun runs now";
    }
  }
  EXPECT_GE(stopped, 1);
  EXPECT_LT(stopped, 10);
  for (int i = 0; i < 5; ++i) Finish(Create(other));  // neither stopped nor done is active
}

}  // namespace
}  // namespace ts_local
