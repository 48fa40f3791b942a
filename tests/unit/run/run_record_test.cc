#include "tsm/run/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tsm::run {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

RunRecord Sample() {
  RunRecord record;
  record.run_id = "5f8b";
  record.tool_version = "0.1.0";
  record.account = "123456789012";
  record.region = "eu-west-1";
  record.source = {.database = "sourcedb", .table = "myTable"};
  record.from = 1'708'968'278'270'000'001;
  record.partition = "day";
  record.sql = "UNLOAD (SELECT \"ü\" FROM \"sourcedb\".\"myTable\") TO 's3://b/u'";
  record.client_token = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
  record.started_at = "2024-02-26T17:24:38Z";
  return record;
}

TEST(RunRecord, StartedIsWrittenWithoutOutcome) {
  const json out = json::parse(ToJson(Sample()));
  EXPECT_EQ(out["version"], 1);
  EXPECT_EQ(out["state"], "started");
  EXPECT_EQ(out["database"], "sourcedb");
  EXPECT_EQ(out["table"], "myTable");
  EXPECT_EQ(out["from"], "2024-02-26 17:24:38.270000001");
  EXPECT_TRUE(out["end"].is_null());
  EXPECT_EQ(out["sql"], Sample().sql);
  EXPECT_FALSE(out.contains("query_id"));
  EXPECT_FALSE(out.contains("rows"));
}

TEST(RunRecord, StartedComesBack) {
  const Result<RunRecord> back = ParseRunRecord(ToJson(Sample()));
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->state, RunState::kStarted);
  EXPECT_EQ(back->run_id, "5f8b");
  EXPECT_EQ(back->tool_version, "0.1.0");
  EXPECT_EQ(back->account, "123456789012");
  EXPECT_EQ(back->region, "eu-west-1");
  EXPECT_EQ(back->source, Sample().source);
  EXPECT_EQ(back->from, Sample().from);
  EXPECT_EQ(back->end, std::nullopt);
  EXPECT_EQ(back->partition, "day");
  EXPECT_EQ(back->sql, Sample().sql);
  EXPECT_EQ(back->client_token, Sample().client_token);
  EXPECT_EQ(back->started_at, Sample().started_at);
}

TEST(RunRecord, DoneComesBackWithItsOutcome) {
  RunRecord record = Sample();
  record.state = RunState::kDone;
  record.end = 1;
  record.finished_at = "2024-02-26T18:00:00Z";
  record.query_id = "AEDACA";
  record.manifest_uri = "s3://b/u/AEDACA_1_qHWk3caBpP26jRQ9_manifest.json";
  record.rows = 2'000'000'000;
  record.bytes = 1'000'000'000'000;
  record.files = 1000;
  const Result<RunRecord> back = ParseRunRecord(ToJson(record));
  ASSERT_TRUE(back) << back.error().Text();
  EXPECT_EQ(back->state, RunState::kDone);
  EXPECT_EQ(back->end, 1);
  EXPECT_EQ(back->finished_at, record.finished_at);
  EXPECT_EQ(back->query_id, "AEDACA");
  EXPECT_EQ(back->manifest_uri, record.manifest_uri);
  EXPECT_EQ(back->rows, 2'000'000'000U);
  EXPECT_EQ(back->bytes, 1'000'000'000'000U);
  EXPECT_EQ(back->files, 1000U);
  // What is written again is the same text.
  EXPECT_EQ(ToJson(*back), ToJson(record));
}

TEST(RunRecord, AnotherVersionIsNamed) {
  json out = json::parse(ToJson(Sample()));
  out["version"] = 2;
  const Result<RunRecord> back = ParseRunRecord(out.dump());
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().kind, ErrorKind::kBadReply);
  EXPECT_THAT(back.error().message, HasSubstr("version 2"));
  EXPECT_THAT(back.error().message, HasSubstr("version 1"));
}

TEST(RunRecord, MissingOrWrongMembersAreNamed) {
  const auto why = [](const char* name, const json& value) {
    json out = json::parse(ToJson(Sample()));
    if (value.is_discarded()) {
      out.erase(name);
    } else {
      out[name] = value;
    }
    const Result<RunRecord> back = ParseRunRecord(out.dump());
    return back ? std::string("accepted") : back.error().message;
  };
  const json gone = json(json::value_t::discarded);
  EXPECT_THAT(why("run_id", gone), HasSubstr("run_id"));
  EXPECT_THAT(why("sql", 7), HasSubstr("sql"));
  EXPECT_THAT(why("from", "yesterday"), HasSubstr("from"));
  EXPECT_THAT(why("end", gone), HasSubstr("end"));
  EXPECT_THAT(why("version", gone), HasSubstr("version"));
  EXPECT_THAT(why("state", "paused"), HasSubstr("paused"));
  EXPECT_THAT(why("state", "done"), HasSubstr("finished_at"));  // done, but without its outcome
  EXPECT_EQ(why("a_later_member", 1), "accepted");
  for (const std::string text : {"", "null", "[]", "{", "tsm-run"}) {
    ASSERT_FALSE(ParseRunRecord(text)) << text;
    EXPECT_EQ(ParseRunRecord(text).error().kind, ErrorKind::kBadReply);
  }
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
