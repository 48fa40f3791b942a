#include "tsm/run/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace tsm::run {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using timestream::ColumnRole;

// No member has its default.
RunRecord Started() {
  RunRecord record;
  record.run_id = "5f8b";
  record.tool_version = "0.1.0";
  record.account = "123456789012";
  record.region = "eu-west-1";
  record.source = {.database = "sourcedb", .table = "myTable"};
  record.from = 1'708'968'278'270'000'001;
  record.end = 1'709'054'678'270'000'002;
  record.partition = "day";
  record.partition_alias = "partition_date_2";
  record.partitioned_by = {{"city", "partition_city"}};
  record.columns = {"city", "größe"};
  record.where = "city <> 'Oslo'";
  record.time_alias = "nanoseconds_2";
  record.timestamps = {{"seen", "seen_nanoseconds"}};
  record.format = {.format = "PARQUET",
                   .compression = "GZIP",
                   .field_delimiter = "\t",
                   .escaped_by = "\"",
                   .include_header = false};
  record.schema = {{{"city", "varchar", ColumnRole::kDimension}}};
  record.measures = {{"climate", "multi", {{"city", "varchar"}}}};
  record.started_at = "2024-02-26T17:24:38Z";
  return record;
}

RecordSlice Slice(const std::string& id, UnixNanos from, UnixNanos end) {
  return {.id = id,
          .attempt = "k3f9a2",
          .from = from,
          .end = end,
          .to = "s3://b/u/results/" + id + "-k3f9a2",
          .query_id = "AEDACA",
          .manifest_uri = "s3://b/u/results/" + id + "-k3f9a2/AEDACA_1_q_manifest.json",
          .rows = 1'000'000'000,
          .bytes = 500'000'000'000,
          .files = 500};
}

RunRecord Done() {
  RunRecord record = Started();
  record.state = RunState::kDone;
  record.finished_at = "2024-02-26T18:00:00Z";
  record.slices = {Slice("0001", *record.from, *record.from + 7),
                   Slice("0002a", *record.from + 7, *record.end)};
  record.rows = 2'000'000'000;
  record.bytes = 1'000'000'000'000;
  record.files = 1000;
  record.verify = "content";
  record.verified = "expired";
  record.content_prefix = "u/tsm-content-5f8b/";
  record.non_null = {{"city", 2'000'000'000}, {"größe", 0}};
  return record;
}

// As the program before this one left it (its own text).
constexpr std::string_view kVersion1Started = R"({
  "version": 1,
  "run_id": "5f8b",
  "tool_version": "0.1.0",
  "state": "started",
  "account": "123456789012",
  "region": "eu-west-1",
  "database": "sourcedb",
  "table": "myTable",
  "from": "2024-02-26 17:24:38.270000001",
  "end": null,
  "partition": "day",
  "sql": "UNLOAD (SELECT \"ü\" FROM \"sourcedb\".\"myTable\") TO 's3://b/u'",
  "client_token": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
  "started_at": "2024-02-26T17:24:38Z"
}
)";
constexpr std::string_view kVersion1Done = R"({
  "version": 1,
  "run_id": "5f8b",
  "tool_version": "0.1.0",
  "state": "done",
  "account": "",
  "region": "eu-west-1",
  "database": "sourcedb",
  "table": "myTable",
  "from": null,
  "end": "2024-02-27 00:00:00.000000000",
  "partition": "",
  "sql": "UNLOAD (SELECT * FROM \"sourcedb\".\"myTable\") TO 's3://b/u'",
  "client_token": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
  "started_at": "2024-02-26T17:24:38Z",
  "finished_at": "2024-02-26T18:00:00Z",
  "query_id": "AEDACA",
  "manifest_uri": "s3://b/u/AEDACA_1_qHWk3caBpP26jRQ9_manifest.json",
  "rows": 2000000000,
  "bytes": 1000000000000,
  "files": 1000
}
)";

std::string Why(const RunRecord& record, const char* name, const json& value) {
  json out = json::parse(ToJson(record));
  if (value.is_discarded()) {
    out.erase(name);
  } else {
    out[name] = value;
  }
  const Result<RunRecord> back = ParseRunRecord(out.dump());
  return back ? std::string("accepted") : back.error().message;
}

TEST(RunRecord, StartedIsWrittenWithoutOutcome) {
  const json out = json::parse(ToJson(Started()));
  EXPECT_EQ(out["version"], 2);
  EXPECT_EQ(out["kind"], "table");
  EXPECT_EQ(out["state"], "started");
  EXPECT_EQ(out["from"], "2024-02-26 17:24:38.270000001");
  EXPECT_EQ(out["schema"][0]["role"], "DIMENSION");
  for (const char* name : {"slices", "rows", "non_null", "finished_at"}) {
    EXPECT_FALSE(out.contains(name)) << name;
  }
}

