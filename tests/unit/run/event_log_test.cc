// The events of a run as lines of JSON: what they hold, how they go on after a resume, and that no
// disk can stop a run.
#include "tsm/run/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "run_dir.h"
#include "support/fake_clock.h"
#include "tsm/core/text.h"

namespace tsm::run {
namespace {

using nlohmann::json;
using test::ContentOf;
using test::FakeClock;
using test::ModeOf;
using test::Put;
using test::RunDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Recorder final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override { notices.push_back(notice); }
  void OnProgress(const Progress& progress) override { done.push_back(progress.done); }
  void OnEvent(const Event& event) override { kinds.emplace_back(event.kind); }
  std::vector<Notice> notices;
  std::vector<std::uint64_t> done;
  std::vector<std::string> kinds;
};

class Silent final : public ProgressSink {
 public:
  void OnNotice(const Notice& /*notice*/) override {}
  void OnProgress(const Progress& /*progress*/) override {}
};

// Takes `room` bytes, then is full.
class SmallDisk final : public JournalDisk {
 public:
  std::int64_t Write(int file, std::string_view bytes) override {
    if (room == 0) return -ENOSPC;
    const std::string_view taken = bytes.substr(0, room);
    room -= taken.size();
    return JournalDisk::Write(file, taken);
  }
  std::size_t room = 0;
};

class EventLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<EventLog> Open(EventLog::Echo echo = {},
                                 JournalDisk& disk = SystemJournalDisk()) {
    return std::make_unique<EventLog>(dir.path() / "run", "r-1", next, clock, std::move(echo),
                                      disk);
  }
  std::filesystem::path File() const { return dir.path() / "run" / kEventsFileName; }
  // Fails where a line does not parse.
  std::vector<json> Lines() const {
    std::vector<json> lines;
    const std::string content = ContentOf(File());
    for (const std::string_view line : Split(content, '\n')) {
      if (!line.empty()) lines.push_back(json::parse(line));
    }
    EXPECT_TRUE(content.empty() || content.back() == '\n');
    return lines;
  }
  std::vector<std::uint64_t> Sequences() const {
    std::vector<std::uint64_t> numbers;
    for (const json& line : Lines()) numbers.push_back(line["seq"]);
    return numbers;
  }
  static Progress At(std::uint64_t done, std::string_view phase = "unload") {
    Progress progress;
    progress.phase = phase;
    progress.done = done;
    progress.total = 100;
    return progress;
  }

  RunDir dir;
  FakeClock clock;
  Recorder next;
};

TEST(ToJsonLine, HoldsEveryValueInOrder) {
  const Event event{"slice_done",
                    {{"slice", std::string("2024-02-26 \"x\"\n")},
                     {"rows", std::uint64_t{18'446'744'073'709'551'615U}},
                     {"seconds", 1.5},
                     {"last", true}}};
  const auto time = std::chrono::system_clock::time_point(std::chrono::milliseconds(7));
  EXPECT_EQ(ToJsonLine(event, "r", 3, time),
            R"({"schema_version":1,"run_id":"r","seq":3,"time":"1970-01-01T00:00:00.007Z",)"
            R"("kind":"slice_done","slice":"2024-02-26 \"x\"\n","rows":18446744073709551615,)"
            R"("seconds":1.5,"last":true})");
}

TEST(ToJsonLine, NothingMakesALineThatDoesNotParse) {
  const Event event{"k", {{"text", std::string("a\xff")}, {"share", std::nan("")}, {"seq", 9.0}}};
  const json line = json::parse(ToJsonLine(event, "r", 3, {}));
  EXPECT_EQ(line["text"], "a\uFFFD");
  EXPECT_TRUE(line["share"].is_null());
  EXPECT_EQ(line["seq"], 3);
}

TEST_F(EventLogTest, EventsAndNoticesAreRecordedAndPassedOn) {
  std::vector<std::string> echoed;
  const auto log = Open([&](const std::string& line) { echoed.push_back(line); });
  log->OnEvent({"run_started", {{"tables", std::uint64_t{2}}}});
  clock.Advance(std::chrono::milliseconds(1'250));
  log->Warn("slow down");
  const std::vector<json> lines = Lines();
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0]["kind"], "run_started");
  EXPECT_EQ(lines[0]["tables"], 2);
  EXPECT_EQ(lines[0]["run_id"], "r-1");
  EXPECT_EQ(lines[0]["time"], "2024-02-26T17:24:38.000Z");
  EXPECT_EQ(lines[1]["kind"], "notice");
  EXPECT_EQ(lines[1]["severity"], "warning");
  EXPECT_EQ(lines[1]["text"], "slow down");
  EXPECT_EQ(lines[1]["time"], "2024-02-26T17:24:39.250Z");
  EXPECT_EQ(ContentOf(File()), Join(echoed, "\n") + "\n");
  EXPECT_THAT(next.kinds, ElementsAre("run_started"));
  ASSERT_THAT(next.notices, SizeIs(1));
  EXPECT_EQ(next.notices[0].text, "slow down");
  EXPECT_EQ(ModeOf(File()), 0600U);
}

