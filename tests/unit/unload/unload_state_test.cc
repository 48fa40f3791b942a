#include "tsm/unload/unload_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "unload/plan_sample.h"

namespace tsm::unload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Fields = std::map<std::string, std::string, std::less<>>;

class UnloadStateTest : public ::testing::Test {
 protected:
  // The next entry; an entry of a slice where one is given.
  Status Apply(const std::string& kind, const std::string& slice, Fields fields = {}) {
    ++sequence_;
    JournalEntry entry{kind, std::move(fields), sequence_,
                       static_cast<UnixNanos>(sequence_) * 1000};
    entry.fields.emplace("table", "sourcedb/myTable");
    if (!slice.empty()) entry.fields["slice"] = slice;
    return state_.Apply(entry);
  }
  void Good(const std::string& kind, const std::string& slice, Fields fields = {}) {
    const Status applied = Apply(kind, slice, std::move(fields));
    EXPECT_TRUE(applied) << applied.error().Text();
  }
  // Refused, with its sequence and kind named.
  void Bad(const std::string& why, const std::string& kind, const std::string& slice,
           Fields fields = {}) {
    const Status applied = Apply(kind, slice, std::move(fields));
    ASSERT_FALSE(applied) << kind;
    EXPECT_EQ(applied.error().kind, ErrorKind::kBadReply);
    EXPECT_THAT(applied.error().message,
                HasSubstr("entry " + std::to_string(sequence_) + " (" + kind + ") "));
    EXPECT_THAT(applied.error().message, HasSubstr(why));
  }
  void Start(const std::string& slice, const std::string& attempt) {
    Good("attempt", slice, StartFields(slice, attempt));
  }
  static Fields StartFields(const std::string& slice, const std::string& attempt) {
    return {{"attempt", attempt},
            {"to", "s3://bkt/unload/results/" + slice + "-" + attempt},
            {"flat", "false"},
            {"client_token", "token"},
            {"sql", "UNLOAD …"}};
  }
  void Finish(const std::string& slice, const std::string& attempt, int rows = 7) {
    Good("done", slice, DoneFields(attempt, std::to_string(rows)));
  }
  static Fields DoneFields(const std::string& attempt, const std::string& rows) {
    return {{"attempt", attempt}, {"query_id", "Q1"}, {"manifest", "s3://bkt/m"},
            {"rows", rows},       {"bytes", "70"},    {"files", "2"}};
  }
  const SliceState& Slice(const std::string& id) { return state_.table(0).slices.find(id)->second; }

  UnloadPlan plan_ = SamplePlan();
  UnloadState state_{plan_};
  std::uint64_t sequence_ = 0;
};

TEST_F(UnloadStateTest, BeginsWithThePlansSlicesWaiting) {
  EXPECT_EQ(Slice("0001").state, SliceState::State::kPending);
  EXPECT_EQ(Slice("0002").slice.end, 20 * kDay);
  EXPECT_EQ(state_.Totals().slices, 2U);
  EXPECT_FALSE(state_.IsComplete(0));
}

