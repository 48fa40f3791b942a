#include "tsm/batchload/load_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batchload/fake_batch_load.h"
#include "copy/fake_s3.h"
#include "copy/recording_sink.h"
#include "support/client_bench.h"

namespace tsm::batchload {
namespace {

using namespace std::chrono_literals;
using test::FakeBatchLoad;
using test::FakeTask;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::json;

struct LoadRunTest : ::testing::Test {
  LoadRunTest() {
    bench.transport.SetHandler([this](const http::Request& request) {
      if (!http::FindHeader(request.headers, "x-amz-target").empty())
        return service.Handle(request);
      if (request.body.find("Action=Publish") == std::string::npos) return s3_fake.Handle(request);
      published.push_back(PercentDecode(request.body));
      return sns_answer;
    });
    s3_fake.AddBucket("errors");
    options.table = {"db", "t"};
    options.bucket = *s3::BucketName::Parse("target");
    options.report_bucket = *s3::BucketName::Parse("errors");
    options.data_model_json = R"({"TimeColumn":"t"})";
  }

  static std::vector<LoadUnit> Units(std::size_t count, std::optional<std::uint64_t> rows = 10) {
    std::vector<LoadUnit> units;
    for (std::size_t i = 0; i < count; ++i) {
      units.push_back({"p" + std::to_string(i) + "/", 100, rows});
    }
    return units;
  }

  LoadSummary Run(const std::vector<LoadUnit>& units) {
    return RunLoad(options, units, parts, stop.get_token());
  }

