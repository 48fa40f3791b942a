#include "tsm/core/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "core/journal_bench.h"

namespace tsm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using JournalTest = test::JournalBench;

TEST_F(JournalTest, ShowsEverythingAgainInOrder) {
  {
    const auto journal = Create();
    JournalEntry odd = Entry("page", "0001");
    odd.fields["token"] = std::string("a\0b\n\r\t\"\\ £ 日本", 18);
    odd.fields[""] = "";
    EXPECT_EQ(journal->Append(odd, Durability::kGrouped)->sequence, 1U);
    clock_.Advance(std::chrono::minutes(5));
    EXPECT_EQ(journal->Append(Entry("done", "0001"), Durability::kBeforeEffect)->sequence, 2U);
  }
  const auto journal = Open();
  ASSERT_TRUE(journal) << journal.error().Text();
  EXPECT_EQ((*journal)->header().run_id, "R1");
  EXPECT_EQ((*journal)->header().created, 1'708'968'278'000'000'000);
  EXPECT_EQ((*journal)->dropped_bytes(), 0U);
  ASSERT_EQ(seen_.size(), 2U);
  EXPECT_EQ(seen_[0].kind, "page");
  EXPECT_EQ(seen_[0].Field("token"), std::string_view("a\0b\n\r\t\"\\ £ 日本", 18));
  EXPECT_EQ(seen_[0].fields.count(""), 1U);
  EXPECT_EQ(seen_[0].Field("none"), "");
  EXPECT_EQ(seen_[0].time, 1'708'968'278'000'000'000);
  EXPECT_EQ(seen_[1].time, 1'708'968'578'000'000'000);
  EXPECT_EQ((*journal)->Append(Entry("done", "0002"), Durability::kGrouped)->sequence, 3U);
}

