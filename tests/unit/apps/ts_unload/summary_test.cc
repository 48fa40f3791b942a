#include "ts_unload/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/ts_unload/plan_sample.h"

namespace tsm::apps {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using unload::TableSummary;
using unload::UnloadOutcome;
using unload::UnloadSummary;

TableSummary Whole(const unload::UnloadPlan& plan, std::size_t table = 0) {
  TableSummary summary;
  summary.table = plan.tables[table].table();
  summary.destination = plan.tables[table].destination;
  summary.record = plan.RecordUri(plan.tables[table]);
  summary.manifest_uri = "s3://bucket/unload/Q_1_abc_manifest.json";
  summary.range = plan.tables[table].range;
  summary.slices = 1;
  summary.attempts = 2;
  summary.rows = 18'592;
  summary.bytes = 2'248'490;
  summary.files = 5;
  summary.closed = true;
  summary.verified = "equal";
  return summary;
}

UnloadSummary Of(std::vector<TableSummary> tables, UnloadOutcome outcome) {
  UnloadSummary summary;
  summary.outcome = outcome;
  summary.tables = std::move(tables);
  summary.elapsed = std::chrono::milliseconds(427);
  return summary;
}

TEST(SummaryLinesTest, OneTableIsToldWhole) {
  const unload::UnloadPlan plan = test::OneTable();
  EXPECT_THAT(
      SummaryLines(Of({Whole(plan)}, UnloadOutcome::kDone), plan),
      ElementsAre("unloaded  sourcedb.myTable in eu-west-1, from 2024-01-01 00:00:00.000000000 "
                  "before 2024-01-03 00:00:00.000000000, by day",
                  "rows      18,592, equal to the manifests' and the queries' counts and to the "
                  "table's own",
                  "files     5, 2.2 MB", "slices    1 slice, 2 UNLOADs",
                  "manifest  s3://bucket/unload/Q_1_abc_manifest.json",
                  "record    s3://bucket/unload/tsm-run-20240226T172438Z-5f8b3c.json",
                  "time      427 ms", "result    done, every slice's rows proven"));
}

TEST(SummaryLinesTest, WhatIsNotWholeSaysSo) {
  const unload::UnloadPlan plan = test::OneTable();
  TableSummary table = Whole(plan);
  table.closed = false;
  table.verified.clear();
  table.remarks = {"expired by retention: 2024-01-01"};
  table.failures = {"slice 0001: Rate exceeded"};
  const auto lines = SummaryLines(Of({table}, UnloadOutcome::kSomeFailed), plan);
  EXPECT_THAT(lines.front(), StartsWith("open      sourcedb.myTable"));
  EXPECT_THAT(lines, Contains("rows      18,592"));  // nothing is claimed to be equal
  EXPECT_THAT(lines, Contains("note      expired by retention: 2024-01-01"));
  EXPECT_THAT(lines, Contains("failed    slice 0001: Rate exceeded"));
  EXPECT_THAT(lines.back(), HasSubstr("some slices failed"));
  EXPECT_THAT(SummaryLines(Of({table}, UnloadOutcome::kProofFailed), plan).back(),
              HasSubstr("the proof failed"));
  EXPECT_THAT(SummaryLines(Of({table}, UnloadOutcome::kInterrupted), plan).back(),
              HasSubstr("interrupted"));
}

TEST(SummaryLinesTest, TheProofIsToldAsItWas) {
  const unload::UnloadPlan plan = test::OneTable();
  const auto rows = [&](const std::string& verified) {
    TableSummary table = Whole(plan);
    table.verified = verified;
    return SummaryLines(Of({table}, UnloadOutcome::kDone), plan)[1];
  };
  EXPECT_THAT(rows("expired"), HasSubstr("some have expired since"));
  EXPECT_THAT(rows("not asked"), HasSubstr("--verify none"));
  EXPECT_THAT(rows("not asked"), Not(HasSubstr("and to the table's own")));
  TableSummary empty = Whole(plan);
  empty.range.reset();
  empty.rows = 0;
  const auto lines = SummaryLines(Of({empty}, UnloadOutcome::kDone), plan);
  EXPECT_THAT(lines[0], HasSubstr("no rows"));
  EXPECT_THAT(lines[1], HasSubstr("the table holds none in this range"));
}

TEST(SummaryLinesTest, OfManyTablesALineEachAndTheIndex) {
  unload::UnloadPlan plan = test::OneTable();
  std::vector<TableSummary> tables = {Whole(plan)};
  for (const char* name : {"b", "c", "d"}) {
    plan.tables.push_back(test::TableOf("sourcedb", name, plan.root));
    tables.push_back(Whole(plan, plan.tables.size() - 1));
  }
  tables[2].closed = false;
  tables[2].failures = {"slice 0001: no"};
  const auto lines = SummaryLines(Of(tables, UnloadOutcome::kSomeFailed), plan);
  EXPECT_THAT(lines[0], StartsWith("unloaded  sourcedb.myTable: 18,592 rows, 5 files, 2.2 MB"));
  EXPECT_THAT(lines[2], StartsWith("open      sourcedb.c: "));
  EXPECT_THAT(lines[2], HasSubstr("not finished"));
  EXPECT_EQ(lines[3], "failed    slice 0001: no");
  EXPECT_THAT(lines, Contains("index     s3://bucket/unload/tsm-run-20240226T172438Z-5f8b3c.json"));
}

TEST(PlanLinesTest, SlicesSqlQueriesAndThatNothingWasDone) {
  unload::PlannedUnload planned;
  planned.plan = test::OneTable();
  planned.plan.tables[0].slices = {test::Slice(1, "2024-01-01", "2024-01-02", 1),
                                   test::Slice(2, "2024-01-02", "2024-01-03", 1)};
  planned.plan.tables[0].slices[1].rows = 1200;
  planned.plan.tables[0].slices[1].bytes = 48'000;
  planned.remarks = {"batch load reads CSV only"};
  unload::UnloadOptions options;
  options.run.parallel = 3;
  const auto lines = PlanLines(planned, options);
  EXPECT_THAT(lines[0], StartsWith("table     sourcedb.myTable in eu-west-1, from 2024-01-01"));
  EXPECT_EQ(lines[1], "to        s3://bucket/unload");
  EXPECT_EQ(lines[2], "slices    2 UNLOADs");
  EXPECT_EQ(lines[3],
            "  0001  2024-01-01 00:00:00.000000000 - 2024-01-02 00:00:00.000000000  1 partition");
  EXPECT_EQ(lines[4],
            "  0002  2024-01-02 00:00:00.000000000 - 2024-01-03 00:00:00.000000000  1 partition, "
            "1,200 rows, about 48.0 kB");
  EXPECT_THAT(lines[5], StartsWith("SQL       UNLOAD (SELECT "));
  EXPECT_THAT(lines[6], HasSubstr("slice 0001; the others differ in their times"));
  EXPECT_THAT(lines, Contains(StartsWith("queries   2 UNLOADs, at most 3 at once")));
  EXPECT_THAT(lines, Contains("note      batch load reads CSV only"));
  EXPECT_THAT(lines, Contains(HasSubstr("--price_put_1000")));
  EXPECT_EQ(lines.back(), "dry run   nothing was unloaded, and nothing in S3 was changed");
}

TEST(PlanLinesTest, ATableWithoutRowsHasNoStatement) {
  unload::PlannedUnload planned;
  planned.plan = test::OneTable();
  planned.plan.tables[0].slices.clear();
  planned.plan.tables[0].range.reset();
  const auto lines = PlanLines(planned, unload::UnloadOptions());
  EXPECT_THAT(lines[0], HasSubstr("no rows"));
  EXPECT_EQ(lines[2], "slices    0 UNLOADs");
  EXPECT_THAT(lines, Not(Contains(StartsWith("SQL"))));
}

TEST(ResumeCommandTest, CarriesWhatTheNextProcessNeedsAndQuotesIt) {
  unload::UnloadPlan plan = test::OneTable();
  UnloadFlags flags;
  EXPECT_EQ(ResumeCommand(flags, plan), "ts-unload resume 20240226T172438Z-5f8b3c");
  flags.session.client.profile = "the mover's";
  flags.session.client.endpoints.s3 = "http://127.0.0.1:4566";
  flags.session.client.no_verify_ssl = true;
  flags.input.parallel = "2";
  flags.input.keep_partial = true;
  flags.input.state_dir = "/var/lib/ts $HOME";
  EXPECT_EQ(ResumeCommand(flags, plan),
            "ts-unload resume 20240226T172438Z-5f8b3c --profile 'the mover'\\''s' --s3_endpoint "
            "http://127.0.0.1:4566 --no_verify_ssl --parallel 2 --keep_partial --state_dir "
            "'/var/lib/ts $HOME'");
  flags = {};
  plan.state = unload::StateStore::kS3;
  EXPECT_EQ(ResumeCommand(flags, plan),
            "ts-unload resume 20240226T172438Z-5f8b3c --region eu-west-1 --state s3 --s3_uri "
            "s3://bucket/unload");
}

unload::UnloadSummary Of(const unload::UnloadPlan& plan) {
  unload::UnloadSummary summary;
  summary.tables.push_back(Whole(plan));
  return summary;
}

TEST(NextCommandTest, LoadsWhatWasUnloaded) {
  unload::UnloadPlan plan = test::OneTable();
  UnloadFlags flags;
  flags.session.client.profile = "mover";
  EXPECT_EQ(NextCommand(flags, plan, Of(plan)),
            "ts-batchload --region eu-west-1 --profile mover --database TARGET_DATABASE --table "
            "myTable --create_timestream_resource --partition_key DIMENSION --s3_target_bucket "
            "bucket --destination_s3_prefix unload/ --unload_run 20240226T172438Z-5f8b3c "
            "--create_error_logging_bucket --s3_target_error_bucket ERROR_BUCKET");
  plan.data_model_out = "my model.json";
  EXPECT_THAT(NextCommand({}, plan, Of(plan)), HasSubstr("--data_model_file 'my model.json'"));
  plan.root.key = s3::ObjectKey();
  EXPECT_THAT(NextCommand({}, plan, Of(plan)), HasSubstr("--destination_s3_prefix '' "));
}

TEST(NextCommandTest, GzipIsCopied) {
  unload::UnloadPlan plan = test::OneTable();
  plan.format.compression = unload::Compression::kGzip;
  EXPECT_THAT(NextCommand({}, plan, Of(plan)),
              HasSubstr("--copy_s3_bucket --s3_source_bucket_location bucket --source_s3_prefix "
                        "unload/ --create_destination_bucket --s3_target_bucket TARGET_BUCKET "));
}

TEST(NextCommandTest, SeveralTablesKeepTheirNames) {
  unload::UnloadPlan plan = test::OneTable();
  plan.tables.push_back(plan.tables.front());
  const std::string command = NextCommand({}, plan, Of(plan));
  EXPECT_THAT(command, HasSubstr("--destination_s3_prefix unload/ "));
  EXPECT_THAT(command, Not(HasSubstr("--table ")));
}

TEST(NextCommandTest, IsNotOfferedForWhatCannotBeLoaded) {
  const unload::UnloadPlan plan = test::OneTable();
  unload::UnloadSummary none = Of(plan);
  none.tables.front().rows = 0;
  EXPECT_EQ(NextCommand({}, plan, none), "");
  const auto command = [](const auto& change) {
    unload::UnloadPlan changed = test::OneTable();
    change(changed.format);
    return NextCommand({}, changed, Of(changed));
  };
  using Format = unload::UnloadFormat;
  EXPECT_EQ(command([](Format& format) { format.format = unload::FileFormat::kParquet; }), "");
  EXPECT_EQ(command([](Format& format) { format.include_header = false; }), "");
  EXPECT_EQ(command([](Format& format) { format.field_delimiter = '^'; }), "");
  EXPECT_NE(command([](Format& format) { format.field_delimiter = '|'; }), "");
  EXPECT_NE(command([](Format& format) { format.max_file_size = "16MB"; }), "");
}

}  // namespace
}  // namespace tsm::apps