TEST_F(EventLogTest, ProgressIsRecordedEveryTenSecondsOfEachPhaseAndAtItsEnd) {
  const auto log = Open();
  for (std::uint64_t second = 0; second <= 20; ++second) {
    log->OnProgress(At(second));
    clock.Advance(std::chrono::seconds(1));
  }
  log->OnProgress(At(1, "load"));
  log->OnProgress(At(100));
  log->OnProgress(At(100));
  std::vector<std::string> seen;
  for (const json& line : Lines()) {
    EXPECT_EQ(line["kind"], "progress");
    seen.push_back(line["phase"].get<std::string>() + " " + line["done"].dump());
  }
  EXPECT_THAT(seen, ElementsAre("unload 0", "unload 10", "unload 20", "load 1", "unload 100"));
  EXPECT_THAT(next.done, SizeIs(24));
}

TEST_F(EventLogTest, ProgressSaysWhatIsKnown) {
  const auto log = Open();
  Progress progress = At(3);
  progress.bytes_done = 5;
  progress.bytes_total = 6;
  progress.rows_done = 7;
  progress.fraction = 0.25;
  progress.left = std::chrono::seconds(90);
  progress.detail = "2 running";
  log->OnProgress(progress);
  const json line = Lines().at(0);
  EXPECT_EQ(line["total"], 100);
  EXPECT_EQ(line["bytes_done"], 5);
  EXPECT_EQ(line["bytes_total"], 6);
  EXPECT_EQ(line["rows_done"], 7);
  EXPECT_EQ(line["fraction"], 0.25);
  EXPECT_EQ(line["seconds_left"], 90);
  EXPECT_EQ(line["detail"], "2 running");
}

TEST_F(EventLogTest, NumbersGoOnAfterAResume) {
  Open()->Info("one");
  Open()->Info("two");
  const auto log = Open();
  log->Info("three");
  log->Info("four");
  EXPECT_THAT(Sequences(), ElementsAre(1, 2, 3, 4));
}

TEST_F(EventLogTest, ATornLastLineIsTakenOff) {
  Open()->Info("one");
  Put(File(), ContentOf(File()) + R"({"schema_version":1,"run_id":"r-1","seq":2,"ti)");
  Open()->Info("two");
  EXPECT_THAT(Sequences(), ElementsAre(1, 2));
}

TEST_F(EventLogTest, AFileThatIsOneTornLineBeginsAnew) {
  Put(File(), R"({"schema_version":1,"run)");
  Open()->Info("one");
  EXPECT_THAT(Sequences(), ElementsAre(1));
}

TEST_F(EventLogTest, TheLastNumberIsFoundBehindLongLines) {
  Open()->Info("one");
  const auto log = Open();
  log->Info(std::string(200'000, 'x'));
  Put(File(), ContentOf(File()) + std::string(300'000, 'y'));
  Open()->Info("three");
  EXPECT_THAT(Sequences(), ElementsAre(1, 2, 3));
}

TEST_F(EventLogTest, AFullDiskIsToldOnceAndLeavesWholeLines) {
  SmallDisk disk;
  disk.room = 150;
  std::vector<std::string> echoed;
  const auto log = Open([&](const std::string& line) { echoed.push_back(line); }, disk);
  log->Info("one");
  log->Info("two");
  log->Info("three");
  ASSERT_THAT(next.notices, SizeIs(4));
  EXPECT_EQ(next.notices[1].severity, Severity::kWarning);
  EXPECT_THAT(next.notices[1].text, HasSubstr(File().string()));
  EXPECT_THAT(echoed, SizeIs(3));
  disk.room = 10'000;
  log->Info("four");
  EXPECT_THAT(Sequences(), ElementsAre(1, 4));
}

TEST_F(EventLogTest, WithoutAFileTheRunGoesOn) {
  Put(dir.path() / "run", "a file where the directory should be");
  std::vector<std::string> echoed;
  const auto log = Open([&](const std::string& line) { echoed.push_back(line); });
  log->Info("one");
  log->OnEvent({"run_done", {}});
  EXPECT_THAT(echoed, SizeIs(2));
  ASSERT_THAT(next.notices, SizeIs(2));
  EXPECT_EQ(next.notices[0].severity, Severity::kWarning);
  EXPECT_EQ(next.notices[1].text, "one");
}

TEST_F(EventLogTest, ManyThreadsWriteWholeLinesInOrder) {
  Silent silent;
  std::vector<std::string> echoed;
  EventLog log(dir.path() / "run", "r-1", silent, clock,
               [&](const std::string& line) { echoed.push_back(line); });
  {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&log] {
        for (int n = 0; n < 250; ++n) log.OnEvent({"tick", {{"n", std::string(50, 'n')}}});
      });
    }
  }
  const std::vector<std::uint64_t> numbers = Sequences();
  ASSERT_THAT(numbers, SizeIs(1000));
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], i + 1);
  EXPECT_EQ(ContentOf(File()), Join(echoed, "\n") + "\n");
}

}  // namespace
}  // namespace tsm::run
