#include "tsm/unload/unload_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "tsm/timestream/partition_calendar.h"
#include "unload/plan_sample.h"

namespace tsm::unload {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using timestream::ColumnRole;

UnloadSlice FullSlice() {
  UnloadSlice slice = MakeSlice(2, 10 * kDay + 1, 20 * kDay + 999'999'999);
  slice.part = "ab";
  slice.rows = 2'000'000'000;
  slice.bytes = 18'000'000'000'000'000'000U;
  return slice;
}

// No member has its default.
TablePlan FullTable() {
  TablePlan table = SampleTable();
  TableSelect& select = table.select;
  select.columns = {"city", "say \"so\"", "größe", "seen"};
  select.time_alias = "nanoseconds_2";
  select.timestamps = {{"seen", "seen_nanoseconds"}};
  select.partition_alias = "partition_date_2";
  select.partitioned_by = {{"city", "partition_city"}, {"größe", "partition_größe"}};
  select.where = "city <> 'Oslo' AND \"größe\" > 1\n";
  select.order_by = {"time", "city desc"};
  table.schema = {{{"city", "varchar", ColumnRole::kDimension},
                   {"measure_name", "varchar", ColumnRole::kMeasureName},
                   {"time", "timestamp", ColumnRole::kTimestamp},
                   {"measure_value::double", "double", ColumnRole::kMeasureValue},
                   {"seen", "timestamp", ColumnRole::kMulti}}};
  table.measures = {{"climate", "multi", {{"city", "varchar"}, {"id", "varchar"}}},
                    {"empty", "double", {}}};
  table.destination = *s3::S3Uri::Parse("s3://bkt/unload/ü/sourcedb/myTable");
  table.range_asked = true;
  table.slices = {FullSlice(), MakeSlice(1, 0, 10 * kDay + 1)};  // the recent first
  table.survey = Survey{{0, 0}, {kDay, 17}, {2 * kDay, 18'000'000'000'000'000'000U}};
  return table;
}

UnloadPlan FullPlan() {
  UnloadPlan plan;
  plan.run_id = "20240226-172438-k3f9";
  plan.tool_version = "0.1.0";
  plan.account = "123456789012";
  plan.region = "eu-west-1";
  plan.created = 1'708'968'278'270'000'001;
  plan.format.format = FileFormat::kParquet;
  plan.format.compression = Compression::kGzip;
  plan.format.encryption = Encryption::kSseKms;
  plan.format.kms_key = "arn:aws:kms:eu-west-1:123456789012:key/k";
  plan.format.field_delimiter = '\t';
  plan.format.escaped_by = '"';
  plan.format.include_header = false;
  plan.format.max_file_size = "16.5MB";
  plan.partition = PartitionUnit::kHour;
  plan.iam_role_arn = "arn:aws:iam::123456789012:role/loader";
  plan.verify = Verify::kContent;
  plan.state = StateStore::kS3;
  plan.data_model_out = "model.json";
  plan.append = true;
  plan.root = *s3::S3Uri::Parse("s3://bkt/unload/ü");
  plan.default_bucket = true;
  plan.tables = {FullTable(), SampleTable("empty")};
  plan.tables[1].range.reset();
  plan.tables[1].slices.clear();
  return plan;
}

void ExpectSame(const TableSelect& a, const TableSelect& b) {
  EXPECT_EQ(a.table, b.table);
  EXPECT_EQ(a.columns, b.columns);
  EXPECT_EQ(a.time_alias, b.time_alias);
  EXPECT_EQ(a.timestamps, b.timestamps);
  EXPECT_EQ(a.partition, b.partition);
  EXPECT_EQ(a.partition_alias, b.partition_alias);
  EXPECT_EQ(a.partitioned_by, b.partitioned_by);
  EXPECT_EQ(a.where, b.where);
  EXPECT_EQ(a.order_by, b.order_by);
}

void ExpectSame(const UnloadSlice& a, const UnloadSlice& b) {
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.part, b.part);
  EXPECT_EQ(a.from, b.from);
  EXPECT_EQ(a.end, b.end);
  EXPECT_EQ(a.partitions, b.partitions);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.bytes, b.bytes);
}