TEST_F(UnloadStateTest, FollowsAnAttemptToItsEnd) {
  Start("0001", "abcdef");
  Good("query", "0001", {{"attempt", "abcdef"}, {"query_id", "Q1"}});
  Good("page", "0001",
       {{"attempt", "abcdef"}, {"next_token", "N1"}, {"percent", "12.5"}, {"scanned", "1000"}});
  const Attempt* open = Slice("0001").open();
  ASSERT_NE(open, nullptr);
  EXPECT_EQ(open->to.str(), "s3://bkt/unload/results/0001-abcdef");
  EXPECT_EQ(open->folder(), "unload/results/0001-abcdef/");
  EXPECT_EQ(open->results_prefix(), "unload/results/0001-abcdef/results/");
  EXPECT_FALSE(open->flat);
  EXPECT_EQ(open->client_token, "token");
  EXPECT_EQ(open->started, 1000);
  EXPECT_EQ(open->query_id, "Q1");
  EXPECT_EQ(open->next_token, "N1");
  EXPECT_EQ(open->next_token_at, 3000);
  EXPECT_EQ(open->percent, 12.5);
  EXPECT_EQ(open->bytes_scanned, 1000U);
  EXPECT_EQ(state_.Totals().running, 1U);
  Finish("0001", "abcdef");
  const SliceState& slice = Slice("0001");
  EXPECT_EQ(slice.open(), nullptr);
  EXPECT_EQ(slice.state, SliceState::State::kDone);
  EXPECT_EQ(slice.attempts.front().state, Attempt::State::kDone);
  EXPECT_EQ(slice.attempts.front().ended, 4000);
  EXPECT_EQ(slice.done.attempt, "abcdef");
  EXPECT_EQ(slice.done.query_id, "Q1");
  EXPECT_EQ(slice.done.manifest_uri, "s3://bkt/m");
  const UnloadTotals totals = state_.Totals();
  EXPECT_EQ(totals.done, 1U);
  EXPECT_EQ(totals.rows, 7U);
  EXPECT_EQ(totals.bytes, 70U);
  EXPECT_EQ(totals.files, 2U);
  EXPECT_EQ(totals.running, 0U);
}

TEST_F(UnloadStateTest, AFlatAttemptLiesAtTheDestination) {
  Good("attempt", "0001",
       {{"attempt", "abcdef"}, {"to", "s3://bkt/unload"}, {"flat", "true"}, {"client_token", "t"}});
  const Attempt* open = Slice("0001").open();
  ASSERT_NE(open, nullptr);
  EXPECT_TRUE(open->flat);
  EXPECT_EQ(open->results_prefix(), "unload/results/");
}

TEST_F(UnloadStateTest, AnAdoptedResultTellsTheQueryThatWasNeverSeen) {
  Start("0001", "abcdef");
  Finish("0001", "abcdef");
  EXPECT_EQ(Slice("0001").attempts.front().query_id, "Q1");
}

TEST_F(UnloadStateTest, FailedAndReplacedAttemptsMakeRoomForTheNext) {
  Start("0001", "aaaaaa");
  Good("failed", "0001", {{"attempt", "aaaaaa"}, {"note", "memory"}});
  Start("0001", "bbbbbb");
  Good("replaced", "0001", {{"attempt", "bbbbbb"}, {"note", "too old"}});
  Start("0001", "cccccc");
  Good("cleaned", "0001", {{"attempt", "aaaaaa"}});
  const std::vector<Attempt>& attempts = Slice("0001").attempts;
  ASSERT_EQ(attempts.size(), 3U);
  EXPECT_EQ(attempts[0].state, Attempt::State::kFailed);
  EXPECT_EQ(attempts[0].note, "memory");
  EXPECT_TRUE(attempts[0].cleaned);
  EXPECT_EQ(attempts[1].state, Attempt::State::kReplaced);
  EXPECT_FALSE(attempts[1].cleaned);
  EXPECT_EQ(Slice("0001").open()->id, "cccccc");
  EXPECT_EQ(state_.Totals().attempts, 3U);
}

