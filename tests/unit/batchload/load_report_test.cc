// What is told afterwards: the run's report, and the messages to a topic.
#include "tsm/batchload/load_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "batchload/load_world.h"
#include "support/client_bench.h"
#include "tsm/batchload/failure_notifier.h"

namespace tsm::test {
namespace {

using batchload::FailureNotifier;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

TEST(LoadReportTest, HasAUnitPerGroup) {
  LoadWorld world;
  for (int i = 0; i < 3; ++i) world.AddGroup();
  LoadFate fate;
  fate.status = "FAILED";
  fate.rejected = 200;
  world.service.rules.fate = [&](const FakeLoadTask&, std::size_t number) {
    return number == 1 ? std::optional(fate) : std::nullopt;
  };
  world.Run();
  const run::RunReport report = batchload::ReportOf(world.state(), "failed", world.Now());
  EXPECT_EQ(report.tool, "ts-batchload");
  EXPECT_EQ(report.unit_name, "group");
  ASSERT_THAT(report.units, SizeIs(3));
  EXPECT_EQ(report.units[0].lane, "db.t");
  EXPECT_EQ(report.units[0].label, "g0001");
  EXPECT_EQ(report.units[0].range, "p=g0001");
  EXPECT_EQ(report.units[0].state, "done");
  EXPECT_EQ(report.units[0].rows, 200U);
  ASSERT_THAT(report.units[0].attempts, SizeIs(1));
  EXPECT_EQ(report.units[0].attempts[0].outcome, "done");
  EXPECT_GT(*report.units[0].attempts[0].end, report.units[0].attempts[0].begin);
  EXPECT_THAT(report.units[0].attempts[0].note, HasSubstr("task TASK"));
  EXPECT_EQ(report.units[1].state, "failed");
  EXPECT_THAT(report.troubles, ElementsAre(HasSubstr("db.t group g0002 failed: ")));
  EXPECT_THAT(report.facts, Contains(Pair("Groups", "2 of 3 loaded by 3 tasks")));
  EXPECT_THAT(report.facts, Contains(Pair("Rows", "400 ingested of 600 processed, 0 rejected")));
}

JournalEntry Of(const std::string& kind, UnixNanos time,
                std::map<std::string, std::string, std::less<>> fields) {
  return {kind, std::move(fields), 1, time};
}

TEST(LoadReportTest, ACopyIsAnAttemptOfItsOwn) {
  batchload::LoadPlan plan;
  plan.copy = true;
  plan.load = false;
  plan.tables.resize(1);
  plan.tables[0].target = {"db", "t"};
  plan.groups.resize(2);
  plan.groups[0].id = "g1";
  plan.groups[1].id = "g2";
  plan.groups[0].files = plan.groups[1].files = 1;
  batchload::LoadState state(plan);
  const auto apply = [&](const JournalEntry& entry) {
    const Status applied = state.Apply(entry);
    ASSERT_TRUE(applied) << applied.error().Text();
  };
  apply(Of("copied", 5, {{"group", "g1"}, {"ordinal", "0"}, {"objects", "1"}, {"bytes", "7"}}));
  apply(Of("sealed", 9, {{"group", "g1"}, {"objects", "1"}, {"bytes", "7"}}));
  apply(Of("copy_failed", 9, {{"group", "g2"}, {"note", "403"}}));
  const run::RunReport report = batchload::ReportOf(state, "failed", 20);
  EXPECT_EQ(report.units[0].state, "done");
  ASSERT_THAT(report.units[0].attempts, SizeIs(1));
  EXPECT_EQ(report.units[0].attempts[0].begin, 5);
  EXPECT_EQ(report.units[0].attempts[0].end, 9);
  EXPECT_EQ(report.units[1].state, "failed");
  EXPECT_THAT(report.troubles, ElementsAre("db.t group g2 was not copied: 403"));
  EXPECT_THAT(report.facts, Contains(Pair("Groups", "1 of 2 copied")));
  EXPECT_THAT(report.facts, Contains(Pair("Copied", "1 files, 7 B")));
}

struct NotifierBench : ClientBench {
  LoadSink sink;
  sns::SnsClient sns{client, aws::EndpointResolver(CustomEndpoint("sns.test")), "eu-west-1"};
  sns::TopicArn topic = *sns::TopicArn::Parse("arn:aws:sns:eu-west-1:123456789012:loads");
  static http::Response Taken() {
    return {200,
            {},
            "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult>"
            "</PublishResponse>"};
  }
};

TEST(FailureNotifierTest, SendsPlainMessages) {
  NotifierBench bench;
  bench.transport.SetHandler([](const http::Request&) { return NotifierBench::Taken(); });
  FailureNotifier notifier(bench.sns, bench.topic, bench.sink);
  notifier.Notify("g0001 failed", {});
  notifier.NotifyEnd("failed", "1 of 3 groups failed", {});
  ASSERT_THAT(bench.transport.requests(), SizeIs(2));
  const std::string first = bench.transport.requests()[0].body;
  EXPECT_THAT(first, HasSubstr("Subject=timestream%20batchload%20status"));
  EXPECT_THAT(first, HasSubstr("Message=g0001%20failed"));
  EXPECT_EQ(first.find("MessageStructure"), std::string::npos);
  EXPECT_THAT(bench.transport.requests()[1].body,
              HasSubstr("Subject=timestream%20batchload%20status%3A%20failed"));
  EXPECT_THAT(bench.sink.notices, SizeIs(0));
}

TEST(FailureNotifierTest, ATopicThatDoesNotTakeItIsAWarning) {
  NotifierBench bench;
  bench.transport.SetHandler([](const http::Request&) -> http::Response {
    return {403,
            {},
            "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>no"
            "</Message></Error></ErrorResponse>"};
  });
  FailureNotifier notifier(bench.sns, bench.topic, bench.sink);
  notifier.Notify("g0001 failed", {});
  EXPECT_TRUE(
      bench.sink.Told("a message was not sent to arn:aws:sns:eu-west-1:123456789012:loads"));
}

TEST(FailureNotifierTest, ManyFailuresAreNotManyMails) {
  NotifierBench bench;
  bench.transport.SetHandler([](const http::Request&) { return NotifierBench::Taken(); });
  FailureNotifier notifier(bench.sns, bench.topic, bench.sink);
  for (int i = 0; i < 100; ++i) notifier.Notify("failed", {});
  EXPECT_THAT(bench.transport.requests(), SizeIs(FailureNotifier::kMostFailures));
  EXPECT_THAT(bench.transport.requests().back().body, HasSubstr("Further%20failures"));
  FailureNotifier(bench.sns, std::nullopt, bench.sink).NotifyEnd("done", "all", {});
  EXPECT_THAT(bench.transport.requests(), SizeIs(FailureNotifier::kMostFailures));
}

}  // namespace
}  // namespace tsm::test