TEST_F(JournalTest, IsTheOwnersAlone) {
  ::umask(022);
  const auto journal = Create();
  struct stat facts {};
  ASSERT_EQ(::stat(File().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0600U);
  for (const auto& directory : {directory_, directory_.parent_path()}) {
    ASSERT_EQ(::stat(directory.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777U, 0700U) << directory;
  }
}

TEST_F(JournalTest, ASecondRunInTheDirectoryIsRefused) {
  WriteSample();
  const std::string before = Text();
  const auto second = Journal::Create(directory_, Header(), clock_, disk_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(second.error().Text(), AllOf(HasSubstr(File().string()), HasSubstr("resume")));
  EXPECT_EQ(Text(), before);
}

TEST_F(JournalTest, OneWriterAtATimeAndReadersBesideIt) {
  const auto journal = Create();
  ASSERT_TRUE(journal->Append(Entry("attempt", "0001"), Durability::kGrouped));
  const auto second = Open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(second.error().Text(), AllOf(HasSubstr(File().string()),
                                           HasSubstr("process " + std::to_string(::getpid()))));
  EXPECT_TRUE(seen_.empty());
  const auto header = Journal::Read(directory_, Keep());
  ASSERT_TRUE(header) << header.error().Text();
  EXPECT_EQ(header->fingerprint, "f00d");
  EXPECT_EQ(SeenSequences(), UpTo(1));
}

TEST_F(JournalTest, RefusesWhatALineCannotHold) {
  const auto journal = Create();
  const std::string before = Text();
  const std::pair<JournalEntry, std::string> cases[] = {
      {Entry("", "0001"), "no kind"},
      {{"page", {{"seq", "1"}}, 0, 0}, "'seq'"},
      {{"page", {{"time", "1"}}, 0, 0}, "'time'"},
      {{"page", {{"kind", "1"}}, 0, 0}, "'kind'"},
      {{"page", {{"key", "\xff"}}, 0, 0}, "'key' that is not UTF-8"},
      {{"\xff", {}, 0, 0}, "kind that is not UTF-8"},
      {Entry("page", std::string(kMaxJournalLine, 'x')), "4,194,304"},
  };
  for (const auto& [entry, message] : cases) {
    const auto sequence = journal->Append(entry, Durability::kGrouped);
    ASSERT_FALSE(sequence) << message;
    EXPECT_EQ(sequence.error().kind, ErrorKind::kInvalidInput);
    EXPECT_THAT(sequence.error().Text(), HasSubstr(message));
    EXPECT_LT(sequence.error().Text().size(), 200U);
  }
  EXPECT_EQ(Text(), before);
  // The longest statement, in the longest form that JSON may give it, fits.
  EXPECT_EQ(
      journal->Append(Entry("attempt", std::string(262'144, '\1')), Durability::kGrouped)->sequence,
      1U);

  JournalHeader nameless = Header();
  nameless.run_id = "";
  const auto refused = Journal::Create(root_ / "other", nameless, clock_, disk_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidInput);
  EXPECT_FALSE(std::filesystem::exists(root_ / "other"));
}

TEST_F(JournalTest, IsOnTheDiskBeforeAnEffect) {
  const auto journal = Create();
  // Two directories made, the file, its entry in the directory.
  EXPECT_EQ(disk_.syncs, 4);
  disk_.syncs = 0;
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(journal->Append(Entry("attempt", "0001"), Durability::kBeforeEffect));
    EXPECT_EQ(disk_.syncs, i);
    EXPECT_EQ(disk_.writes_before_sync, disk_.writes);
  }
  ASSERT_TRUE(journal->Flush());
  EXPECT_EQ(disk_.syncs, 10) << "everything was there";
}

TEST_F(JournalTest, GroupsShareAnFsync) {
  auto journal = Create();
  disk_.syncs = 0;
  auto append = [&](std::size_t count, Durability durability = Durability::kGrouped) {
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(journal->Append(Entry("copied", "k"), durability));
    }
  };
  append(kJournalGroupEntries - 1);
  EXPECT_EQ(disk_.syncs, 0);
  append(1);
  EXPECT_EQ(disk_.syncs, 1) << "a full group";
  append(1);
  clock_.Advance(kJournalGroupAge - std::chrono::nanoseconds(1));
  append(1);
  ASSERT_TRUE(journal->FlushIfDue());
  EXPECT_EQ(disk_.syncs, 1);
  clock_.Advance(std::chrono::nanoseconds(1));
  append(1);
  EXPECT_EQ(disk_.syncs, 2) << "an old group";
  append(1);
  clock_.Advance(kJournalGroupAge);
  ASSERT_TRUE(journal->FlushIfDue());
  EXPECT_EQ(disk_.syncs, 3) << "an old group, nothing appended";
  ASSERT_TRUE(journal->FlushIfDue());
  append(5);
  append(1, Durability::kBeforeEffect);
  EXPECT_EQ(disk_.syncs, 4) << "the group goes with the next intent";
  append(kJournalGroupEntries - 1);
  EXPECT_EQ(disk_.syncs, 4) << "and begins anew";
  journal.reset();
  EXPECT_EQ(disk_.syncs, 5) << "the end flushes";
  ASSERT_TRUE(Open());
  EXPECT_EQ(disk_.syncs, 7) << "what is shown is on the disk first, and the file's name; the end "
                               "had nothing to add";
}

TEST_F(JournalTest, AfterAFailedFsyncNothingIsPromisedAnyMore) {
  const auto journal = Create();
  disk_.sync_error = EIO;
  const auto failed = journal->Append(Entry("attempt", "0001"), Durability::kBeforeEffect);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kLocalIo);
  EXPECT_THAT(failed.error().Text(), AllOf(HasSubstr(File().string()), HasSubstr("check it")));
  disk_.sync_error = 0;
  EXPECT_FALSE(journal->Append(Entry("attempt", "0002"), Durability::kBeforeEffect));
  EXPECT_FALSE(journal->Append(Entry("attempt", "0002"), Durability::kGrouped));
  EXPECT_FALSE(journal->Flush());
  EXPECT_FALSE(journal->FlushIfDue());
  EXPECT_THAT(Text(), Not(HasSubstr("0002")));
}

TEST_F(JournalTest, AFullDiskTakesBackHalfALine) {
  const auto journal = Create();
  ASSERT_TRUE(journal->Append(Entry("attempt", "0001"), Durability::kBeforeEffect));
  const std::string before = Text();
  for (const long room : {0L, 1L, 40L}) {
    disk_.room = room;
    const auto failed = journal->Append(Entry("attempt", "0002"), Durability::kBeforeEffect);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::kLocalIo);
    EXPECT_THAT(failed.error().Text(), AllOf(HasSubstr(File().string()), HasSubstr("free space")));
    EXPECT_EQ(Text(), before);
  }
  disk_.room = -1;
  EXPECT_EQ(journal->Append(Entry("attempt", "0002"), Durability::kBeforeEffect)->sequence, 2U);
}

TEST_F(JournalTest, AFullDiskAtTheBeginningLeavesNoFile) {
  disk_.room = 10;
  auto failed = Journal::Create(directory_, Header(), clock_, disk_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kLocalIo);
  EXPECT_FALSE(std::filesystem::exists(File()));
  disk_.room = -1;
  disk_.sync_error = EIO;
  failed = Journal::Create(directory_, Header(), clock_, disk_);
  ASSERT_FALSE(failed);
  EXPECT_FALSE(std::filesystem::exists(File()));
  disk_.sync_error = 0;
  EXPECT_TRUE(Journal::Create(directory_, Header(), clock_, disk_));
}

TEST_F(JournalTest, AFailedFsyncOfTheReplayIsTold) {
  WriteSample();
  disk_.sync_error = EIO;
  const auto journal = Open();
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().kind, ErrorKind::kLocalIo);
}

// A process killed in Create, between the file's fsync and the directory's, leaves a whole header.
TEST_F(JournalTest, TheFilesNameIsOnTheDiskOnceItIsOpen) {
  WriteSample();
  disk_.syncs = 0;
  const auto journal = Open();
  ASSERT_TRUE(journal) << journal.error().Text();
  EXPECT_EQ(disk_.syncs, 2);
}

TEST_F(JournalTest, GoesOnAfterShortAndInterruptedWrites) {
  disk_.step = 7;
  disk_.interruptions = 3;
  WriteSample();
  ASSERT_TRUE(Open());
  EXPECT_EQ(SeenSequences(), UpTo(5));
}

TEST_F(JournalTest, SaysWhichDirectoryCantBeMade) {
  std::ofstream(root_ / "state") << "a file";
  const auto failed = Journal::Create(directory_, Header(), clock_, disk_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kLocalIo);
  EXPECT_THAT(failed.error().Text(), HasSubstr((root_ / "state").string()));
}

TEST_F(JournalTest, IntentsThatMeetShareAnFsync) {
  const auto journal = Create();
  disk_.syncs = 0;
  disk_.writes = 0;
  // The first fsync lasts until the other three entries are written; these then need one more.
  disk_.wait_for_writes = 4;
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(
        [&] { EXPECT_TRUE(journal->Append(Entry("upload", "k"), Durability::kBeforeEffect)); });
  }
  threads.clear();
  EXPECT_EQ(disk_.syncs, 2);
}