TEST_F(UnloadStateTest, HalvesCoverTheSliceWhateverElseTheEntrySays) {
  Good("split", "0001",
       {{"cut", std::to_string(4 * kDay)},
        {"note", "memory"},
        {"left_partitions", "4"},
        {"left_rows", "40"},
        {"right_partitions", "6"},
        {"right_bytes", "60"},
        {"left_end", "7"}});
  EXPECT_EQ(Slice("0001").state, SliceState::State::kSplit);
  const UnloadSlice& left = Slice("0001a").slice;
  const UnloadSlice& right = Slice("0001b").slice;
  EXPECT_EQ(left.Id(), "0001a");
  EXPECT_EQ(left.from, 0);
  EXPECT_EQ(left.end, 4 * kDay);
  EXPECT_EQ(left.partitions, 4U);
  EXPECT_EQ(left.rows, 40U);
  EXPECT_EQ(left.bytes, std::nullopt);
  EXPECT_EQ(right.from, 4 * kDay);
  EXPECT_EQ(right.end, 10 * kDay);
  EXPECT_EQ(right.rows, std::nullopt);
  EXPECT_EQ(right.bytes, 60U);
  // The whole does not count any more, its halves do; a half may be split again.
  EXPECT_EQ(state_.Totals().slices, 3U);
  Good("split", "0001b", {{"cut", std::to_string(5 * kDay)}});
  EXPECT_EQ(Slice("0001ba").slice.from, 4 * kDay);
  EXPECT_EQ(Slice("0001bb").slice.end, 10 * kDay);
}

TEST_F(UnloadStateTest, ACompleteTableHasOnlyDoneLeaves) {
  Good("split", "0001", {{"cut", std::to_string(4 * kDay)}});
  for (const std::string id : {"0001a", "0001b", "0002"}) {
    EXPECT_FALSE(state_.IsComplete(0));
    Start(id, "abcdef");
    Finish(id, "abcdef");
  }
  EXPECT_TRUE(state_.IsComplete(0));
  Good("counted", "", {{"verified", "equal"}, {"column city", "21"}, {"column speed", "3"}});
  Good("closed", "");
  EXPECT_TRUE(state_.table(0).closed);
  EXPECT_EQ(state_.table(0).verified, "equal");
  EXPECT_THAT(state_.table(0).non_null,
              ElementsAre(std::pair("city", 21U), std::pair("speed", 3U)));
}

TEST_F(UnloadStateTest, ALaterCountReplacesTheEarlier) {
  Good("counted", "", {{"verified", "equal"}, {"column city", "21"}, {"column speed", "3"}});
  Good("counted", "", {{"verified", "expired"}, {"column city", "20"}});
  EXPECT_EQ(state_.table(0).verified, "expired");
  EXPECT_THAT(state_.table(0).non_null, ElementsAre(std::pair("city", 20U)));
}

TEST_F(UnloadStateTest, ARetryForgivesWhatFailedBefore) {
  Start("0001", "aaaaaa");
  Good("failed", "0001", {{"attempt", "aaaaaa"}, {"note", "?"}});
  Good("slice_failed", "0001", {{"note", "gave up"}, {"proof", "true"}});
  EXPECT_EQ(Slice("0001").state, SliceState::State::kFailed);
  EXPECT_EQ(Slice("0001").failure, "gave up");
  EXPECT_TRUE(Slice("0001").failed_proof);
  EXPECT_EQ(state_.Totals().failed, 1U);
  Good("retry", "0001");
  EXPECT_EQ(Slice("0001").state, SliceState::State::kPending);
  EXPECT_EQ(Slice("0001").failure, "");
  EXPECT_FALSE(Slice("0001").failed_proof);
  EXPECT_EQ(Slice("0001").forgiven, 1U);
  Start("0001", "bbbbbb");
}

TEST_F(UnloadStateTest, ASliceMayBeGivenUpWhileItsAttemptIsOpen) {
  Start("0001", "aaaaaa");
  Good("slice_failed", "0001", {{"note", "nothing moved for 24 h"}, {"proof", "false"}});
  EXPECT_EQ(state_.Totals().running, 0U);
  Good("retry", "0001");
  ASSERT_NE(Slice("0001").open(), nullptr);
  EXPECT_EQ(state_.Totals().running, 1U);
  Finish("0001", "aaaaaa");
}

