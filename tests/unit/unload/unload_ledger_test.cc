#include "tsm/unload/unload_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/journal_bench.h"
#include "unload/plan_sample.h"

namespace tsm::unload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void Print(std::ostream& out, const Attempt& attempt) {
  out << "    " << attempt.id << ' ' << attempt.to.str() << ' ' << attempt.flat << ' '
      << attempt.client_token << ' ' << attempt.started << ' ' << attempt.query_id << ' '
      << attempt.next_token << ' ' << attempt.next_token_at << ' ' << attempt.percent << ' '
      << attempt.bytes_scanned << ' ' << static_cast<int>(attempt.state) << ' ' << attempt.ended
      << ' ' << attempt.note << ' ' << attempt.cleaned << '\n';
}

void Print(std::ostream& out, const SliceState& state) {
  const UnloadSlice& slice = state.slice;
  const SliceDone& done = state.done;
  out << "  " << slice.Id() << ' ' << slice.number << ' ' << slice.part << ' ' << slice.from << ' '
      << slice.end << ' ' << slice.partitions << ' ' << slice.rows.value_or(99) << ' '
      << slice.bytes.value_or(99) << ' ' << static_cast<int>(state.state) << ' ' << done.attempt
      << ' ' << done.query_id << ' ' << done.manifest_uri << ' ' << done.rows << ' ' << done.bytes
      << ' ' << done.files << ' ' << state.failure << ' ' << state.failed_proof << ' '
      << state.forgiven << '\n';
  for (const Attempt& attempt : state.attempts) Print(out, attempt);
}

// Every member of a state, so that two states are the same where their texts are.
std::string TextOf(const UnloadState& state) {
  std::ostringstream out;
  out.precision(17);
  for (const TableState& table : state.tables()) {
    out << table.closed << ' ' << table.verified << '\n';
    for (const auto& [column, count] : table.non_null) out << column << '=' << count << '\n';
    for (const auto& [id, slice] : table.slices) Print(out, slice);
  }
  return out.str();
}

class UnloadLedgerTest : public test::JournalBench {
 protected:
  UnloadLedgerTest() {
    plan_.tables.push_back(SampleTable("other"));
    plan_.tables[1].destination = *s3::S3Uri::Parse("s3://bkt/unload");
    journal_ = Create();
  }

  UnloadLedger Ledger(UnloadLedger::Mirror mirror = nullptr) {
    return UnloadLedger(UnloadState(plan_), *journal_, std::move(mirror));
  }

  static std::string TextOf(const UnloadLedger& ledger) {
    std::string text;
    ledger.Look([&](const UnloadState& state) { text = unload::TextOf(state); });
    return text;
  }

  // What a resume knows: from the journal alone.
  std::string Replayed() {
    journal_.reset();
    UnloadState state(plan_);
    auto opened = Journal::Open(
        directory_, Header(), [&](const JournalEntry& entry) { return state.Apply(entry); }, clock_,
        disk_);
    EXPECT_TRUE(opened) << opened.error().Text();
    if (opened) journal_ = std::move(*opened);
    return unload::TextOf(state);
  }

  void Good(const Status& status) {
    EXPECT_TRUE(status) << status.error().Text();
    clock_.Advance(std::chrono::milliseconds(1500));
  }

  std::vector<std::string> KindsInFile() {
    std::vector<std::string> kinds;
    EXPECT_TRUE(Journal::Read(directory_, [&](const JournalEntry& entry) {
      kinds.push_back(entry.kind);
      return Ok();
    }));
    return kinds;
  }

  static SliceDone DoneBy(const std::string& attempt) {
    return {attempt, "Q1", "s3://bkt/unload/Q1_1_a_manifest.json", 7, 70, 2};
  }

  UnloadPlan plan_ = SamplePlan();
  std::unique_ptr<Journal> journal_;
  const SliceRef first_{0, "0001"};
  const SliceRef second_{0, "0002"};
};

