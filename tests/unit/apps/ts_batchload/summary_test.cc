#include "ts_batchload/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/ts_batchload/load_sample.h"

namespace tsm::apps {
namespace {

using test::PlanOf;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TableOutcome Whole() {
  TableOutcome table;
  table.target = {"targetdb", "t"};
  table.source = "sourcedb.mine, s3://source/unload/";
  table.files = 2000;
  table.bytes = 48'000'000;
  table.rows = 219'000;
  table.groups = 20;
  table.done = 20;
  table.copied = 20;
  table.processed = 219'000;
  table.ingested = 219'000;
  table.verified = "equal";
  table.done_whole = true;
  return table;
}

LoadOutcome Of(std::vector<TableOutcome> tables) {
  LoadOutcome outcome;
  outcome.run_id = "run";
  outcome.region = "eu-west-1";
  outcome.tables = std::move(tables);
  outcome.tasks = 21;
  outcome.bytes_metered = 48'000'000;
  outcome.elapsed = std::chrono::seconds(90);
  return outcome;
}

TEST(LoadSummaryTest, OneTableIsToldWhole) {
  LoadOutcome outcome = Of({Whole()});
  outcome.copies.emplace();
  outcome.copies->files = 2000;
  outcome.copies->bytes = 48'000'000;
  outcome.copies->were_there = 1200;
  outcome.copies->duration = std::chrono::seconds(12);
  EXPECT_THAT(
      SummaryLines(outcome),
      ElementsAre("source    sourcedb.mine, s3://source/unload/",
                  "target    targetdb.t in eu-west-1", "files     2,000, 48.0 MB",
                  "groups    20: 20 loaded, 0 failed, 0 not finished",
                  "rows      219,000 processed, 219,000 ingested, 219,000 expected",
                  "proof     the table holds what was unloaded, place by place",
                  StartsWith("copied    2,000 files, 48.0 MB in "), "tasks     21, 48.0 MB metered",
                  StartsWith("time      "), "result    done, every row proven"));
  EXPECT_THAT(SummaryLines(outcome)[6], EndsWith(", 1,200 were there"));
}

TEST(LoadSummaryTest, WhatIsNotWholeSaysSo) {
  TableOutcome table = Whole();
  table.done_whole = false;
  table.done = 17;
  table.failed = 2;
  table.rejected = 12;
  table.verified.clear();
  table.remarks = {"not proven yet"};
  table.failures = {"group g0002 (dest/p=02/), task T: refused"};
  LoadOutcome outcome = Of({table});
  const auto lines = SummaryLines(outcome);
  EXPECT_THAT(lines, Contains("groups    20: 17 loaded, 2 failed, 1 not finished"));
  EXPECT_THAT(lines, Contains(EndsWith(", 12 rejected")));
  EXPECT_THAT(lines, Contains("proof     not yet"));
  EXPECT_THAT(lines, Contains("note      not proven yet"));
  EXPECT_THAT(lines, Contains("failed    group g0002 (dest/p=02/), task T: refused"));
  EXPECT_THAT(lines.back(), HasSubstr("some groups failed"));
  outcome.broken_proof = true;
  EXPECT_THAT(SummaryLines(outcome).back(), HasSubstr("the proof failed"));
  outcome.fatal = MakeError(ErrorKind::kThrottled, "x");
  EXPECT_THAT(SummaryLines(outcome).back(), HasSubstr("ended early"));
  outcome.interrupted = true;
  outcome.running = {"group g0003 (dest/p=03/), task U: goes on in the service"};
  EXPECT_THAT(SummaryLines(outcome),
              Contains("running   group g0003 (dest/p=03/), task U: goes on in the service"));
  EXPECT_THAT(SummaryLines(outcome).back(), HasSubstr("interrupted"));
}

TEST(LoadSummaryTest, GroupsThatWereNotReachedAreNotFailures) {
  TableOutcome table = Whole();
  table.done_whole = false;
  table.done = 3;
  EXPECT_THAT(SummaryLines(Of({table})).back(), HasSubstr("not finished"));
}

TEST(LoadSummaryTest, TheProofIsToldAsItWas) {
  const auto of = [](const std::string& verified) {
    TableOutcome table = Whole();
    table.verified = verified;
    return SummaryLines(Of({table}));
  };
  EXPECT_THAT(of("content equal"), Contains("proof     the columns' aggregates are equal"));
  EXPECT_THAT(of("content equal").back(), HasSubstr("every row proven"));
  EXPECT_THAT(of("not asked"), Contains(HasSubstr("--verify none")));
  EXPECT_THAT(of("not asked").back(), HasSubstr("not all of it proven"));
  EXPECT_THAT(of("not comparable").back(), Not(HasSubstr("every row proven")));
  TableOutcome table = Whole();
  table.rows.reset();
  EXPECT_THAT(SummaryLines(Of({table})),
              Contains(HasSubstr("how many there must be is not known")));
}

TEST(LoadSummaryTest, CopiesAlone) {
  LoadOutcome outcome = Of({Whole()});
  outcome.load = false;
  outcome.copies.emplace();
  outcome.copies->failed = 3;
  const auto lines = SummaryLines(outcome);
  EXPECT_THAT(lines, Contains("target    copies only, nothing was loaded"));
  EXPECT_THAT(lines, Contains(AllOf(StartsWith("copied"), EndsWith(", 3 failed"))));
  EXPECT_THAT(lines, Not(Contains(StartsWith("tasks"))));
  EXPECT_THAT(lines, Not(Contains(StartsWith("groups"))));
  EXPECT_EQ(lines.back(), "result    done, every copy proven");
}

TEST(LoadSummaryTest, OfManyTablesALineEach) {
  std::vector<TableOutcome> tables(4, Whole());
  tables[1].target.table = "u";
  tables[1].done_whole = false;
  tables[1].done = 1;
  tables[1].verified.clear();
  tables[1].failures = {"group g0007 (dest/u/): refused"};
  tables[2].remarks = {"a remark"};
  const auto lines = SummaryLines(Of(tables));
  EXPECT_EQ(lines[0],
            "loaded    targetdb.t: 2,000 files, 20 of 20 groups, 219,000 processed, 219,000 "
            "ingested, 219,000 expected, proof equal");
  EXPECT_THAT(lines[1], StartsWith("open      targetdb.u: 2,000 files, 1 of 20 groups, "));
  EXPECT_THAT(lines[1], Not(HasSubstr("proof")));
  EXPECT_EQ(lines[2], "failed    group g0007 (dest/u/): refused");
  EXPECT_EQ(lines[4], "note      a remark");
}

struct ResumeCommandTest : ::testing::Test {
  std::string Command(bool retry = false) { return ResumeCommand(flags, plan, retry); }
  BatchLoadFlags flags;
  batchload::LoadPlan plan = PlanOf(true, 1);
};

TEST_F(ResumeCommandTest, DefaultsAreNotRepeated) {
  EXPECT_EQ(Command(), "ts-batchload resume 20240226T172438Z-5f8b3c");
  EXPECT_EQ(Command(true), "ts-batchload resume 20240226T172438Z-5f8b3c --retry_failed");
}

TEST_F(ResumeCommandTest, EveryFlagThatAResumeNeedsIsCarried) {
  flags.session.client.profile = "it's mine";
  flags.session.client.endpoints.s3 = "http://127.0.0.1:9000";
  flags.session.client.no_verify_ssl = true;
  flags.session.source_region = "us-east-1";
  flags.session.source_profile = "there";
  flags.session.source_role_arn = "arn:aws:iam::123456789012:role/reader";
  flags.pace.threads = 3;
  flags.pace.account_tasks = 4;
  flags.pace.poll_interval = 0.25;
  flags.pace.start_interval = 2;
  flags.pace.copy_concurrency = 100;
  flags.pace.part_bytes = 10'000'000;
  flags.pace.stream_workers = 2;
  flags.pace.max_resumes = 0;
  flags.pace.give_up_after = "90m";
  flags.pace.verify_wait = "0s";
  flags.pace.sns_topic_arn = "arn:aws:sns:eu-west-1:123456789012:loads";
  flags.state_dir = "/a b";
  EXPECT_EQ(
      Command(),
      "ts-batchload resume 20240226T172438Z-5f8b3c --profile 'it'\\''s mine' "
      "--s3_endpoint http://127.0.0.1:9000 --no_verify_ssl --source_region us-east-1 "
      "--source_profile there --source_role_arn arn:aws:iam::123456789012:role/reader "
      "--num_of_batchload_threads 3 --account_tasks 4 --poll_interval 0.25 --start_interval 2 "
      "--copy_concurrency 100 --multi_part_upload_chunk 10000000 --stream_workers 2 "
      "--max_resumes 0 --give_up_after 90m --verify_wait 0s "
      "--sns_topic_arn arn:aws:sns:eu-west-1:123456789012:loads --state_dir '/a b'");
}

TEST_F(ResumeCommandTest, ItIsParsedAgainAsItWas) {
  flags.session.source_profile = "there";
  flags.pace.threads = 3;
  flags.pace.poll_interval = 0.001;
  flags.pace.part_bytes = 10'000'000;
  flags.pace.give_up_after = "90m";
  flags.state_dir = "/state";
  plan.state_in_s3 = true;
  std::vector<std::string> words;
  std::string line = Command(true) + " ";
  for (std::size_t end = line.find(' '); end != std::string::npos; end = line.find(' ')) {
    words.push_back(line.substr(0, end));
    line.erase(0, end + 1);
  }
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  BatchLoadFlags again;
  ASSERT_EQ(ParseBatchLoadFlags(static_cast<int>(argv.size()), argv.data(), again), std::nullopt);
  EXPECT_EQ(again.command, BatchLoadFlags::Command::kResume);
  EXPECT_EQ(again.run, plan.run_id);
  EXPECT_TRUE(again.retry_failed);
  EXPECT_EQ(again.session.source_profile, "there");
  EXPECT_EQ(again.session.client.region, "eu-west-1");
  EXPECT_EQ(again.pace.threads, 3);
  EXPECT_EQ(again.pace.poll_interval, 0.001);
  EXPECT_EQ(again.pace.part_bytes, 10'000'000);
  EXPECT_EQ(again.pace.give_up_after, "90m");
  EXPECT_EQ(again.state_dir, "/state");
  EXPECT_EQ(again.state, "s3");
  EXPECT_EQ(again.s3_uri, "s3://reports/tsm-state-" + plan.run_id);
}

TEST_F(ResumeCommandTest, CopiesAloneKeepTheirMemoryBesideThem) {
  plan.state_in_s3 = true;
  plan.load = false;
  EXPECT_THAT(Command(), EndsWith(" --region eu-west-1 --state s3 --s3_uri "
                                  "s3://target/tsm-state-20240226T172438Z-5f8b3c"));
}

}  // namespace
}  // namespace tsm::apps