TEST_F(UnloadStateTest, ARedoReplacesWhatWasDoneAndOpensTheTable) {
  for (const std::string id : {"0001", "0002"}) {
    Start(id, "abcdef");
    Finish(id, "abcdef");
  }
  Good("counted", "", {{"verified", "equal"}, {"column city", "14"}});
  Good("closed", "");
  Good("redo", "0001", {{"note", "the source changed"}});
  const SliceState& slice = Slice("0001");
  EXPECT_EQ(slice.state, SliceState::State::kPending);
  EXPECT_EQ(slice.attempts.front().state, Attempt::State::kReplaced);
  EXPECT_EQ(slice.attempts.front().note, "the source changed");
  EXPECT_EQ(slice.done.attempt, "");
  EXPECT_EQ(slice.forgiven, 1U);
  EXPECT_FALSE(state_.table(0).closed);
  EXPECT_EQ(state_.table(0).verified, "");
  EXPECT_TRUE(state_.table(0).non_null.empty());
  EXPECT_EQ(state_.Totals().rows, 7U);
  Start("0001", "ffffff");
}

TEST_F(UnloadStateTest, RefusesWhatNamesNothingOfThePlan) {
  Bad("'otherdb/myTable', which is not in the plan", "attempt", "0001",
      {{"table", "otherdb/myTable"}});
  Bad("'0009', which the table does not have", "attempt", "0009", StartFields("0009", "abcdef"));
  Bad("which the table does not have", "retry", "");
  Bad("a kind that this program does not know", "attempted", "0001");
  Bad("never announced", "query", "0001", {{"attempt", "abcdef"}, {"query_id", "Q1"}});
}

TEST_F(UnloadStateTest, RefusesAnAttemptThatDoesNotLieWhereItsSliceDoes) {
  const auto with = [](const char* name, const char* value) {
    Fields fields = StartFields("0001", "abcdef");
    fields[name] = value;
    return fields;
  };
  Bad("another destination", "attempt", "0001", with("to", "s3://bkt/unload"));
  Bad("another destination", "attempt", "0001", with("to", "s3://bkt/unload/results/0002-abcdef"));
  Bad("another destination", "attempt", "0001",
      with("to", "s3://other/unload/results/0001-abcdef"));
  Bad("another destination", "attempt", "0001", with("to", ""));
  Bad("another destination", "attempt", "0001", with("flat", "true"));
  Bad("whether it is flat", "attempt", "0001", with("flat", ""));
  Bad("no attempt of its own", "attempt", "0001", with("attempt", ""));
  EXPECT_TRUE(Slice("0001").attempts.empty());
}

TEST_F(UnloadStateTest, RefusesTwoAttemptsAtOnceOrOfOneName) {
  Start("0001", "abcdef");
  Bad("not waiting", "attempt", "0001", StartFields("0001", "fedcba"));
  Bad("does not split", "split", "0001", {{"cut", std::to_string(kDay)}});
  Good("failed", "0001", {{"attempt", "abcdef"}});
  Bad("no attempt of its own", "attempt", "0001", StartFields("0001", "abcdef"));
}

TEST_F(UnloadStateTest, RefusesWhatComesAfterTheEnd) {
  Start("0001", "abcdef");
  Bad("an attempt that counts", "cleaned", "0001", {{"attempt", "abcdef"}});
  Finish("0001", "abcdef");
  for (const std::string kind : {"query", "page", "done", "failed", "replaced"}) {
    Bad("goes on after the attempt", kind, "0001", DoneFields("abcdef", "7"));
  }
  Bad("an attempt that counts", "cleaned", "0001", {{"attempt", "abcdef"}});
  Bad("not waiting", "attempt", "0001", StartFields("0001", "fedcba"));
  Bad("not waiting", "slice_failed", "0001", {{"note", "?"}});
  Bad("has not failed", "retry", "0001");
  Bad("not done", "redo", "0002");
  Bad("not done", "closed", "");
  EXPECT_EQ(Slice("0001").done.rows, 7U);
}

