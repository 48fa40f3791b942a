// What a journal shows when it is opened again, whatever happened to its file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <random>
#include <thread>

#include "core/journal_bench.h"
#include "tsm/core/journal.h"

namespace tsm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using JournalReplayTest = test::JournalBench;

TEST_F(JournalReplayTest, AReaderLeavesOutAnUnfinishedLineAndChangesNothing) {
  WriteSample();
  const std::string text = Text().substr(0, Text().size() - 3);
  SetText(text);
  ASSERT_TRUE(Journal::Read(directory_, Keep()));
  EXPECT_EQ(SeenSequences(), UpTo(4));
  EXPECT_EQ(Text(), text);
}

TEST_F(JournalReplayTest, AReaderMayLookWhileTheWriterWorks) {
  disk_.step = 50;  // so that lines are often half written
  const auto journal = Create();
  std::atomic<bool> ended = false;
  std::jthread writer([&] {
    for (int i = 0; i < 2000; ++i) {
      EXPECT_TRUE(journal->Append(Entry("done", std::string(100, 'x')), Durability::kGrouped));
    }
    ended = true;
  });
  std::size_t seen_before = 0;
  do {
    seen_.clear();
    const auto header = Journal::Read(directory_, Keep());
    ASSERT_TRUE(header) << header.error().Text();
    ASSERT_GE(seen_.size(), seen_before);
    ASSERT_EQ(SeenSequences(), UpTo(seen_.size()));
    seen_before = seen_.size();
  } while (!ended);
}

TEST_F(JournalReplayTest, RefusesAnotherPlanAnotherToolAnotherFormat) {
  WriteSample();
  JournalHeader expected = Header();
  expected.fingerprint = "beef";
  expected.plan = "sourcedb.myTable by month";
  const auto plan = Open(expected);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(plan.error().Text(),
              AllOf(HasSubstr("'sourcedb.myTable by day' (f00d)"),
                    HasSubstr("'sourcedb.myTable by month' (beef)"), HasSubstr("run R1")));

  expected = Header();
  expected.tool = "ts-batchload";
  const auto tool = Open(expected);
  ASSERT_FALSE(tool);
  EXPECT_EQ(tool.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(tool.error().Text(), HasSubstr("ts-unload, not of ts-batchload"));

  std::string text = Text();
  text.replace(text.find("\"format\":1"), 10, "\"format\":2");
  SetText(text);
  const auto format = Open();
  ASSERT_FALSE(format);
  EXPECT_EQ(format.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(format.error().Text(), HasSubstr("format 2"));
  EXPECT_TRUE(seen_.empty());
}

TEST_F(JournalReplayTest, SaysThatThereIsNone) {
  for (const auto& missing : {Open().error(), Journal::Read(directory_, Keep()).error()}) {
    EXPECT_EQ(missing.kind, ErrorKind::kNotFound);
    EXPECT_THAT(missing.Text(), HasSubstr(File().string()));
  }
  std::filesystem::create_directories(File());
  const auto directory = Open();
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().kind, ErrorKind::kLocalIo);
}

TEST_F(JournalReplayTest, SurvivesAnEndAtEveryByte) {
  WriteSample();
  const std::string whole = Text();
  const std::size_t header_end = whole.find('\n') + 1;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    SetText(whole.substr(0, size));
    auto journal = Open();
    if (size < header_end) {
      ASSERT_FALSE(journal) << size;
      EXPECT_EQ(journal.error().kind, ErrorKind::kNotFound);
      EXPECT_THAT(journal.error().Text(), HasSubstr("nothing was done"));
      continue;
    }
    ASSERT_TRUE(journal) << size << journal.error().Text();
    const auto lines = static_cast<std::uint64_t>(
        std::count(whole.begin(), whole.begin() + static_cast<long>(size), '\n') - 1);
    EXPECT_EQ(SeenSequences(), UpTo(lines)) << size;
    EXPECT_EQ((*journal)->dropped_bytes(), size - (whole.rfind('\n', size - 1) + 1)) << size;
    // What comes next follows the last whole line.
    EXPECT_EQ((*journal)->Append(Entry("done", "0009"), Durability::kGrouped)->sequence, lines + 1);
    journal->reset();
    ASSERT_TRUE(Open()) << size;
    EXPECT_EQ(SeenSequences(), UpTo(lines + 1)) << size;
    EXPECT_EQ(seen_.back().kind, "done");
  }
}