TEST_F(UnloadLedgerTest, WhatAResumeReplaysIsWhatTheRunKnew) {
  UnloadLedger ledger = Ledger();
  Good(ledger.StartAttempt(first_, FlatAttempt("aaaaaa"), "UNLOAD (SELECT \"ü\n\")"));
  Good(ledger.TookQuery(first_, "aaaaaa", "Q1"));
  Good(ledger.SawPage(first_, "aaaaaa", "N1", 100.0 / 3, 123'456'789'012));
  Good(ledger.FailAttempt(first_, "aaaaaa", "memory\nexceeded"));
  const UnloadSlice slice = plan_.tables[0].slices[0];
  const auto halves = SplitSlice(slice, PartitionUnit::kDay);
  ASSERT_TRUE(halves);
  Good(ledger.SplitSlice(first_, halves->first, halves->second, "memory"));
  const SliceRef left{0, "0001a"};
  const SliceRef right{0, "0001b"};
  Good(ledger.StartAttempt(left, NestedAttempt("0001a", "bbbbbb"), "UNLOAD"));
  Good(ledger.FinishSlice(left, DoneBy("bbbbbb")));
  Good(ledger.StartAttempt(right, NestedAttempt("0001b", "cccccc"), "UNLOAD"));
  Good(ledger.ReplaceAttempt(right, "cccccc", "whether it was taken is not known"));
  Good(ledger.FailSlice(right, "gave up", /*proof=*/true));
  Good(ledger.RetrySlice(right));
  Good(ledger.StartAttempt(right, NestedAttempt("0001b", "dddddd"), "UNLOAD"));
  Good(ledger.FinishSlice(right, DoneBy("dddddd")));
  Good(ledger.CleanedAttempt(right, "cccccc"));
  Good(ledger.StartAttempt(second_, NestedAttempt("0002", "eeeeee"), "UNLOAD"));
  Good(ledger.FinishSlice(second_, DoneBy("eeeeee")));
  Good(ledger.CountedTable(0, "equal", {{"city", 21}, {"wind speed", 0}}));
  Good(ledger.CloseTable(0));
  Good(ledger.RedoSlice(second_));
  Good(ledger.StartAttempt(second_, NestedAttempt("0002", "ffffff"), "UNLOAD"));
  Good(ledger.StartAttempt({1, "0002"}, NestedAttempt("0002", "999999"), "UNLOAD"));
  Good(ledger.TookQuery({1, "0002"}, "999999", "Q2"));
  Good(ledger.SawPage({1, "0002"}, "999999", "N2", 0.1, 0));

  const std::string live = TextOf(ledger);
  EXPECT_EQ(ledger.Slice({1, "0002"}).open()->percent, 0.1);
  EXPECT_EQ(ledger.Slice(first_).attempts.front().percent, 100.0 / 3);
  EXPECT_EQ(ledger.Totals().done, 2U);
  EXPECT_EQ(Replayed(), live);
}

TEST_F(UnloadLedgerTest, HalvesAreThoseThatWereGiven) {
  UnloadLedger ledger = Ledger();
  UnloadSlice left = MakeSlice(1, 0, 3 * kDay);
  left.part = "a";
  left.rows = 30;
  left.bytes = 300;
  UnloadSlice right = MakeSlice(1, 3 * kDay, 10 * kDay);
  right.part = "b";
  Good(ledger.SplitSlice(first_, left, right, "partitions"));
  const auto same = [](const UnloadSlice& a, const UnloadSlice& b) {
    EXPECT_EQ(a.Id(), b.Id());
    EXPECT_EQ(a.from, b.from);
    EXPECT_EQ(a.end, b.end);
    EXPECT_EQ(a.partitions, b.partitions);
    EXPECT_EQ(a.rows, b.rows);
    EXPECT_EQ(a.bytes, b.bytes);
  };
  same(ledger.Slice({0, "0001a"}).slice, left);
  same(ledger.Slice({0, "0001b"}).slice, right);
  EXPECT_EQ(ledger.Slice(first_).failure, "partitions");
}

TEST_F(UnloadLedgerTest, AnAttemptIsOnTheDiskBeforeItsCall) {
  UnloadLedger ledger = Ledger();
  const int before = disk_.syncs;
  Good(ledger.StartAttempt(first_, NestedAttempt("0001", "aaaaaa"), "UNLOAD"));
  EXPECT_EQ(disk_.syncs, before + 1);
  Good(ledger.TookQuery(first_, "aaaaaa", "Q1"));
  EXPECT_EQ(disk_.syncs, before + 2);
  // A page is only worth less paging: it waits for its group.
  ASSERT_TRUE(ledger.SawPage(first_, "aaaaaa", "N1", 1, 1));
  EXPECT_EQ(disk_.syncs, before + 2);
  clock_.Advance(std::chrono::seconds(2));
  ASSERT_TRUE(ledger.FlushIfDue());
  EXPECT_EQ(disk_.syncs, before + 3);
}

TEST_F(UnloadLedgerTest, TheMirrorSeesEveryEntryInOrderAsWritten) {
  std::vector<JournalEntry> seen;
  UnloadLedger ledger = Ledger([&](const JournalEntry& entry) {
    seen.push_back(entry);
    return Ok();
  });
  Good(ledger.StartAttempt(first_, NestedAttempt("0001", "aaaaaa"), "UNLOAD"));
  Good(ledger.TookQuery(first_, "aaaaaa", "Q1"));
  Good(ledger.SawPage(first_, "aaaaaa", "N1", 1, 1));
  ASSERT_EQ(seen.size(), 3U);
  const UnixNanos start = 1'708'968'278'000'000'000;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].sequence, i + 1);
    EXPECT_EQ(seen[i].time, start + static_cast<UnixNanos>(i) * 1'500'000'000);
    EXPECT_EQ(seen[i].Field("table"), "sourcedb/myTable");
    EXPECT_EQ(seen[i].Field("slice"), "0001");
  }
  EXPECT_EQ(seen[0].Field("sql"), "UNLOAD");
  // From the mirror alone another machine knows the same.
  UnloadState state(plan_);
  for (const JournalEntry& entry : seen) ASSERT_TRUE(state.Apply(entry));
  EXPECT_EQ(unload::TextOf(state), TextOf(ledger));
}

