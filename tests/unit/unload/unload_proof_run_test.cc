// What a run makes of a table that changes under it, and how it ends early.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "unload/unload_world.h"

namespace tsm::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using unload::UnloadOutcome;
using World = FakeUnloadService::World;

const timestream::TableRef kTable{"db", "t"};

class UnloadProofRunTest : public testing::Test {
 protected:
  // Before the proof's count is taken, and once only.
  void WhenCounted(const std::function<void(FakeTable& table)>& change) {
    world.before = [this, change](const FakeCall& call) -> std::optional<Interference> {
      const bool count = call.name == "Query SELECT" && HasNonNull(call.subject);
      if (count && !changed_.exchange(true)) {
        world.service.With([&](World& all) { change(all.tables.at(kTable)); });
      }
      return std::nullopt;
    };
  }
  static bool HasNonNull(const std::string& sql) {
    return sql.find("count(\"temperature\")") != std::string::npos;
  }

  UnloadWorld world;

 private:
  std::atomic<bool> changed_{false};
};

TEST_F(UnloadProofRunTest, LateRowsFailTheProofAndAreUnloadedAgain) {
  world.Table().Fill(kJanuary2024, 250, 5);
  const UnixNanos late = kJanuary2024 + 120 * kDayNanos;
  WhenCounted([&](FakeTable& table) { table.Set(late, 8); });
  const auto summary = world.Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->outcome, UnloadOutcome::kProofFailed);
  EXPECT_THAT(summary->tables[0].failures, Contains(HasSubstr("2024-04-30")));
  EXPECT_TRUE(summary->tables[0].source_changed);
  EXPECT_FALSE(summary->tables[0].closed);
  EXPECT_EQ(world.Record().state, run::RunState::kStarted);

  // Without the flag nothing is unloaded again.
  const auto same = world.Run();
  ASSERT_TRUE(same) << same.error().Text();
  EXPECT_EQ(same->outcome, UnloadOutcome::kProofFailed);
  EXPECT_EQ(world.service.starts(), 3U);

  world.input.redo_changed = true;
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), 4U);  // the one slice that holds the day
  EXPECT_THAT(Contradictions(world), IsEmpty());
  EXPECT_EQ(world.Record().verified, "equal");
}

TEST_F(UnloadProofRunTest, LateRowsOfAnEmptyDayAreUnloadedAgainToo) {
  world.input.survey = true;
  FakeTable& table = world.Table();
  table.Fill(kJanuary2024, 3, 5);
  table.Fill(kJanuary2024 + 10 * kDayNanos, 3, 5);
  WhenCounted([](FakeTable& now) { now.Set(kJanuary2024 + 6 * kDayNanos, 2); });
  EXPECT_NE(WhyNotDone(world.Run()), "");
  world.input.redo_changed = true;
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_THAT(Contradictions(world), IsEmpty());
}

TEST_F(UnloadProofRunTest, ADayThatExpiredMeanwhileIsARemark) {
  world.Table().Fill(kJanuary2024, 10, 5);
  WhenCounted([](FakeTable& table) { table.Expire(kJanuary2024 + 2 * kDayNanos); });
  const auto summary = world.Run();
  ASSERT_EQ(WhyNotDone(summary), "");
  EXPECT_THAT(summary->tables[0].remarks, Contains(HasSubstr("2024-01-01")));
  EXPECT_THAT(summary->tables[0].remarks, Contains(HasSubstr("2024-01-02")));
  EXPECT_THAT(summary->tables[0].remarks, SizeIs(2));
  EXPECT_EQ(world.Record().verified, "expired");
  EXPECT_EQ(world.Record().rows, 50U);  // what was unloaded is still there
}

TEST_F(UnloadProofRunTest, ALossInTheMiddleFailsTheProof) {
  world.Table().Fill(kJanuary2024, 10, 5);
  WhenCounted([](FakeTable& table) { table.Set(kJanuary2024 + 5 * kDayNanos, 4); });
  const auto summary = world.Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->outcome, UnloadOutcome::kProofFailed);
  EXPECT_THAT(summary->tables[0].failures, Contains(HasSubstr("2024-01-06")));
  EXPECT_FALSE(summary->tables[0].source_changed);
}