  FakeBatchLoad service;
  test::FakeS3 s3_fake;
  std::vector<std::string> published;
  http::Response sns_answer{200,
                            {},
                            "<PublishResponse><PublishResult><MessageId>1</MessageId>"
                            "</PublishResult></PublishResponse>"};
  test::ClientBench bench;
  timestream::WriteClient write{bench.client, test::CustomEndpoint("127.0.0.1:1"), "eu-west-1"};
  s3::S3Client s3{bench.client, aws::EndpointResolver(test::CustomEndpoint("127.0.0.1:1")),
                  "eu-west-1"};
  sns::SnsClient sns{bench.client, aws::EndpointResolver(test::CustomEndpoint("127.0.0.1:1")),
                     "eu-west-1"};
  test::RecordingSink sink;
  FailureNotifier notifier{sns, *sns::TopicArn::Parse("arn:aws:sns:eu-west-1:123456789012:t"),
                           sink};
  LoadParts parts{write, s3, bench.clock, bench.random, sink, notifier};
  LoadOptions options;
  std::stop_source stop;
};

Json Status(const char* status, Json report = FakeBatchLoad::Report(0, 0)) {
  return {{"TaskStatus", status}, {"ProgressReport", std::move(report)}};
}

TEST_F(LoadRunTest, LoadsEveryGroupInOrderAtMostNAtATime) {
  options.slots = 3;
  service.describe = [](FakeTask& task) {
    return task.describes < 3 ? Status("IN_PROGRESS", FakeBatchLoad::Report(4, 4))
                              : FakeBatchLoad::Succeeded(task, 10);
  };
  const LoadSummary summary = Run(Units(8));
  EXPECT_EQ(summary.succeeded, 8U);
  EXPECT_EQ(summary.created, 8U);
  EXPECT_EQ(summary.processed, 80U);
  EXPECT_EQ(summary.ingested, 80U);
  EXPECT_EQ(summary.bytes_metered, 8U);
  EXPECT_THAT(summary.failures, IsEmpty());
  EXPECT_EQ(service.most_active(), 3U);
  EXPECT_EQ(service.created_prefixes().front(), "p0/");
  EXPECT_EQ(service.created_prefixes().back(), "p7/");
  EXPECT_EQ(sink.last().done, 8U);
  EXPECT_THAT(published, IsEmpty());
}

TEST_F(LoadRunTest, TheRequestSaysWhereAndHow) {
  options.csv.null_value = "NULL";
  Run(Units(1));
  const Json& body = service.create_bodies().at(0);
  EXPECT_EQ(body["TargetDatabaseName"], "db");
  EXPECT_EQ(body["DataSourceConfiguration"]["DataSourceS3Configuration"]["BucketName"], "target");
  EXPECT_EQ(body["DataSourceConfiguration"]["CsvConfiguration"]["NullValue"], "NULL");
  const Json& report = body["ReportConfiguration"]["ReportS3Configuration"];
  EXPECT_EQ(report["BucketName"], "errors");
  EXPECT_EQ(report["ObjectKeyPrefix"], "batch_load_errors");
}

TEST_F(LoadRunTest, CreatesArePacedAndTasksAskedOncePerInterval) {
  options.slots = 2;
  service.describe = [](FakeTask& task) {
    return task.describes < 3 ? Status("CREATED") : FakeBatchLoad::Succeeded(task, 10);
  };
  const LoadSummary summary = Run(Units(2));
  // Created at 0 s and 1 s, described at 10, 20, 30 and 11, 21, 31 s.
  EXPECT_EQ(summary.duration, 31s);
  EXPECT_EQ(service.task("p1/").describes, 3);
}

TEST_F(LoadRunTest, AQuotaLeavesTheGroupQueuedUnderItsToken) {
  int refusals = 0;
  service.refuse_create = [&](const Json&) -> std::optional<http::Response> {
    if (service.created_prefixes().size() != 1 || refusals >= 6) return std::nullopt;
    return FakeBatchLoad::Error(402, ++refusals % 2 == 0 ? "ServiceQuotaExceededException"
                                                         : "ServiceQuotaExceededException");
  };
  const LoadSummary summary = Run(Units(3));
  EXPECT_EQ(summary.succeeded, 3U);
  EXPECT_EQ(refusals, 6);
  std::vector<std::string> tokens;
  for (const Json& body : service.create_bodies()) tokens.push_back(body["ClientToken"]);
  ASSERT_EQ(tokens.size(), 9U);
  for (std::size_t i = 2; i <= 7; ++i) EXPECT_EQ(tokens[i], tokens[1]);
  EXPECT_NE(tokens[0], tokens[1]);
  EXPECT_NE(tokens[8], tokens[1]);
  EXPECT_EQ(sink.Count("stays queued"), 1U);
}

TEST_F(LoadRunTest, ThrottledAndFailingCreatesBackOffToAMinute) {
  int refusals = 0;
  service.refuse_create = [&](const Json&) -> std::optional<http::Response> {
    // Three attempts of the client each: 20 refused creates.
    if (++refusals > 60) return std::nullopt;
    return refusals % 2 == 0 ? FakeBatchLoad::Error(400, "ThrottlingException")
                             : FakeBatchLoad::Error(500, "InternalServerException");
  };
  options.create_backoff = 2s;
  const LoadSummary summary = Run(Units(1));
  EXPECT_EQ(summary.succeeded, 1U);
  const auto sleeps = bench.clock.sleeps();
  const auto longest = *std::max_element(sleeps.begin(), sleeps.end());
  EXPECT_LE(longest, 60s);
  EXPECT_GE(longest, 30s);
}

TEST_F(LoadRunTest, AnotherRefusalFailsTheGroupAndTheOthersGoOn) {
  service.refuse_create = [](const Json& body) -> std::optional<http::Response> {
    const std::string prefix =
        body["DataSourceConfiguration"]["DataSourceS3Configuration"]["ObjectKeyPrefix"];
    if (prefix != "p=1/") return std::nullopt;
    return FakeBatchLoad::Error(400, "ValidationException", "bad prefix");
  };
  std::vector<LoadUnit> units = Units(2);
  units.push_back({"p=1/", 1, 10});
  const LoadSummary summary = Run(units);
  EXPECT_EQ(summary.succeeded, 2U);
  ASSERT_THAT(summary.failures, SizeIs(1));
  EXPECT_EQ(summary.failures[0].task_id, "");
  EXPECT_THAT(summary.failures[0].error.Text(), HasSubstr("bad prefix"));
  EXPECT_THAT(summary.failures[0].error.Text(), HasSubstr("outside the pattern"));
  EXPECT_THAT(published, SizeIs(1));
}

TEST_F(LoadRunTest, AMissingPermissionStartsNothingMoreButFollowsWhatRuns) {
  service.refuse_create = [&](const Json&) -> std::optional<http::Response> {
    if (service.created_prefixes().size() < 2) return std::nullopt;
    return FakeBatchLoad::Error(400, "AccessDeniedException");
  };
  const LoadSummary summary = Run(Units(10));
  ASSERT_TRUE(summary.fatal);
  EXPECT_EQ(summary.fatal->kind, ErrorKind::kAccessDenied);
  EXPECT_EQ(summary.succeeded, 2U);
  EXPECT_EQ(summary.not_started, 8U);
  EXPECT_EQ(service.create_bodies().size(), 3U);
}

TEST_F(LoadRunTest, EveryWaitingStateIsWaitedFor) {
  const char* const states[] = {"CREATED", "IN_PROGRESS", "PENDING_RESUME", "THAWING", "THAWING"};
  service.describe = [&](FakeTask& task) {
    const auto step = static_cast<std::size_t>(task.describes - 1);
    return step < std::size(states) ? Status(states[step]) : FakeBatchLoad::Succeeded(task, 10);
  };
  const LoadSummary summary = Run(Units(1));
  EXPECT_EQ(summary.succeeded, 1U);
  EXPECT_EQ(sink.Count("THAWING"), 1U);
}

TEST_F(LoadRunTest, CountsThatDifferAreABrokenProof) {
  service.describe = [](FakeTask& task) {
    task.ended = true;
    if (task.prefix == "p0/") return Status("SUCCEEDED", FakeBatchLoad::Report(9, 9));
    if (task.prefix == "p1/") return Status("SUCCEEDED", FakeBatchLoad::Report(10, 9));
    if (task.prefix == "p2/") return Status("SUCCEEDED", FakeBatchLoad::Report(11, 11));
    return FakeBatchLoad::Succeeded(task, 10);
  };
  const LoadSummary summary = Run(Units(4));
  EXPECT_EQ(summary.succeeded, 1U);
  ASSERT_THAT(summary.failures, SizeIs(3));
  for (const LoadFailure& failure : summary.failures) {
    EXPECT_EQ(failure.error.kind, ErrorKind::kProof) << failure.error.Text();
  }
  EXPECT_THAT(summary.failures[0].error.Text(),
              HasSubstr("9 records were processed, the manifests say 10 rows"));
}

TEST_F(LoadRunTest, WithoutExpectedRowsNothingIsProven) {
  service.describe = [](FakeTask& task) { return FakeBatchLoad::Succeeded(task, 3); };
  EXPECT_EQ(Run(Units(1, std::nullopt)).succeeded, 1U);
}

TEST_F(LoadRunTest, WithoutExpectedRowsLostRecordsAreStillTold) {
  service.describe = [](FakeTask& task) {
    task.ended = true;
    return Status("SUCCEEDED", FakeBatchLoad::Report(10, 9));
  };
  EXPECT_EQ(Run(Units(1, std::nullopt)).succeeded, 1U);
  EXPECT_EQ(sink.Count("of 10 records processed 9 were ingested"), 1U);
}

TEST_F(LoadRunTest, AFailedTaskShowsItsReportAndTellsTheTopic) {
  s3_fake.Put("errors", "batch_load_errors/t/TASK9/TASK9.json", "{}");
  s3_fake.Put("errors", "batch_load_errors/t/TASK0/x.json",
              R"({"taskId":"TASK0","taskErrors":[],"fileErrors":[{"fileName":"a.csv","errors":[
                  {"reason":"outside the window","lineRanges":[[2,4]]}]}]})");
  service.describe = [](FakeTask& task) {
    if (task.prefix != "p0/") return FakeBatchLoad::Succeeded(task, 10);
    task.ended = true;
    Json report = FakeBatchLoad::Report(10, 7);
    report["RecordIngestionFailures"] = 3;
    return Status("FAILED", report);
  };
  const LoadSummary summary = Run(Units(3));
  EXPECT_EQ(summary.succeeded, 2U);
  ASSERT_THAT(summary.failures, SizeIs(1));
  EXPECT_EQ(summary.failures[0].error.kind, ErrorKind::kService);
  EXPECT_THAT(summary.failures[0].error.Text(), HasSubstr("completed with errors"));
  EXPECT_EQ(sink.Count("s3://errors/batch_load_errors/t/TASK0/x.json"), 1U);
  EXPECT_EQ(sink.Count("a.csv, lines 2-4: outside the window"), 1U);
  ASSERT_THAT(published, SizeIs(1));
  EXPECT_THAT(published[0], HasSubstr("TASK0"));
  EXPECT_THAT(published[0], HasSubstr("batch"));
}