TEST(RunRecord, StartedComesBack) {
  const Result<RunRecord> back = ParseRunRecord(ToJson(Started()));
  ASSERT_TRUE(back) << back.error().Text();
  const RunRecord record = Started();
  EXPECT_EQ(back->state, RunState::kStarted);
  EXPECT_EQ(back->run_id, record.run_id);
  EXPECT_EQ(back->tool_version, record.tool_version);
  EXPECT_EQ(back->account, record.account);
  EXPECT_EQ(back->region, record.region);
  EXPECT_EQ(back->source, record.source);
  EXPECT_EQ(back->from, record.from);
  EXPECT_EQ(back->end, record.end);
  EXPECT_EQ(back->partition, record.partition);
  EXPECT_EQ(back->partition_alias, record.partition_alias);
  EXPECT_EQ(back->partitioned_by, record.partitioned_by);
  EXPECT_EQ(back->columns, record.columns);
  EXPECT_EQ(back->where, record.where);
  EXPECT_EQ(back->time_alias, record.time_alias);
  EXPECT_EQ(back->timestamps, record.timestamps);
  EXPECT_EQ(back->format.format, "PARQUET");
  EXPECT_EQ(back->format.compression, "GZIP");
  EXPECT_EQ(back->format.field_delimiter, "\t");
  EXPECT_EQ(back->format.escaped_by, "\"");
  EXPECT_FALSE(back->format.include_header);
  ASSERT_EQ(back->schema.columns.size(), 1U);
  EXPECT_EQ(back->schema.columns[0].name, "city");
  ASSERT_EQ(back->measures.size(), 1U);
  EXPECT_EQ(back->measures[0].dimensions[0].name, "city");
  EXPECT_EQ(back->started_at, record.started_at);
  EXPECT_TRUE(back->slices.empty());
}

