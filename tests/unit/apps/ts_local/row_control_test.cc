// /ts-local/rows: what is loaded, and what is refused with its line.

#include "ts_local/row_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "apps/ts_local/scratch_dir.h"

namespace ts_local {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kNow = 1'774'051'200'000'000'000;  // 2026-03-21

class RowControlTest : public testing::Test {
 protected:
  RowControlTest() {
    tables_.CreateDatabase("us-east-1", "db", "");
    TableProperties properties;
    properties.memory_hours = 24;
    tables_.CreateTable(table_, properties);
    request_.method = "POST";
    request_.path = "/ts-local/rows";
    request_.query = {{"database", "db"}, {"table", "t"}};
    request_.from_this_machine = true;
  }

  std::string Load(const std::string& body) {
    request_.body = body;
    const Response response = LoadRows(request_, tables_);
    return std::to_string(response.status) + " " + response.body;
  }

  // "time city|null measure_name value|null ..." of each row, the time counted from an hour ago.
  std::vector<std::string> Rows() {
    std::vector<std::string> rows;
    tables_.Scan(table_, tables_.Schema(table_), 0, std::numeric_limits<std::int64_t>::max(),
                 [&](const RowView& row) {
                   std::string text = std::to_string(row.time_ns - kNow + 3'600'000'000'000);
                   for (const auto& value : row.dimensions) text += " " + value.value_or("null");
                   text += " " + row.measure_name;
                   for (const Value& value : row.measures) {
                     text += " " + std::to_string(value.index());
                   }
                   rows.push_back(std::move(text));
                   return true;
                 });
    return rows;
  }

  static std::string Time(int ns) { return std::to_string(kNow - 3'600'000'000'000 + ns); }

  ScratchDir dir_;
  const TableName table_{"us-east-1", "db", "t"};
  TableStore tables_{dir_.path(), [] { return kNow; }};
  Request request_;
};

TEST_F(RowControlTest, LoadsValuesOfEveryTypeAndLeavesEmptyOnesOut) {
  EXPECT_TRUE(IsRowControl(request_));
  EXPECT_EQ(Load("city,zone,measure_name,time,d:double,n:bigint,b:boolean,s:varchar,t:timestamp\n"
                 "Oslo,,m," +
                 Time(1) + ",1.5,-7,true,\"a \"\"b\"\",\n2\",12\n,z,m," + Time(2) + ",,,false,,\n"),
            "200 {\"ingested\":2,\"rejected\":0,\"rejections\":[]}\n");
  // By index of Value: 0 null, 1 boolean, 2 bigint, 3 double, 4 text, 5 time.
  EXPECT_THAT(Rows(), ElementsAre("1 Oslo null m 3 2 1 4 5", "2 null z m 0 0 1 0 0"));
  tables_.Scan(table_, tables_.Schema(table_), 0, kNow, [](const RowView& row) {
    EXPECT_EQ(std::get<std::string>(row.measures[3]), "a \"b\",\n2");
    EXPECT_EQ(std::get<Timestamp>(row.measures[4]).ns, 12);
    return false;
  });
}

TEST_F(RowControlTest, RejectionsNameTheirLines) {
  const std::string head = "time,measure_name,city,n:bigint\n";
  EXPECT_THAT(Load(head + Time(1) + ",m,Oslo,1\n5,m,Oslo,2\n" + Time(3) + ",m,Oslo,3\n"),
              AllOf(HasSubstr("400 {\"ingested\":2,\"rejected\":1,"), HasSubstr("\"line\":3")));
  EXPECT_THAT(Rows(), ElementsAre("1 Oslo m 2", "3 Oslo m 2"));
}

TEST_F(RowControlTest, RefusesWhatItCanNotRead) {
  const std::string head = "time,measure_name,city,n:bigint\n";
  EXPECT_THAT(Load(""), HasSubstr("400 {\"error\":\"line 1: the body is empty"));
  EXPECT_THAT(Load("time,measure_name,city\n"), HasSubstr("line 1: it must name time"));
  EXPECT_THAT(Load("time,measure_name,city,n:int\n"), HasSubstr("line 1: 'n:int' names no type"));
  EXPECT_THAT(Load(head + "x,m,Oslo,1\n"), HasSubstr("line 2: 'x' is no time in nanoseconds"));
  EXPECT_THAT(Load(head + Time(1) + ",m,Oslo,1.5\n"), HasSubstr("line 2: '1.5' is no value of n"));
  EXPECT_THAT(Load(head + Time(1) + ",m,Oslo\n"), HasSubstr("line 2: 3 fields instead of 4"));
  EXPECT_THAT(Load(head + Time(1) + ",m,Oslo,\n"), HasSubstr("line 2: a row needs"));
  EXPECT_THAT(Load(head + Time(1) + ",m,,1\n"), HasSubstr("line 2: a row needs"));
  request_.query[1].second = "absent";
  EXPECT_THAT(Load(head), HasSubstr("404 {\"error\":\"ResourceNotFoundException"));
  request_.query.pop_back();
  EXPECT_THAT(Load(head), HasSubstr("400 {\"error\":\"the parameter table is missing"));
  request_.method = "GET";
  EXPECT_THAT(Load(head), HasSubstr("405 "));
  request_.from_this_machine = false;
  EXPECT_THAT(Load(head), HasSubstr("403 "));
  EXPECT_THAT(Rows(), IsEmpty());
  request_.headers.emplace("authorization", "AWS4-HMAC-SHA256 ...");
  EXPECT_FALSE(IsRowControl(request_)) << "a bucket may be called ts-local";
}

}  // namespace
}  // namespace ts_local
