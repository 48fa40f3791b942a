// The pure parts of the scheduler: slots, pace, verdicts, and what an error report says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../src/batchload/task_outcome.h"
#include "../../src/batchload/task_pace.h"
#include "../../src/batchload/task_slots.h"

namespace tsm::batchload {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::HasSubstr;

using Moment = TaskSlots::Moment;

int Room(TaskSlots& slots, std::size_t table, Moment now) {
  int room = 0;
  while (slots.HasRoom(table, now)) {
    slots.Begin(table);
    ++room;
  }
  for (int i = 0; i < room; ++i) slots.End(table);
  return room;
}

constexpr Moment kNow{std::chrono::hours(5)};

TEST(TaskSlotsTest, OthersTakeTheirs) {
  TaskSlots slots(2, 5, 10);
  EXPECT_EQ(Room(slots, 0, kNow), 5);
  slots.SetOthers({3, 0}, 7);
  EXPECT_EQ(Room(slots, 0, kNow), 2);
  EXPECT_EQ(Room(slots, 1, kNow), 3);
  EXPECT_FALSE(slots.IsHeldByOthers(0, kNow));
  slots.SetOthers({5, 0}, 9);
  EXPECT_TRUE(slots.IsHeldByOthers(0, kNow));
  EXPECT_FALSE(slots.IsHeldByOthers(1, kNow));
  slots.Begin(1);
  EXPECT_TRUE(slots.IsHeldByOthers(1, kNow));
}

TEST(TaskSlotsTest, TheOperatorsLimitsHold) {
  TaskSlots slots(2, 3, 4);
  EXPECT_EQ(Room(slots, 0, kNow), 3);
  slots.Begin(0);
  slots.Begin(0);
  EXPECT_EQ(Room(slots, 1, kNow), 2);
  slots.Begin(1);
  slots.Begin(1);
  EXPECT_FALSE(slots.HasRoom(0, kNow));
  EXPECT_FALSE(slots.IsHeldByOthers(0, kNow));
}

TEST(TaskSlotsTest, RefusalsHalveAndSuccessesAndMinutesGiveBack) {
  TaskSlots slots(1, 5, 10);
  slots.Refused(0, kNow);
  EXPECT_EQ(Room(slots, 0, kNow), 2);
  slots.Refused(0, kNow);
  slots.Refused(0, kNow);
  EXPECT_EQ(Room(slots, 0, kNow), 1);
  slots.Accepted(0);
  EXPECT_EQ(Room(slots, 0, kNow), 2);
  EXPECT_EQ(Room(slots, 0, kNow + minutes(2)), 4);
  EXPECT_EQ(Room(slots, 0, kNow + minutes(20)), 5);
}

TEST(TaskSlotsTest, StopsHalveUntilTasksSucceed) {
  TaskSlots slots(1, 5, 10);
  slots.Stopped(0);
  EXPECT_EQ(Room(slots, 0, kNow + minutes(60)), 2);
  slots.Stopped(0);
  slots.Stopped(0);
  EXPECT_EQ(Room(slots, 0, kNow), 1);
  slots.Succeeded(0);
  slots.Succeeded(0);
  EXPECT_EQ(Room(slots, 0, kNow), 3);
}

TEST(TaskPaceTest, LooksOftenWhereNothingIsKnown) {
  const TaskPace pace(milliseconds(400), seconds(10));
  EXPECT_EQ(pace.Wait({}), milliseconds(400));
  EXPECT_EQ(pace.Wait({seconds(100), 0, 0}), seconds(2));
  EXPECT_EQ(pace.Wait({std::chrono::hours(3), 0, 0}), seconds(10));
  EXPECT_FALSE(pace.Expect(7));
}

TEST(TaskPaceTest, LearnsHowLongTasksTake) {
  TaskPace pace(milliseconds(400), std::chrono::hours(1));
  for (const int megabytes : {100, 300, 900, 500}) {
    pace.Learn(static_cast<std::uint64_t>(megabytes), seconds(20 + megabytes));
  }
  EXPECT_NEAR(pace.Expect(1000)->count(), 1020, 1);
  // Seldom until it may have ended, often from then on.
  EXPECT_NEAR(std::chrono::duration<double>(pace.Wait({seconds(20), 1000, 0})).count(), 980, 25);
  EXPECT_LE(pace.Wait({seconds(1010), 1000, 0}), seconds(21));
}

TEST(TaskPaceTest, TheTasksOwnProgressCountsMore) {
  TaskPace pace(milliseconds(400), std::chrono::hours(1));
  for (int i = 0; i < 5; ++i) pace.Learn(1000, seconds(100));
  const auto wait = pace.Wait({seconds(100), 1000, 0.25});  // it will take 400 s
  EXPECT_GE(wait, seconds(200));
  EXPECT_LE(wait, seconds(300));
}

TEST(TaskPaceTest, ShortIntervalsAreKept) {
  const TaskPace pace(milliseconds(400), milliseconds(50));
  EXPECT_EQ(pace.Wait({seconds(500), 0, 0}), milliseconds(50));
}

timestream::ProgressReport Counters(std::int64_t processed, std::int64_t ingested) {
  timestream::ProgressReport progress;
  progress.records_processed = processed;
  progress.records_ingested = ingested;
  return progress;
}

TEST(TaskOutcomeTest, SuccessesAreHeldAgainstTheRows) {
  EXPECT_TRUE(JudgeSucceeded(Counters(10, 10), 10, {}).done);
  EXPECT_TRUE(JudgeSucceeded(Counters(10, 10), {}, {}).done);
  EXPECT_TRUE(JudgeSucceeded(Counters(9, 9), 10, {}).proof);
  EXPECT_TRUE(JudgeSucceeded(Counters(10, 11), 10, {}).proof);
  EXPECT_TRUE(JudgeSucceeded(Counters(10, 7), 10, {}).proof);
  const TaskVerdict explained = JudgeSucceeded(Counters(10, 7), 10, RejectedRows{3, true});
  EXPECT_TRUE(explained.done);
  EXPECT_EQ(explained.rejected, 3U);
  EXPECT_FALSE(JudgeSucceeded(Counters(10, 7), 10, RejectedRows{2, true}).done);
  // Three rows on five lines.
  EXPECT_EQ(JudgeSucceeded(Counters(10, 7), 10, RejectedRows{5, true}).rejected, 3U);
}

TEST(TaskOutcomeTest, FailuresThatTheirCountersExplainAreNoFailedProof) {
  timestream::BatchLoadTask task;
  task.progress = Counters(10, 7);
  TaskVerdict verdict = JudgeFailed(task, 10, RejectedRows{3, true});
  EXPECT_FALSE(verdict.done);
  EXPECT_FALSE(verdict.proof);
  EXPECT_EQ(verdict.rejected, 3U);
  task.progress = Counters(8, 8);
  EXPECT_TRUE(JudgeFailed(task, 10, {}).proof);
  task.progress.parse_failures = 2;
  EXPECT_FALSE(JudgeFailed(task, 10, {}).proof);
  task.progress = Counters(8, 8);
  task.error_message = "the bucket is gone";
  verdict = JudgeFailed(task, 10, {});
  EXPECT_FALSE(verdict.proof);
  EXPECT_THAT(verdict.why, HasSubstr("the bucket is gone"));
}

TEST(ErrorReportTest, CountsEachLineOnce) {
  ErrorReport report;
  report.file_errors = {
      {"a", "x", {{2, 4}, {4, 6}, {10, 10}}}, {"b", "x", {{1, 3}}}, {"a", "y", {{5, 7}, {3, 3}}}};
  RejectedRows rejected = CountRejected(report);
  EXPECT_EQ(rejected.rows, 6U + 1U + 2U);  // 2 to 7 and 10; 2 and 3, for 1 is the header
  EXPECT_TRUE(rejected.complete);
  report.file_errors.push_back({"c", "can't be read", {}});
  EXPECT_FALSE(CountRejected(report).complete);
}

TEST(ErrorReportTest, KnowsWhatReasonsMean) {
  EXPECT_EQ(
      MeaningOf("The record timestamp is outside the time range of the data ingestion window."),
      ErrorMeaning::kTime);
  EXPECT_EQ(MeaningOf("A record already exists with a higher Version"), ErrorMeaning::kVersion);
  EXPECT_EQ(MeaningOf("Unable to parse 'x' as BIGINT"), ErrorMeaning::kType);
  EXPECT_EQ(MeaningOf("something else"), ErrorMeaning::kUnknown);
}

}  // namespace
}  // namespace tsm::batchload