TEST_F(JournalReplayTest, ABadLastLineIsDroppedEvenWithItsNewline) {
  WriteSample();
  const std::string whole = Text();
  for (const std::string& tail :
       {std::string("\n"), std::string("garbage\n"), std::string(4096, '\0'), std::string("[1]\n"),
        std::string(R"({"seq":6,"time":"2024-02-26 17:24:38","kind":""})") + "\n",
        std::string(R"({"seq":6,"time":"2024-02-26 17:24:38","kind":"a","b":1})") + "\n",
        std::string(R"({"seq":6,"time":"yesterday","kind":"a"})") + "\n",
        std::string(R"({"seq":"6","time":"2024-02-26 17:24:38","kind":"a"})") + "\n",
        std::string(kMaxJournalLine + 100'000, 'x'),
        std::string(kMaxJournalLine + 100'000, 'x') + "\n"}) {
    SetText(whole + tail);
    const auto journal = Open();
    ASSERT_TRUE(journal) << journal.error().Text();
    EXPECT_EQ(SeenSequences(), UpTo(5));
    EXPECT_EQ((*journal)->dropped_bytes(), tail.size());
    EXPECT_EQ(Text(), whole);
  }
}

TEST_F(JournalReplayTest, ATailOfRandomBytesNeverAddsOrHidesAnEntry) {
  WriteSample();
  const std::string whole = Text();
  std::mt19937 random(7);
  int opened = 0;
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::string tail;
    const std::size_t size = random() % 200 + 1;
    for (std::size_t i = 0; i < size; ++i) {
      // Often a byte that means something in this file.
      constexpr std::string_view kLikely = "{}\":,0123456789\n\\seqtimekind";
      tail += random() % 2 == 0 ? kLikely[random() % kLikely.size()]
                                : static_cast<char>(random() & 0xFFU);
    }
    SetText(whole + tail);
    const auto journal = Open();
    EXPECT_EQ(SeenSequences(), UpTo(5)) << round;
    const std::size_t newline = tail.find('\n');
    if (newline == std::string::npos || newline + 1 == tail.size()) {
      ASSERT_TRUE(journal) << round << journal.error().Text();
      EXPECT_EQ(Text(), whole) << round;
      ++opened;
    } else {
      ASSERT_FALSE(journal) << round;
      EXPECT_EQ(journal.error().kind, ErrorKind::kLocalIo);
      EXPECT_THAT(journal.error().Text(), HasSubstr(File().string() + ":7 is damaged")) << round;
      EXPECT_EQ(Text(), whole + tail) << round;
      ++refused;
    }
  }
  EXPECT_GT(opened, 50);
  EXPECT_GT(refused, 50);
}

TEST_F(JournalReplayTest, DamageIsToldWithItsLine) {
  WriteSample();
  const std::string whole = Text();
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < whole.size();) {
    const std::size_t end = whole.find('\n', begin) + 1;
    lines.push_back(whole.substr(begin, end - begin));
    begin = end;
  }
  auto without = [&](std::size_t skipped, const std::string& instead) {
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) text += i == skipped ? instead : lines[i];
    return text;
  };
  for (std::size_t line = 0; line + 1 < lines.size(); ++line) {
    for (const std::string& instead :
         {std::string("\n"), std::string(kMaxJournalLine + 1, ' ') + "\n", lines[line].substr(3)}) {
      SetText(without(line, instead));
      const auto journal = Open();
      ASSERT_FALSE(journal) << line;
      EXPECT_EQ(journal.error().kind, ErrorKind::kLocalIo);
      EXPECT_THAT(journal.error().Text(),
                  HasSubstr(File().string() + ":" + std::to_string(line + 1) + " is damaged"));
      EXPECT_EQ(Text(), without(line, instead));
    }
  }
  for (const std::string& instead : {std::string(), lines[2] + lines[2]}) {
    SetText(without(2, instead));
    const auto journal = Open();
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().kind, ErrorKind::kLocalIo);
    EXPECT_THAT(journal.error().Text(),
                HasSubstr(instead.empty() ? ":3 is damaged: entry 3" : ":4 is damaged: entry 2"));
  }
}

TEST_F(JournalReplayTest, AVisitorsFailureEndsTheReplay) {
  WriteSample();
  int calls = 0;
  const auto journal = Journal::Open(
      directory_, Header(),
      [&](const JournalEntry& entry) {
        ++calls;
        return entry.sequence < 3 ? Ok() : Status(MakeError(ErrorKind::kBadReply, "no such slice"));
      },
      clock_, disk_);
  ASSERT_FALSE(journal);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(journal.error().Text(), File().string() + ":4: no such slice");
}

TEST_F(JournalReplayTest, SurvivesKill) {
  for (int round = 0; round < 10; ++round) {
    std::filesystem::remove_all(directory_);
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto journal = Journal::Create(directory_, Header(), clock_, SystemJournalDisk());
      for (;;) {
        const auto entry =
            (*journal)->Append(Entry("attempt", std::string(5000, 'x')),
                               round % 2 == 0 ? Durability::kBeforeEffect : Durability::kGrouped);
        if (!entry) ::_exit(1);
        const std::uint64_t written = entry->sequence;
        if (::write(pipe_ends[1], &written, sizeof(written)) < 0) ::_exit(1);
      }
    }
    std::uint64_t promised = 0;
    for (int i = 0; i <= round * 7; ++i) {
      ASSERT_EQ(::read(pipe_ends[0], &promised, sizeof(promised)), long{sizeof(promised)});
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    ASSERT_TRUE(Open()) << round;
    EXPECT_GE(seen_.size(), promised);
    EXPECT_EQ(SeenSequences(), UpTo(seen_.size()));
  }
}

}  // namespace
}  // namespace tsm
