// Batch load on a storage that fails at one step: what is told, and what is not loaded.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/ts_local/breaking_storage.h"
#include "apps/ts_local/scratch_dir.h"
#include "ts_local/batch_load_request.h"
#include "ts_local/batch_load_run.h"
#include "ts_local/object_store.h"

namespace ts_local {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::int64_t kNow = 1'790'000'000LL * 1'000'000'000;

class BreakingStorageTest : public ::testing::Test {
 protected:
  BreakingStorageTest() {
    objects_.CreateBucket("source", "us-east-1");
    objects_.CreateBucket("errors", "us-east-1");
    tables_.CreateDatabase("us-east-1", "db", "");
    TableProperties properties;
    properties.magnetic_writes = true;
    tables_.CreateTable(name_, properties);
  }

  // Runs one task over in/ to its end.
  BatchOutcome Load() {
    Caller caller;
    caller.region = "us-east-1";
    BatchTask task = ParseCreateRequest(caller, json::parse(R"({
        "TargetDatabaseName": "db", "TargetTableName": "t",
        "DataSourceConfiguration": {"DataFormat": "CSV",
          "DataSourceS3Configuration": {"BucketName": "source", "ObjectKeyPrefix": "in/"}},
        "ReportConfiguration": {"ReportS3Configuration": {"BucketName": "errors"}},
        "DataModelConfiguration": {"DataModel": {
          "TimeColumn": "ns", "TimeUnit": "NANOSECONDS", "MeasureNameColumn": "m",
          "DimensionMappings": [{"SourceColumn": "city"}],
          "MultiMeasureMappings": {"MultiMeasureAttributeMappings": [
            {"SourceColumn": "n", "MeasureValueType": "BIGINT"}]}}}})"),
                                        tables_, storage_);
    task.id = "TASK";
    BatchRunRules rules;
    rules.now_ns = [] { return kNow; };
    BatchLoadRun run(tables_, storage_, task, rules);
    std::vector<std::string> keys;
    listing_ = run.ListFiles(&keys);
    return run.Load(keys, [](const BatchCounters&) { return true; });
  }
  std::string Report() { return objects_.Read(objects_.Get("errors", "t/TASK/TASK_report.json")); }

  ScratchDir dir_;
  ObjectStore objects_{dir_.path()};
  BreakingStorage storage_{objects_};
  TableStore tables_{dir_.path(), [] { return kNow; }};
  TableName name_{"us-east-1", "db", "t"};
  std::string listing_;
};

TEST_F(BreakingStorageTest, ARowThatIsCutShortIsNotLoaded) {
  const std::string time = std::to_string(kNow - 1'000'000'000);
  const std::string head = "city,m,ns,n\nOslo,m," + time + ",1\nBergen,m," + time + ",12";
  objects_.Put("source", "in/a.csv", head + "345\nBodø,m," + time + ",3\n");
  storage_.readable = head.size();  // ends inside the number: 12 of 12345
  const BatchOutcome outcome = Load();
  EXPECT_EQ(outcome.status, kFailed);
  EXPECT_EQ(outcome.counters.ingested, 1);
  EXPECT_EQ(outcome.counters.file_failures, 1);
  EXPECT_THAT(Report(), HasSubstr("could not be read to its end: ServiceUnavailable: GetObject"));
  std::vector<std::int64_t> numbers;
  const TableSchema schema = tables_.Schema(name_);
  tables_.Scan(name_, schema, 0, INT64_MAX, [&](const RowView&) {
    numbers.push_back(1);
    return true;
  });
  EXPECT_EQ(numbers.size(), 1u);
}

TEST_F(BreakingStorageTest, AListingThatFailsIsTheTasksError) {
  storage_.no_listing = true;
  Load();
  EXPECT_EQ(listing_,
            "Cannot list the files at s3://source/in/: ServiceUnavailable: GetObject at http://s3: "
            "Connection");
}

TEST_F(BreakingStorageTest, AReportThatCannotBeWrittenIsSaid) {
  objects_.Put("source", "in/a.csv", "city\nOslo\n");
  storage_.refuse_put = "_report.json";
  EXPECT_THAT(Load().error, HasSubstr("could not be written: ServiceUnavailable"));
}

}  // namespace
}  // namespace ts_local
