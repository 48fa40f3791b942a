#include "tsm/batchload/load_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace tsm::batchload {
namespace {

using ::testing::HasSubstr;

LoadPlan Sample() {
  LoadPlan plan;
  plan.run_id = "20240226-1";
  plan.tool_version = "1.2.3";
  plan.region = "eu-west-1";
  plan.created = 1'708'968'278'000'000'001;
  plan.copy = true;
  plan.source_bucket = *s3::BucketName::Parse("aaa");
  plan.target_bucket = *s3::BucketName::Parse("bbb");
  plan.destination_prefix = "dest/";
  plan.report_bucket = *s3::BucketName::Parse("ccc");
  plan.report_prefix = "errors";
  plan.csv = {";", "'", "\"", "NULL", true};
  plan.record_version = 7;
  plan.group_by = GroupBy::kPacked;
  plan.verify = Verify::kContent;
  plan.canary = false;
  plan.allow_existing = true;
  TableLoad table;
  table.target = *timestream::TableRef::Make("targetdb", "t");
  table.source = *timestream::TableRef::Make("sourcedb", "t");
  table.record_uri = "s3://aaa/unload/tsm-run-1.json";
  table.listed = "s3://aaa/unload/";
  table.content_prefix = "unload/tsm-content-1/";
  table.data_model_json = R"({"TimeColumn":"nanoseconds","x":"\"ü"})";
  table.from = -5;
  table.end = std::numeric_limits<UnixNanos>::max();
  table.files = 3;
  table.bytes = 30;
  table.rows = 300;
  table.gzip = true;
  table.spool = "files-0.spool";
  table.target_prefix = "dest/unload/";
  table.places = {{"2024-02-26", -5, 10, 100, {0}}, {"2024-02-27", 10, 20, 200, {0, 1}}};
  plan.tables = {table, TableLoad()};
  plan.tables[1].target = *timestream::TableRef::Make("targetdb", "u");
  plan.groups = {{"g0001", 0, "dest/unload/a/", "a", 2, 20, 100, 0},
                 {"g0002", 0, "dest/unload/\"b\"/", "b", 1, 10, std::nullopt, 77}};
  return plan;
}

std::string With(std::string json, const std::string& from, const std::string& to) {
  const std::size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return json.replace(at, from.size(), to);
}

TEST(LoadPlanTest, IsReadBackAsItWasWritten) {
  const std::string json = ToJson(Sample());
  const Result<LoadPlan> plan = ParseLoadPlan(json);
  ASSERT_TRUE(plan) << plan.error().Text();
  EXPECT_EQ(ToJson(*plan), json);
  EXPECT_EQ(plan->tables[0].data_model_json, Sample().tables[0].data_model_json);
  EXPECT_EQ(plan->tables[0].from, -5);
  EXPECT_EQ(plan->tables[0].end, std::numeric_limits<UnixNanos>::max());
  EXPECT_EQ(plan->tables[0].places[1].groups, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(plan->tables[1].rows, std::nullopt);
  EXPECT_EQ(plan->tables[1].source, std::nullopt);
  EXPECT_EQ(plan->groups[1].prefix, "dest/unload/\"b\"/");
  EXPECT_EQ(plan->groups[1].offset, 77U);
  EXPECT_EQ(plan->csv.escape_char, "\"");
  EXPECT_TRUE(plan->csv.trim_white_space);
  EXPECT_EQ(plan->record_version, 7);
  EXPECT_EQ(plan->group_by, GroupBy::kPacked);
  EXPECT_EQ(plan->verify, Verify::kContent);
  EXPECT_EQ(plan->report_prefix, "errors");
  EXPECT_FALSE(plan->canary);
  EXPECT_TRUE(plan->allow_existing);
}

TEST(LoadPlanTest, OfARunThatOnlyCopiesHasNoTable) {
  LoadPlan plan;
  plan.load = false;
  plan.tables.emplace_back();
  const Result<LoadPlan> read = ParseLoadPlan(ToJson(plan));
  ASSERT_TRUE(read) << read.error().Text();
  EXPECT_EQ(read->tables[0].target.str(), ".");
  EXPECT_TRUE(read->report_bucket.empty());
}

TEST(LoadPlanTest, DamageIsNamedByItsPlace) {
  const std::string json = ToJson(Sample());
  const std::pair<std::string, std::string> cases[] = {
      {With(json, "\"region\":\"eu-west-1\"", "\"region\":5"), "region is missing"},
      {With(json, "\"table\":0,\"prefix\":\"dest/unload/a/\"", "\"table\":2,\"prefix\":\"x\""),
       "groups[0].table"},
      {With(json, "\"id\":\"g0002\"", "\"id\":\"g0001\""), "groups[1].id"},
      {With(json, "\"from\":10,\"end\":20", "\"from\":9,\"end\":20"), "tables[0].places[1].from"},
      {With(json, "\"groups\":[0,1]", "\"groups\":[0,2]"), "groups"},
      {With(json, "\"files\":3", "\"files\":-3"), "tables[0].files"},
      {With(json, "\"group_by\":\"packed\"", "\"group_by\":\"folder\""), "group_by"},
      {With(json, "\"source_bucket\":\"aaa\"", "\"source_bucket\":\"A\""), "source_bucket"},
      {"[]", "no JSON object"},
      {"{", "no JSON object"},
      {"{}", "format is missing"}};
  for (const auto& [text, expected] : cases) {
    const Result<LoadPlan> plan = ParseLoadPlan(text);
    ASSERT_FALSE(plan) << expected;
    EXPECT_EQ(plan.error().kind, ErrorKind::kBadReply);
    EXPECT_THAT(plan.error().message, HasSubstr(expected));
  }
  const Result<LoadPlan> newer = ParseLoadPlan(With(json, "\"format\":1", "\"format\":2"));
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(newer.error().message, HasSubstr("the version of ts-batchload that planned it"));
}

TEST(LoadPlanTest, AddsUpItsTables) {
  LoadPlan plan = Sample();
  plan.tables[1].files = 1;
  plan.tables[1].bytes = 5;
  EXPECT_EQ(plan.files(), 4U);
  EXPECT_EQ(plan.bytes(), 35U);
  EXPECT_EQ(plan.rows(), std::nullopt) << "one table does not tell";
  plan.tables[1].rows = 0;
  EXPECT_EQ(plan.rows(), 300U);
}

TEST(LoadPlanTest, HasATitle) {
  LoadPlan plan = Sample();
  plan.tables.pop_back();
  EXPECT_EQ(plan.Title(), "s3://aaa/unload/ to targetdb.t by s3://bbb/dest/");
  plan.copy = false;
  EXPECT_EQ(plan.Title(), "s3://aaa/unload/ to targetdb.t");
  plan.copy = true;
  plan.load = false;
  EXPECT_EQ(plan.Title(), "s3://aaa/unload/ to s3://bbb/dest/");
}

TEST(LoadPlanTest, ValuesHaveNames) {
  EXPECT_EQ(Name(GroupBy::kPartition), "partition");
  EXPECT_EQ(Name(GroupBy::kPacked), "packed");
  EXPECT_EQ(Name(Verify::kNone), "none");
  EXPECT_EQ(Name(Verify::kCount), "count");
  EXPECT_EQ(Name(Verify::kContent), "content");
}

TEST(NameSomeTest, CutsLongLists) {
  EXPECT_EQ(NameSome({}), "");
  EXPECT_EQ(NameSome({"a", "b"}), "a, b");
  EXPECT_EQ(NameSome({"a", "b", "c"}, 2), "a, b and 1 more");
}

}  // namespace
}  // namespace tsm::batchload