TEST_F(JournalTest, ManyThreadsMayAppend) {
  {
    const auto journal = Create();
    std::vector<std::jthread> threads;
    threads.reserve(8);
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 100; ++i) {
          const auto durability = i % 10 == 0 ? Durability::kBeforeEffect : Durability::kGrouped;
          const std::string name = std::to_string(thread) + "/" + std::to_string(i);
          EXPECT_TRUE(journal->Append(Entry("copied", name), durability));
        }
      });
    }
  }
  ASSERT_TRUE(Open());
  EXPECT_EQ(SeenSequences(), UpTo(800));
  std::set<std::string, std::less<>> names;
  for (const JournalEntry& entry : seen_) names.emplace(entry.Field("slice"));
  EXPECT_EQ(names.size(), 800U);
}

// A process that is killed while it writes: every entry it was promised is there, and the lock is
// free.
TEST(JournalEntryTest, ReadsBackWhatItWrites) {
  const JournalEntry entry{
      "done", {{"rows", "12"}, {"uri", "s3://b/ü"}}, 7, 1'708'968'278'000'000'001};
  const auto text = ToJson(entry);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, R"({"seq":7,"time":"2024-02-26 17:24:38.000000001","kind":"done","rows":"12",)"
                   R"("uri":"s3://b/ü"})");
  const auto back = ParseJournalEntry(*text);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->kind, entry.kind);
  EXPECT_EQ(back->fields, entry.fields);
  EXPECT_EQ(back->sequence, 7U);
  EXPECT_EQ(back->time, entry.time);
  EXPECT_EQ(ParseJournalEntry("{}").error().kind, ErrorKind::kBadReply);
}

}  // namespace
}  // namespace tsm
