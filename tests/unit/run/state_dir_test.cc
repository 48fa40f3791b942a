// Where runs live: the default place, names that are no paths, the list of runs, files that are
// replaced whole or not at all.
#include "tsm/run/state_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "run_dir.h"
#include "support/fake_clock.h"

namespace tsm::run {
namespace {

using aws::Environment;
using test::ContentOf;
using test::ModeOf;
using test::Put;
using test::RunDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<std::filesystem::path> With(std::map<std::string, std::string, std::less<>> variables) {
  return DefaultStateDir(Environment(std::move(variables)));
}

// Fails the n-th fsync, or a write, as told.
class FailingDisk final : public JournalDisk {
 public:
  int Sync(int file) override { return --syncs_until_failure == 0 ? EIO : JournalDisk::Sync(file); }
  std::int64_t Write(int file, std::string_view bytes) override {
    return full ? -ENOSPC : JournalDisk::Write(file, bytes.substr(0, 7));
  }
  int syncs_until_failure = -1;
  bool full = false;
};

std::vector<std::string> FilesIn(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

void Begin(const std::filesystem::path& state_dir, const std::string& run_id, const Clock& clock) {
  const JournalHeader header{"ts-unload", run_id, "f", "plan", 0};
  ASSERT_TRUE(Journal::Create(state_dir / run_id, header, clock));
}

std::vector<std::string> Ids(const Result<std::vector<StoredRun>>& runs) {
  std::vector<std::string> ids;
  for (const StoredRun& run : *runs) ids.push_back(run.run_id);
  return ids;
}

TEST(DefaultStateDir, FollowsTheBaseDirectorySpecification) {
  EXPECT_EQ(*With({{"XDG_STATE_HOME", "/s"}, {"HOME", "/h"}}), "/s/ts-migration");
  EXPECT_EQ(*With({{"HOME", "/h"}}), "/h/.local/state/ts-migration");
  EXPECT_EQ(*With({{"XDG_STATE_HOME", "s"}, {"HOME", "/h"}}), "/h/.local/state/ts-migration");
}

TEST(DefaultStateDir, WithoutAHomeTheFlagIsNamed) {
  for (const auto& found : {With({}), With({{"HOME", "relative"}})}) {
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::kConfiguration);
    EXPECT_THAT(found.error().message, HasSubstr("--state_dir"));
  }
}

TEST(RunDirectory, TakesNothingThatIsAPathOrAFlag) {
  EXPECT_EQ(*RunDirectory("/s", "20240226T172438Z-5f8b3c"), "/s/20240226T172438Z-5f8b3c");
  for (const std::string& bad : {std::string(), std::string(".."), std::string("a/b"),
                                 std::string("/etc"), std::string("-rf"), std::string("a.b"),
                                 std::string("a\n"), std::string("ü"), std::string(101, 'a')}) {
    const auto found = RunDirectory("/s", bad);
    ASSERT_FALSE(found) << bad;
    EXPECT_EQ(found.error().kind, ErrorKind::kInvalidInput);
  }
}

TEST(ListRuns, NewestFirstAndOnlyWhatHoldsAJournal) {
  const RunDir dir;
  test::FakeClock clock;
  Begin(dir.path(), "b-first", clock);
  clock.Advance(std::chrono::seconds(1));
  Begin(dir.path(), "a-second", clock);
  clock.Advance(std::chrono::seconds(1));
  Begin(dir.path(), "c-third", clock);
  Begin(dir.path(), "not.an.id", clock);
  Put(dir.path() / "nothing-inside" / "plan.json", "{}");
  Put(dir.path() / "a-file", "");
  std::filesystem::create_directories(dir.path() / "odd" / kJournalFileName);
  const auto runs = ListRuns(dir.path());
  ASSERT_TRUE(runs);
  ASSERT_THAT(Ids(runs), ElementsAre("c-third", "a-second", "b-first"));
  EXPECT_EQ(runs->front().directory, dir.path() / "c-third");
  ASSERT_TRUE(runs->front().header);
  EXPECT_EQ(runs->front().header->plan, "plan");
  EXPECT_EQ(runs->front().begun, runs->front().header->created);
}

TEST(ListRuns, AJournalWithoutAWholeHeaderIsStillARun) {
  const RunDir dir;
  Put(dir.path() / "torn" / kJournalFileName, R"({"format":1,"tool":)");
  Put(dir.path() / "other" / kJournalFileName, "no journal\n");
  const auto runs = ListRuns(dir.path());
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 2U);
  for (const StoredRun& run : *runs) {
    EXPECT_FALSE(run.header);
    EXPECT_GT(run.begun, 1'700'000'000'000'000'000);
  }
}

TEST(ListRuns, ALongHeaderIsReadWhole) {
  const RunDir dir;
  const JournalHeader header{"ts-unload", "long", "f", std::string(300'000, 'p'), 0};
  ASSERT_TRUE(Journal::Create(dir.path() / "long", header, test::FakeClock()));
  const auto runs = ListRuns(dir.path());
  ASSERT_TRUE(runs);
  ASSERT_TRUE(runs->at(0).header);
  EXPECT_EQ(runs->at(0).header->plan.size(), 300'000U);
}

TEST(ListRuns, NoDirectoryMeansNoRunsAndAFileIsAnError) {
  const RunDir dir;
  const auto none = ListRuns(dir.path() / "absent");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  Put(dir.path() / "file", "x");
  const auto failed = ListRuns(dir.path() / "file");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kLocalIo);
}

TEST(WriteFileDurably, WritesPrivatelyAndReplaces) {
  const RunDir dir;
  const auto path = dir.path() / "new" / "run" / "plan.json";
  ASSERT_TRUE(WriteFileDurably(path, "one"));
  EXPECT_EQ(ModeOf(path), 0600U);
  EXPECT_EQ(ModeOf(path.parent_path()), 0700U);
  EXPECT_EQ(ModeOf(path.parent_path().parent_path()), 0700U);
  ASSERT_TRUE(WriteFileDurably(path, std::string(100'000, 'x')));
  EXPECT_EQ(ContentOf(path), std::string(100'000, 'x'));
  EXPECT_THAT(FilesIn(path.parent_path()), ElementsAre("plan.json"));
}

TEST(WriteFileDurably, AFailureLeavesTheOldFileAndNothingElse) {
  const RunDir dir;
  const auto path = dir.path() / "plan.json";
  ASSERT_TRUE(WriteFileDurably(path, "old"));
  FailingDisk full;
  full.full = true;
  FailingDisk broken;
  broken.syncs_until_failure = 1;
  for (FailingDisk* disk : {&full, &broken}) {
    const Status written = WriteFileDurably(path, "new", *disk);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, ErrorKind::kLocalIo);
    EXPECT_THAT(written.error().message, HasSubstr(path.string()));
    EXPECT_EQ(ContentOf(path), "old");
    EXPECT_THAT(FilesIn(dir.path()), ElementsAre("plan.json"));
  }
}

TEST(WriteFileDurably, ADirectoryThatIsNotOnTheDiskIsAFailure) {
  const RunDir dir;
  FailingDisk disk;
  disk.syncs_until_failure = 2;  // the file's own is the first
  EXPECT_FALSE(WriteFileDurably(dir.path() / "plan.json", "text", disk));
}

TEST(WriteFileDurably, ADirectoryInTheWayIsNamed) {
  const RunDir dir;
  std::filesystem::create_directory(dir.path() / "plan.json");
  const Status written = WriteFileDurably(dir.path() / "plan.json", "text");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("plan.json can't be replaced"));
  EXPECT_THAT(FilesIn(dir.path()), ElementsAre("plan.json"));
}

TEST(ReadWholeFile, ReadsUpToTheLimit) {
  const RunDir dir;
  const auto path = dir.path() / "f";
  const std::string content(200'000, 'x');
  Put(path, content);
  EXPECT_EQ(*ReadWholeFile(path, content.size()), content);
  const auto over = ReadWholeFile(path, content.size() - 1);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().kind, ErrorKind::kLocalIo);
  EXPECT_THAT(over.error().message, HasSubstr("199,999"));
  Put(path, "");
  EXPECT_EQ(*ReadWholeFile(path, 0), "");
}

TEST(ReadWholeFile, TellsAbsentFromUnreadable) {
  const RunDir dir;
  EXPECT_EQ(ReadWholeFile(dir.path() / "absent", 1).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(ReadWholeFile(dir.path(), 1).error().kind, ErrorKind::kLocalIo);
  ASSERT_EQ(::mkfifo((dir.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(ReadWholeFile(dir.path() / "pipe", 1).error().kind, ErrorKind::kLocalIo);
}

}  // namespace
}  // namespace tsm::run