TEST_F(LoadRunTest, AFailedTaskWithUnexplainedCountsIsABrokenProof) {
  service.describe = [](FakeTask& task) {
    task.ended = true;
    Json report = FakeBatchLoad::Report(6, 6);
    if (task.prefix == "p0/") report["ParseFailures"] = 4;  // explains
    if (task.prefix == "p1/") report["FileFailures"] = 1;   // explains
    if (task.prefix == "p2/") report["ParseFailures"] = 1;  // does not
    Json description = Status("FAILED", report);
    if (task.prefix == "p3/") description["ErrorMessage"] = "the task ran out of time";
    return description;
  };
  const LoadSummary summary = Run(Units(4));
  ASSERT_THAT(summary.failures, SizeIs(4));
  EXPECT_EQ(summary.failures[0].error.kind, ErrorKind::kService);
  EXPECT_EQ(summary.failures[1].error.kind, ErrorKind::kService);
  EXPECT_EQ(summary.failures[2].error.kind, ErrorKind::kProof);
  EXPECT_EQ(summary.failures[3].error.kind, ErrorKind::kService);
  EXPECT_EQ(sink.Count("no report of task"), 4U);
}

TEST_F(LoadRunTest, ATopicThatFailsIsAWarning) {
  sns_answer = {
      403, {}, "<ErrorResponse><Error><Code>AuthorizationError</Code></Error></ErrorResponse>"};
  service.describe = [](FakeTask& task) {
    task.ended = true;
    return Status("FAILED", FakeBatchLoad::Report(10, 0));
  };
  const LoadSummary summary = Run(Units(2));
  EXPECT_THAT(summary.failures, SizeIs(2));
  EXPECT_EQ(sink.Count("was not sent to arn:aws:sns"), 2U);
}