void ExpectSame(const std::vector<timestream::Measure>& a,
                const std::vector<timestream::Measure>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].data_type, b[i].data_type);
    ASSERT_EQ(a[i].dimensions.size(), b[i].dimensions.size());
    for (std::size_t d = 0; d < a[i].dimensions.size(); ++d) {
      EXPECT_EQ(a[i].dimensions[d].name, b[i].dimensions[d].name);
      EXPECT_EQ(a[i].dimensions[d].type, b[i].dimensions[d].type);
    }
  }
}

void ExpectSame(const TablePlan& a, const TablePlan& b) {
  ExpectSame(a.select, b.select);
  ASSERT_EQ(a.schema.columns.size(), b.schema.columns.size());
  for (std::size_t i = 0; i < a.schema.columns.size(); ++i) {
    EXPECT_EQ(a.schema.columns[i].name, b.schema.columns[i].name);
    EXPECT_EQ(a.schema.columns[i].type, b.schema.columns[i].type);
    EXPECT_EQ(a.schema.columns[i].role, b.schema.columns[i].role);
  }
  ExpectSame(a.measures, b.measures);
  EXPECT_EQ(a.destination, b.destination);
  ASSERT_EQ(a.range.has_value(), b.range.has_value());
  if (a.range) {
    EXPECT_EQ(a.range->from, b.range->from);
    EXPECT_EQ(a.range->end, b.range->end);
  }
  EXPECT_EQ(a.range_asked, b.range_asked);
  ASSERT_EQ(a.slices.size(), b.slices.size());
  for (std::size_t i = 0; i < a.slices.size(); ++i) ExpectSame(a.slices[i], b.slices[i]);
  ASSERT_EQ(a.survey.has_value(), b.survey.has_value());
  if (!a.survey) return;
  const bool same = std::equal(a.survey->begin(), a.survey->end(), b.survey->begin(),
                               b.survey->end(), [](const auto& one, const auto& other) {
                                 return one.start == other.start && one.rows == other.rows;
                               });
  EXPECT_TRUE(same);
}

void ExpectSame(const UnloadFormat& a, const UnloadFormat& b) {
  EXPECT_EQ(a.format, b.format);
  EXPECT_EQ(a.compression, b.compression);
  EXPECT_EQ(a.encryption, b.encryption);
  EXPECT_EQ(a.kms_key, b.kms_key);
  EXPECT_EQ(a.field_delimiter, b.field_delimiter);
  EXPECT_EQ(a.escaped_by, b.escaped_by);
  EXPECT_EQ(a.include_header, b.include_header);
  EXPECT_EQ(a.max_file_size, b.max_file_size);
}

void ExpectSame(const UnloadPlan& a, const UnloadPlan& b) {
  EXPECT_EQ(a.run_id, b.run_id);
  EXPECT_EQ(a.tool_version, b.tool_version);
  EXPECT_EQ(a.account, b.account);
  EXPECT_EQ(a.region, b.region);
  EXPECT_EQ(a.created, b.created);
  ExpectSame(a.format, b.format);
  EXPECT_EQ(a.partition, b.partition);
  EXPECT_EQ(a.iam_role_arn, b.iam_role_arn);
  EXPECT_EQ(a.verify, b.verify);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.data_model_out, b.data_model_out);
  EXPECT_EQ(a.append, b.append);
  EXPECT_EQ(a.root, b.root);
  EXPECT_EQ(a.default_bucket, b.default_bucket);
  ASSERT_EQ(a.tables.size(), b.tables.size());
  for (std::size_t i = 0; i < a.tables.size(); ++i) ExpectSame(a.tables[i], b.tables[i]);
}

void ExpectComesBack(const UnloadPlan& plan) {
  const Result<UnloadPlan> back = ParseUnloadPlan(ToJson(plan));
  ASSERT_TRUE(back) << back.error().Text();
  ExpectSame(*back, plan);
  EXPECT_EQ(ToJson(*back), ToJson(plan));
}

