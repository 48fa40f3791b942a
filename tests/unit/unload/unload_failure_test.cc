// Runs on which the service has bad days: each must come out whole, or say why it did not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "unload/unload_world.h"

namespace tsm::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;
using unload::UnloadOutcome;
using World = FakeUnloadService::World;

class UnloadFailureTest : public testing::Test {
 protected:
  void Rules(const std::function<void(UnloadRules& rules)>& change) {
    world.service.With([&](World& all) { change(all.unloads.rules); });
  }
  // What `fate` says of the start of that number, and the rules of all others.
  void Fate(const std::function<std::optional<UnloadFate>(const UnloadStart&)>& fate) {
    Rules([&](UnloadRules& rules) { rules.fate = fate; });
  }
  static UnloadFate Fails(const std::string& message) {
    UnloadFate fate;
    fate.failure = message;
    fate.written = 0.5;
    return fate;
  }

  UnloadWorld world;
};

TEST_F(UnloadFailureTest, MoreThanItsMemoryHoldsIsSplit) {
  world.Table().Fill(kJanuary2024, 100, 5);
  Rules([](UnloadRules& rules) { rules.memory_partitions = 30; });
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 1U + 2 + 4);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, MoreThanAnHoursRowsAreSplitByTheSurvey) {
  world.input.survey = true;
  world.input.parallel = "2";
  FakeTable& table = world.Table();
  table.Fill(kJanuary2024, 60, 10);
  table.Set(kJanuary2024 + 3 * kDayNanos, 900);  // where most of the rows are
  Rules([](UnloadRules& rules) { rules.timeout_rows = 950; });
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 3U);
  EXPECT_GT(world.service.makespan(), hours(1));
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, OnePartitionOfTooManyRowsIsSplitInItself) {
  world.input.parallel = "2";
  world.Table().Fill(kJanuary2024, 1, 1000);
  Rules([](UnloadRules& rules) { rules.timeout_rows = 300; });
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 1U + 2 + 4);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, MorePartitionsThanTheSurveyKnewAreSplit) {
  world.input.survey = true;
  FakeTable& table = world.Table();
  for (int day = 0; day < 200; day += 2) table.Set(kJanuary2024 + day * kDayNanos, 4);
  world.Plan();
  ASSERT_EQ(world.plan().CountSlices(), 1U);
  world.service.With([](World& all) { all.tables.at({"db", "t"}).Fill(kJanuary2024, 199, 4); });
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 3U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, ThrottledStartsAreRepeatedMoreSlowly) {
  world.Table().Fill(kJanuary2024, 300, 5);
  std::atomic<int> throttles{0};
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name == "Query UNLOAD" && ++throttles <= 12) return Interference::Throttle();
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 3U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, ThrottledPagesAreRepeated) {
  world.Table().Fill(kJanuary2024, 300, 5);
  Rules([](UnloadRules& rules) { rules.base = minutes(10); });
  std::atomic<int> pages{0};
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    // Five in a row, more than one call of the client repeats.
    if (call.name == "Query UNLOAD page" && ++pages % 10 < 5) return Interference::Throttle();
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 3U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, ALostAnswerToAStartStartsNothingTwice) {
  world.Table().Fill(kJanuary2024, 300, 5);
  std::atomic<int> starts{0};
  world.after = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name == "Query UNLOAD" && ++starts % 2 == 1) return Interference::Reset();
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 3U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, LostAnswersToPagesAreAskedForAgain) {
  world.Table().Fill(kJanuary2024, 300, 5);
  Rules([](UnloadRules& rules) { rules.base = minutes(10); });
  std::atomic<int> pages{0};
  world.after = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name == "Query UNLOAD page" && ++pages % 2 == 1) return Interference::Reset();
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 3U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

// Longer than any repeats: the newest token has been used up, or is too old.
TEST_F(UnloadFailureTest, ANetworkThatIsAwayForTwoHoursCostsNoAttempt) {
  world.input.parallel = "3";
  world.Table().Fill(kJanuary2024, 300, 5);
  Rules([](UnloadRules& rules) { rules.base = minutes(20); });
  const auto start = world.clock.Now();
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    const auto passed = world.clock.Now() - start;
    const bool away = passed > minutes(5) && passed < minutes(125);
    if (away && call.name != "PutObject") return Interference::Reset();
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_THAT(Contradictions(world), IsEmpty());
  // What was finished meanwhile is adopted.
  EXPECT_EQ(world.service.starts(), 3U);
}

