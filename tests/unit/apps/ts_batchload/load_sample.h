// A small load as a plan has it, and the ledger of a run of it on a journal of its own: what the
// tests of ts-batchload share. For one thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "run/run_dir.h"
#include "support/fake_clock.h"
#include "support/unload_clients.h"
#include "ts_batchload/stored_load.h"
#include "tsm/batchload/load_ledger.h"
#include "tsm/batchload/load_plan.h"

namespace tsm::apps::test {

inline batchload::TableLoad TableOf(const std::string& table) {
  batchload::TableLoad load;
  load.target = {"targetdb", table};
  load.listed = "s3://source/unload/";
  load.data_model_json = R"({"TimeColumn":"time"})";
  load.spool = "files-" + table + ".jsonl";
  load.target_prefix = "dest/";
  load.rows = 0;
  return load;
}

// No groups yet.
inline batchload::LoadPlan PlanOf(bool copy) {
  batchload::LoadPlan plan;
  plan.run_id = "20240226T172438Z-5f8b3c";
  plan.tool_version = "0.1.0";
  plan.region = "eu-west-1";
  plan.created = 1'708'968'278'000'000'000;
  plan.copy = copy;
  plan.target_bucket = *s3::BucketName::Parse("target");
  plan.source_bucket = copy ? *s3::BucketName::Parse("source") : plan.target_bucket;
  plan.report_bucket = *s3::BucketName::Parse("reports");
  plan.destination_prefix = "dest/";
  plan.tables = {TableOf("t")};
  return plan;
}

// Two files of 500 bytes and 50 rows each.
inline batchload::LoadGroup& AddGroup(batchload::LoadPlan& plan, std::size_t table = 0) {
  batchload::LoadGroup group;
  // Of two digits, so that groups are in the order of their keys.
  const std::string number = std::to_string(101 + plan.groups.size()).substr(1);
  group.id = "g00" + number;
  group.table = table;
  group.prefix = "dest/p=" + number + "/";
  group.label = "p=" + number;
  group.files = 2;
  group.bytes = 1000;
  group.rows = 100;
  plan.tables[table].files += group.files;
  plan.tables[table].bytes += group.bytes;
  if (plan.tables[table].rows) *plan.tables[table].rows += *group.rows;
  plan.groups.push_back(std::move(group));
  return plan.groups.back();
}

inline batchload::LoadPlan PlanOf(bool copy, std::size_t groups) {
  batchload::LoadPlan plan = PlanOf(copy);
  for (std::size_t i = 0; i < groups; ++i) AddGroup(plan);
  return plan;
}

// What a run's ledger is told, step by step.
class SampleRun {
 public:
  explicit SampleRun(batchload::LoadPlan of) : plan(std::move(of)) {
    plan_text_ = ToJson(plan);
    tsm::test::Put(directory() / kPlanFileName, plan_text_);
    auto created = Journal::Create(directory(), HeaderOf(plan, plan_text_), clock, disk_);
    EXPECT_TRUE(created) << created.error().Text();
    journal_ = *std::move(created);
    ledger = std::make_unique<batchload::LoadLedger>(batchload::LoadState(plan), *journal_);
  }

  std::filesystem::path directory() const { return dir_.path() / plan.run_id; }
  Journal& journal() { return *journal_; }
  batchload::LoadState State() const {
    batchload::LoadState state(plan);
    ledger->Look([&](const batchload::LoadState& now) { state = now; });
    return state;
  }

  void Copy(std::size_t group) {
    const batchload::LoadGroup& planned = plan.groups[group];
    for (std::uint32_t i = 0; i < planned.files; ++i) {
      EXPECT_TRUE(ledger->Copied(group, i, {1, planned.bytes / planned.files, {}}));
    }
    EXPECT_TRUE(ledger->SealGroup(group, {planned.files, planned.bytes, planned.rows}, {}));
  }
  void Start(std::size_t group) {
    const std::string number = std::to_string(++tasks_);
    EXPECT_TRUE(ledger->AnnounceTask(group, "token-" + number, 0));
    EXPECT_TRUE(ledger->TookTask(group, "TASK" + number));
  }
  void Finish(std::size_t group, std::uint64_t rejected = 0) {
    Start(group);
    EXPECT_TRUE(ledger->FinishGroup(group, Counters(group, rejected), rejected));
  }
  void Fail(std::size_t group, const std::string& why, bool proof = false,
            std::uint64_t rejected = 0) {
    Start(group);
    EXPECT_TRUE(ledger->FailGroup(group, Counters(group, rejected), why, proof, rejected,
                                  "s3://reports/x"));
  }

  batchload::LoadPlan plan;
  tsm::test::FakeClock clock;
  std::unique_ptr<batchload::LoadLedger> ledger;

 private:
  timestream::ProgressReport Counters(std::size_t group, std::uint64_t rejected) const {
    timestream::ProgressReport report;
    report.records_processed = static_cast<std::int64_t>(*plan.groups[group].rows);
    report.records_ingested = report.records_processed - static_cast<std::int64_t>(rejected);
    report.record_ingestion_failures = static_cast<std::int64_t>(rejected);
    report.bytes_metered = static_cast<std::int64_t>(plan.groups[group].bytes);
    return report;
  }

  tsm::test::RunDir dir_;
  tsm::test::UnsyncedDisk disk_;
  std::string plan_text_;
  std::unique_ptr<Journal> journal_;
  int tasks_ = 0;
};

}  // namespace tsm::apps::test
