#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batchload/source_world.h"

namespace tsm::batchload {
namespace {

using test::Nested;
using test::SourceWorld;
using ::testing::HasSubstr;

// An index with two tables below "all/".
void PutIndex(SourceWorld& world) {
  run::RunIndex index{"R1", "1", "eu-west-1", run::RunState::kDone, {}};
  for (const std::string table : {"one", "two"}) {
    Nested(world, "all/sourcedb/" + table + "/", "R1", table);
    index.records.emplace_back(*timestream::TableRef::Make("sourcedb", table),
                               "s3://src/all/sourcedb/" + table + "/tsm-run-R1.json");
  }
  world.store.Put("src/all/tsm-run-R1.json", run::ToJson(index));
  world.request.prefix = "all/";
  world.request.target_table = "";
}

TEST(PlanIndexTest, AnIndexStandsForAllItsTables) {
  SourceWorld world;
  PutIndex(world);
  world.Copy("d/");
  world.request.group_by = GroupBy::kPacked;
  auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  ASSERT_EQ(planned->tables.size(), 2U);
  EXPECT_EQ(planned->tables[0].target.str(), "targetdb.one");
  EXPECT_EQ(planned->tables[1].target.str(), "targetdb.two");
  EXPECT_EQ(planned->tables[1].spool, "files-1.spool");
  EXPECT_EQ(planned->groups[1].id, "g0002");
  EXPECT_EQ(planned->groups[1].prefix, "d/L1/g0002/");
  EXPECT_EQ(planned->groups[1].table, 1U);
  EXPECT_EQ(world.Files(*planned, 1)[0].group, 1U);
  world.request.target_database = "";
  planned = world.Plan();
  EXPECT_EQ(planned->tables[0].target.str(), "sourcedb.one");
  world.request.target_table = "x";
  EXPECT_THAT(world.Refusal(), HasSubstr("2 tables, which keep their names"));
  // One table's prefix is that table, whose own record lies there.
  world.request.prefix = "all/sourcedb/two/";
  planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  ASSERT_EQ(planned->tables.size(), 1U);
  EXPECT_EQ(planned->tables[0].target.str(), "sourcedb.x");
  // A database's folder is what the index has of it.
  world.request.prefix = "all/sourcedb/";
  world.request.target_table = "";
  planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_EQ(planned->tables.size(), 2U);
}

TEST(PlanIndexTest, AnIndexThatIsNotWholeIsRefused) {
  SourceWorld world;
  PutIndex(world);
  world.store.Remove("src/all/sourcedb/two/tsm-run-R1.json");
  EXPECT_EQ(world.RefusalKind(), ErrorKind::kInTheWay);
  EXPECT_THAT(world.Refusal(), HasSubstr("names the record of sourcedb.two"));
  world.store.Put("src/all/tsm-run-R1.json",
                  run::ToJson(run::RunIndex{"R1",
                                            "1",
                                            "eu-west-1",
                                            run::RunState::kStarted,
                                            {{*timestream::TableRef::Make("sourcedb", "one"),
                                              "s3://src/all/sourcedb/one/tsm-run-R1.json"}}}));
  EXPECT_THAT(world.Refusal(), HasSubstr("ts-unload resume R1"));
}

TEST(PlanIndexTest, TwoTablesDoNotBecomeOne) {
  SourceWorld world;
  PutIndex(world);
  run::RunIndex index = *run::ParseRunIndex(world.store.buckets["src"]["all/tsm-run-R1.json"].body);
  run::RunRecord record = Nested(world, "all/otherdb/one/", "R1", "one");
  record.source = *timestream::TableRef::Make("otherdb", "one");
  world.PutRecord("all/otherdb/one/", record);
  index.records.emplace_back(record.source, "s3://src/all/otherdb/one/tsm-run-R1.json");
  world.store.Put("src/all/tsm-run-R1.json", run::ToJson(index));
  EXPECT_THAT(world.Refusal(), HasSubstr("sourcedb.one and otherdb.one would both be loaded into "
                                         "targetdb.one"));
  world.request.target_database = "";
  EXPECT_EQ(world.Refusal(), "");
}

}  // namespace
}  // namespace tsm::batchload