TEST_F(UnloadFailureTest, S3ThatIsThrottledMakesALaterAttempt) {
  world.Table().Fill(kJanuary2024, 100, 5);
  Fate([](const UnloadStart& start) -> std::optional<UnloadFate> {
    if (start.number > 3) return std::nullopt;
    return Fails("We have detected that Amazon S3 is throttling the writes from UNLOAD command.");
  });
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 4U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, AnUnknownFailureIsTriedAgain) {
  world.Table().Fill(kJanuary2024, 100, 5);
  Fate([](const UnloadStart& start) -> std::optional<UnloadFate> {
    if (start.number > 1) return std::nullopt;
    return Fails("Something else went wrong");
  });
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 2U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, AnUnknownFailureOfOnePlaceIsSplitAwayAndBounded) {
  world.Table().Fill(kJanuary2024, 64, 5);
  const UnixNanos bad = kJanuary2024 + 20 * kDayNanos;
  Fate([&](const UnloadStart& start) -> std::optional<UnloadFate> {
    if (bad < start.range.from || bad >= start.range.end) return std::nullopt;
    return Fails("This day can't be read");
  });
  const auto summary = world.Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->outcome, UnloadOutcome::kSomeFailed);
  ASSERT_EQ(summary->tables[0].failures.size(), 1U);
  EXPECT_NE(summary->tables[0].failures[0].find("This day can't be read"), std::string::npos);
  EXPECT_FALSE(summary->tables[0].closed);
  // Three halvings, two attempts of each half that holds the day, one of each that does not.
  EXPECT_EQ(world.service.starts(), 2U * 4 + 3);
  EXPECT_EQ(summary->tables[0].rows, 56U * 5);
  EXPECT_EQ(world.Record().state, run::RunState::kStarted);

  // Mended: the resume does what is left.
  Fate(nullptr);
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 2U * 4 + 4);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, AccessDeniedEndsTheRunAtOnceAndCancelsNothing) {
  world.Table().Fill(kJanuary2024, 500, 5);
  Rules([](UnloadRules& rules) { rules.base = minutes(10); });
  std::atomic<int> starts{0};
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name == "Query UNLOAD" && ++starts == 3) {
      return Interference::Of("AccessDeniedException", "not allowed: timestream:Unload", 403);
    }
    return std::nullopt;
  };
  const auto refused = world.Run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kAccessDenied);
  EXPECT_LT(world.clock.elapsed(), minutes(1));
  EXPECT_EQ(world.process().transport.CountCalls("CancelQuery"), 0U);
  EXPECT_EQ(world.service.starts(), 2U);

  // Allowed again, what went on meanwhile is used.
  world.before = nullptr;
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 5U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, ARefusedStatementEndsTheRunAtOnce) {
  world.Table().Fill(kJanuary2024, 500, 5);
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name != "Query UNLOAD") return std::nullopt;
    return Interference::Of("ValidationException", "line 1:1: no viable alternative");
  };
  const auto refused = world.Run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kValidation);
  EXPECT_EQ(world.service.starts(), 0U);
  EXPECT_LT(world.clock.elapsed(), minutes(1));
}

TEST_F(UnloadFailureTest, AQueryThatSomebodyElseCancelsIsUnloadedAgain) {
  world.Table().Fill(kJanuary2024, 300, 5);
  Rules([](UnloadRules& rules) { rules.base = minutes(10); });
  std::atomic<int> pages{0};
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name == "Query UNLOAD page" && ++pages == 5) {
      world.service.With([&](World& all) {
        EXPECT_TRUE(all.unloads.Cancel(all.unloads.all().front().query_id,
                                       all.unloads.all().front().started + 1));
      });
    }
    return std::nullopt;
  };
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 4U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, AServiceThatNeverTakesAStartIsGivenUp) {
  world.input.give_up_after = "1h";
  world.input.parallel = "3";
  world.Table().Fill(kJanuary2024, 300, 5);
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name == "Query UNLOAD") return Interference::Throttle();
    return std::nullopt;
  };
  const auto summary = world.Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->outcome, UnloadOutcome::kSomeFailed);
  EXPECT_EQ(summary->tables[0].failures.size(), 3U);
  EXPECT_GE(world.clock.elapsed(), hours(1));
  EXPECT_LT(world.clock.elapsed(), hours(1) + minutes(15));

  world.before = nullptr;
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

