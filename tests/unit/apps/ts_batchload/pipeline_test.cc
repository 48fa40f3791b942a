#include "ts_batchload/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "batchload/fake_batch_load.h"
#include "copy/fake_s3.h"
#include "copy/recording_sink.h"
#include "support/client_bench.h"

namespace tsm::apps {
namespace {

using test::FakeBatchLoad;
using test::FakeTask;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::json;

const std::string kA = "QUERYONE_1_aaaaaaaaaaaaaaaa";
const std::string kB = "QUERYONE_1_bbbbbbbbbbbbbbbb";

s3::BucketName Bucket(const char* name) { return *s3::BucketName::Parse(name); }

struct PipelineTest : ::testing::Test {
  PipelineTest() {
    bench.transport.SetHandler([this](const http::Request& request) { return Handle(request); });
    fake.AddBucket("source");
    fake.Put("source", "u/results/p=1/" + kA + ".csv", "0123456789");
    fake.Put("source", "u/results/p=2/" + kB + ".csv", "01234");
    PutManifest("source", 10, 5);
    settings.table = {"db", "tb"};
    settings.partition_key = "city";
    settings.create_table = true;
    settings.copy = true;
    settings.source_bucket = Bucket("source");
    settings.source_prefix = "u/results/";
    settings.target_bucket = Bucket("target");
    settings.error_bucket = Bucket("errors");
    settings.destination_prefix = "dest/";
    settings.create_target_bucket = settings.create_error_bucket = true;
    settings.copy_concurrency = 4;
    settings.data_model = *model::ParseDataModel(
        R"({"TimeColumn":"t","DimensionMappings":[{"SourceColumn":"city"}],
            "MultiMeasureMappings":{"TargetMultiMeasureName":"m","MultiMeasureAttributeMappings":[
              {"SourceColumn":"a","MeasureValueType":"DOUBLE"}]}})");
    settings.slots = 5;
    settings.poll_interval = std::chrono::seconds(10);
    settings.create_interval = std::chrono::seconds(1);
    service.describe = [](FakeTask& task) {
      return FakeBatchLoad::Succeeded(task, task.prefix.find("p=1") != std::string::npos ? 3 : 4);
    };
  }

  void PutManifest(const std::string& bucket, int bytes_a, int bytes_b) {
    const auto file = [](const std::string& key, int bytes, int rows) {
      return Json{{"url", "s3://source/" + key},
                  {"file_metadata", {{"content_length_in_bytes", bytes}, {"row_count", rows}}}};
    };
    const Json manifest = {{"result_files",
                            {file("u/results/p=1/" + kA + ".csv", bytes_a, 3),
                             file("u/results/p=2/" + kB + ".csv", bytes_b, 4)}},
                           {"query_metadata",
                            {{"total_row_count", 7},
                             {"total_content_length_in_bytes", bytes_a + bytes_b},
                             {"result_format", "CSV"}}}};
    fake.Put(bucket, "u/" + kA + "_manifest.json", manifest.dump());
  }

  // Copies call from several threads at once.
  http::Response Handle(const http::Request& request) {
    const std::lock_guard lock(mutex);
    const std::string target(http::FindHeader(request.headers, "x-amz-target"));
    if (target.empty()) {
      if (request.method == "PUT") effects.push_back("s3 " + request.path);
      return fake.Handle(request);
    }
    const std::string operation = target.substr(target.find('.') + 1);
    if (operation.starts_with("Describe") && operation != "DescribeBatchLoadTask") {
      if (operation == "DescribeTable" ? has_table : has_database) return {200, {}, description};
      return FakeBatchLoad::Error(400, "ResourceNotFoundException");
    }
    if (operation == "CreateDatabase" || operation == "CreateTable") {
      effects.push_back(operation);
      created_table = operation == "CreateTable" ? Json::parse(request.body) : created_table;
      return {200, {}, "{}"};
    }
    if (operation == "CreateBatchLoadTask") effects.push_back("task");
    return service.Handle(request);
  }