TEST_F(UnloadLedgerTest, EntriesOfSeveralThreadsReachTheMirrorInOrder) {
  plan_.tables[0].slices.clear();
  for (std::size_t i = 0; i < 8; ++i) {
    const auto from = static_cast<UnixNanos>(i) * kDay;
    plan_.tables[0].slices.push_back(MakeSlice(i + 1, from, from + kDay));
  }
  std::vector<std::uint64_t> seen;
  UnloadLedger ledger = Ledger([&](const JournalEntry& entry) {
    seen.push_back(entry.sequence);
    return Ok();
  });
  {
    std::vector<std::jthread> threads;
    for (const UnloadSlice& slice : plan_.tables[0].slices) {
      threads.emplace_back([&ledger, id = slice.Id()] {
        EXPECT_TRUE(ledger.StartAttempt({0, id}, NestedAttempt(id, "aaaaaa"), "UNLOAD"));
        EXPECT_TRUE(ledger.FinishSlice({0, id}, DoneBy("aaaaaa")));
        EXPECT_LE(ledger.Totals().done, 8U);
      });
    }
  }
  EXPECT_EQ(seen, UpTo(16));
  EXPECT_EQ(ledger.Totals().done, 8U);
  const std::string live = TextOf(ledger);
  EXPECT_EQ(Replayed(), live);
}

