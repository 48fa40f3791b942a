// What the console writes where, on files in place of the terminal and with a clock by hand.
#include "common/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "common/progress_text.h"

namespace tsm::apps {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class HandClock final : public Clock {
 public:
  std::chrono::system_clock::time_point Now() const override { return {}; }
  std::chrono::steady_clock::time_point Steady() const override { return now; }
  bool SleepFor(std::chrono::nanoseconds, std::stop_token) const override { return true; }
  std::chrono::steady_clock::time_point now;
};

class ConsoleTest : public ::testing::Test {
 protected:
  ConsoleTest() {
    options.out = std::tmpfile();
    options.err = std::tmpfile();
    options.clock = &clock;
  }
  ~ConsoleTest() override { std::fclose(options.err); }

  static Progress At(std::uint64_t percent) {
    Progress progress;
    progress.phase = "check";
    progress.done = percent;
    progress.total = 100;
    return progress;
  }

  std::string Err() const {
    std::string text(static_cast<std::size_t>(std::ftell(options.err)), '\0');
    std::rewind(options.err);
    text.resize(std::fread(text.data(), 1, text.size(), options.err));
    return text;
  }

  static std::string Content(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  static std::size_t Lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  HandClock clock;
  ConsoleOptions options;
};

TEST_F(ConsoleTest, LinesCarryTimeLevelAndText) {
  Console console(options);
  console.Warn("{braces} and %s stay");
  EXPECT_THAT(Err(), MatchesRegex("[0-9]+:[0-9]+:[0-9]+ warning \\{braces\\} and %s stay\n"));
}

TEST_F(ConsoleTest, PlainProgressComesAtOnceThenEveryThirtySecondsAndAtTheEnd) {
  Console console(options);
  console.OnProgress(At(1));
  console.OnProgress(At(2));
  clock.now += std::chrono::seconds(29);
  console.OnProgress(At(3));
  EXPECT_EQ(Lines(Err()), 1U);
  clock.now += std::chrono::seconds(1);
  console.OnProgress(At(4));
  console.OnProgress(At(99));
  console.OnProgress(At(100));
  console.OnProgress(At(100));
  const std::string text = Err();
  EXPECT_EQ(Lines(text), 3U) << text;
  EXPECT_THAT(text, HasSubstr("check 4%"));
  EXPECT_THAT(text, EndsWith("check 100%\n"));
}

TEST_F(ConsoleTest, TheLastProgressOfAPhaseIsNotLost) {
  Console console(options);
  console.OnProgress(At(1));
  console.OnProgress(At(57));
  console.Finish(ExitCode::kDone);
  EXPECT_THAT(Err(), EndsWith("check 57%\n"));
}

TEST_F(ConsoleTest, ATerminalsLineIsRedrawnAndMakesRoomForNotices) {
  options.redraw = true;
  Console console(options);
  console.OnProgress(At(1));
  clock.now += std::chrono::seconds(1);
  console.OnProgress(At(2));
  EXPECT_EQ(Err(), "\rcheck 1%\x1b[K\rcheck 2%\x1b[K");
  console.Info("note");
  EXPECT_THAT(Err(), MatchesRegex(".*2%\x1b\\[K\r\x1b\\[K[0-9:]+ info note\n"));
}

TEST_F(ConsoleTest, FailuresComeWithAdvice) {
  Console console(options);
  console.Fail(MakeError(ErrorKind::kAccessDenied, "no").With("GetObject s3://b/k"));
  EXPECT_THAT(Err(), HasSubstr(" error GetObject s3://b/k: no\n"));
  EXPECT_THAT(Err(), HasSubstr("hint: "));
  EXPECT_THAT(Err(), HasSubstr("s3:GetObject"));
}

TEST_F(ConsoleTest, ResultsGoToStdoutAtTheEnd) {
  const std::string path = ::testing::TempDir() + "/console_results.txt";
  std::fclose(options.out);
  options.out = std::fopen(path.c_str(), "w");
  Console console(options);
  console.Print("rows 7");
  console.Print("files 2");
  EXPECT_EQ(console.Finish(ExitCode::kDone), ExitCode::kDone);
  EXPECT_EQ(Content(path), "rows 7\nfiles 2\n");
}

TEST_F(ConsoleTest, AFullDiskTurnsSuccessIntoAFailureAndOnlySuccess) {
  for (const ExitCode code : {ExitCode::kDone, ExitCode::kProofFailed}) {
    options.out = std::fopen("/dev/full", "w");
    ASSERT_NE(options.out, nullptr);
    Console console(options);
    console.Print("rows 7");
    EXPECT_EQ(console.Finish(code), code == ExitCode::kDone ? ExitCode::kEnvironment : code);
    EXPECT_THAT(Err(), HasSubstr("No space left on device"));
  }
}

TEST_F(ConsoleTest, EventsReachTheReaderAtOnceAndSentencesGoToStderr) {
  options.output = Output::kJson;
  const std::string path = ::testing::TempDir() + "/console_events.txt";
  std::fclose(options.out);
  options.out = std::fopen(path.c_str(), "w");
  Console console(options);
  console.PrintNow(R"({"seq":1})");
  EXPECT_EQ(Content(path), "{\"seq\":1}\n");
  console.Print("rows 7");
  console.PrintNow(R"({"seq":2})");
  EXPECT_EQ(console.Finish(ExitCode::kDone), ExitCode::kDone);
  EXPECT_EQ(Content(path), "{\"seq\":1}\n{\"seq\":2}\n");
  EXPECT_THAT(Err(), EndsWith(" info rows 7\n"));
}

TEST_F(ConsoleTest, WithoutJsonNoEventIsPrinted) {
  const std::string path = ::testing::TempDir() + "/console_no_events.txt";
  std::fclose(options.out);
  options.out = std::fopen(path.c_str(), "w");
  Console console(options);
  console.PrintNow("{}");
  console.Print("rows 7");
  EXPECT_EQ(console.Finish(ExitCode::kDone), ExitCode::kDone);
  EXPECT_EQ(Content(path), "rows 7\n");
}

TEST_F(ConsoleTest, AnEventMakesRoomOnTheTerminal) {
  options.output = Output::kJson;
  options.redraw = true;
  Console console(options);
  console.OnProgress(At(1));
  console.PrintNow("{}");
  EXPECT_EQ(Err(), "\rcheck 1%\x1b[K\r\x1b[K");
  console.Finish(ExitCode::kDone);
}

TEST_F(ConsoleTest, EventsThatNobodyTakesAreSaidOnceAndTurnSuccessIntoAFailure) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  for (std::FILE* out : {std::fopen("/dev/full", "w"), fdopen(ends[1], "w")}) {
    for (const ExitCode code : {ExitCode::kDone, ExitCode::kSomeFailed}) {
      if (out == nullptr) out = std::fopen("/dev/full", "w");  // Finish closes it
      ASSERT_NE(out, nullptr);
      options.out = std::exchange(out, nullptr);
      options.output = Output::kJson;
      const std::size_t before = Lines(Err());
      Console console(options);
      console.PrintNow("{}");
      EXPECT_EQ(Lines(Err()), before + 1);
      EXPECT_THAT(Err(), HasSubstr("stdout did not take the events: "));
      console.PrintNow("{}");
      EXPECT_EQ(console.Finish(code), code == ExitCode::kDone ? ExitCode::kEnvironment : code);
      EXPECT_EQ(Lines(Err()), before + 1);
    }
  }
  EXPECT_THAT(Err(), HasSubstr("Broken pipe"));
}

TEST(ProgressTextTest, ShowsWhatIsKnown) {
  Progress copy;
  copy.phase = "copy";
  copy.done = 21;
  copy.total = 50;
  copy.bytes_done = 1'200'000'000;
  copy.bytes_total = 3'000'000'000;
  copy.detail = "8 running";
  EXPECT_EQ(ProgressText(copy), "copy 42%: 21 of 50 files, 1.2 GB of 3.0 GB, 8 running");
  Progress load;
  load.phase = "load";
  load.done = 1'000;
  load.rows_done = 2'000'000;
  EXPECT_EQ(ProgressText(load), "load: 1,000 tasks, 2,000,000 rows");
}

TEST(ProgressTextTest, AnUnloadTellsSlicesRowsAndTheTimeLeft) {
  Progress unload;
  unload.phase = "unload";
  unload.done = 3;
  unload.total = 12;
  unload.bytes_done = 1'200'000'000;
  unload.rows_done = 5'000;
  unload.fraction = 0.428;
  unload.left = std::chrono::seconds(185);
  unload.detail = "4 running";
  EXPECT_EQ(ProgressText(unload),
            "unload 42%: 3 of 12 slices, 1.2 GB, 5,000 rows, 3 min 05 s left, 4 running");
  unload.left = std::chrono::seconds(45);
  EXPECT_THAT(ProgressText(unload), HasSubstr(" 45 s left"));
}

TEST(ProgressTextTest, AHundredPercentMeansTheLastUnitIsDone) {
  Progress unload;
  unload.phase = "unload";
  unload.total = 2;
  unload.done = 1;
  unload.fraction = 1.07;  // more rows than were counted before
  EXPECT_EQ(ProgressText(unload), "unload 99%: 1 of 2 slices");
  unload.done = 2;
  EXPECT_EQ(ProgressText(unload), "unload 100%: 2 of 2 slices");
  unload.fraction = -1;
  EXPECT_EQ(ProgressText(unload), "unload 0%: 2 of 2 slices");
}

TEST(ProgressTextTest, IsCutByCharacterNotByByte) {
  EXPECT_EQ(CutToColumns("Zürich", 2), "Zü");
  EXPECT_EQ(CutToColumns("Zürich", 6), "Zürich");
  EXPECT_EQ(CutToColumns("", 5), "");
}

}  // namespace
}  // namespace tsm::apps
