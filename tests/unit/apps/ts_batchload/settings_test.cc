#include "ts_batchload/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace tsm::apps {
namespace {

using ::testing::HasSubstr;

// A data model file of the test's own, removed with it.
class ModelFile {
 public:
  explicit ModelFile(const std::string& text)
      : path_(testing::TempDir() + "ts_batchload_settings_" + std::to_string(getpid()) + "_" +
              std::to_string(++count_) + ".json") {
    std::ofstream(path_) << text;
  }
  ~ModelFile() { std::remove(path_.c_str()); }
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  inline static int count_ = 0;
  std::string path_;
};

constexpr const char* kModel =
    R"({"TimeColumn":"t","DimensionMappings":[{"SourceColumn":"city"}],
        "MultiMeasureMappings":{"TargetMultiMeasureName":"m","MultiMeasureAttributeMappings":[
          {"SourceColumn":"a","MeasureValueType":"DOUBLE"}]}})";

struct SettingsTest : ::testing::Test {
  SettingsTest() { flags.model.file = model.path(); }

  // Parses like the program; the data model file is given.
  std::optional<ExitCode> Parse(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "ts-batchload");
    arguments.push_back("--data_model_file=" + model.path());
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    return ParseBatchLoadFlags(static_cast<int>(argv.size()), argv.data(), flags);
  }
  std::string Refusal() {
    const Result<BatchLoadSettings> settings = CheckFlags(flags);
    return settings ? "no refusal" : settings.error().Text();
  }

  ModelFile model{kModel};
  BatchLoadFlags flags;
};

TEST_F(SettingsTest, TheDefaultsAreTheOriginals) {
  ASSERT_EQ(Parse({}), std::nullopt);
  EXPECT_EQ(flags.target.database, "batch_load_test");
  EXPECT_EQ(flags.target.table, "batch_load_test");
  EXPECT_EQ(flags.target.memory_store_hours, 24);
  EXPECT_EQ(flags.target.magnetic_store_days, 3655);
  EXPECT_EQ(flags.files.source_prefix, "results/");
  EXPECT_EQ(flags.files.destination_prefix, "dest/");
  EXPECT_EQ(flags.pace.threads, 5);
  EXPECT_EQ(flags.pace.part_bytes, 524288000);
  EXPECT_FALSE(flags.files.copy);
  const Result<BatchLoadSettings> settings = CheckFlags(flags);
  ASSERT_TRUE(settings) << settings.error().Text();
  EXPECT_EQ(settings->pace.table_slots, 5);
  EXPECT_EQ(settings->pace.poll_interval, std::chrono::seconds(10));
  EXPECT_EQ(settings->pace.start_interval, std::chrono::seconds(1));
  EXPECT_EQ(settings->pace.copy_concurrency, 64U);
  EXPECT_EQ(settings->pace.most_copy_concurrency, 192U);
  EXPECT_EQ(settings->csv.quote_char, "\"");
  EXPECT_EQ(settings->csv.escape_char, "\\");
  EXPECT_FALSE(settings->csv.trim_white_space);
  EXPECT_EQ(settings->verify, batchload::Verify::kCount);
  EXPECT_TRUE(settings->canary);
  EXPECT_TRUE(settings->load);
}

TEST_F(SettingsTest, TheOriginalReadmesLinesAreUnderstood) {
  ASSERT_EQ(Parse({"--region",
                   "us-west-2",
                   "--create_timestream_resource",
                   "--database=targetdb",
                   "--table=myTable",
                   "--partition_key",
                   "city",
                   "--copy_s3_bucket",
                   "--s3_source_bucket_location",
                   "timestream-unload-sourcedb-mytable",
                   "--source_s3_prefix",
                   "unload/results/",
                   "--create_destination_bucket",
                   "--s3_target_bucket",
                   "timestream-batchload-targetdb-mytable",
                   "--destination_s3_prefix",
                   "dest/",
                   "--create_error_logging_bucket",
                   "--s3_target_error_bucket",
                   "timestream-batchload-error-logs"}),
            std::nullopt);
  const Result<BatchLoadSettings> settings = CheckFlags(flags);
  ASSERT_TRUE(settings) << settings.error().Text();
  EXPECT_EQ(flags.session.client.region, "us-west-2");
  EXPECT_EQ(settings->table.str(), "targetdb.myTable");
  EXPECT_TRUE(settings->copy);
  EXPECT_TRUE(settings->create_table);
  EXPECT_EQ(settings->listed_bucket().str(), "timestream-unload-sourcedb-mytable");
  EXPECT_EQ(settings->listed_prefix(), "unload/results/");
  EXPECT_FALSE(NeedsAccount(*settings));
}