TEST_F(UnloadProofRunTest, WithoutAProofNoneIsAskedFor) {
  world.input.verify = "none";
  world.Table().Fill(kJanuary2024, 10, 5);
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.Record().verified, "not asked");
  EXPECT_EQ(world.process().transport.CountCalls("Query SELECT"), 0U);
}

TEST_F(UnloadProofRunTest, ACountThatIsTooLargeIsAskedInHalves) {
  world.Table().Fill(kJanuary2024, 64, 5);
  std::atomic<int> counts{0};
  world.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name != "Query SELECT" || !HasNonNull(call.subject) || ++counts > 3) {
      return std::nullopt;
    }
    return Interference::Of("QueryExecutionException",
                            "The query computation exceeds maximum available memory");
  };
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_GT(counts, 4);
  EXPECT_EQ(world.Record().non_null.at("city"), 64U * 5);
}

class UnloadInterruptTest : public testing::Test {
 protected:
  UnloadInterruptTest() {
    world.Table().Fill(kJanuary2024, 1000, 5);
    world.service.With([](World& all) { all.unloads.rules.base = minutes(5); });
    world.interrupts = {drain.get_token(), stop.get_token()};
  }
  // At the fifth start that the service takes.
  void AtTheFifthStart(const std::function<void()>& act) {
    world.after = [this, act](const FakeCall& call) -> std::optional<Interference> {
      if (call.name == "Query UNLOAD" && ++starts_ == 5) act();
      return std::nullopt;
    };
  }
  void Resume() {
    world.after = nullptr;
    world.interrupts = {};
    ASSERT_EQ(WhyNotDone(world.Run()), "");
    EXPECT_THAT(Contradictions(world), IsEmpty());
  }

  std::stop_source drain;
  std::stop_source stop;
  UnloadWorld world;

 private:
  std::atomic<int> starts_{0};
};

TEST_F(UnloadInterruptTest, ADrainedRunFollowsWhatRunsToItsEnd) {
  AtTheFifthStart([this] { drain.request_stop(); });
  const auto summary = world.Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->outcome, UnloadOutcome::kInterrupted);
  for (const FakeExecution& execution : world.service.executions()) {
    EXPECT_EQ(execution.state, FakeExecution::State::kDone);
  }
  EXPECT_EQ(world.process().transport.CountCalls("CancelQuery"), 0U);
  const std::size_t before = world.service.starts();
  EXPECT_LE(before, 8U);
  Resume();
  EXPECT_EQ(world.service.starts(), 10U);
}

TEST_F(UnloadInterruptTest, AStoppedRunCancelsWhatRuns) {
  std::atomic<int> pages{0};
  world.after = [&](const FakeCall& call) -> std::optional<Interference> {
    if (call.name == "Query UNLOAD page" && ++pages == 10) stop.request_stop();
    return std::nullopt;
  };
  const auto summary = world.Run();
  ASSERT_TRUE(summary) << summary.error().Text();
  EXPECT_EQ(summary->outcome, UnloadOutcome::kInterrupted);
  std::size_t cancelled = 0;
  for (const FakeExecution& execution : world.service.executions()) {
    if (execution.state == FakeExecution::State::kCancelled) ++cancelled;
  }
  EXPECT_EQ(cancelled, 4U);
  Resume();
}

TEST_F(UnloadInterruptTest, ALockThatIsLostEndsTheRunAndCancelsNothing) {
  std::atomic<int> ticks{0};
  world.tick = [&]() -> Status {
    if (++ticks < 50) return Ok();
    return MakeError(ErrorKind::kInTheWay, "the lock was taken over");
  };
  const auto summary = world.Run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().kind, ErrorKind::kInTheWay);
  EXPECT_EQ(world.process().transport.CountCalls("CancelQuery"), 0U);
  world.tick = nullptr;
  Resume();
}

TEST_F(UnloadInterruptTest, AFinishedRunIsNotDoneAgain) {
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  const std::size_t starts = world.service.starts();
  const std::string record =
      world.service.Body("bkt", world.plan().RecordKey(world.plan().tables[0]).str()).value();
  ASSERT_EQ(WhyNotDone(world.Run()), "");
  EXPECT_EQ(world.service.starts(), starts);
  EXPECT_EQ(world.service.Body("bkt", world.plan().RecordKey(world.plan().tables[0]).str()),
            record);
}

}  // namespace
}  // namespace tsm::test
