#include "ts_unload/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace tsm::apps {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Command = UnloadFlags::Command;

std::optional<ExitCode> Parse(std::vector<const char*> arguments, UnloadFlags& flags) {
  arguments.insert(arguments.begin(), "ts-unload");
  return ParseUnloadFlags(static_cast<int>(arguments.size()), arguments.data(), flags);
}

// What a refused command line says on stderr.
std::string Refusal(const std::vector<const char*>& arguments) {
  UnloadFlags flags;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Parse(arguments, flags), ExitCode::kUsage);
  return ::testing::internal::GetCapturedStderr();
}

std::string Help(std::vector<const char*> arguments) {
  UnloadFlags flags;
  arguments.push_back("--help");
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Parse(arguments, flags), ExitCode::kDone);
  return ::testing::internal::GetCapturedStdout();
}

void ExpectTheOriginals(const UnloadFlags& flags) {
  EXPECT_EQ(flags.command, Command::kRun);
  EXPECT_EQ(flags.session.client.region, "eu-west-1");
  EXPECT_EQ(flags.input.database, "sourcedb");
  EXPECT_EQ(flags.input.table, "myTable");
  EXPECT_EQ(flags.input.s3_uri, "s3://b/unload");
  EXPECT_EQ(flags.input.from_time, "2024-01-01 00:00:00");
  EXPECT_EQ(flags.input.end_time, "2024-01-02");
  EXPECT_EQ(flags.input.partition, "day");
  EXPECT_EQ(flags.input.iam_role_arn, "arn:aws:iam::123456789123:role/R");
}

TEST(UnloadFlagsTest, TheOriginalsShortForms) {
  UnloadFlags flags;
  EXPECT_EQ(Parse({"-r", "eu-west-1", "-d", "sourcedb", "-t", "myTable", "-s", "s3://b/unload",
                   "-f", "2024-01-01 00:00:00", "-e", "2024-01-02", "-p", "day", "-i",
                   "arn:aws:iam::123456789123:role/R"},
                  flags),
            std::nullopt);
  ExpectTheOriginals(flags);
}

TEST(UnloadFlagsTest, TheOriginalsLongForms) {
  for (const auto& [database, table] : {std::pair{"--database=sourcedb", "--table"},
                                        std::pair{"--database_name=sourcedb", "--table_name"},
                                        std::pair{"--database-name=sourcedb", "--table-name"}}) {
    UnloadFlags flags;
    EXPECT_EQ(Parse({"--region", "eu-west-1", database, table, "myTable", "--s3_uri=s3://b/unload",
                     "--from_time", "2024-01-01 00:00:00", "--end_time", "2024-01-02",
                     "--partition", "day", "--iam_role_arn", "arn:aws:iam::123456789123:role/R"},
                    flags),
              std::nullopt);
    ExpectTheOriginals(flags);
  }
}

TEST(UnloadFlagsTest, FormsWithDashes) {
  UnloadFlags flags;
  EXPECT_EQ(Parse({"--region", "eu-west-1", "--database", "sourcedb", "--table", "myTable",
                   "--s3-uri", "s3://b/unload", "--from-time", "2024-01-01 00:00:00", "--end-time",
                   "2024-01-02", "--partition", "day", "--iam-role-arn",
                   "arn:aws:iam::123456789123:role/R", "--order-by", "time", "-v"},
                  flags),
            std::nullopt);
  ExpectTheOriginals(flags);
  EXPECT_EQ(flags.input.order_by, "time");
  EXPECT_EQ(flags.session.verbosity, 1);
}