TEST_F(SettingsTest, EveryFlagIsReadInBothSpellings) {
  for (const bool dashes : {false, true}) {
    flags = BatchLoadFlags();
    std::vector<std::string> arguments = {
        "--database_name=db1",
        "--table_name=tb1",
        "--partition_key=city",
        "--create_timestream_resource",
        "--memory_store_retenion_in_hours=30",
        "--magnetic_store_retention_in_days=100",
        "--create_error_logging_bucket",
        "--create_destination_bucket",
        "--copy_s3_bucket",
        "--s3_source_bucket_location=src",
        "--s3_target_bucket=target",
        "--s3_target_error_bucket=errors",
        "--source_s3_prefix=a",
        "--destination_s3_prefix=b",
        "--sns_topic_arn=arn:aws:sns:eu-west-1:123456789012:topic",
        "--num_of_batchload_threads=2",
        "--multi_part_upload_chunk=5242880",
        "--verify=none",
        "--poll_interval=0.5",
        "--create_interval=0.25",
        "--copy_concurrency=7",
        "--quote_char='",
        "--escape_char=!",
        "--null_value=NULL"};
    if (dashes) {
      for (std::string& argument : arguments) {
        const auto end = argument.find('=');
        std::replace(argument.begin(),
                     end == std::string::npos ? argument.end()
                                              : argument.begin() + static_cast<std::ptrdiff_t>(end),
                     '_', '-');
      }
    }
    ASSERT_EQ(Parse(arguments), std::nullopt);
    const Result<BatchLoadSettings> settings = CheckFlags(flags);
    ASSERT_TRUE(settings) << settings.error().Text();
    EXPECT_EQ(settings->table.str(), "db1.tb1");
    EXPECT_EQ(settings->partition_key, "city");
    EXPECT_EQ(settings->memory_store_hours, 30);
    EXPECT_EQ(settings->magnetic_store_days, 100);
    EXPECT_TRUE(settings->create_table && settings->create_error_bucket &&
                settings->create_target_bucket && settings->copy);
    EXPECT_EQ(settings->source_bucket.str(), "src");
    EXPECT_EQ(settings->target_bucket.str(), "target");
    EXPECT_EQ(settings->error_bucket.str(), "errors");
    EXPECT_EQ(settings->source_prefix, "a/");
    EXPECT_EQ(settings->destination_prefix, "b/");
    EXPECT_EQ(settings->pace.topic->region, "eu-west-1");
    EXPECT_EQ(settings->pace.table_slots, 2);
    EXPECT_EQ(settings->verify, batchload::Verify::kNone);
    EXPECT_EQ(settings->pace.poll_interval, std::chrono::milliseconds(500));
    EXPECT_EQ(settings->pace.start_interval, std::chrono::milliseconds(250));
    EXPECT_EQ(settings->pace.copy_concurrency, 7U);
    EXPECT_EQ(settings->pace.most_copy_concurrency, 7U);
    EXPECT_EQ(settings->csv.quote_char, "'");
    EXPECT_EQ(settings->csv.escape_char, "!");
    EXPECT_EQ(settings->csv.null_value, "NULL");
    EXPECT_TRUE(CheckRegion(settings->pace, "eu-west-1"));
    EXPECT_FALSE(CheckRegion(settings->pace, "us-east-1"));
  }
  flags = BatchLoadFlags();
  ASSERT_EQ(Parse({"--memory_store_retention_in_hours", "31"}), std::nullopt);
  EXPECT_EQ(flags.target.memory_store_hours, 31);
}

// A script's unset variable: neither nought nor "not given".
TEST_F(SettingsTest, AnEmptyNumberIsNone) {
  for (const char* flag : {"--copy_concurrency", "--record_version", "--poll_interval"}) {
    EXPECT_EQ(Parse({flag, ""}), ExitCode::kUsage) << flag;
  }
}

TEST_F(SettingsTest, UnreadableFlagsEndWithUsage) {
  EXPECT_EQ(Parse({"--no_such_flag"}), ExitCode::kUsage);
  EXPECT_EQ(Parse({"--num_of_batchload_threads=many"}), ExitCode::kUsage);
  const char* const bare[] = {"ts-batchload"};
  EXPECT_EQ(ParseBatchLoadFlags(1, bare, flags), std::nullopt) << "a model can be made";
}