TEST_F(UnloadLedgerTest, AMirrorsFailureIsTheVerbsAndTheEntryStays) {
  UnloadLedger ledger = Ledger([](const JournalEntry& entry) -> Status {
    if (entry.kind == "query") return MakeError(ErrorKind::kThrottled, "S3 is slow");
    return Ok();
  });
  Good(ledger.StartAttempt(first_, NestedAttempt("0001", "aaaaaa"), "UNLOAD"));
  const Status taken = ledger.TookQuery(first_, "aaaaaa", "Q1");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(ledger.Slice(first_).open()->query_id, "Q1");
  const std::string live = TextOf(ledger);
  EXPECT_EQ(Replayed(), live);
}

// The state can be looked at while a slow mirror holds the writer.
TEST_F(UnloadLedgerTest, LookingDoesNotWaitForTheMirror) {
  std::uint64_t attempts = 0;
  const UnloadLedger* looked_at = nullptr;
  UnloadLedger ledger = Ledger([&](const JournalEntry&) {
    attempts = looked_at->Totals().attempts;
    return Ok();
  });
  looked_at = &ledger;
  Good(ledger.StartAttempt(first_, NestedAttempt("0001", "aaaaaa"), "UNLOAD"));
  EXPECT_EQ(attempts, 1U);
}

TEST_F(UnloadLedgerTest, WhatDoesNotFitIsNotWritten) {
  std::vector<std::string> mirrored;
  UnloadLedger ledger = Ledger([&](const JournalEntry& entry) {
    mirrored.push_back(entry.kind);
    return Ok();
  });
  Good(ledger.StartAttempt(first_, NestedAttempt("0001", "aaaaaa"), "UNLOAD"));
  const std::string before = TextOf(ledger);
  const Status second = ledger.StartAttempt(first_, NestedAttempt("0001", "bbbbbb"), "UNLOAD");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kBadReply);
  EXPECT_FALSE(ledger.CloseTable(0));
  EXPECT_FALSE(ledger.RedoSlice(second_));
  EXPECT_EQ(TextOf(ledger), before);
  EXPECT_THAT(mirrored, ElementsAre("attempt"));
  EXPECT_THAT(KindsInFile(), ElementsAre("attempt"));
  EXPECT_EQ(Replayed(), before);
}

TEST_F(UnloadLedgerTest, WithoutTheDiskNothingCounts) {
  bool mirrored = false;
  UnloadLedger ledger = Ledger([&](const JournalEntry&) {
    mirrored = true;
    return Ok();
  });
  disk_.room = 0;
  const Status full = ledger.StartAttempt(first_, NestedAttempt("0001", "aaaaaa"), "UNLOAD");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, ErrorKind::kLocalIo);
  EXPECT_THAT(ledger.Slice(first_).attempts, IsEmpty());
  EXPECT_FALSE(mirrored);
  // A disk with room again takes it.
  disk_.room = -1;
  Good(ledger.StartAttempt(first_, NestedAttempt("0001", "aaaaaa"), "UNLOAD"));
  // After a failed fsync nothing can be relied on any more.
  disk_.sync_error = EIO;
  EXPECT_FALSE(ledger.TookQuery(first_, "aaaaaa", "Q1"));
  disk_.sync_error = 0;
  EXPECT_FALSE(ledger.TookQuery(first_, "aaaaaa", "Q1"));
  EXPECT_EQ(ledger.Slice(first_).open()->query_id, "");
}

TEST_F(UnloadLedgerTest, AReplayTellsWhichEntryDoesNotFit) {
  {
    UnloadLedger ledger = Ledger();
    Good(ledger.StartAttempt(first_, NestedAttempt("0001", "aaaaaa"), "UNLOAD"));
    JournalEntry foreign{"query", {{"table", "sourcedb/myTable"}, {"slice", "0007"}}, 0, 0};
    ASSERT_TRUE(journal_->Append(std::move(foreign), Durability::kBeforeEffect));
  }
  journal_.reset();
  UnloadState state(plan_);
  const auto opened = Journal::Open(
      directory_, Header(), [&](const JournalEntry& entry) { return state.Apply(entry); }, clock_,
      disk_);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().Text(), HasSubstr("entry 2 (query) names the slice '0007'"));
}

}  // namespace
}  // namespace tsm::unload
