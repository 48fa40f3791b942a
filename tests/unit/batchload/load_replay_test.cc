// A journal that is replayed makes the same state as the run that wrote it, whatever the run did.
#include <gtest/gtest.h>

#include <random>

#include "batchload/load_sample.h"
#include "run/run_dir.h"
#include "support/fake_clock.h"
#include "support/unload_clients.h"
#include "tsm/batchload/load_ledger.h"

namespace tsm::batchload {
namespace {

using timestream::ProgressReport;
using timestream::TaskStatus;

// All that a state has, as text.
std::string Shown(const LoadState& state) {
  std::string text;
  const auto put = [&](const auto&... values) { ((text += std::to_string(values) + ' '), ...); };
  const LoadTotals& all = state.Totals();
  put(all.groups, all.sealed, all.done, all.failed, all.loading, all.copy_failed, all.tasks,
      all.files_copied, all.bytes_copied, all.processed, all.ingested, all.rejected,
      all.bytes_metered, all.bytes_done, state.canary_passed());
  for (const GroupState& group : state.groups()) {
    put(static_cast<int>(group.state), group.copied.size(), group.sealed.has_value(),
        group.failed_proof, group.rejected, group.record_version, group.copy_begun,
        group.copy_ended);
    text += group.failure + group.copy_failure;
    for (const auto& [ordinal, file] : group.copied) {
      put(ordinal, file.objects, file.bytes, file.rows.value_or(9));
    }
    for (const std::uint64_t objects : group.inflated_objects) put(objects);
    for (const TaskAttempt& task : group.tasks) {
      put(static_cast<int>(task.state), static_cast<int>(task.status), task.announced, task.created,
          task.ended, task.record_version, task.resumes, task.progress.records_processed,
          task.progress.bytes_metered);
      text += task.client_token + task.task_id + task.note + task.report_uri;
    }
    text += '\n';
  }
  for (const TableLoadState& table : state.tables()) {
    put(table.rows_before.value_or(7), table.closed);
    text += table.verified;
    for (const std::string& difference : table.differences) text += difference;
  }
  for (const OpenUpload& upload : state.uploads()) text += upload.key.str() + upload.upload_id;
  return text;
}

// One verb of any kind with values of any kind; most fit, some are refused.
void DoSomething(LoadLedger& ledger, std::mt19937_64& dice, std::size_t groups) {
  const auto roll = [&](std::uint64_t sides) { return dice() % sides; };
  const std::size_t group = roll(groups);
  const auto text = [&] { return "x" + std::to_string(roll(1000)); };
  const ProgressReport progress{
      static_cast<std::int64_t>(roll(100)), static_cast<std::int64_t>(roll(100)), 0, 1, 2,
      static_cast<std::int64_t>(roll(9000))};
  const auto status = static_cast<TaskStatus>(roll(7));
  switch (roll(18)) {
    case 0:
    case 1:
    case 2:
      return (void)ledger.Copied(group, static_cast<std::uint32_t>(roll(4)),
                                 {static_cast<std::uint32_t>(roll(3)), roll(99), roll(50)});
    case 3:
      return (void)ledger.SealGroup(group, {3, roll(900), roll(50)}, {});
    case 4:
      return (void)ledger.SealGroup(group, {4, roll(900), {}}, {1, 2, 1});
    case 5:
      return (void)ledger.UploadStarted(s3::ObjectKey(text()), text());
    case 6:
      return (void)ledger.CopyFailed(group, text());
    case 7:
    case 8:
      return (void)ledger.AnnounceTask(group, text(), static_cast<std::int64_t>(roll(5)));
    case 9:
    case 10:
      return (void)ledger.TookTask(group, text());
    case 11:
      return (void)ledger.LostTask(group, text());
    case 12:
      return (void)ledger.SawTask(group, status, progress);
    case 13:
      return (void)ledger.AnnounceResume(group);
    case 14:
      return (void)ledger.FinishGroup(group, progress, roll(9));
    case 15:
      return (void)ledger.FailGroup(group, progress, text(), roll(2) == 0, roll(9), text());
    case 16:
      return (void)ledger.RetryGroup(group, static_cast<std::int64_t>(roll(9)));
    default:
      if (roll(2) == 0) return (void)ledger.ProvedTable(roll(2), text(), {text(), text()});
      return (void)(roll(2) == 0 ? ledger.PassCanary() : ledger.CountedBefore(roll(2), roll(99)));
  }
}

TEST(LoadLedgerProperty, AReplayedJournalMakesTheSameState) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 dice(seed);
    tsm::test::RunDir dir;
    tsm::test::FakeClock clock;
    tsm::test::UnsyncedDisk disk;
    const LoadPlan plan = SamplePlan(seed % 3 != 0, 4);
    const JournalHeader header{"ts-batchload", "RUN1", "RUN1", "plan", 0};
    std::string lived;
    {
      Result<std::unique_ptr<Journal>> journal =
          Journal::Create(dir.path() / "run", header, clock, disk);
      ASSERT_TRUE(journal);
      LoadLedger ledger(LoadState(plan), **journal);
      for (int i = 0; i < 600; ++i) {
        clock.Advance(std::chrono::milliseconds(dice() % 5000));
        DoSomething(ledger, dice, plan.groups.size());
      }
      ledger.Look([&](const LoadState& state) { lived = Shown(state); });
    }
    LoadState replayed(plan);
    const Result<std::unique_ptr<Journal>> again = Journal::Open(
        dir.path() / "run", header,
        [&](const JournalEntry& entry) { return replayed.Apply(entry); }, clock, disk);
    ASSERT_TRUE(again) << again.error().Text();
    EXPECT_EQ(Shown(replayed), lived) << "seed " << seed;
    EXPECT_GT(replayed.Totals().tasks, 0U);
  }
}

}  // namespace
}  // namespace tsm::batchload