TEST(RunRecord, DoneComesBackWithItsOutcome) {
  const RunRecord record = Done();
  const Result<RunRecord> back = ParseRunRecord(ToJson(record));
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->state, RunState::kDone);
  EXPECT_EQ(back->finished_at, record.finished_at);
  EXPECT_EQ(back->rows, 2'000'000'000U);
  EXPECT_EQ(back->bytes, 1'000'000'000'000U);
  EXPECT_EQ(back->files, 1000U);
  EXPECT_EQ(back->verify, "content");
  EXPECT_EQ(back->verified, "expired");
  EXPECT_EQ(back->content_prefix, record.content_prefix);
  EXPECT_THAT(back->non_null, ElementsAre(Pair("city", 2'000'000'000), Pair("größe", 0)));
  ASSERT_EQ(back->slices.size(), 2U);
  const RecordSlice& slice = back->slices[1];
  EXPECT_EQ(slice.id, "0002a");
  EXPECT_EQ(slice.attempt, "k3f9a2");
  EXPECT_EQ(slice.from, *record.from + 7);
  EXPECT_EQ(slice.end, *record.end);
  EXPECT_EQ(slice.to, record.slices[1].to);
  EXPECT_EQ(slice.query_id, "AEDACA");
  EXPECT_EQ(slice.manifest_uri, record.slices[1].manifest_uri);
  EXPECT_EQ(slice.rows, 1'000'000'000U);
  EXPECT_EQ(slice.bytes, 500'000'000'000U);
  EXPECT_EQ(slice.files, 500U);
  // What is written again is the same text.
  EXPECT_EQ(ToJson(*back), ToJson(record));
}

TEST(RunRecord, ATableWithoutRowsHasNoRange) {
  RunRecord record = Done();
  record.from.reset();
  record.end.reset();
  record.slices.clear();
  const Result<RunRecord> back = ParseRunRecord(ToJson(record));
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->from, std::nullopt);
  EXPECT_EQ(back->end, std::nullopt);
  EXPECT_EQ(ToJson(*back), ToJson(record));
}

TEST(RunRecord, Version1IsRead) {
  const Result<RunRecord> back = ParseRunRecord(kVersion1Started);
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->state, RunState::kStarted);
  EXPECT_EQ(back->run_id, "5f8b");
  EXPECT_EQ(back->account, "123456789012");
  EXPECT_EQ(back->source.str(), "sourcedb.myTable");
  EXPECT_EQ(back->from, 1'708'968'278'270'000'001);
  EXPECT_EQ(back->end, std::nullopt);
  EXPECT_EQ(back->partition, "day");
  EXPECT_EQ(back->time_alias, "nanoseconds");
  EXPECT_EQ(back->partition_alias, "partition_date");
  EXPECT_EQ(back->format.format, "CSV");
  EXPECT_TRUE(back->slices.empty());
}

TEST(RunRecord, OfVersion1TheOneUnloadIsSlice0001) {
  const Result<RunRecord> back = ParseRunRecord(kVersion1Done);
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->state, RunState::kDone);
  EXPECT_EQ(back->finished_at, "2024-02-26T18:00:00Z");
  EXPECT_EQ(back->rows, 2'000'000'000U);
  ASSERT_EQ(back->slices.size(), 1U);
  const RecordSlice& slice = back->slices[0];
  EXPECT_EQ(slice.id, "0001");
  EXPECT_EQ(slice.attempt, "");
  EXPECT_EQ(slice.from, 0);
  EXPECT_EQ(slice.end, 1'708'992'000'000'000'000);
  EXPECT_EQ(slice.to, "s3://b/u");
  EXPECT_EQ(slice.query_id, "AEDACA");
  EXPECT_EQ(slice.manifest_uri, "s3://b/u/AEDACA_1_qHWk3caBpP26jRQ9_manifest.json");
  EXPECT_EQ(slice.rows, 2'000'000'000U);
  EXPECT_EQ(slice.bytes, 1'000'000'000'000U);
  EXPECT_EQ(slice.files, 1000U);
  // Written again it is of this program's version, and reads alike.
  const Result<RunRecord> again = ParseRunRecord(ToJson(*back));
  ASSERT_TRUE(again) << again.error().Text();
  EXPECT_EQ(again->slices[0].manifest_uri, slice.manifest_uri);
}

TEST(RunRecord, Version1IsReadToItsOwnRules) {
  json open = json::parse(kVersion1Done);
  open["end"] = nullptr;
  open["manifest_uri"] = "";
  const Result<RunRecord> back = ParseRunRecord(open.dump());
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->slices[0].end, std::numeric_limits<UnixNanos>::max());
  EXPECT_EQ(back->slices[0].to, "");
  for (const char* name : {"query_id", "manifest_uri", "rows", "bytes", "files", "finished_at"}) {
    json broken = json::parse(kVersion1Done);
    broken.erase(name);
    const Result<RunRecord> refused = ParseRunRecord(broken.dump());
    ASSERT_FALSE(refused) << name;
    EXPECT_THAT(refused.error().message, HasSubstr(name));
  }
}

TEST(RunRecord, AnotherVersionIsNamed) {
  for (const json& version : {json(0), json(3), json(-1), json(18'000'000'000'000'000'000U)}) {
    json out = json::parse(ToJson(Started()));
    out["version"] = version;
    const Result<RunRecord> back = ParseRunRecord(out.dump());
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().kind, ErrorKind::kInvalidInput);
    EXPECT_THAT(back.error().message, HasSubstr("version " + version.dump()));
    EXPECT_THAT(back.error().message, HasSubstr("versions 1 and 2"));
  }
}

TEST(RunRecord, MissingMembersAreNamed) {
  const json gone = json(json::value_t::discarded);
  const RunRecord record = Done();
  const json whole = json::parse(ToJson(record));
  for (const auto& [name, value] : whole.items()) {
    EXPECT_THAT(Why(record, name.c_str(), gone), HasSubstr(name)) << name;
  }
  EXPECT_EQ(Why(record, "a_later_member", 1), "accepted");
}

TEST(RunRecord, WrongMembersAreNamed) {
  EXPECT_THAT(Why(Started(), "where", 7), HasSubstr("where"));
  EXPECT_THAT(Why(Started(), "from", "yesterday"), HasSubstr("from"));
  EXPECT_THAT(Why(Started(), "columns", json::array({7})), HasSubstr("columns"));
  EXPECT_THAT(Why(Started(), "timestamps", json::array({json::object()})), HasSubstr("timestamps"));
  EXPECT_THAT(Why(Started(), "format", json::object()), HasSubstr("format"));
  EXPECT_THAT(Why(Started(), "schema", json::array({1})), HasSubstr("schema"));
  EXPECT_THAT(Why(Started(), "measures", json::array({1})), HasSubstr("measures"));
  EXPECT_THAT(Why(Started(), "state", "paused"), HasSubstr("paused"));
  EXPECT_THAT(Why(Started(), "state", "done"), HasSubstr("finished_at"));
  EXPECT_THAT(Why(Done(), "rows", -1), HasSubstr("rows"));
  EXPECT_THAT(Why(Done(), "non_null", {{"city", "all"}}), HasSubstr("non_null"));
  for (const std::string text : {"", "null", "[]", "{", "tsm-run"}) {
    ASSERT_FALSE(ParseRunRecord(text)) << text;
    EXPECT_EQ(ParseRunRecord(text).error().kind, ErrorKind::kBadReply);
  }
}

TEST(RunRecord, SlicesAreWholeAndHaveTheirTimes) {
  const RunRecord record = Done();
  const json slice = json::parse(ToJson(record))["slices"][0];
  const auto why = [&](const std::string& name, const json& value) {
    json broken = slice;
    broken.erase(name);
    if (!value.is_discarded()) broken[name] = value;
    return Why(record, "slices", json::array({broken}));
  };
  for (const auto& [name, value] : slice.items()) {
    EXPECT_THAT(why(name, json(json::value_t::discarded)), HasSubstr("slices")) << name;
  }
  EXPECT_THAT(why("from", nullptr), HasSubstr("slices"));
  EXPECT_THAT(why("end", nullptr), HasSubstr("slices"));
  EXPECT_THAT(why("end", slice["from"]), HasSubstr("slices"));
  EXPECT_EQ(why("manifest_uri", ""), "accepted");
}

TEST(RunRecord, TheIndexOfSeveralTables) {
  RunIndex index;
  index.run_id = "5f8b";
  index.tool_version = "0.1.0";
  index.region = "eu-west-1";
  index.state = RunState::kDone;
  index.records = {{{"sourcedb", "b"}, "s3://b/u/sourcedb/b/tsm-run-5f8b.json"},
                   {{"sourcedb", "a"}, "s3://b/u/sourcedb/a/tsm-run-5f8b.json"}};
  const std::string text = ToJson(index);
  EXPECT_TRUE(IsRunIndex(text));
  const Result<RunIndex> back = ParseRunIndex(text);
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->run_id, "5f8b");
  EXPECT_EQ(back->tool_version, "0.1.0");
  EXPECT_EQ(back->region, "eu-west-1");
  EXPECT_EQ(back->state, RunState::kDone);
  EXPECT_EQ(back->records, index.records);
  index.state = RunState::kStarted;
  EXPECT_EQ(ParseRunIndex(ToJson(index))->state, RunState::kStarted);
}

TEST(RunRecord, RecordsAndIndexesAreToldApart) {
  EXPECT_FALSE(IsRunIndex(ToJson(Done())));
  for (const std::string_view text : {kVersion1Done, std::string_view(""), std::string_view("[]"),
                                      std::string_view(R"({"kind":7})")}) {
    EXPECT_FALSE(IsRunIndex(text)) << text;
    EXPECT_FALSE(ParseRunIndex(text)) << text;
  }
  const Result<RunIndex> record = ParseRunIndex(ToJson(Done()));
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().kind, ErrorKind::kBadReply);
  const Result<RunRecord> index = ParseRunRecord(ToJson(RunIndex()));
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().kind, ErrorKind::kBadReply);
  EXPECT_THAT(index.error().message, HasSubstr("index of a run of several tables"));
}

