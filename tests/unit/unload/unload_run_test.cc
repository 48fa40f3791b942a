#include "tsm/unload/unload_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unload/unload_world.h"

namespace tsm::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using unload::UnloadOutcome;

TEST(UnloadRunTest, ThreeYearsByDayInElevenUnloads) {
  UnloadWorld world;
  world.Table().Fill(kJanuary2024 - 1000 * kDayNanos, 1096, 24);
  const auto summary = world.Run();
  ASSERT_EQ(WhyNotDone(summary), "");
  EXPECT_EQ(world.service.starts(), 11U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
  EXPECT_EQ(summary->tables[0].rows, 1096U * 24);
  EXPECT_EQ(summary->tables[0].files, 1096U);
  EXPECT_EQ(summary->tables[0].attempts, 11U);
  EXPECT_TRUE(summary->tables[0].closed);
  const run::RunRecord record = world.Record();
  EXPECT_THAT(record.slices, SizeIs(11));
  EXPECT_EQ(record.verified, "equal");
  EXPECT_EQ(record.non_null.at("temperature"), 1096U * 18);
}

TEST(UnloadRunTest, AMonthByHourInEightUnloads) {
  UnloadWorld world;
  world.input.partition = "hour";
  FakeTable table({"db", "t"}, timestream::PartitionUnit::kHour);
  table.Fill(kJanuary2024, 720, 3);
  world.service.AddTable(table);
  const auto summary = world.Run();
  ASSERT_EQ(WhyNotDone(summary), "");
  EXPECT_EQ(world.service.starts(), 8U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST(UnloadRunTest, OneSliceIntoAnEmptyPlaceIsFlat) {
  UnloadWorld world;
  world.Table().Fill(kJanuary2024, 3, 10);
  const auto summary = world.Run();
  ASSERT_EQ(WhyNotDone(summary), "");
  EXPECT_THAT(Contradictions(world), IsEmpty());
  EXPECT_EQ(world.service.executions()[0].to, "s3://bkt/unload/");
  EXPECT_EQ(summary->tables[0].manifest_uri, world.Record().slices[0].manifest_uri);
  EXPECT_TRUE(summary->tables[0].manifest_uri.starts_with("s3://bkt/unload/AEDACA"));
}

TEST(UnloadRunTest, SeveralSlicesLieInFoldersOfTheirOwn) {
  UnloadWorld world;
  world.Table().Fill(kJanuary2024, 101, 1);
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  for (const FakeExecution& execution : world.service.executions()) {
    EXPECT_TRUE(execution.to.starts_with("s3://bkt/unload/results/000")) << execution.to;
  }
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST(UnloadRunTest, ASecondRunBesideTheFirstIsNotFlat) {
  UnloadWorld world;
  world.Table().Fill(kJanuary2024, 3, 10);
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  UnloadWorld* same = &world;
  same->Plan();
  const std::filesystem::path journal = world.run_dir();
  std::filesystem::remove_all(journal);
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_TRUE(world.service.executions()[1].to.starts_with("s3://bkt/unload/results/0001-"));
}

TEST(UnloadRunTest, WithoutPartitionsOneUnload) {
  UnloadWorld world;
  world.input.partition = "";
  world.Table().Fill(kJanuary2024, 500, 100);
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 1U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST(UnloadRunTest, ByColumnsTooTheLimitHolds) {
  UnloadWorld world;
  world.input.partitioned_by = "city";
  FakeTable& table = world.Table();
  table.columns[0].values = {"Oslo", "Rome", "Lima"};
  table.Fill(kJanuary2024, 66, 30);
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 2U);  // 33 days of 3 cities each
  EXPECT_THAT(Contradictions(world), IsEmpty());
  EXPECT_EQ(world.Record().files, 66U * 3);
}

TEST(UnloadRunTest, AnEmptyTableTakesNoUnload) {
  UnloadWorld world;
  world.Table();
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 0U);
  EXPECT_THAT(world.Record().slices, IsEmpty());
  EXPECT_EQ(world.Record().state, run::RunState::kDone);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST(UnloadRunTest, ARangeWithoutRowsMayHaveNoManifest) {
  for (const bool manifest : {true, false}) {
    UnloadWorld world;
    world.input.from_time = "2024-03-01";
    world.input.end_time = "2024-03-05";
    world.Table().Fill(kJanuary2024, 3, 10);
    world.service.With(
        [&](FakeUnloadService::World& all) { all.unloads.rules.manifest_of_nothing = manifest; });
    ASSERT_EQ(WhyNotDone(world.Run()), "");
    EXPECT_EQ(world.service.starts(), 1U);
    EXPECT_EQ(world.Record().slices[0].manifest_uri.empty(), !manifest);
    EXPECT_THAT(Contradictions(world), IsEmpty());
  }
}

TEST(UnloadRunTest, ALeapDayAndAYearsEndAreWhole) {
  UnloadWorld world;
  world.input.partition = "month";
  world.input.from_time = "2023-12-31 23:59:59.999999999";
  world.input.end_time = "2024-03-01 00:00:00.000000001";
  world.Table().Fill(kJanuary2024 - kDayNanos, 62, 86'400);
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_THAT(Contradictions(world), IsEmpty());
  // One row a second: the year's last nanosecond has none, March's first has one.
  EXPECT_EQ(world.Record().rows, 60U * 86'400 + 1);
}

TEST(UnloadRunTest, StartsKeepTheServicesRate) {
  UnloadWorld world;
  world.input.parallel = "8";
  world.Table().Fill(kJanuary2024, 1000, 1);
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  const std::vector<FakeExecution> all = world.service.executions();
  ASSERT_THAT(all, SizeIs(10));
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_GE(all[i].started - all[i - 1].started, 1'000'000'000);
  }
  world.service.With([](FakeUnloadService::World& w) { EXPECT_EQ(w.unloads.throttled(), 0U); });
}

TEST(UnloadRunTest, NeverMoreAtOnceThanAsked) {
  for (const std::size_t parallel : {1U, 3U, 8U}) {
    UnloadWorld world;
    world.input.parallel = std::to_string(parallel);
    world.Table().Fill(kJanuary2024, 1200, 1);
    world.service.With(
        [](FakeUnloadService::World& all) { all.unloads.rules.base = std::chrono::minutes(2); });
    ASSERT_EQ(WhyNotDone(world.Run()), "");
    EXPECT_EQ(world.service.most_at_once(), parallel);
    EXPECT_EQ(world.service.starts(), 12U);
  }
}

TEST(UnloadRunTest, TablesShareTheRateAndHaveAnIndex) {
  UnloadWorld world;
  world.input.table = "";
  world.input.all_tables = true;
  for (const char* name : {"a", "b", "c"}) {
    FakeTable table({"db", name});
    table.Fill(kJanuary2024, 150, 7);
    world.service.AddTable(table);
  }
  const auto summary = world.Run();
  ASSERT_EQ(WhyNotDone(summary), "");
  EXPECT_THAT(summary->tables, SizeIs(3));
  const std::vector<FakeExecution> all = world.service.executions();
  ASSERT_THAT(all, SizeIs(6));
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_GE(all[i].started - all[i - 1].started, 1'000'000'000);
  }
  for (std::size_t table = 0; table < 3; ++table) {
    EXPECT_THAT(Contradictions(world, table), IsEmpty());
  }
  const s3::S3Uri uri = world.plan().IndexUri();
  const auto index = run::ParseRunIndex(world.service.Body("bkt", uri.key.str()).value_or(""));
  ASSERT_TRUE(index);
  EXPECT_EQ(index->state, run::RunState::kDone);
  EXPECT_THAT(index->records, SizeIs(3));
}

TEST(UnloadRunTest, ContentIsWrittenForEachSlice) {
  UnloadWorld world;
  world.input.verify = "content";
  world.Table().Fill(kJanuary2024, 150, 7);
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_THAT(world.service.Keys("bkt", world.Record().content_prefix), SizeIs(2));
}

TEST(UnloadRunTest, DataThatNobodyVouchesForIsInTheWay) {
  UnloadWorld world;
  world.Table().Fill(kJanuary2024, 3, 10);
  const std::string key = "unload/results/FOREIGN_1_aaaaaaaaaaaaaaaa.csv";
  world.service.Put("bkt", key, "x");
  const auto refused = world.Run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInTheWay);
  EXPECT_TRUE(world.process().sink.Told(key));
  EXPECT_EQ(world.service.starts(), 0U);
  EXPECT_EQ(world.service.Keys("bkt", ""), std::vector<std::string>{key});
}

TEST(UnloadRunTest, AppendLeavesTheDataThatIsThereAlone) {
  UnloadWorld world;
  world.input.append = true;
  world.Table().Fill(kJanuary2024, 3, 10);
  const std::string key = "unload/results/foreign_1_aaaaaaaaaaaaaaaa.csv";
  world.service.Put("bkt", key, "x");
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_TRUE(world.service.Body("bkt", key));
  EXPECT_TRUE(world.service.executions()[0].to.starts_with("s3://bkt/unload/results/0001-"));
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

}  // namespace
}  // namespace tsm::test