TEST_F(LoadRunTest, AStoppedTaskIsResumedWithGrowingWaits) {
  service.describe = [](FakeTask& task) {
    return task.resumes < 4 ? Status("PROGRESS_STOPPED") : FakeBatchLoad::Succeeded(task, 10);
  };
  const LoadSummary summary = Run(Units(1));
  EXPECT_EQ(summary.succeeded, 1U);
  EXPECT_EQ(service.task("p0/").resumes, 4);
  EXPECT_EQ(sink.Count("was resumed"), 4U);
  // Half of 1 + 2 + 4 + 8 minutes at least, all of it at most, and five polls.
  EXPECT_GE(summary.duration, 450s);
  EXPECT_LE(summary.duration, 950s);
}

TEST_F(LoadRunTest, AnExpiredResumeFailsTheGroup) {
  const double now = std::chrono::duration<double>(bench.clock.Now().time_since_epoch()).count();
  service.describe = [&](FakeTask& task) {
    Json description = Status("PROGRESS_STOPPED", FakeBatchLoad::Report(5, 5));
    description["ResumableUntil"] = task.prefix == "p0/" ? now + 1 : now + 200;
    return description;
  };
  const LoadSummary summary = Run(Units(2));
  ASSERT_THAT(summary.failures, SizeIs(2));
  EXPECT_EQ(summary.processed, 10U);
  EXPECT_EQ(service.task("p0/").resumes, 0);
  EXPECT_GE(service.task("p1/").resumes, 2);  // the waits shrink towards the deadline
  EXPECT_THAT(summary.failures[1].error.Text(), HasSubstr("can't be resumed any more"));
}

TEST_F(LoadRunTest, ARefusedResumeIsTriedAgainOrFails) {
  service.describe = [](FakeTask& task) {
    return task.resumes < 3 ? Status("PROGRESS_STOPPED") : FakeBatchLoad::Succeeded(task, 10);
  };
  service.refuse_resume = [](FakeTask& task) -> std::optional<http::Response> {
    if (task.prefix == "p1/")
      return FakeBatchLoad::Error(400, "ValidationException", "not resumable");
    if (task.resumes < 3) return FakeBatchLoad::Error(402, "ServiceQuotaExceededException");
    return std::nullopt;
  };
  const LoadSummary summary = Run(Units(2));
  EXPECT_EQ(summary.succeeded, 1U);
  ASSERT_THAT(summary.failures, SizeIs(1));
  EXPECT_EQ(summary.failures[0].prefix, "p1/");
  EXPECT_THAT(summary.failures[0].error.Text(), HasSubstr("not resumable"));
}

TEST_F(LoadRunTest, PassingDescribeErrorsAreAskedAgain) {
  service.refuse_describe = [](FakeTask& task) -> std::optional<http::Response> {
    if (task.describes <= 9) return FakeBatchLoad::Error(500, "InternalServerException");
    return std::nullopt;
  };
  const LoadSummary summary = Run(Units(1));
  EXPECT_EQ(summary.succeeded, 1U);
  EXPECT_EQ(sink.Count("asking again"), 1U);
}

