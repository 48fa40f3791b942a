#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "batchload/source_world.h"

namespace tsm::batchload {
namespace {

using test::Day;
using test::Nested;
using test::SourceWorld;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PlanRecordTest, GroupsRunInTheOrderOfTimeAndPlacesAddUp) {
  SourceWorld world;
  Nested(world, "unload/");
  world.request.target_table = "";
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  const std::string first = "unload/results/0001-aaaaaa/results/partition_date=2024-02-";
  const std::string second = "unload/results/0002-bbbbbb/results/partition_date=2024-02-";
  EXPECT_THAT(SourceWorld::Lines(*planned),
              ElementsAre("g0001 partition_date=2024-02-09 " + first + "09/ 2 11",
                          "g0002 partition_date=2024-02-10 " + first + "10/ 1 7",
                          "g0003 partition_date=2024-02-10 " + second + "10/ 1 1",
                          "g0004 partition_date=2024-02-11 " + second + "11/ 1 2"));
  const TableLoad& table = planned->tables[0];
  EXPECT_EQ(table.target.str(), "targetdb.mine");
  EXPECT_EQ(table.source->str(), "sourcedb.mine");
  EXPECT_EQ(table.record_uri, "s3://src/unload/tsm-run-R1.json");
  EXPECT_EQ(table.listed, "s3://src/unload/");
  EXPECT_EQ(table.rows, 21U);
  EXPECT_EQ(table.from, test::At("2024-02-09"));
  EXPECT_EQ(table.end, test::At("2024-02-21"));
  ASSERT_EQ(table.places.size(), 3U);
  EXPECT_EQ(table.places[1].label, "2024-02-10");
  EXPECT_EQ(table.places[1].rows, 8U);
  EXPECT_THAT(table.places[1].groups, ElementsAre(1U, 2U));
  ASSERT_TRUE(planned->facts[0].record);
  EXPECT_EQ(planned->facts[0].record->run_id, "R1");
  EXPECT_EQ(planned->facts[0].column_separator, ",");
  EXPECT_EQ(planned->facts[0].escape_char, "\\");
  const auto files = world.Files(*planned);
  ASSERT_EQ(files.size(), 5U);
  for (std::size_t i = 1; i < files.size(); ++i) EXPECT_LT(files[i - 1].target, files[i].target);
}

TEST(PlanRecordTest, AGroupsLinesBeginAtItsOffset) {
  SourceWorld world;
  Nested(world, "unload/");
  world.Copy("d/");
  for (const GroupBy group_by : {GroupBy::kPartition, GroupBy::kPacked}) {
    world.request.group_by = group_by;
    const auto planned = world.Plan();
    ASSERT_TRUE(planned) << planned.error().Text();
    for (std::size_t g = 0; g < planned->groups.size(); ++g) {
      const LoadGroup& group = planned->groups[g];
      auto reader =
          run::FileSpoolReader::Open(world.dir.path() / planned->tables[0].spool, group.offset);
      ASSERT_TRUE(reader);
      for (std::uint32_t i = 0; i < group.files; ++i) {
        const auto file = (*reader)->Next();
        ASSERT_TRUE(file && *file);
        EXPECT_EQ((*file)->group, g);
        EXPECT_EQ((*file)->ordinal, i);
        EXPECT_TRUE((*file)->target.str().starts_with(group.prefix));
      }
    }
  }
}

TEST(PlanRecordTest, PackedGroupsLieInFoldersOfTheRun) {
  SourceWorld world;
  Nested(world, "unload/");
  world.Copy("d/");
  world.request.group_by = GroupBy::kPacked;
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_THAT(
      SourceWorld::Lines(*planned),
      ElementsAre("g0001 partition_date=2024-02-09 to partition_date=2024-02-11 d/L1/g0001/ 5 21"));
  EXPECT_EQ(planned->tables[0].places.size(), 3U);
}

TEST(PlanRecordTest, IsFoundFromTheResultsFolderToo) {
  SourceWorld world;
  Nested(world, "unload/");
  world.request.prefix = "unload/results/";
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_EQ(planned->tables[0].record_uri, "s3://src/unload/tsm-run-R1.json");
  // A record above that tells of another folder is no concern.
  world.store.PutSize("src/unload/mine/a.csv", 1);
  world.request.prefix = "unload/mine/";
  EXPECT_THAT(world.Refusal(), HasSubstr("no UNLOAD wrote unload/mine/a.csv"));
}

TEST(PlanRecordTest, AFlatUnloadSharesItsFolderWithOthers) {
  SourceWorld world;
  run::RunRecord record = SourceWorld::Record("R1");
  world.AddSlice(record, "unload/", "", "2024-02-09", "2024-02-20", {Day(9, 5), Day(10, 7)});
  world.PutRecord("unload/", record);
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_EQ(planned->groups[0].prefix, "unload/results/partition_date=2024-02-09/");
  // What another run left beside it is not loaded: in place it gets no part of a prefix.
  world.PutUnload("unload/", "OTHER", {Day(9)});
  world.PutUnload("unload/results/0001-zzzzzz/", "ANOTHER", {Day(9)});
  const auto beside = world.Plan();
  ASSERT_TRUE(beside) << beside.error().Text();
  EXPECT_EQ(beside->groups[0].prefix, "unload/results/partition_date=2024-02-09/QUERY0001_");
  EXPECT_EQ(beside->groups[1].prefix, "unload/results/partition_date=2024-02-10/");
  EXPECT_EQ(beside->tables[0].files, 2U);
}

TEST(PlanRecordTest, WithoutPartitionsSlicesArePlaces) {
  SourceWorld world;
  run::RunRecord record = SourceWorld::Record("R1");
  record.partition = "";
  world.AddSlice(record, "unload/", "aaaaaa", "2024-02-09", "2024-02-10 12:00:00.5", {{"", 10, 5}});
  world.AddSlice(record, "unload/", "bbbbbb", "2024-02-10 12:00:00.5", "2024-03-01", {{"", 10, 6}});
  world.PutRecord("unload/", record);
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_EQ(planned->groups[0].label, "2024-02-09 to 2024-02-10 12:00:00.500000000");
  ASSERT_EQ(planned->tables[0].places.size(), 2U);
  EXPECT_EQ(planned->tables[0].places[1].from, test::At("2024-02-10 12:00:00.5"));
  EXPECT_EQ(planned->tables[0].places[1].rows, 6U);
}

TEST(PlanRecordTest, APartitionIsCutByTheRange) {
  SourceWorld world;
  run::RunRecord record = SourceWorld::Record("R1");
  record.partition = "month";
  world.AddSlice(
      record, "unload/", "aaaaaa", "2024-02-09 03:00", "2024-02-10",
      {{"city=a/partition_date=2024-02/", 10, 5}, {"city=b/partition_date=2024-02/", 10, 6}});
  world.PutRecord("unload/", record);
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_EQ(planned->groups[1].label, "city=b/partition_date=2024-02");
  ASSERT_EQ(planned->tables[0].places.size(), 1U);
  EXPECT_EQ(planned->tables[0].places[0].from, test::At("2024-02-09 03:00"));
  EXPECT_EQ(planned->tables[0].places[0].end, test::At("2024-02-10"));
  EXPECT_THAT(planned->tables[0].places[0].groups, ElementsAre(0U, 1U));
}

TEST(PlanRecordTest, NoRowsAreNothingToLoad) {
  SourceWorld world;
  run::RunRecord record = SourceWorld::Record("R1");
  world.AddSlice(record, "unload/", "aaaaaa", "2024-02-09", "2024-02-10", {});
  world.PutRecord("unload/", record);
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_TRUE(planned->groups.empty());
  EXPECT_EQ(planned->tables[0].rows, 0U);
  EXPECT_TRUE(world.Files(*planned).empty());
}

TEST(PlanRecordTest, WhatTheManifestsDoNotNameIsAFinding) {
  SourceWorld world;
  const run::RunRecord record = Nested(world, "unload/");
  const std::string to = "unload/results/0001-aaaaaa/";
  const std::string file = SourceWorld::DataKey(to, "QUERY0001", Day(9).folder, 1);
  const auto findings = [&](const std::string& expected) {
    EXPECT_EQ(world.RefusalKind(), ErrorKind::kInTheWay) << expected;
    EXPECT_THAT(world.Refusal(), HasSubstr(expected));
  };
  world.store.PutSize("src/" + file, 11);
  findings(file + " has 11 bytes, the manifest of slice 0001 says 10");
  world.store.Remove("src/" + file);
  findings(file + " of slice 0001 is missing");
  world.store.PutSize("src/" + file, 10);
  world.store.PutSize("src/" + to + "results/" + Day(9).folder + "OTHER_1_0123456789abcdef.csv", 1);
  findings("OTHER_1_0123456789abcdef.csv is not named by the manifest of slice 0001");
  world.store.Remove("src/" + to + "results/" + Day(9).folder + "OTHER_1_0123456789abcdef.csv");
  ASSERT_EQ(world.Refusal(), "");

  run::RunRecord wrong = record;
  wrong.slices[0].rows = 19;
  world.PutRecord("unload/", wrong);
  findings("has 18 rows, s3://src/unload/tsm-run-R1.json says 19");
  wrong = record;
  wrong.slices[0].manifest_uri = "";
  world.PutRecord("unload/", wrong);
  findings("slice 0001 has rows and no manifest");
  world.PutRecord("unload/", record);

  world.store.Remove("src/" + SourceWorld::ManifestKey(to, "QUERY0001"));
  findings("the manifest " + SourceWorld::ManifestKey(to, "QUERY0001") + " is missing");
  world.request.verify = Verify::kNone;
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_EQ(planned->tables[0].files, 5U) << "known by their QueryId";
  EXPECT_EQ(planned->tables[0].rows, std::nullopt);
}

TEST(PlanRecordTest, WhatWasCopiedAsAWholeIsReadWhereItLiesNow) {
  SourceWorld world;
  Nested(world, "unload/");
  auto& objects = world.store.buckets["src"];
  std::map<std::string, test::FakeObjectStore::Object> moved;
  for (const auto& [key, object] : objects) moved["archive/2024/" + key] = object;
  objects = moved;
  run::RunRecord record = *run::ParseRunRecord(objects["archive/2024/unload/tsm-run-R1.json"].body);
  record.content_prefix = "unload/tsm-content-R1/";
  world.PutRecord("archive/2024/unload/", record);
  world.request.prefix = "archive/2024/unload/";
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_EQ(planned->tables[0].rows, 21U);
  EXPECT_EQ(planned->tables[0].content_prefix, "archive/2024/unload/tsm-content-R1/");
  EXPECT_EQ(planned->facts[0].record->content_prefix, planned->tables[0].content_prefix);
  EXPECT_THAT(planned->groups[0].prefix, HasSubstr("archive/2024/unload/results/0001-aaaaaa/"));
  EXPECT_THAT(world.sink.notices, Contains(HasSubstr("where the record lies now")));
}

TEST(PlanRecordTest, WithoutTheRecordTheManifestsOfEveryAttemptAreFound) {
  SourceWorld world;
  Nested(world, "unload/");
  world.store.Remove("src/unload/tsm-run-R1.json");
  for (const std::string prefix : {"unload/", "unload/results/"}) {
    world.request.prefix = prefix;
    const auto planned = world.Plan();
    ASSERT_TRUE(planned) << planned.error().Text();
    EXPECT_EQ(planned->tables[0].rows, 21U);
    EXPECT_EQ(planned->groups.size(), 4U);
    EXPECT_EQ(planned->tables[0].places.size(), 3U);
    EXPECT_EQ(planned->groups[2].label, "partition_date=2024-02-10");
  }
}

TEST(PlanRecordTest, OfSeveralOneIsChosen) {
  SourceWorld world;
  Nested(world, "unload/", "R1");
  run::RunRecord second = SourceWorld::Record("R2");
  world.AddSlice(second, "unload/", "dddddd", "2024-03-01", "2024-03-02", {{"", 10, 3}});
  world.PutRecord("unload/", second);
  EXPECT_EQ(world.RefusalKind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(world.Refusal(),
              AllOf(HasSubstr("R1 (sourcedb.mine, finished 2024-03-01T01:00:00Z, 2024-02-09 to "
                              "2024-02-21, 21 rows), R2 ("),
                    HasSubstr("--unload_run RUN")));
  world.request.unload_run = "R2";
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_EQ(planned->tables[0].rows, 3U);
  world.request.unload_run = "R3";
  EXPECT_EQ(world.RefusalKind(), ErrorKind::kInvalidInput);
  EXPECT_THAT(world.Refusal(), AllOf(HasSubstr("--unload_run R3"), HasSubstr("there is R1 (")));
  world.request.prefix = "nothing/";
  EXPECT_THAT(world.Refusal(), HasSubstr("there is none at all"));
}

TEST(PlanRecordTest, AnUnloadThatHasNotFinishedIsNotLoaded) {
  SourceWorld world;
  run::RunRecord record = SourceWorld::Record("R1");
  record.state = run::RunState::kStarted;
  world.PutRecord("unload/", record);
  EXPECT_EQ(world.RefusalKind(), ErrorKind::kInTheWay);
  EXPECT_THAT(world.Refusal(), HasSubstr("ts-unload resume R1"));
  world.store.Put("src/unload/tsm-run-R1.json", "{}");
  EXPECT_EQ(world.RefusalKind(), ErrorKind::kInTheWay) << "a damaged one is nobody's answer";
  EXPECT_THAT(world.Refusal(),
              AllOf(HasSubstr("s3://src/unload/tsm-run-R1.json: this is no run record"),
                    HasSubstr("put it back as ts-unload wrote it")));
}

TEST(PlanRecordTest, FormatsThatBatchLoadDoesNotReadAreRefusedWithTheRemedy) {
  const auto refusal = [](bool copy, const std::function<void(run::RunRecord&)>& change) {
    SourceWorld world;
    run::RunRecord record = SourceWorld::Record("R1");
    change(record);
    const bool gzip = record.format.compression == "GZIP";
    world.AddSlice(record, "unload/", "aaaaaa", "2024-02-09", "2024-02-10", {Day(9)},
                   gzip ? ".gz" : ".csv");
    world.PutRecord("unload/", record);
    if (copy) world.Copy();
    const auto planned = world.Plan();
    if (!planned) {
      EXPECT_EQ(planned.error().kind, ErrorKind::kInvalidInput);
      return planned.error().message;
    }
    EXPECT_EQ(planned->tables[0].gzip, gzip);
    return std::string("separated by ") + *planned->facts[0].column_separator;
  };
  EXPECT_THAT(refusal(true, [](auto& record) { record.format.format = "PARQUET"; }),
              HasSubstr("--format CSV"));
  EXPECT_THAT(refusal(true, [](auto& record) { record.format.include_header = false; }),
              HasSubstr("without a header"));
  EXPECT_THAT(refusal(false, [](auto& record) { record.format.compression = "GZIP"; }),
              HasSubstr("inflated on the way with --copy_s3_bucket"));
  EXPECT_EQ(refusal(true, [](auto& record) { record.format.compression = "GZIP"; }),
            "separated by ,");
  EXPECT_THAT(refusal(true, [](auto& record) { record.format.field_delimiter = "#"; }),
              HasSubstr("separated the columns by '#'"));
  EXPECT_EQ(refusal(false, [](auto& record) { record.format.field_delimiter = ";"; }),
            "separated by ;");
}

TEST(PlanRecordTest, FewRequestsAreMade) {
  SourceWorld world;
  Nested(world, "unload/");
  ASSERT_EQ(world.Refusal(), "");
  EXPECT_EQ(world.store.lists, 4U) << "two for records, one for each slice with files";
  EXPECT_EQ(world.store.gets, 3U) << "the record and two manifests";
}

}  // namespace
}  // namespace tsm::batchload
