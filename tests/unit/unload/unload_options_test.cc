#include "tsm/unload/unload_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::unload {
namespace {

using ::testing::HasSubstr;

UnloadInput Good() {
  UnloadInput input;
  input.database = "sourcedb";
  input.table = "myTable";
  return input;
}

TEST(UnloadOptionsTest, LeavesOutWhatIsNotGiven) {
  const Result<UnloadOptions> options = UnloadOptions::Check(Good());
  ASSERT_TRUE(options) << options.error().Text();
  EXPECT_EQ(options->table.str(), "sourcedb.myTable");
  EXPECT_FALSE(options->destination);
  EXPECT_FALSE(options->from);
  EXPECT_FALSE(options->end);
  EXPECT_EQ(options->partition, PartitionUnit::kNone);
  EXPECT_FALSE(options->order_by_time);
}

TEST(UnloadOptionsTest, ReadsEveryFlag) {
  UnloadInput input = Good();
  input.s3_uri = "s3://bucket/some/prefix//";
  input.from_time = "1970-01-01 00:00:01";
  input.end_time = "1970-01-01 00:00:01.000000001";
  input.partition = "month";
  input.iam_role_arn = "arn:aws-us-gov:iam::123456789123:role/path/BatchLoadRole";
  input.order_by = "time";
  const Result<UnloadOptions> options = UnloadOptions::Check(input);
  ASSERT_TRUE(options) << options.error().Text();
  EXPECT_EQ(options->destination->bucket.str(), "bucket");
  EXPECT_EQ(options->destination->key.str(), "some/prefix");
  EXPECT_EQ(options->from, 1'000'000'000);
  EXPECT_EQ(options->end, 1'000'000'001);
  EXPECT_EQ(options->partition, PartitionUnit::kMonth);
  EXPECT_TRUE(options->order_by_time);
}

TEST(UnloadOptionsTest, ReadsEveryPartitionUnit) {
  for (const PartitionUnit unit : {PartitionUnit::kNone, PartitionUnit::kHour, PartitionUnit::kDay,
                                   PartitionUnit::kMonth, PartitionUnit::kYear}) {
    UnloadInput input = Good();
    input.partition = Name(unit);
    const Result<UnloadOptions> options = UnloadOptions::Check(input);
    ASSERT_TRUE(options) << options.error().Text();
    EXPECT_EQ(options->partition, unit);
  }
}

struct BadCase {
  const char* name;
  std::string UnloadInput::*field;
  std::string value;
  const char* message;
};

class BadUnloadInputTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadUnloadInputTest, IsRefusedByName) {
  UnloadInput input = Good();
  input.from_time = "2024-01-02";
  input.*GetParam().field = GetParam().value;
  const Result<UnloadOptions> options = UnloadOptions::Check(input);
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(options.error().Text(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadUnloadInputTest,
    ::testing::Values(BadCase{"no_database", &UnloadInput::database, "", "--database"},
                      BadCase{"bad_database", &UnloadInput::database, "a\"; DROP", "database"},
                      BadCase{"no_table", &UnloadInput::table, "", "--table"},
                      BadCase{"bad_table", &UnloadInput::table, "my table", "table"},
                      BadCase{"not_s3", &UnloadInput::s3_uri, "https://bucket/x", "--s3_uri"},
                      BadCase{"upper_bucket", &UnloadInput::s3_uri, "s3://Bucket/x", "--s3_uri"},
                      BadCase{"long_prefix", &UnloadInput::s3_uri,
                              "s3://bucket/" + std::string(900, 'p'), "900 bytes"},
                      BadCase{"bad_from", &UnloadInput::from_time, "yesterday", "--from_time"},
                      BadCase{"no_such_day", &UnloadInput::end_time, "2024-02-30", "--end_time"},
                      BadCase{"end_before_from", &UnloadInput::end_time, "2024-01-01",
                              "not after --from_time"},
                      BadCase{"end_is_from", &UnloadInput::end_time, "2024-01-02T00:00:00Z",
                              "not after --from_time"},
                      BadCase{"weeks", &UnloadInput::partition, "week", "hour, day, month, year"},
                      BadCase{"user_arn", &UnloadInput::iam_role_arn,
                              "arn:aws:iam::123456789123:user/x", "--iam_role_arn"},
                      BadCase{"short_account", &UnloadInput::iam_role_arn,
                              "arn:aws:iam::12345:role/x", "--iam_role_arn"},
                      BadCase{"no_role_name", &UnloadInput::iam_role_arn,
                              "arn:aws:iam::123456789123:role/", "--iam_role_arn"},
                      BadCase{"order_by_city", &UnloadInput::order_by, "city", "--order_by"}),
    [](const auto& tested) { return tested.param.name; });

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