// Patience is longer than fifty attempts, and their number no reason to give up.
TEST_F(UnloadFailureTest, AServiceThatThrottlesForHalfADayIsOutlasted) {
  world.input.parallel = "1";
  world.Table().Fill(kJanuary2024, 10, 5);
  const auto start = world.clock.Now();
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name != "Query UNLOAD" || world.clock.Now() - start > hours(12)) return std::nullopt;
    return Interference::Throttle();
  };
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 1U);
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, ASliceThatWaitedLongForItsTurnIsNotGivenUpAtOnce) {
  world.input.parallel = "1";
  world.input.give_up_after = "1h";
  world.Table().Fill(kJanuary2024, 400, 5);
  Rules([](UnloadRules& rules) { rules.base = minutes(30); });
  std::atomic<int> throttles{0};
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    const bool last = world.service.starts() == 3;
    if (call.name != "Query UNLOAD" || !last || ++throttles > 4) return std::nullopt;
    return Interference::Throttle();
  };
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 4U);
}

// Then its QueryId was never told, so that nobody can tell its files from others'.
TEST_F(UnloadFailureTest, FilesOfAFlatAttemptThatFailedInItsFirstCallAreNamed) {
  world.Table().Fill(kJanuary2024, 4, 5);
  Fate([](const UnloadStart& start) -> std::optional<UnloadFate> {
    if (start.number > 1) return std::nullopt;
    UnloadFate fate = Fails("Something else went wrong");
    fate.after = seconds(1);
    return fate;
  });
  const auto summary = world.Run();
  ASSERT_EQ(WhyNotDone(summary), "");
  EXPECT_THAT(
      summary->tables[0].remarks,
      testing::Contains(testing::HasSubstr("no record vouches for s3://bkt/unload/results/"))
          .Times(2));
  EXPECT_THAT(Contradictions(world), testing::SizeIs(3));  // two files, and an upload
}

TEST_F(UnloadFailureTest, FilesOfFailedAttemptsStayWhereAsked) {
  world.input.keep_partial = true;
  world.Table().Fill(kJanuary2024, 100, 5);
  Rules([](UnloadRules& rules) { rules.memory_partitions = 50; });
  const auto summary = world.Run();
  ASSERT_EQ(WhyNotDone(summary), "");
  EXPECT_THAT(Contradictions(world), testing::SizeIs(51));  // 50 files, and an upload
  EXPECT_FALSE(summary->tables[0].remarks.empty());
}

TEST_F(UnloadFailureTest, AnIncompleteFlatAttemptTakesOnlyItsOwnFilesWithIt) {
  world.Table().Fill(kJanuary2024, 100, 5);
  Rules([](UnloadRules& rules) { rules.memory_partitions = 50; });
  const std::string foreign = "unload/notes.txt";
  const std::string beside = "unload/results/foreign-notes.txt";
  world.service.Put("bkt", foreign, "mine");
  world.service.Put("bkt", beside, "mine");
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.executions()[0].to, "s3://bkt/unload/");
  EXPECT_TRUE(world.service.Body("bkt", foreign));
  EXPECT_TRUE(world.service.Body("bkt", beside));
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadFailureTest, AFileThatIsMissingFailsTheProof) {
  world.Table().Fill(kJanuary2024, 10, 5);
  Fate([](const UnloadStart&) -> std::optional<UnloadFate> {
    UnloadFate fate;
    fate.lose_a_file = true;
    return fate;
  });
  const auto summary = world.Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->outcome, UnloadOutcome::kProofFailed);
  EXPECT_TRUE(world.process().sink.Told("partition_date=2024-01-10"));
}

TEST_F(UnloadFailureTest, AnAnswerOfOtherRowsThanItsManifestFailsTheProof) {
  world.Table().Fill(kJanuary2024, 10, 5);
  Fate([](const UnloadStart&) -> std::optional<UnloadFate> {
    UnloadFate fate;
    fate.wrong_rows = 1;
    return fate;
  });
  const auto summary = world.Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->outcome, UnloadOutcome::kProofFailed);
}

}  // namespace
}  // namespace tsm::test