  Result<BatchLoadOutcome> Run() {
    const BatchLoadServices services{s3,          s3,           write, sns,
                                     bench.clock, bench.random, sink,  "eu-west-1"};
    return RunPipeline(settings, services, stop.get_token());
  }
  // The run must be refused and must have changed nothing.
  Error Refused() {
    Result<BatchLoadOutcome> outcome = Run();
    EXPECT_FALSE(outcome);
    EXPECT_THAT(effects, IsEmpty());
    return outcome ? MakeError(ErrorKind::kService, "not refused") : outcome.error();
  }

  std::mutex mutex;
  test::FakeS3 fake;
  FakeBatchLoad service;
  bool has_database = false;
  bool has_table = false;
  std::string description =
      R"({"Table":{"DatabaseName":"db","TableName":"tb","TableStatus":"ACTIVE",
          "MagneticStoreWriteProperties":{"EnableMagneticStoreWrites":true}},"Database":{"DatabaseName":"db"}})";
  std::vector<std::string> effects;  // in order
  Json created_table;
  test::ClientBench bench;
  s3::S3Client s3{bench.client, aws::EndpointResolver(test::CustomEndpoint("127.0.0.1:1")),
                  "eu-west-1"};
  timestream::WriteClient write{bench.client, test::CustomEndpoint("127.0.0.1:1"), "eu-west-1"};
  sns::SnsClient sns{bench.client, aws::EndpointResolver(test::CustomEndpoint("127.0.0.1:1")),
                     "eu-west-1"};
  test::RecordingSink sink;
  BatchLoadSettings settings;
  std::stop_source stop;
};

TEST_F(PipelineTest, CopiesCreatesLoadsAndProves) {
  const Result<BatchLoadOutcome> outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(CodeOf(*outcome), ExitCode::kDone);
  EXPECT_EQ(outcome->rows, 7U);
  EXPECT_EQ(outcome->load.ingested, 7U);
  EXPECT_EQ(outcome->copied_files, 2U);
  ASSERT_THAT(effects, SizeIs(8));
  EXPECT_EQ(effects[0], "s3 /target");
  EXPECT_EQ(effects[1], "s3 /errors");
  EXPECT_EQ(effects[2], "CreateDatabase");
  EXPECT_EQ(effects[3], "CreateTable");
  EXPECT_THAT(service.created_prefixes(),
              ElementsAre("dest/u/results/p=1/", "dest/u/results/p=2/"));
  EXPECT_EQ(fake.Objects("target").count("dest/u/results/p=1/" + kA + ".csv"), 1U);
  EXPECT_EQ(created_table["Schema"]["CompositePartitionKey"][0]["Name"], "city");
  EXPECT_EQ(created_table["Schema"]["CompositePartitionKey"][0]["EnforcementInRecord"], "REQUIRED");
  EXPECT_EQ(created_table["MagneticStoreWriteProperties"]["EnableMagneticStoreWrites"], true);
  EXPECT_EQ(created_table["MagneticStoreWriteProperties"]["MagneticStoreRejectedDataLocation"]
                         ["S3Configuration"]["BucketName"],
            "errors");
  EXPECT_THAT(SummaryLines(*outcome), Contains(HasSubstr("every group's rows proven")));
}

TEST_F(PipelineTest, ASecondRunUsesWhatIsThere) {
  ASSERT_TRUE(Run());
  has_database = has_table = true;
  effects.clear();
  const Result<BatchLoadOutcome> outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(CodeOf(*outcome), ExitCode::kDone);
  EXPECT_EQ(effects.size(), 4U);  // two copies, two tasks
  EXPECT_EQ(sink.Count("its partition key is"), 1U);
}

TEST_F(PipelineTest, LoadsInPlaceWithoutACopy) {
  fake.AddBucket("errors");
  settings.copy = false;
  settings.target_bucket = Bucket("source");
  settings.destination_prefix = "u/results/";
  const Result<BatchLoadOutcome> outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(CodeOf(*outcome), ExitCode::kDone);
  EXPECT_THAT(service.created_prefixes(), ElementsAre("u/results/p=1/", "u/results/p=2/"));
}