TEST_F(UnloadStateTest, RefusesAResultOfASliceThatWasGivenUp) {
  Start("0001", "abcdef");
  Good("slice_failed", "0001", {{"note", "?"}});
  Bad("not waiting", "done", "0001", DoneFields("abcdef", "7"));
}

TEST_F(UnloadStateTest, RefusesASplitWholeAsASlice) {
  Good("split", "0001", {{"cut", std::to_string(kDay)}});
  Bad("not waiting", "attempt", "0001", StartFields("0001", "abcdef"));
  Bad("not waiting", "slice_failed", "0001");
  Bad("has not failed", "retry", "0001");
  Bad("does not split", "split", "0001", {{"cut", std::to_string(kDay)}});
}

TEST_F(UnloadStateTest, RefusesACutOutsideOfTheSlice) {
  for (const UnixNanos cut : {-kDay, UnixNanos{0}, 10 * kDay, 11 * kDay}) {
    Bad("does not split", "split", "0001", {{"cut", std::to_string(cut)}});
  }
  Bad("does not split", "split", "0001", {{"cut", "noon"}});
  Bad("does not split", "split", "0001");
  EXPECT_EQ(state_.Totals().slices, 2U);
}

TEST_F(UnloadStateTest, RefusesCountsThatAreNone) {
  Start("0001", "abcdef");
  for (const std::string rows : {"", "-1", "seven", "7x"}) {
    Bad("no count of rows", "done", "0001", DoneFields("abcdef", rows));
  }
  Fields fields = DoneFields("abcdef", "7");
  fields.erase("files");
  Bad("no count of files", "done", "0001", fields);
  Bad("no count of the column city", "counted", "", {{"column city", "many"}});
}

TEST_F(UnloadStateTest, CheckChangesNothing) {
  JournalEntry entry{"attempt", StartFields("0001", "abcdef"), 0, 0};
  entry.fields["table"] = "sourcedb/myTable";
  entry.fields["slice"] = "0001";
  EXPECT_TRUE(state_.Check(entry));
  EXPECT_TRUE(state_.Check(entry));
  EXPECT_TRUE(Slice("0001").attempts.empty());
  entry.fields["to"] = "s3://bkt";
  const Status refused = state_.Check(entry);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("a new entry (attempt) "));
}

TEST(UnloadState, TablesWhoseNamesJoinAlikeAreTwo) {
  UnloadPlan plan = SamplePlan();
  plan.tables = {SampleTable(), SampleTable()};
  plan.tables[0].select.table = *timestream::TableRef::Make("a.b", "c");
  plan.tables[1].select.table = *timestream::TableRef::Make("a", "b.c");
  UnloadState state(plan);
  JournalEntry entry{"slice_failed", {{"table", "a/b.c"}, {"slice", "0001"}}, 1, 1};
  ASSERT_TRUE(state.Apply(entry));
  EXPECT_EQ(state.table(0).slices.at("0001").state, SliceState::State::kPending);
  EXPECT_EQ(state.table(1).slices.at("0001").state, SliceState::State::kFailed);
}

TEST(UnloadState, SlicesStandInTheOrderOfTime) {
  std::vector<std::string> ids = {"10000",  "0002", "9999",  "0001b",
                                  "0001ab", "0001", "0001a", "100000"};
  std::sort(ids.begin(), ids.end(), BySliceId());
  EXPECT_THAT(ids,
              ElementsAre("0001", "0001a", "0001ab", "0001b", "0002", "9999", "10000", "100000"));
}

TEST(UnloadState, ATableWithoutRowsIsComplete) {
  UnloadPlan plan = SamplePlan();
  plan.tables[0].slices.clear();
  plan.tables[0].range.reset();
  UnloadState state(plan);
  EXPECT_TRUE(state.IsComplete(0));
  EXPECT_TRUE(state.Apply({"closed", {{"table", "sourcedb/myTable"}}, 1, 1}));
}

}  // namespace
}  // namespace tsm::unload