// Each flag with a value of its own, once as documented and once with dashes.
TEST(UnloadFlagsTest, EveryFlagOfARunFillsItsField) {
  struct Case {
    std::string flag;
    std::string unload::UnloadInput::*field;
  };
  using Input = unload::UnloadInput;
  const Case cases[] = {{"database", &Input::database},
                        {"table", &Input::table},
                        {"from_time", &Input::from_time},
                        {"end_time", &Input::end_time},
                        {"partition", &Input::partition},
                        {"partitioned_by", &Input::partitioned_by},
                        {"columns", &Input::columns},
                        {"where", &Input::where},
                        {"order_by", &Input::order_by},
                        {"s3_uri", &Input::s3_uri},
                        {"iam_role_arn", &Input::iam_role_arn},
                        {"max_partitions", &Input::max_partitions},
                        {"target_size", &Input::target_size},
                        {"parallel", &Input::parallel},
                        {"start_interval", &Input::start_interval},
                        {"give_up_after", &Input::give_up_after},
                        {"verify", &Input::verify},
                        {"state", &Input::state},
                        {"state_dir", &Input::state_dir},
                        {"data_model_out", &Input::data_model_out},
                        {"price_query_gb", &Input::price_query_gb},
                        {"price_put_1000", &Input::price_put_1000},
                        {"price_storage_gb_month", &Input::price_storage_gb_month}};
  for (const Case& one : cases) {
    std::string dashes = one.flag;
    std::replace(dashes.begin(), dashes.end(), '_', '-');
    for (const std::string& name : {one.flag, dashes}) {
      UnloadFlags flags;
      const std::string argument = "--" + name + "=value of " + name;
      EXPECT_EQ(Parse({argument.c_str()}, flags), std::nullopt);
      EXPECT_EQ(flags.input.*one.field, "value of " + name);
    }
  }
}

TEST(UnloadFlagsTest, EveryFlagOfTheFilesFillsItsField) {
  using Format = unload::FormatInput;
  const std::pair<const char*, std::string Format::*> cases[] = {
      {"--format", &Format::format},
      {"--compression", &Format::compression},
      {"--encryption", &Format::encryption},
      {"--kms_key", &Format::kms_key},
      {"--kms-key", &Format::kms_key},
      {"--field_delimiter", &Format::field_delimiter},
      {"--escaped_by", &Format::escaped_by},
      {"--include_header", &Format::include_header},
      {"--max_file_size", &Format::max_file_size}};
  for (const auto& [flag, field] : cases) {
    UnloadFlags flags;
    EXPECT_EQ(Parse({flag, "x"}, flags), std::nullopt);
    EXPECT_EQ(flags.input.format.*field, "x") << flag;
  }
}

TEST(UnloadFlagsTest, EverySwitchSetsItsField) {
  using Input = unload::UnloadInput;
  const std::pair<const char*, bool Input::*> cases[] = {{"--all_tables", &Input::all_tables},
                                                         {"--all-databases", &Input::all_databases},
                                                         {"--survey", &Input::survey},
                                                         {"--recent_first", &Input::recent_first},
                                                         {"--append", &Input::append},
                                                         {"--keep_partial", &Input::keep_partial},
                                                         {"--keep-partial", &Input::keep_partial},
                                                         {"--dry_run", &Input::dry_run},
                                                         {"--dry-run", &Input::dry_run}};
  for (const auto& [flag, field] : cases) {
    UnloadFlags flags;
    EXPECT_EQ(Parse({flag}, flags), std::nullopt);
    EXPECT_TRUE(flags.input.*field) << flag;
    EXPECT_FALSE(flags.json);
  }
  UnloadFlags flags;
  EXPECT_EQ(Parse({"--json"}, flags), std::nullopt);
  EXPECT_TRUE(flags.json);
}

TEST(UnloadFlagsTest, PatternsMayBeRepeatedAndTakeNoMoreThanTheirOwnValue) {
  UnloadFlags flags;
  EXPECT_EQ(Parse({"--include", "a*,b*", "--include=c", "--exclude", "*_old", "-d", "db"}, flags),
            std::nullopt);
  EXPECT_THAT(flags.input.include, ElementsAre("a*,b*", "c"));
  EXPECT_THAT(flags.input.exclude, ElementsAre("*_old"));
  EXPECT_EQ(flags.input.database, "db");
  EXPECT_THAT(Refusal({"--include", "a", "b"}), HasSubstr("not expected: b"));
}

TEST(UnloadFlagsTest, OfAFlagGivenTwiceTheLaterOneCounts) {
  UnloadFlags flags;
  EXPECT_EQ(Parse({"--table", "a", "--table", "b"}, flags), std::nullopt);
  EXPECT_EQ(flags.input.table, "b");
}