TEST_F(PipelineTest, WhatIsMissingIsRefusedWithItsFlag) {
  settings.create_target_bucket = false;
  EXPECT_THAT(Refused().Text(), HasSubstr("--create_destination_bucket"));
  settings.create_target_bucket = true;
  settings.create_error_bucket = false;
  EXPECT_THAT(Refused().Text(), HasSubstr("--create_error_logging_bucket"));
  settings.create_error_bucket = true;
  settings.create_table = false;
  EXPECT_THAT(Refused().Text(), HasSubstr("database db does not exist"));
  has_database = true;
  EXPECT_THAT(Refused().Text(), HasSubstr("table db.tb does not exist"));
  settings.create_table = true;
  settings.source_bucket = Bucket("nobucket");
  EXPECT_EQ(ExitCodeOf(Refused()), ExitCode::kUsage);
  settings.copy = false;
  EXPECT_THAT(Refused().Text(), HasSubstr("--copy_s3_bucket"));
}

TEST_F(PipelineTest, ABucketInAnotherRegionIsRefusedNamingBoth) {
  fake.AddBucket("errors", "us-west-2");
  const Error error = Refused();
  EXPECT_EQ(error.kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(error.Text(),
              HasSubstr("error bucket errors is in us-west-2, the table in eu-west-1"));
}

TEST_F(PipelineTest, AWrongSecretIsToldWithTheServicesCode) {
  bench.transport.SetHandler([](const http::Request& request) {
    if (request.method == "HEAD") return http::Response{403, {}, ""};
    return http::Response{403, {}, "<Error><Code>SignatureDoesNotMatch</Code></Error>"};
  });
  const Error error = Refused();
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_EQ(error.code, "SignatureDoesNotMatch");
}

TEST_F(PipelineTest, AnUnprovenSourceIsRefused) {
  PutManifest("source", 10, 6);
  const Error error = Refused();
  EXPECT_EQ(ExitCodeOf(error), ExitCode::kUsage);
  EXPECT_THAT(error.Text(), HasSubstr(kB + ".csv has 5 bytes"));
  EXPECT_THAT(error.Text(), HasSubstr("--verify none"));
}

TEST_F(PipelineTest, VerifyNoneLoadsAllTheSameAndSaysSo) {
  PutManifest("source", 10, 6);
  settings.verify = false;
  service.describe = [](FakeTask& task) { return FakeBatchLoad::Succeeded(task, 99); };
  const Result<BatchLoadOutcome> outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(CodeOf(*outcome), ExitCode::kDone);
  EXPECT_EQ(sink.Count("--verify none"), 1U);
  EXPECT_THAT(SummaryLines(*outcome), Contains(HasSubstr("not proven")));
}

TEST_F(PipelineTest, ForeignFilesAtTheDestinationAreRefused) {
  fake.AddBucket("target");
  fake.Put("target", "dest/u/results/p=1/old.csv", "x");
  const Error error = Refused();
  EXPECT_EQ(error.kind, ErrorKind::kInTheWay);
  EXPECT_THAT(error.Text(), HasSubstr("dest/u/results/p=1/old.csv"));
}

TEST_F(PipelineTest, ARequiredKeyThatTheModelDoesNotWriteIsRefused) {
  has_table = true;
  description = R"({"Table":{"DatabaseName":"db","TableName":"tb","TableStatus":"ACTIVE","Schema":
      {"CompositePartitionKey":[{"Type":"DIMENSION","Name":"country","EnforcementInRecord":"REQUIRED"}]}}})";
  EXPECT_THAT(Refused().Text(), HasSubstr("required partition key country"));
}

TEST_F(PipelineTest, FlagsWithoutEffectAreTold) {
  settings.notice = "given without effect: --x";
  ASSERT_TRUE(Run());
  EXPECT_EQ(sink.Count("given without effect: --x"), 1U);
}

