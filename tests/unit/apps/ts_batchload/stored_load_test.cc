// Runs as they lie on the disk: plan, journal and the spools of their files.
#include "ts_batchload/stored_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/ts_batchload/load_sample.h"
#include "ts_batchload/group_files.h"
#include "ts_batchload/options.h"

namespace tsm::apps {
namespace {

using test::PlanOf;
using test::SampleRun;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tsm::test::ContentOf;
using tsm::test::Put;

TEST(StoredLoadTest, PlanAndJournalAreRead) {
  SampleRun run(PlanOf(false, 2));
  run.Finish(0);
  const auto stored = ReadLoad(run.directory());
  ASSERT_TRUE(stored) << stored.error().Text();
  EXPECT_EQ((*stored)->plan.Title(), run.plan.Title());
  EXPECT_EQ((*stored)->state->Totals().done, 1U);
  EXPECT_EQ(&(*stored)->state->plan(), &(*stored)->plan);
  const auto plan = ReadLoadPlan(run.directory());
  ASSERT_TRUE(plan);
  EXPECT_EQ((*plan)->state->Totals().done, 0U);
}

TEST(StoredLoadTest, APlanThatIsDamagedOrGoneIsNamed) {
  SampleRun run(PlanOf(false, 1));
  const auto file = run.directory() / kPlanFileName;
  for (const char* text : {"", "{", "[]", R"({"format":1})"}) {
    Put(file, text);
    const auto damaged = ReadLoadPlan(run.directory());
    ASSERT_FALSE(damaged) << text;
    EXPECT_EQ(damaged.error().kind, ErrorKind::kLocalIo) << text;
    EXPECT_THAT(damaged.error().Text(), HasSubstr(file.string()));
  }
  std::filesystem::remove(file);
  EXPECT_EQ(ReadLoadPlan(run.directory()).error().kind, ErrorKind::kNotFound);
}

TEST(StoredLoadTest, APlanOfALaterFormatIsRefused) {
  SampleRun run(PlanOf(false, 1));
  const auto file = run.directory() / kPlanFileName;
  std::string text = ContentOf(file);
  const std::size_t format = text.find("\"format\":");
  ASSERT_NE(format, std::string::npos) << text;
  text.insert(text.find('1', format), "9");
  Put(file, text);
  const auto later = ReadLoadPlan(run.directory());
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().Text(), HasSubstr(file.string()));
}

TEST(StoredLoadTest, AJournalThatTheStateDoesNotKnowIsRefused) {
  SampleRun run(PlanOf(false, 1));
  JournalEntry entry;
  entry.kind = "something of a later version";
  ASSERT_TRUE(run.journal().Append(entry, Durability::kBeforeEffect));
  const auto stored = ReadLoad(run.directory());
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind, ErrorKind::kLocalIo);
}

TEST(StoredLoadTest, AJournalThatContradictsItselfIsRefused) {
  SampleRun run(PlanOf(false, 1));
  JournalEntry entry;
  entry.kind = "resume";
  entry.fields["group"] = "g0001";
  ASSERT_TRUE(run.journal().Append(entry, Durability::kBeforeEffect));
  const auto stored = ReadLoad(run.directory());
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind, ErrorKind::kLocalIo);
  EXPECT_THAT(stored.error().Text(), HasSubstr("no open task"));
}