TEST(UnloadFlagsTest, WhatIsUnknownIsRefused) {
  EXPECT_THAT(Refusal({"--redo_changed"}), HasSubstr("--redo_changed"));
  EXPECT_THAT(Refusal({"resum"}), HasSubstr("resum"));
  EXPECT_THAT(Refusal({"--database"}), HasSubstr("--database"));
}

TEST(UnloadFlagsTest, ResumeTakesARunAndWhatMayChange) {
  UnloadFlags flags;
  EXPECT_EQ(Parse({"resume", "20261122T0511", "--redo_changed", "--keep_partial", "--parallel", "2",
                   "--start_interval", "0.5", "--give_up_after", "2h", "--state_dir", "/s",
                   "--state", "s3", "--s3_uri", "s3://b/unload", "-r", "eu-west-1", "--json"},
                  flags),
            std::nullopt);
  EXPECT_EQ(flags.command, Command::kResume);
  EXPECT_EQ(flags.run, "20261122T0511");
  EXPECT_TRUE(flags.input.redo_changed);
  EXPECT_TRUE(flags.input.keep_partial);
  EXPECT_EQ(flags.input.parallel, "2");
  EXPECT_EQ(flags.input.start_interval, "0.5");
  EXPECT_EQ(flags.input.give_up_after, "2h");
  EXPECT_EQ(flags.input.state_dir, "/s");
  EXPECT_EQ(flags.input.state, "s3");
  EXPECT_EQ(flags.input.s3_uri, "s3://b/unload");
  EXPECT_EQ(flags.session.client.region, "eu-west-1");
  EXPECT_TRUE(flags.json);
}

TEST(UnloadFlagsTest, ResumeRefusesWhatTheRunHasDecided) {
  EXPECT_THAT(Refusal({"resume"}), AllOf(HasSubstr("ts-unload resume: error: RUN is required"),
                                         HasSubstr("ts-unload resume --help")));
  EXPECT_THAT(Refusal({"resume", "last", "--database", "d"}), HasSubstr("--database"));
  EXPECT_THAT(Refusal({"resume", "last", "--s3_uri", "s3://b"}),
              HasSubstr("--s3_uri: has no effect without --state s3"));
  EXPECT_THAT(Refusal({"resume", "last", "--state", "s3"}),
              HasSubstr("--state s3: needs --s3_uri"));
}

TEST(UnloadFlagsTest, StatusTakesARun) {
  UnloadFlags flags;
  EXPECT_EQ(Parse({"status", "--json", "last", "--state-dir=/s"}, flags), std::nullopt);
  EXPECT_EQ(flags.command, Command::kStatus);
  EXPECT_EQ(flags.run, "last");
  EXPECT_EQ(flags.input.state_dir, "/s");
  EXPECT_TRUE(flags.json);
  EXPECT_THAT(Refusal({"status"}), HasSubstr("RUN is required"));
  EXPECT_THAT(Refusal({"status", "last", "--region", "r"}), HasSubstr("--region"));
}

TEST(UnloadFlagsTest, ListTakesNoRun) {
  UnloadFlags flags;
  EXPECT_EQ(Parse({"list", "--state_dir", "/s"}, flags), std::nullopt);
  EXPECT_EQ(flags.command, Command::kList);
  EXPECT_EQ(flags.input.state_dir, "/s");
  EXPECT_FALSE(flags.json);
  EXPECT_THAT(Refusal({"list", "last"}), HasSubstr("last"));
}

TEST(UnloadFlagsTest, HelpNamesCommandsCodesAndUnits) {
  const std::string help = Help({});
  for (const char* told : {"ts-unload resume last", "ts-unload status last", "ts-unload list",
                           "Exit codes: 0 done and proven", "130 interrupted", "one start per",
                           "Which tables", "--partitioned_by", "--price_storage_gb_month"}) {
    EXPECT_THAT(help, HasSubstr(told));
  }
  EXPECT_THAT(Help({"resume"}), AllOf(HasSubstr("--redo_changed"), HasSubstr("RUN")));
  EXPECT_THAT(Help({"status"}), HasSubstr("--state_dir"));
  EXPECT_THAT(Help({"list"}), HasSubstr("--json"));
}

}  // namespace
}  // namespace tsm::apps