TEST_F(PipelineTest, ATableThatIsBeingDeletedIsRefused) {
  has_table = true;
  description = R"({"Table":{"DatabaseName":"db","TableName":"tb","TableStatus":"DELETING"}})";
  const Error error = Refused();
  EXPECT_EQ(error.kind, ErrorKind::kInTheWay);
  EXPECT_THAT(error.Text(), HasSubstr("DELETING"));
}

// A folder that merely lies above the source may hold manifests of others, forbidden or broken.
TEST_F(PipelineTest, ManifestsOfOthersAboveTheSourceAreNotRead) {
  const std::string other = "OTHERQUERY_1_cccccccccccccccc_manifest.json";
  fake.Put("source", other, "broken");
  fake.Deny(other);
  settings.source_prefix = "u/";
  const Result<BatchLoadOutcome> outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(CodeOf(*outcome), ExitCode::kDone);
}

// What was not copied is listed at the end although the run ends before its first task.
TEST_F(PipelineTest, AnErrorAfterTheCopiesEndsWithTheSummary) {
  fake.Deny("u/results/p=1/" + kA + ".csv");
  int lists = 0;
  service.list = [&]() -> Json {
    if (++lists == 1) return Json::array();
    return "no list";
  };
  const Result<BatchLoadOutcome> outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(CodeOf(*outcome), ExitCode::kService);
  EXPECT_THAT(service.created_prefixes(), IsEmpty());
  EXPECT_THAT(SummaryLines(*outcome).back(), HasSubstr("failed   dest/u/results/p=1/"));
}

TEST_F(PipelineTest, AForbiddenKeyFailsItsGroupAlone) {
  fake.Deny("u/results/p=1/" + kA + ".csv");
  const Result<BatchLoadOutcome> outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(CodeOf(*outcome), ExitCode::kSomeFailed);
  EXPECT_THAT(service.created_prefixes(), ElementsAre("dest/u/results/p=2/"));
  ASSERT_THAT(outcome->failures, SizeIs(1));
  const std::string last = SummaryLines(*outcome).back();
  EXPECT_THAT(last, HasSubstr("failed   dest/u/results/p=1/"));
  EXPECT_THAT(last, HasSubstr("AccessDenied"));
}

TEST_F(PipelineTest, DifferingCountsEndWithFour) {
  service.describe = [](FakeTask& task) { return FakeBatchLoad::Succeeded(task, 3); };
  const Result<BatchLoadOutcome> outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(CodeOf(*outcome), ExitCode::kProofFailed);
  EXPECT_EQ(outcome->load.succeeded, 1U);
}

TEST_F(PipelineTest, AnInterruptedLoadEndsWith130AndNamesItsTasks) {
  service.describe = [this](FakeTask&) {
    stop.request_stop();
    return Json{{"TaskStatus", "IN_PROGRESS"}};
  };
  const Result<BatchLoadOutcome> outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(CodeOf(*outcome), ExitCode::kInterrupted);
  EXPECT_THAT(SummaryLines(*outcome),
              Contains(HasSubstr("running  dest/u/results/p=1/ (task TASK0)")));
}

TEST_F(PipelineTest, OthersTasksAreWaitedForBeforeTheFirstCopy) {
  int lists = 0;
  service.list = [&] {
    EXPECT_THAT(service.created_prefixes(), IsEmpty());
    ++lists;
    EXPECT_EQ(fake.Objects("target").empty(), lists <= 3);
    if (lists > 2) return Json::array();
    return Json::array({{{"TaskId", "THEIRS"},
                         {"TaskStatus", "IN_PROGRESS"},
                         {"DatabaseName", "db"},
                         {"TableName", "tb"}}});
  };
  const Result<BatchLoadOutcome> outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().Text();
  EXPECT_EQ(CodeOf(*outcome), ExitCode::kDone);
  EXPECT_EQ(lists, 4);  // two of others, none before the copies, none before the tasks
  EXPECT_EQ(sink.Count("THEIRS"), 1U);
}

}  // namespace
}  // namespace tsm::apps