TEST_F(SettingsTest, MeaninglessValuesAreRefusedByName) {
  const struct {
    void (*change)(BatchLoadFlags&);
    const char* message;
  } cases[] = {
      {[](BatchLoadFlags& f) { f.target.database = "a b"; }, "database"},
      {[](BatchLoadFlags& f) { f.files.no_copy = f.files.copy = true; },
       "--no_copy contradicts --copy_s3_bucket"},
      {[](BatchLoadFlags& f) { f.files.safe_prefixes = true; }, "--safe_prefixes"},
      {[](BatchLoadFlags& f) { f.group_by = "packed"; }, "--copy_s3_bucket"},
      {[](BatchLoadFlags& f) { f.group_by = "size"; }, "must be partition or packed"},
      {[](BatchLoadFlags& f) { f.canary = "maybe"; }, "--canary"},
      {[](BatchLoadFlags& f) { f.model.record_version = -1; }, "--record_version"},
      {[](BatchLoadFlags& f) { f.files.kms_key = "k"; }, "--kms_key needs"},
      {[](BatchLoadFlags& f) { f.files.encryption = "none"; }, "--encryption"},
      {[](BatchLoadFlags& f) { f.pace.give_up_after = "soon"; }, "--give_up_after"},
      {[](BatchLoadFlags& f) { f.pace.account_tasks = 11; }, "from 1 to 10"},
      {[](BatchLoadFlags& f) { f.target.partition_key_enforcement = "no"; },
       "must be required or optional"},
      {[](BatchLoadFlags& f) {
         f.target.create = true;
         f.target.partition_key = "country";
       },
       "destination of no dimension"},
      {[](BatchLoadFlags& f) { f.target.memory_store_hours = 0; },
       "--memory_store_retention_in_hours is 0"},
      {[](BatchLoadFlags& f) { f.target.magnetic_store_days = 73'001; }, "from 1 to 73000"},
      {[](BatchLoadFlags& f) { f.files.copy = true; },
       "--copy_s3_bucket needs --s3_source_bucket_location"},
      {[](BatchLoadFlags& f) { f.files.source_bucket = "src"; }, "only with --copy_s3_bucket"},
      {[](BatchLoadFlags& f) { f.files.target_bucket = "No_Bucket"; }, "--s3_target_bucket"},
      {[](BatchLoadFlags& f) { f.pace.threads = 6; }, "--num_of_batchload_threads is 6"},
      {[](BatchLoadFlags& f) { f.pace.threads = 0; }, "from 1 to 5"},
      {[](BatchLoadFlags& f) { f.pace.part_bytes = 100; }, "--multi_part_upload_chunk"},
      {[](BatchLoadFlags& f) { f.pace.copy_concurrency = 0; }, "--copy_concurrency"},
      {[](BatchLoadFlags& f) { f.verify = "maybe"; }, "must be none, count or content"},
      {[](BatchLoadFlags& f) { f.pace.poll_interval = 0; }, "--poll_interval"},
      {[](BatchLoadFlags& f) { f.pace.start_interval = -1; }, "--start_interval"},
      {[](BatchLoadFlags& f) { f.model.quote_char = "ab"; },
       "--quote_char must be one ASCII character"},
      {[](BatchLoadFlags& f) { f.model.escape_char = ""; }, "--escape_char"},
      {[](BatchLoadFlags& f) { f.pace.sns_topic_arn = "topic"; }, "--sns_topic_arn"},
      {[](BatchLoadFlags& f) { f.model.file = "/"; }, "--data_model_file /"},
  };
  for (const auto& c : cases) {
    BatchLoadFlags good = flags;
    c.change(flags);
    EXPECT_THAT(Refusal(), HasSubstr(c.message));
    flags = good;
  }
  EXPECT_EQ(Refusal(), "no refusal");
}

TEST_F(SettingsTest, ABrokenDataModelNamesFileAndPlace) {
  const ModelFile broken(R"({"TimeColumn": 5})");
  flags.model.file = broken.path();
  EXPECT_THAT(Refusal(), HasSubstr(broken.path()));
  EXPECT_THAT(Refusal(), HasSubstr("$.TimeColumn"));
  const ModelFile empty("");
  flags.model.file = empty.path();
  EXPECT_THAT(Refusal(), HasSubstr(empty.path()));
  flags.model.file = "/does/not/exist.json";
  EXPECT_EQ(Refusal(),
            "--data_model_file /does/not/exist.json: /does/not/exist.json does not exist");
}

TEST_F(SettingsTest, ACopyMustNotWriteIntoItsSource) {
  flags.files.copy = true;
  flags.files.source_bucket = flags.files.target_bucket = "bucket";
  flags.files.source_prefix = "results/";
  flags.files.destination_prefix = "results/copy/";
  EXPECT_THAT(Refusal(), HasSubstr("would lie in what is copied"));
  flags.files.destination_prefix = "";
  EXPECT_THAT(Refusal(), HasSubstr("would lie in what is copied"));
  // The source key goes behind the destination prefix: a/ + a/a/… lies in a/a/.
  flags.files.source_prefix = "a/a/";
  flags.files.destination_prefix = "a/";
  EXPECT_THAT(Refusal(), HasSubstr("would lie in what is copied"));
  flags.files.source_prefix = "";
  flags.files.destination_prefix = "dest/";
  EXPECT_THAT(Refusal(), HasSubstr("would lie in what is copied")) << "the whole bucket is source";
  flags.files.source_prefix = "results/";
  EXPECT_EQ(Refusal(), "no refusal");
  flags.files.source_prefix = "unload/results/";
  flags.files.destination_prefix = "unload/";
  EXPECT_EQ(Refusal(), "no refusal");
}

TEST_F(SettingsTest, FlagsWithoutEffectAreNamedInOneNotice) {
  ASSERT_EQ(Parse({}), std::nullopt);
  EXPECT_EQ(CheckFlags(flags)->notice, "") << "defaults are no operator's words";
  ASSERT_EQ(Parse({"--source-s3-prefix=results/", "--copy_concurrency=2", "--partition_key=city",
                   "--memory_store_retenion_in_hours=24", "--magnetic_store_retention_in_days=9",
                   "--multi_part_upload_chunk=524288000", "--create_destination_bucket"}),
            std::nullopt);
  const std::string notice = CheckFlags(flags)->notice;
  EXPECT_THAT(notice, HasSubstr("--partition_key, --memory_store_retention_in_hours, "
                                "--magnetic_store_retention_in_days (without "
                                "--create_timestream_resource"));
  EXPECT_THAT(notice,
              HasSubstr("--source_s3_prefix, --create_destination_bucket, --copy_concurrency, "
                        "--multi_part_upload_chunk (without --copy_s3_bucket"));
  flags = BatchLoadFlags();
  ASSERT_EQ(Parse({"--copy_s3_bucket", "--s3_source_bucket_location=src", "--source_s3_prefix=a/",
                   "--create_timestream_resource", "--partition_key=city",
                   "--magnetic_store_retention_in_days=9"}),
            std::nullopt);
  EXPECT_EQ(CheckFlags(flags)->notice, "");
}

TEST_F(SettingsTest, DefaultBucketsAreNamedInLowerCase) {
  flags.target.database = "myDB";
  flags.target.table = "myTable";
  Result<BatchLoadSettings> settings = CheckFlags(flags);
  ASSERT_TRUE(settings);
  EXPECT_TRUE(NeedsAccount(*settings));
  ASSERT_TRUE(NameBuckets(*settings, "123456789012", "eu-west-1"));
  EXPECT_EQ(settings->target_bucket.str(),
            "timestream-batchload-mydb-mytable-123456789012-eu-west-1");
  EXPECT_EQ(settings->error_bucket.str(),
            "timestream-batchload-error-mydb-mytable-123456789012-eu-west-1");
  // S3 takes 63 characters,
  flags.target.database = "a_longer_name_of_a_database";
  flags.files.target_bucket = "target";
  settings = CheckFlags(flags);
  ASSERT_TRUE(settings);
  const Status too_long = NameBuckets(*settings, "123456789012", "eu-west-1");
  ASSERT_FALSE(too_long);
  EXPECT_THAT(too_long.error().Text(), HasSubstr("give --s3_target_error_bucket"));
  // and no '_', which the original's own default table has.
  flags = BatchLoadFlags();
  flags.model.file = model.path();
  settings = CheckFlags(flags);
  ASSERT_TRUE(settings);
  const Status refused = NameBuckets(*settings, "123456789012", "eu-west-1");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().Text(), HasSubstr("give --s3_target_bucket"));
}

}  // namespace
}  // namespace tsm::apps