TEST(RunRecord, OfAnIndexWhatIsMissingIsNamed) {
  RunIndex index;
  index.records = {{{"sourcedb", "b"}, "s3://b/u"}};
  const json whole = json::parse(ToJson(index));
  for (const auto& [name, value] : whole.items()) {
    json broken = whole;
    broken.erase(name);
    const Result<RunIndex> back = ParseRunIndex(broken.dump());
    ASSERT_FALSE(back) << name;
    EXPECT_EQ(back.error().kind, ErrorKind::kBadReply) << name;
  }
  json broken = whole;
  broken["tables"][0].erase("record");
  EXPECT_THAT(ParseRunIndex(broken.dump()).error().message, HasSubstr("tables"));
  broken["version"] = 3;
  EXPECT_EQ(ParseRunIndex(broken.dump()).error().kind, ErrorKind::kInvalidInput);
}

TEST(RunRecord, Keys) {
  EXPECT_TRUE(IsRunRecordKey("unload/tsm-run-5f8b.json"));
  EXPECT_TRUE(IsRunRecordKey("tsm-run-x.json"));
  EXPECT_FALSE(IsRunRecordKey("unload/tsm-run-.json"));
  EXPECT_FALSE(IsRunRecordKey("tsm-run-x.json/results/a.csv"));
  EXPECT_FALSE(IsRunRecordKey("unload/my-tsm-run-x.json"));
  EXPECT_FALSE(IsRunRecordKey("unload/tsm-run-x.json.bak"));
}

}  // namespace
}  // namespace tsm::run