// Why a plan with this change is refused.
Error Refusal(const std::function<void(json&)>& change) {
  json plan = json::parse(ToJson(FullPlan()));
  change(plan);
  const Result<UnloadPlan> back = ParseUnloadPlan(plan.dump());
  return back ? MakeError(ErrorKind::kService, "accepted") : back.error();
}

TEST(UnloadPlanJson, EveryMemberComesBack) {
  ExpectComesBack(FullPlan());
  ExpectComesBack(SamplePlan());
}

TEST(UnloadPlanJson, EveryChoiceComesBack) {
  for (const PartitionUnit unit : {PartitionUnit::kNone, PartitionUnit::kHour, PartitionUnit::kDay,
                                   PartitionUnit::kMonth, PartitionUnit::kYear}) {
    for (const Verify verify : {Verify::kNone, Verify::kCount, Verify::kContent}) {
      UnloadPlan plan = SamplePlan();
      plan.partition = unit;
      plan.tables[0].select.partition = unit;
      plan.verify = verify;
      ExpectComesBack(plan);
    }
  }
}

TEST(UnloadPlanJson, TimesAreExactToTheirLimits) {
  UnloadPlan plan = SamplePlan();
  TablePlan& table = plan.tables[0];
  table.range = TimeRange{kFirstMoment, kLastMoment};
  table.slices = {MakeSlice(1, kFirstMoment, -1), MakeSlice(2, 0, kLastMoment)};
  table.survey =
      Survey{{kFirstMoment, 1}, {kLastMoment, std::numeric_limits<std::uint64_t>::max()}};
  ExpectComesBack(plan);
}

TEST(UnloadPlanJson, IsWrittenForPeopleToo) {
  const json plan = json::parse(ToJson(FullPlan()));
  EXPECT_EQ(plan["format"], 1);
  EXPECT_EQ(plan["files"]["format"], "PARQUET");
  EXPECT_EQ(plan["tables"][0]["range"]["end_text"], "1970-01-21 00:00:00.000000000");
  EXPECT_EQ(plan["tables"][0]["survey"][1], json::array({kDay, 17}));
  EXPECT_TRUE(plan["tables"][1]["range"].is_null());
}

TEST(UnloadPlanJson, LargePlansAreReadAtOnce) {
  UnloadPlan plan = SamplePlan();
  TablePlan& table = plan.tables[0];
  table.slices.clear();
  for (std::size_t i = 0; i < 1000; ++i) {
    const UnixNanos from = static_cast<UnixNanos>(i) * 100 * kDay / 24;
    table.slices.push_back(MakeSlice(i + 1, from, from + 100 * kDay / 24));
  }
  table.survey.emplace();
  for (std::size_t i = 0; i < 100'000; ++i) {
    table.survey->push_back({static_cast<UnixNanos>(i) * kDay / 24, i});
  }
  const std::string text = ToJson(plan);
  EXPECT_LT(text.size(), 4'000'000U);
  const auto began = std::chrono::steady_clock::now();
  const Result<UnloadPlan> back = ParseUnloadPlan(text);
  // A fraction of a second; one that grows with the square of the entries takes minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
  ASSERT_TRUE(back) << back.error().Text();
  ExpectSame(*back, plan);
}

TEST(UnloadPlanJson, WhatIsNoPlanIsRefused) {
  for (const std::string text : {"", "{", "[]", "null", "\"plan\"", "{}", R"({"format":"1"})",
                                 R"({"version":2,"kind":"table"})"}) {
    const Result<UnloadPlan> back = ParseUnloadPlan(text);
    ASSERT_FALSE(back) << text;
    EXPECT_EQ(back.error().kind, ErrorKind::kBadReply) << text;
  }
  const std::string whole = ToJson(FullPlan());
  for (std::size_t size = 0; size + 2 < whole.size(); size += 37) {
    EXPECT_FALSE(ParseUnloadPlan(whole.substr(0, size))) << size;
  }
}