TEST(StoredLoadTest, TheHeaderKnowsThePlanByItsText) {
  const batchload::LoadPlan plan = PlanOf(false, 1);
  const JournalHeader header = HeaderOf(plan, "abc");
  EXPECT_EQ(header.tool, kBatchLoadTool);
  EXPECT_EQ(header.run_id, plan.run_id);
  EXPECT_EQ(header.plan, plan.Title());
  EXPECT_EQ(header.fingerprint, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// The spool of a table: two files in each group, in the order of their keys.
struct GroupFilesTest : ::testing::Test {
  GroupFilesTest() {
    auto writer = *run::FileSpoolWriter::Create(dir.path() / plan.tables[0].spool);
    for (std::size_t group = 0; group < plan.groups.size(); ++group) {
      for (std::uint32_t i = 0; i < 2; ++i) {
        run::SpooledFile file;
        file.group = group;
        file.ordinal = i;
        const std::string name = plan.groups[group].label + "/" + std::to_string(i) + ".csv.gz";
        file.source = s3::ObjectKey("unload/" + name);
        file.target = s3::ObjectKey("dest/" + name);
        const auto offset = writer->Append(file);
        EXPECT_TRUE(offset);
        if (i == 0) plan.groups[group].offset = *offset;
      }
    }
    EXPECT_TRUE(writer->Close());
  }
  std::vector<std::string> Keys(std::size_t group, const batchload::GroupState& state = {}) {
    const auto keys = KeysOfGroup(dir.path(), plan, group, state);
    if (!keys) return {keys.error().Text()};
    std::vector<std::string> texts;
    for (const s3::ObjectKey& key : *keys) texts.push_back(key.str());
    return texts;
  }

  tsm::test::RunDir dir;
  batchload::LoadPlan plan = PlanOf(true, 3);
};

TEST_F(GroupFilesTest, AFeedHasTheFilesOfWantedGroups) {
  auto feed =
      SpoolFeed::Open(dir.path(), plan.tables[0], [](std::size_t group) { return group != 1; });
  ASSERT_TRUE(feed);
  std::vector<std::string> sources;
  for (;;) {
    const auto file = (*feed)->Next();
    ASSERT_TRUE(file);
    if (!*file) break;
    sources.push_back((*file)->source.str());
  }
  EXPECT_THAT(sources, ElementsAre("unload/p=01/0.csv.gz", "unload/p=01/1.csv.gz",
                                   "unload/p=03/0.csv.gz", "unload/p=03/1.csv.gz"));
}

TEST_F(GroupFilesTest, ASpoolThatIsGoneIsNamed) {
  std::filesystem::remove(dir.path() / plan.tables[0].spool);
  const auto feed = SpoolFeed::Open(dir.path(), plan.tables[0], [](std::size_t) { return true; });
  ASSERT_FALSE(feed);
  EXPECT_EQ(feed.error().kind, ErrorKind::kLocalIo);
  EXPECT_THAT(feed.error().Text(), HasSubstr(plan.tables[0].spool));
}

TEST_F(GroupFilesTest, KeysAreThoseOfTheGroupsFiles) {
  EXPECT_THAT(Keys(1), ElementsAre("dest/p=02/0.csv.gz", "dest/p=02/1.csv.gz"));
}

TEST_F(GroupFilesTest, KeysOfInflatedFilesAreThoseOfTheirObjects) {
  plan.tables[0].gzip = true;
  batchload::GroupState state;
  state.inflated_objects = {2, 1};
  EXPECT_THAT(Keys(2, state),
              ElementsAre("dest/p=03/0-0001.csv", "dest/p=03/0-0002.csv", "dest/p=03/1-0001.csv"));
  EXPECT_THAT(Keys(2), IsEmpty());
}

TEST_F(GroupFilesTest, ASpoolThatDoesNotHoldTheGroupIsRefused) {
  plan.groups[1].files = 3;
  EXPECT_THAT(Keys(1), ElementsAre(HasSubstr("has not the 3 files of group g0002")));
  plan.groups[2].files = 3;
  EXPECT_THAT(Keys(2), ElementsAre(HasSubstr("has not the 3 files of group g0003")));
}

TEST_F(GroupFilesTest, PrefixesAreSortedAndEachStandsOnce) {
  plan.groups[0].prefix = "dest/z/";
  plan.groups[2].prefix = "dest/z/";
  EXPECT_THAT(PrefixesOf(plan, 0, {true, true, true}), ElementsAre("dest/p=02/", "dest/z/"));
  EXPECT_THAT(PrefixesOf(plan, 0, {true, false, false}), ElementsAre("dest/z/"));
  EXPECT_THAT(PrefixesOf(plan, 1, {true, true, true}), IsEmpty());
}

}  // namespace
}  // namespace tsm::apps