TEST_F(LoadRunTest, ATaskThatIsGoneFailsItsGroup) {
  service.refuse_describe = [](FakeTask& task) -> std::optional<http::Response> {
    if (task.prefix != "p1/") return std::nullopt;
    return FakeBatchLoad::Error(400, "ResourceNotFoundException");
  };
  const LoadSummary summary = Run(Units(3));
  EXPECT_EQ(summary.succeeded, 2U);
  ASSERT_THAT(summary.failures, SizeIs(1));
  EXPECT_EQ(summary.failures[0].task_id, "TASK1");
}

TEST_F(LoadRunTest, ExpiredCredentialsEndTheRunAndNameTheRunningTasks) {
  service.refuse_describe = [](FakeTask&) -> std::optional<http::Response> {
    return FakeBatchLoad::Error(403, "ExpiredTokenException");
  };
  options.slots = 2;
  const LoadSummary summary = Run(Units(5));
  ASSERT_TRUE(summary.fatal);
  EXPECT_EQ(summary.fatal->kind, ErrorKind::kExpiredCredentials);
  EXPECT_THAT(summary.running, SizeIs(2));
  EXPECT_EQ(summary.not_started, 3U);
}

TEST_F(LoadRunTest, AStopNamesTheRunningTasks) {
  options.slots = 2;
  service.describe = [&](FakeTask& task) {
    if (task.describes == 2) stop.request_stop();
    return Status("IN_PROGRESS");
  };
  const LoadSummary summary = Run(Units(5));
  EXPECT_TRUE(summary.interrupted);
  EXPECT_EQ(summary.created, 2U);
  ASSERT_THAT(summary.running, SizeIs(2));
  EXPECT_EQ(summary.running[1].prefix, "p1/");
  EXPECT_EQ(summary.running[1].task_id, "TASK1");
  EXPECT_EQ(summary.not_started, 3U);
  EXPECT_THAT(summary.failures, IsEmpty());
}

TEST_F(LoadRunTest, TenThousandGroupsAreWalkedThrough) {
  const LoadSummary summary = Run(Units(10'000));
  EXPECT_EQ(summary.succeeded, 10'000U);
  EXPECT_EQ(summary.processed, 100'000U);
  EXPECT_LE(service.most_active(), 5U);
}

TEST_F(LoadRunTest, TheTableIsWaitedForUntilItIsIdle) {
  int lists = 0;
  service.list = [&] {
    ++lists;
    Json tasks = Json::array();
    tasks.push_back({{"TaskId", "OLD"},
                     {"TaskStatus", "SUCCEEDED"},
                     {"DatabaseName", "db"},
                     {"TableName", "t"}});
    tasks.push_back({{"TaskId", "OTHER"},
                     {"TaskStatus", "CREATED"},
                     {"DatabaseName", "db"},
                     {"TableName", "u"}});
    if (lists < 4) {
      tasks.push_back({{"TaskId", "THEIRS"},
                       {"TaskStatus", lists == 1 ? "PENDING_RESUME" : "IN_PROGRESS"},
                       {"DatabaseName", "db"},
                       {"TableName", "t"}});
    }
    return tasks;
  };
  EXPECT_TRUE(WaitForIdleTable(options.table, 10s, parts, {}));
  EXPECT_EQ(lists, 4);
  EXPECT_EQ(sink.Count("THEIRS"), 1U);
  EXPECT_THAT(bench.clock.sleeps(), ::testing::ElementsAre(10s, 10s, 10s));
}

TEST_F(LoadRunTest, WaitingForTheTableCanBeStoppedAndRefused) {
  service.list = [] {
    return Json::array(
        {{{"TaskId", "X"}, {"TaskStatus", "CREATED"}, {"DatabaseName", "db"}, {"TableName", "t"}}});
  };
  bench.transport.SetHandler([this](const http::Request& request) {
    stop.request_stop();
    return service.Handle(request);
  });
  const tsm::Status stopped = WaitForIdleTable(options.table, 10s, parts, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);
  bench.transport.SetHandler(
      [](const http::Request&) { return FakeBatchLoad::Error(400, "AccessDeniedException"); });
  const tsm::Status refused = WaitForIdleTable(options.table, 10s, parts, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kAccessDenied);
}

}  // namespace
}  // namespace tsm::batchload