TEST(UnloadPlanJson, AnotherFormatIsToldApart) {
  const Error error = Refusal([](json& plan) { plan["format"] = 2; });
  EXPECT_EQ(error.kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(error.message, HasSubstr("format 2, this program reads format 1"));
}

// Whatever is missing anywhere is named by its place.
void ExpectEachMemberIsNeeded(const json& object, const std::string& pointer,
                              const std::string& place) {
  for (const auto& [name, value] : object.items()) {
    if (name.ends_with("_text") || place + name == "format") continue;
    const json::json_pointer parent(pointer);
    const Error gone = Refusal([&, key = name](json& plan) { plan.at(parent).erase(key); });
    EXPECT_EQ(gone.kind, ErrorKind::kBadReply);
    EXPECT_THAT(gone.message, HasSubstr(": " + place + name + " is missing")) << name;
    const Error wrong = Refusal([&, key = name](json& plan) { plan.at(parent)[key] = 1.5; });
    EXPECT_THAT(wrong.message, HasSubstr(": " + place + name + " is missing")) << name;
  }
}

TEST(UnloadPlanJson, WhatIsMissingIsNamed) {
  const json plan = json::parse(ToJson(FullPlan()));
  const json& table = plan["tables"][0];
  ExpectEachMemberIsNeeded(plan["files"], "/files", "files.");
  ExpectEachMemberIsNeeded(table["select"], "/tables/0/select", "tables[0].select.");
  ExpectEachMemberIsNeeded(table["range"], "/tables/0/range", "tables[0].range.");
  ExpectEachMemberIsNeeded(table["slices"][1], "/tables/0/slices/1", "tables[0].slices[1].");
  ExpectEachMemberIsNeeded(table["select"]["timestamps"][0], "/tables/0/select/timestamps/0",
                           "tables[0].select.timestamps[0].");
  for (const std::string name : {"run_id", "created", "files", "partition", "verify", "state",
                                 "append", "root", "default_bucket", "tables"}) {
    EXPECT_THAT(Refusal([&](json& whole) { whole.erase(name); }).message, HasSubstr(name));
  }
  for (const std::string name : {"table", "destination", "range", "range_asked", "select", "schema",
                                 "measures", "slices", "survey"}) {
    EXPECT_THAT(Refusal([&](json& whole) { whole["tables"][1].erase(name); }).message,
                HasSubstr("tables[1]." + name));
  }
}

TEST(UnloadPlanJson, ValuesThatCantBeAreNamed) {
  const auto refused = [](const std::string& pointer, const json& value) {
    return Refusal([&](json& plan) { plan[json::json_pointer(pointer)] = value; }).message;
  };
  EXPECT_THAT(refused("/partition", "week"), HasSubstr("partition"));
  EXPECT_THAT(refused("/verify", "twice"), HasSubstr("verify"));
  EXPECT_THAT(refused("/files/field_delimiter", "::"), HasSubstr("files.field_delimiter"));
  EXPECT_THAT(refused("/root", "https://bkt/unload"), HasSubstr("root"));
  EXPECT_THAT(refused("/tables/0/database", "no/name"), HasSubstr("tables[0].table"));
  EXPECT_THAT(refused("/tables/0/range/end", 0), HasSubstr("tables[0].range.end"));
  EXPECT_THAT(refused("/tables/0/slices/0/end", 0), HasSubstr("tables[0].slices[0].end"));
  EXPECT_THAT(refused("/tables/0/slices/0/from", 10'000'000'000'000'000'000U),
              HasSubstr("tables[0].slices[0].from"));
  EXPECT_THAT(refused("/tables/0/slices/0/rows", -1), HasSubstr("tables[0].slices[0].rows"));
  EXPECT_THAT(refused("/tables/0/survey/1", json::array({1})), HasSubstr("tables[0].survey"));
  EXPECT_THAT(refused("/tables/0/survey/1/1", -1), HasSubstr("tables[0].survey"));
  EXPECT_THAT(refused("/tables/0/schema/0/role", "KEY"), HasSubstr("tables[0].schema"));
  EXPECT_THAT(refused("/tables/0/select/columns/0", 7), HasSubstr("tables[0].select.columns"));
  // Two slices of one id: one of them would never be unloaded.
  const Error twice = Refusal([](json& plan) {
    plan["tables"][0]["slices"][1]["number"] = 2;
    plan["tables"][0]["slices"][1]["part"] = "ab";
  });
  EXPECT_THAT(twice.message, HasSubstr("tables[0].slices[1].number"));
}

TEST(UnloadPlan, WhereThingsLie) {
  UnloadPlan plan = SamplePlan();
  const TablePlan& table = plan.tables[0];
  EXPECT_EQ(table.folder(), "unload/");
  EXPECT_EQ(table.results_prefix(), "unload/results/");
  EXPECT_EQ(table.record_prefix(), "unload/tsm-run-");
  EXPECT_EQ(plan.RecordKey(table).str(), "unload/tsm-run-r1.json");
  EXPECT_EQ(plan.RecordUri(table).str(), "s3://bkt/unload/tsm-run-r1.json");
  EXPECT_EQ(plan.StatePrefix(), "unload/tsm-state-r1/");
  EXPECT_FALSE(plan.has_index());
  plan.root = *s3::S3Uri::Parse("s3://bkt");
  EXPECT_EQ(plan.StatePrefix(), "tsm-state-r1/");
  EXPECT_EQ(plan.IndexUri().str(), "s3://bkt/tsm-run-r1.json");
  plan.tables[0].destination = plan.root;
  EXPECT_EQ(plan.tables[0].folder(), "");
  EXPECT_EQ(plan.tables[0].results_prefix(), "results/");
}

TEST(UnloadPlan, SeveralTablesHaveFoldersAndAnIndex) {
  UnloadPlan plan = FullPlan();
  EXPECT_TRUE(plan.has_index());
  EXPECT_EQ(plan.IndexUri().str(), "s3://bkt/unload/ü/tsm-run-" + plan.run_id + ".json");
  EXPECT_EQ(plan.CountSlices(), 2U);
  const timestream::TableRef ref = plan.tables[0].table();
  const s3::S3Uri root = *s3::S3Uri::Parse("s3://bkt/unload");
  EXPECT_EQ(DestinationOf(root, ref, false).str(), "s3://bkt/unload");
  EXPECT_EQ(DestinationOf(root, ref, true).str(), "s3://bkt/unload/sourcedb/myTable");
  EXPECT_EQ(DestinationOf(*s3::S3Uri::Parse("s3://bkt"), ref, true).str(),
            "s3://bkt/sourcedb/myTable");
}

TEST(UnloadPlan, Titles) {
  UnloadPlan plan = SamplePlan();
  EXPECT_EQ(plan.Title(), "sourcedb.myTable by day to s3://bkt/unload");
  plan.partition = PartitionUnit::kNone;
  plan.tables.push_back(SampleTable("other"));
  EXPECT_EQ(plan.Title(), "2 tables to s3://bkt/unload");
}

TEST(UnloadPlan, StatementsAreOfTheTableItsFormatAndTheSlice) {
  UnloadPlan plan = SamplePlan();
  plan.format.compression = Compression::kGzip;
  const std::string sql =
      StatementOf(plan, plan.tables[0], 0, kDay, *s3::S3Uri::Parse("s3://bkt/to")).ToSql();
  EXPECT_THAT(sql, HasSubstr("FROM \"sourcedb\".\"myTable\""));
  EXPECT_THAT(sql, HasSubstr("time >= '1970-01-01 00:00:00.000000000'"));
  EXPECT_THAT(sql, HasSubstr("time < '1970-01-02 00:00:00.000000000'"));
  EXPECT_THAT(sql, HasSubstr("TO 's3://bkt/to'"));
  EXPECT_THAT(sql, HasSubstr("GZIP"));
}

TEST(UnloadPlan, SelectedColumnsAreTheSchemasInItsOrder) {
  TablePlan table = FullTable();
  table.select.columns = {"seen", "city"};
  const auto names = [&] {
    std::string joined;
    for (const auto& column : SelectedColumns(table)) joined += column.name + " ";
    return joined;
  };
  EXPECT_EQ(names(), "city seen ");
  table.select.columns.clear();
  EXPECT_EQ(names(), "city measure_name time measure_value::double seen ");
}

}  // namespace
}  // namespace tsm::unload
