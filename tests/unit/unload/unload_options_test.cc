#include "tsm/unload/unload_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::unload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

UnloadInput Good() {
  UnloadInput input;
  input.database = "sourcedb";
  input.table = "myTable";
  return input;
}

// A database's or region's tables, to one place.
UnloadInput Many() {
  UnloadInput input;
  input.database = "sourcedb";
  input.all_tables = true;
  input.s3_uri = "s3://bucket/all";
  return input;
}

UnloadOptions Checked(const UnloadInput& input) {
  const Result<UnloadOptions> options = UnloadOptions::Check(input);
  EXPECT_TRUE(options) << options.error().Text();
  return options ? *options : UnloadOptions();
}

std::string Refusal(const UnloadInput& input) {
  const Result<UnloadOptions> options = UnloadOptions::Check(input);
  if (options) return "(accepted)";
  EXPECT_EQ(options.error().kind, ErrorKind::kInvalidInput);
  return options.error().message;
}

TEST(UnloadOptionsTest, LeavesOutWhatIsNotGiven) {
  const UnloadOptions options = Checked(Good());
  EXPECT_EQ(options.scope.str(), "sourcedb.myTable");
  EXPECT_FALSE(options.destination);
  EXPECT_FALSE(options.from);
  EXPECT_FALSE(options.end);
  EXPECT_EQ(options.partition, PartitionUnit::kNone);
  EXPECT_THAT(options.order_by, IsEmpty());
  EXPECT_THAT(options.columns, IsEmpty());
  EXPECT_EQ(options.slices.max_partitions, 100U);
  EXPECT_EQ(options.slices.target_bytes, 60'000'000'000U);
  EXPECT_EQ(options.run.parallel, 4U);
  EXPECT_EQ(options.run.start_interval, std::chrono::seconds(1));
  EXPECT_EQ(options.run.give_up_after, std::chrono::hours(24));
  EXPECT_EQ(options.run.verify, Verify::kCount);
  EXPECT_EQ(options.run.state, StateStore::kLocal);
}

TEST(UnloadOptionsTest, ReadsRangePlaceAndRole) {
  UnloadInput input = Good();
  input.s3_uri = "s3://bucket/some/prefix//";
  input.from_time = "1970-01-01 00:00:01";
  input.end_time = "1970-01-01 00:00:01.000000001";
  input.partition = "month";
  input.iam_role_arn = "arn:aws-us-gov:iam::123456789123:role/path/BatchLoadRole";
  const UnloadOptions options = Checked(input);
  EXPECT_EQ(options.destination->bucket.str(), "bucket");
  EXPECT_EQ(options.destination->key.str(), "some/prefix");
  EXPECT_EQ(options.from, 1'000'000'000);
  EXPECT_EQ(options.end, 1'000'000'001);
  EXPECT_EQ(options.partition, PartitionUnit::kMonth);
  EXPECT_EQ(options.iam_role_arn, input.iam_role_arn);
}

TEST(UnloadOptionsTest, ReadsWhichRowsAndColumns) {
  UnloadInput input = Good();
  input.columns = "city, temperature ,time";
  input.partitioned_by = "city";
  input.where = "  city IN ('a;b', '--') AND (\"x/*\" > 1)\n";
  input.order_by = "city desc, time";
  const UnloadOptions options = Checked(input);
  EXPECT_THAT(options.columns, ElementsAre("city", "temperature", "time"));
  EXPECT_THAT(options.partitioned_by, ElementsAre("city"));
  EXPECT_EQ(options.where, "city IN ('a;b', '--') AND (\"x/*\" > 1)");
  EXPECT_THAT(options.order_by, ElementsAre("city desc", "time"));
}

TEST(UnloadOptionsTest, ReadsSlicesRunAndPrices) {
  UnloadInput input = Good();
  input.partition = "day";
  input.max_partitions = "99";
  input.survey = true;
  input.target_size = "80 GB";
  input.recent_first = true;
  input.parallel = "32";
  input.start_interval = "0.05";
  input.give_up_after = "90m";
  input.verify = "content";
  input.append = true;
  input.keep_partial = true;
  input.state = "s3";
  input.state_dir = "/var/state";
  input.data_model_out = "model.json";
  input.dry_run = true;
  input.price_query_gb = "0";
  input.price_put_1000 = "0.0054";
  input.price_storage_gb_month = "1";
  const UnloadOptions options = Checked(input);
  EXPECT_EQ(options.slices.max_partitions, 99U);
  EXPECT_TRUE(options.slices.survey);
  EXPECT_EQ(options.slices.target_bytes, 80'000'000'000U);
  EXPECT_TRUE(options.slices.recent_first);
  EXPECT_EQ(options.run.parallel, 32U);
  EXPECT_EQ(options.run.start_interval, std::chrono::milliseconds(50));
  EXPECT_EQ(options.run.give_up_after, std::chrono::minutes(90));
  EXPECT_EQ(options.run.verify, Verify::kContent);
  EXPECT_TRUE(options.run.append);
  EXPECT_TRUE(options.run.keep_partial);
  EXPECT_EQ(options.run.state, StateStore::kS3);
  EXPECT_EQ(options.state_dir, "/var/state");
  EXPECT_EQ(options.data_model_out, "model.json");
  EXPECT_TRUE(options.dry_run);
  EXPECT_EQ(options.prices.query_gb, 0);
  EXPECT_EQ(options.prices.put_1000, 0.0054);
  EXPECT_EQ(options.prices.storage_gb_month, 1);
}

TEST(UnloadOptionsTest, ReadsEveryPartitionUnit) {
  for (const PartitionUnit unit : {PartitionUnit::kNone, PartitionUnit::kHour, PartitionUnit::kDay,
                                   PartitionUnit::kMonth, PartitionUnit::kYear}) {
    UnloadInput input = Good();
    input.partition = Name(unit);
    EXPECT_EQ(Checked(input).partition, unit);
  }
}

TEST(UnloadOptionsTest, ReadsEveryUnitOfTime) {
  const std::pair<const char*, std::chrono::nanoseconds> cases[] = {
      {"30s", std::chrono::seconds(30)},
      {"1.5h", std::chrono::minutes(90)},
      {"7d", std::chrono::hours(168)},
      {"30d", std::chrono::hours(720)}};
  for (const auto& [text, expected] : cases) {
    UnloadInput input = Good();
    input.give_up_after = text;
    EXPECT_EQ(Checked(input).run.give_up_after, expected) << text;
  }
}

TEST(UnloadOptionsTest, TakesSeveralTables) {
  UnloadInput input = Good();
  input.table = "a, b,c.d";
  input.s3_uri = "s3://bucket";
  EXPECT_EQ(Checked(input).scope.str(), "sourcedb.a, sourcedb.b, sourcedb.c.d");
}

TEST(UnloadOptionsTest, TakesAllTablesWithPatterns) {
  UnloadInput input = Many();
  input.include = {"cpu*,mem*", "disk"};
  input.exclude = {"*_old"};
  const TableScope scope = Checked(input).scope;
  EXPECT_EQ(scope.database, "sourcedb");
  EXPECT_THAT(scope.include, ElementsAre("cpu*", "mem*", "disk"));
  EXPECT_THAT(scope.exclude, ElementsAre("*_old"));
}

TEST(UnloadOptionsTest, TakesAllDatabases) {
  UnloadInput input;
  input.all_databases = true;
  input.s3_uri = "s3://bucket/all";
  EXPECT_EQ(Checked(input).scope.str(), "all databases");
}

TEST(UnloadOptionsTest, AForgottenTableDoesNotMeanAllOfThem) {
  UnloadInput input = Good();
  input.table = "";
  EXPECT_THAT(Refusal(input), AllOf(HasSubstr("--table: is required"), HasSubstr("--all_tables")));
  input.database = "";
  EXPECT_THAT(Refusal(input), AllOf(HasSubstr("--database"), HasSubstr("--all_databases")));
}

TEST(UnloadOptionsTest, OneWayOfNamingTablesExcludesTheOthers) {
  UnloadInput input = Good();
  input.all_tables = true;
  EXPECT_THAT(Refusal(input), HasSubstr("--all_tables: means every table of sourcedb"));
  input = Many();
  input.all_databases = true;
  EXPECT_THAT(Refusal(input), HasSubstr("--all_databases: stands alone"));
  input = Good();
  input.include = {"a*"};
  EXPECT_THAT(Refusal(input), HasSubstr("--include: chooses among"));
  input.include.clear();
  input.exclude = {"a*"};
  EXPECT_THAT(Refusal(input), HasSubstr("--exclude: chooses among"));
  input = Many();
  input.exclude = {"a*,,b"};
  EXPECT_THAT(Refusal(input), HasSubstr("--exclude: 'a*,,b' holds an empty name"));
}

TEST(UnloadOptionsTest, SeveralTablesNeedAPlaceForAll) {
  UnloadInput input = Many();
  input.s3_uri = "";
  EXPECT_THAT(Refusal(input),
              AllOf(HasSubstr("--s3_uri: is required"), HasSubstr("more than one")));
  input = Good();
  input.table = "a,b";
  EXPECT_THAT(Refusal(input), HasSubstr("--s3_uri: is required"));
  input = Many();
  input.data_model_out = "model.json";
  EXPECT_THAT(Refusal(input), HasSubstr("--data_model_out: 'model.json' is one file"));
}

// S3's 1,024 bytes less what an attempt and UNLOAD add.
TEST(UnloadOptionsTest, ThePrefixLeavesRoomForWhatIsAdded) {
  const auto accepts = [](UnloadInput input, std::size_t bytes) {
    input.s3_uri = "s3://bucket/" + std::string(bytes, 'p');
    return UnloadOptions::Check(input).has_value();
  };
  UnloadInput input = Good();
  EXPECT_TRUE(accepts(input, 881));
  EXPECT_FALSE(accepts(input, 882));
  input.partition = "hour";
  EXPECT_TRUE(accepts(input, 849));
  EXPECT_FALSE(accepts(input, 852));
  input.partitioned_by = std::string(100, 'c');
  EXPECT_FALSE(accepts(input, 700));
  input = Good();
  input.table = "aaaa,bb";
  EXPECT_TRUE(accepts(input, 881 - 14));  // "/sourcedb/aaaa"
  EXPECT_FALSE(accepts(input, 882 - 14));
  // Names that are not known may have 256 bytes.
  EXPECT_TRUE(accepts(Many(), 881 - 266));
  EXPECT_FALSE(accepts(Many(), 882 - 266));
}

TEST(UnloadOptionsTest, AnAccessPointsAliasNeedsAFolderAndHasNoPolicy) {
  UnloadInput input = Good();
  input.s3_uri = "s3://my-point-abc123-s3alias";
  EXPECT_THAT(Refusal(input), HasSubstr("s3://ALIAS/FOLDER"));
  input.s3_uri += "/unload";
  EXPECT_EQ(Checked(input).destination->key.str(), "unload");
  input.iam_role_arn = "arn:aws:iam::123456789123:role/x";
  EXPECT_THAT(Refusal(input), HasSubstr("no bucket policy"));
}

TEST(UnloadOptionsTest, RefusesWhatWouldHaveNoEffect) {
  UnloadInput input = Good();
  input.max_partitions = "50";
  EXPECT_THAT(Refusal(input), HasSubstr("--max_partitions: '50' has no effect without"));
  input = Good();
  input.target_size = "60GB";
  EXPECT_THAT(Refusal(input), HasSubstr("--target_size: '60GB' needs --survey"));
  input = Good();
  input.redo_changed = true;
  EXPECT_THAT(Refusal(input), HasSubstr("ts-unload resume"));
}

TEST(UnloadOptionsTest, TellsTheLimitsOfSlices) {
  UnloadInput input = Good();
  input.partition = "day";
  for (const char* bad : {"0", "101", "ten", "-1", "1.5"}) {
    input.max_partitions = bad;
    EXPECT_THAT(Refusal(input), HasSubstr("is not a number from 1 to 100")) << bad;
  }
  input = Good();
  input.survey = true;
  for (const char* bad : {"15MB", "80.1GB", "60", "GB", "1TB"}) {
    input.target_size = bad;
    EXPECT_THAT(Refusal(input), HasSubstr("16MB to 80GB")) << bad;
  }
}

TEST(UnloadOptionsTest, FormatIsCheckedToo) {
  UnloadInput input = Good();
  input.format.compression = "zip";
  EXPECT_THAT(Refusal(input), HasSubstr("--compression"));
}

struct BadCase {
  const char* name;
  std::string UnloadInput::*field;
  std::string value;
  std::string message;
};

class BadUnloadInputTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadUnloadInputTest, IsRefusedWithTheFlagNamed) {
  UnloadInput input = Good();
  input.from_time = "2024-01-02";
  input.*GetParam().field = GetParam().value;
  EXPECT_THAT(Refusal(input), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadUnloadInputTest,
    ::testing::Values(
        BadCase{"bad_database", &UnloadInput::database, "a\"; DROP", "--database: "},
        BadCase{"bad_table", &UnloadInput::table, "my table", "--table: "},
        BadCase{"table_twice", &UnloadInput::table, "a,b,a", "--table: 'a,b,a' names a twice"},
        BadCase{"empty_table", &UnloadInput::table, "a,", "holds an empty name"},
        BadCase{"not_s3", &UnloadInput::s3_uri, "https://bucket/x", "--s3_uri"},
        BadCase{"upper_bucket", &UnloadInput::s3_uri, "s3://Bucket/x", "--s3_uri"},
        BadCase{"long_prefix", &UnloadInput::s3_uri, "s3://bucket/" + std::string(900, 'p'),
                "900 bytes"},
        BadCase{"bad_from", &UnloadInput::from_time, "yesterday", "--from_time"},
        BadCase{"no_such_day", &UnloadInput::end_time, "2024-02-30", "--end_time"},
        BadCase{"end_before_from", &UnloadInput::end_time, "2024-01-01", "not after --from_time"},
        BadCase{"end_is_from", &UnloadInput::end_time, "2024-01-02T00:00:00Z",
                "not after --from_time"},
        BadCase{"weeks", &UnloadInput::partition, "week", "hour, day, month, year"},
        BadCase{"user_arn", &UnloadInput::iam_role_arn, "arn:aws:iam::123456789123:user/x",
                "--iam_role_arn"},
        BadCase{"short_account", &UnloadInput::iam_role_arn, "arn:aws:iam::12345:role/x",
                "--iam_role_arn"},
        BadCase{"no_role_name", &UnloadInput::iam_role_arn, "arn:aws:iam::123456789123:role/",
                "--iam_role_arn"},
        BadCase{"columns_gap", &UnloadInput::columns, "a,,b", "--columns: 'a,,b' holds an empty"},
        BadCase{"columns_blank", &UnloadInput::columns, " ", "--columns"},
        BadCase{"columns_twice", &UnloadInput::columns, "a, a", "names a twice"},
        BadCase{"partitions_twice", &UnloadInput::partitioned_by, "a,a", "--partitioned_by"},
        BadCase{"order_direction", &UnloadInput::order_by, "time, desc", "before desc"},
        BadCase{"order_gap", &UnloadInput::order_by, "time,", "--order_by"},
        BadCase{"parallel_zero", &UnloadInput::parallel, "0", "--parallel: '0'"},
        BadCase{"parallel_many", &UnloadInput::parallel, "33", "1 to 32 UNLOADs at once"},
        BadCase{"interval_zero", &UnloadInput::start_interval, "0", "above 0 and up to 3,600"},
        BadCase{"interval_long", &UnloadInput::start_interval, "3601", "3,600"},
        BadCase{"interval_text", &UnloadInput::start_interval, "1s", "--start_interval"},
        BadCase{"patience_bare", &UnloadInput::give_up_after, "24", "such as 30s, 90m, 24h"},
        BadCase{"patience_zero", &UnloadInput::give_up_after, "0h", "above 0"},
        BadCase{"patience_long", &UnloadInput::give_up_after, "31d", "up to 30d"},
        BadCase{"patience_huge", &UnloadInput::give_up_after, std::string(300, '9') + "h",
                "up to 30d"},
        BadCase{"verify", &UnloadInput::verify, "sum", "none, count, content"},
        BadCase{"state", &UnloadInput::state, "dynamodb", "local, s3"},
        BadCase{"price", &UnloadInput::price_query_gb, "-1", "--price_query_gb"},
        BadCase{"price_text", &UnloadInput::price_put_1000, "cheap", "--price_put_1000"},
        BadCase{"price_nan", &UnloadInput::price_storage_gb_month, "nan",
                "--price_storage_gb_month"}),
    [](const auto& tested) { return tested.param.name; });

struct BadWhere {
  const char* name;
  std::string text;
  std::string why;
};

class BadWhereTest : public ::testing::TestWithParam<BadWhere> {};

TEST_P(BadWhereTest, CannotStandInParentheses) {
  UnloadInput input = Good();
  input.where = GetParam().text;
  EXPECT_THAT(Refusal(input), AllOf(HasSubstr("--where"), HasSubstr(GetParam().why)));
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadWhereTest,
    ::testing::Values(BadWhere{"blank", "  ", "is blank"},
                      BadWhere{"ends_ours", "a = 1) OR (b = 2", "closes a parenthesis"},
                      BadWhere{"open", "(a = 1", "leaves a parenthesis open"},
                      BadWhere{"quote", "a = 'x", "leaves a ' open"},
                      BadWhere{"identifier", "\"a = 1", "leaves a \" open"},
                      BadWhere{"doubled", "a = 'x''", "leaves a ' open"},
                      BadWhere{"statement", "a = 1; SELECT 1", "';'"},
                      BadWhere{"line_comment", "a = 1 -- b", "comment mark --"},
                      BadWhere{"comment", "a = 1 /* b", "comment mark /*"},
                      BadWhere{"comment_end", "a = 1 */", "comment mark */"},
                      BadWhere{"long", "a = '" + std::string(70'000, 'x') + "'", "65,536"}),
    [](const auto& tested) { return tested.param.name; });

TEST(UnloadOptionsTest, WhereMayQuoteAnything) {
  for (const char* text : {"a = 'it''s (;--/*'", "\"b\"\"(\" = 1", "((a) = 1)", "a = '\"'"}) {
    UnloadInput input = Good();
    input.where = text;
    EXPECT_EQ(Checked(input).where, text);
  }
}

TEST(RunSettingsTest, AreCheckedAloneForResume) {
  UnloadInput input;
  input.parallel = "2";
  input.keep_partial = true;
  const Result<RunSettings> run = CheckRunSettings(input);
  ASSERT_TRUE(run) << run.error().Text();
  EXPECT_EQ(run->parallel, 2U);
  EXPECT_TRUE(run->keep_partial);
  input.parallel = "x";
  EXPECT_FALSE(CheckRunSettings(input));
}

TEST(DefaultBucketTest, IsTheOriginalsInLowerCase) {
  const auto table = *timestream::TableRef::Make("sourceDB", "myTable");
  EXPECT_EQ(DefaultBucket(table, "123456789012")->str(),
            "timestream-unload-sourcedb-mytable-123456789012");
}

TEST(DefaultBucketTest, SaysWhatToDoWhereTheNameIsNotPossible) {
  for (const std::string& name : {std::string("my_table"), std::string(40, 't')}) {
    const auto table = *timestream::TableRef::Make("sourcedb", name);
    const Result<s3::BucketName> bucket = DefaultBucket(table, "123456789012");
    ASSERT_FALSE(bucket) << name;
    EXPECT_EQ(bucket.error().kind, ErrorKind::kInvalidInput);
    EXPECT_THAT(bucket.error().message, HasSubstr("--s3_uri"));
  }
}

}  // namespace
}  // namespace tsm::unload
