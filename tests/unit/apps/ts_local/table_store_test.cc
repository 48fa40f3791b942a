#include "ts_local/table_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "apps/ts_local/scratch_dir.h"
#include "ts_local/api_error.h"

namespace ts_local {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kNow = 1'790'000'000 * kSecond;  // 2026-09-21
constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

Record Single(std::string host, std::int64_t time, double value, std::int64_t version = 1) {
  Record record;
  record.dimensions = {{"host", std::move(host)}};
  record.measure_name = "cpu";
  record.time_ns = time;
  record.version = version;
  record.measures = {{{"measure_value::double", ScalarType::kDouble, false}, value}};
  return record;
}

Record Multi(std::int64_t time, std::vector<std::pair<MeasureColumn, Value>> measures) {
  Record record;
  record.dimensions = {{"host", "a"}, {"zone", "ü, 1"}};
  record.measure_name = "climate";
  record.time_ns = time;
  record.multi = true;
  record.measures = std::move(measures);
  return record;
}

class TableStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Open();
    store_->CreateDatabase("eu-west-1", "db", "");
    TableProperties properties;
    properties.memory_hours = 24;
    properties.magnetic_days = 365;
    properties.magnetic_writes = true;
    store_->CreateTable(name_, properties);
  }

  void Open() {
    store_.reset();
    store_ = std::make_unique<TableStore>(dir_.path(), [this] { return now_.load(); });
  }

  struct Row {
    std::vector<std::optional<std::string>> dimensions;
    std::string measure_name;
    std::int64_t time;
    std::vector<Value> measures;
  };
  std::vector<Row> Rows(std::int64_t from = 0, std::int64_t to = kForever) {
    std::vector<Row> rows;
    store_->Scan(name_, store_->Schema(name_), from, to, [&](const RowView& row) {
      rows.push_back({row.dimensions, row.measure_name, row.time_ns, row.measures});
      return true;
    });
    return rows;
  }
  std::vector<std::int64_t> Times(std::int64_t from = 0, std::int64_t to = kForever) {
    std::vector<std::int64_t> times;
    for (const Row& row : Rows(from, to)) times.push_back(row.time);
    std::sort(times.begin(), times.end());
    return times;
  }

  ScratchDir dir_;
  std::atomic<std::int64_t> now_{kNow};
  const TableName name_{"eu-west-1", "db", "t"};
  std::unique_ptr<TableStore> store_;
};

std::string CodeOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const ApiError& error) {
    return error.code();
  }
  return "";
}

TEST_F(TableStoreTest, ValuesOfEveryTypeComeBackAfterReopening) {
  const Record record = Multi(kNow - 1, {{{"d", ScalarType::kDouble, true}, 0.1},
                                         {{"b", ScalarType::kBigint, true}, std::int64_t{-5}},
                                         {{"o", ScalarType::kBoolean, true}, true},
                                         {{"s", ScalarType::kVarchar, true}, std::string("a\n\"ü")},
                                         {{"t", ScalarType::kTimestamp, true}, Timestamp{7}}});
  const Record limits =
      Multi(kNow, {{{"b", ScalarType::kBigint, true}, std::numeric_limits<std::int64_t>::min()},
                   {{"d", ScalarType::kDouble, true}, -0.0}});
  ASSERT_EQ(store_->Write(name_, {record, limits}).ingested, 2);
  Open();
  const TableSchema schema = store_->Schema(name_);
  EXPECT_THAT(schema.dimensions, ElementsAre("host", "zone"));
  ASSERT_THAT(schema.measures, SizeIs(5));
  EXPECT_EQ(schema.measures[3].name, "s");
  const std::vector<Row> rows = Rows();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].time, kNow - 1);
  EXPECT_EQ(rows[0].measure_name, "climate");
  EXPECT_EQ(rows[0].dimensions[1], "ü, 1");
  EXPECT_EQ(rows[0].measures,
            (std::vector<Value>{0.1, std::int64_t{-5}, true, std::string("a\n\"ü"), Timestamp{7}}));
  EXPECT_EQ(rows[1].measures[1], Value(std::numeric_limits<std::int64_t>::min()));
  EXPECT_TRUE(std::signbit(std::get<double>(rows[1].measures[0])));
  EXPECT_EQ(rows[1].measures[3], Value());
}

TEST_F(TableStoreTest, VersionsDecideAboutTheSameKey) {
  EXPECT_THAT(store_->Write(name_, {Single("a", kNow, 1, 2)}).rejections, IsEmpty());
  EXPECT_THAT(store_->Write(name_, {Single("a", kNow, 1, 2)}).rejections, IsEmpty()) << "identical";

  WriteResult result = store_->Write(name_, {Single("a", kNow, 5, 2), Single("b", kNow, 1)});
  ASSERT_THAT(result.rejections, SizeIs(1));
  EXPECT_EQ(result.rejections[0].index, 0U);
  EXPECT_EQ(result.rejections[0].existing_version, 2);
  EXPECT_THAT(result.rejections[0].reason, HasSubstr("A record already exists with the same time"));
  EXPECT_EQ(result.ingested, 1) << "the good record of the batch is written";

  result = store_->Write(name_, {Single("a", kNow, 5, 1)});
  EXPECT_THAT(result.rejections.at(0).reason,
              HasSubstr("The record version 1 is lower than the existing version 2."));

  EXPECT_THAT(store_->Write(name_, {Single("a", kNow, 1, 9)}).rejections, IsEmpty());
  EXPECT_THAT(store_->Write(name_, {Single("a", kNow, 7, 8)}).rejections, SizeIs(1))
      << "identical data at a higher version raises the version";
  EXPECT_THAT(store_->Write(name_, {Single("a", kNow, 7, 10)}).rejections, IsEmpty());
  const std::vector<Row> rows = Rows();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].measures[0], Value(7.0));
}

TEST_F(TableStoreTest, DimensionOrderDoesNotMakeAnotherSeries) {
  Record one = Single("a", kNow, 1);
  one.dimensions = {{"x", "1"}, {"y", "2"}};
  Record two = one;
  std::swap(two.dimensions[0], two.dimensions[1]);
  store_->Write(name_, {one, two});
  EXPECT_THAT(Rows(), SizeIs(1));
}

TEST_F(TableStoreTest, TimeRangesAreHalfOpen) {
  store_->Write(name_, {Single("a", kNow - 2 * kDay, 1), Single("b", kNow - kDay, 1),
                        Single("a", kNow - kDay + 1, 1), Single("a", kNow, 1)});
  EXPECT_THAT(Times(kNow - kDay, kNow), ElementsAre(kNow - kDay, kNow - kDay + 1));
  EXPECT_THAT(Times(kNow - kDay + 1, kNow + 1), ElementsAre(kNow - kDay + 1, kNow));
  EXPECT_THAT(Times(kNow, kNow), IsEmpty());
  EXPECT_THAT(Times(std::numeric_limits<std::int64_t>::min()), SizeIs(4));
}

// The oldest and the newest time, found through the index, against those that a scan meets.
TEST_F(TableStoreTest, BoundsAreThoseOfAScan) {
  EXPECT_FALSE(store_->Bounds(name_, 0, kForever));
  std::vector<Record> records;
  const std::int64_t base = kNow / kDay * kDay - 10 * kDay;
  for (const std::int64_t offset :
       {3 * kHour, 5 * kHour + 7, kDay - 1, 4 * kDay, 4 * kDay + 1, 9 * kDay + 2 * kHour}) {
    for (const char* host : {"c", "a", "b"}) {
      records.push_back(Single(host, base + offset + (*host - 'a') * 11, 1));
    }
  }
  ASSERT_EQ(store_->Write(name_, records).ingested, 18);
  std::vector<std::int64_t> edges{0, base, kForever};
  for (const Record& record : records) {
    edges.push_back(record.time_ns);
    edges.push_back(record.time_ns + 1);
  }
  const TableSchema schema = store_->Schema(name_);
  for (const std::int64_t from : edges) {
    for (const std::int64_t to : edges) {
      std::optional<TimeBounds> scanned;
      store_->Scan(name_, schema, from, to, [&](const RowView& row) {
        if (!scanned) scanned = TimeBounds{row.time_ns, row.time_ns};
        scanned->min_ns = std::min(scanned->min_ns, row.time_ns);
        scanned->max_ns = std::max(scanned->max_ns, row.time_ns);
        return true;
      });
      const auto found = store_->Bounds(name_, from, to);
      ASSERT_EQ(found.has_value(), scanned.has_value()) << from << " to " << to;
      if (!found) continue;
      EXPECT_EQ(found->min_ns, scanned->min_ns) << from << " to " << to;
      EXPECT_EQ(found->max_ns, scanned->max_ns) << from << " to " << to;
    }
  }
}

TEST_F(TableStoreTest, RetentionWindowsOfBothStores) {
  const WriteResult result = store_->Write(
      name_, {Single("memory", kNow - 24 * kHour, 1), Single("magnetic", kNow - 24 * kHour - 1, 1),
              Single("oldest", kNow - 365 * kDay, 1), Single("expired", kNow - 365 * kDay - 1, 1),
              Single("future", kNow + 15 * 60 * kSecond - 1, 1),
              Single("beyond", kNow + 15 * 60 * kSecond, 1), Single("before 1970", -1, 1)});
  EXPECT_EQ(result.memory_store, 2);
  EXPECT_EQ(result.magnetic_store, 2);
  ASSERT_THAT(result.rejections, SizeIs(3));
  EXPECT_EQ(result.rejections[0].index, 3U);
  EXPECT_EQ(result.rejections[1].index, 5U);
  EXPECT_TRUE(result.rejections[0].outside_window);
  EXPECT_EQ(result.rejections[0].reason,
            "The record timestamp is outside the time range of the data ingestion window.");

  TableProperties properties = store_->GetTable(name_).properties;
  properties.magnetic_writes = false;
  store_->UpdateTable(name_, properties);
  const WriteResult off = store_->Write(
      name_, {Single("x", kNow - 24 * kHour, 1), Single("x", kNow - 24 * kHour - 1, 1)});
  ASSERT_THAT(off.rejections, SizeIs(1));
  EXPECT_EQ(off.rejections[0].reason,
            "The record timestamp is outside the time range [2026-09-20T14:13:20.000Z, "
            "2026-09-21T14:28:20.000Z) of the memory store.");
}

TEST_F(TableStoreTest, ExpiredRowsAreNotSeenAndStayGone) {
  store_->Write(name_, {Single("a", kNow - 365 * kDay, 1), Single("a", kNow, 1)});
  EXPECT_THAT(Rows(), SizeIs(2));
  now_ += 1;
  EXPECT_THAT(Times(), ElementsAre(kNow));
  TableProperties properties = store_->GetTable(name_).properties;
  properties.magnetic_days = 3650;
  store_->UpdateTable(name_, properties);
  EXPECT_THAT(Times(), ElementsAre(kNow)) << "longer retention does not bring rows back";
}

TEST_F(TableStoreTest, ColumnsKeepTypeAndKind) {
  ASSERT_EQ(store_->Write(name_, {Multi(kNow, {{{"v", ScalarType::kDouble, true}, 1.0}})}).ingested,
            1);
  const auto reason = [&](const Record& record) {
    const WriteResult result = store_->Write(name_, {record});
    return result.rejections.empty() ? std::string() : result.rejections[0].reason;
  };
  EXPECT_THAT(reason(Multi(kNow + 1, {{{"v", ScalarType::kBigint, true}, std::int64_t{1}}})),
              HasSubstr("already exists with the type double"));
  EXPECT_THAT(reason(Multi(kNow + 1, {{{"zone", ScalarType::kDouble, true}, 1.0}})),
              HasSubstr("the name of a dimension"));
  Record clash = Multi(kNow + 1, {{{"v", ScalarType::kDouble, true}, 1.0}});
  clash.dimensions.emplace_back("v", "x");
  EXPECT_THAT(reason(clash), HasSubstr("the name of a measure"));
  Record kind = Single("a", kNow + 1, 1);
  kind.measure_name = "climate";
  EXPECT_THAT(reason(kind), HasSubstr("already exists with the type multi"));
  EXPECT_THAT(Rows(), SizeIs(1));
  EXPECT_THAT(store_->Schema(name_).measures, SizeIs(1)) << "refused records leave no column";
}

TEST_F(TableStoreTest, ARefusedVersionLeavesNoColumn) {
  store_->Write(name_, {Multi(kNow, {{{"v", ScalarType::kDouble, true}, 1.0}})});
  const WriteResult result =
      store_->Write(name_, {Multi(kNow, {{{"w", ScalarType::kDouble, true}, 1.0}})});
  ASSERT_THAT(result.rejections, SizeIs(1));
  EXPECT_EQ(result.rejections[0].existing_version, 1);
  EXPECT_THAT(store_->Schema(name_).measures, SizeIs(1));
}

TEST_F(TableStoreTest, LimitsOfARecord) {
  const auto refused = [&](const std::function<void(Record*)>& change) {
    Record record = Multi(kNow, {{{"v", ScalarType::kDouble, true}, 1.0}});
    change(&record);
    return store_->Write(name_, {record}).rejections.size() == 1;
  };
  EXPECT_TRUE(refused([](Record* r) { r->dimensions.clear(); }));
  EXPECT_TRUE(refused([](Record* r) { r->dimensions.push_back(r->dimensions[0]); }));
  EXPECT_TRUE(refused([](Record* r) { r->dimensions.emplace_back(std::string(61, 'n'), "v"); }));
  EXPECT_TRUE(refused([](Record* r) { r->dimensions.emplace_back("time", "v"); }));
  EXPECT_TRUE(refused([](Record* r) { r->dimensions.emplace_back("ts_x", "v"); }));
  EXPECT_TRUE(
      refused([](Record* r) { r->dimensions.emplace_back("big", std::string(2048, 'v')); }));
  EXPECT_TRUE(refused([](Record* r) { r->measure_name = std::string(257, 'm'); }));
  EXPECT_TRUE(refused([](Record* r) { r->measures.clear(); }));
  EXPECT_TRUE(refused([](Record* r) { r->measures[0].second = std::nan(""); }));
  EXPECT_TRUE(refused([](Record* r) { r->version = 0; }));
  EXPECT_TRUE(refused([](Record* r) {
    r->measures[0] = {{"s", ScalarType::kVarchar, true}, std::string(2049, 's')};
  }));
  EXPECT_TRUE(refused([](Record* r) {
    for (int i = 0; i < 256; ++i) {
      r->measures.push_back({{"m" + std::to_string(i), ScalarType::kBoolean, true}, true});
    }
  }));
  EXPECT_TRUE(refused([](Record* r) {
    for (int i = 0; i < 127; ++i) r->dimensions.emplace_back("d" + std::to_string(i), "v");
  }));
  EXPECT_FALSE(refused([](Record* r) {
    for (int i = 0; i < 126; ++i) r->dimensions.emplace_back("d" + std::to_string(i), "v");
  }));
  EXPECT_TRUE(refused([](Record* r) { r->dimensions = {{"one_more_of_the_table", "v"}}; }));
}

TEST_F(TableStoreTest, ARequiredPartitionKeyMustBeThere) {
  TableProperties properties = store_->GetTable(name_).properties;
  properties.partition_key = PartitionKey{false, "city", true};
  const TableName keyed{"eu-west-1", "db", "keyed"};
  store_->CreateTable(keyed, properties);
  Record with = Single("a", kNow, 1);
  with.dimensions.emplace_back("city", "Zürich");
  const WriteResult result = store_->Write(keyed, {Single("a", kNow, 1), with});
  EXPECT_EQ(result.ingested, 1);
  EXPECT_THAT(result.rejections.at(0).reason, HasSubstr("city"));
  Open();
  const auto key = store_->GetTable(keyed).properties.partition_key;
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->name, "city");
  EXPECT_TRUE(key->required);
  EXPECT_FALSE(key->is_measure);
}

TEST_F(TableStoreTest, MeasuresWithTheirDimensions) {
  store_->Write(name_,
                {Single("a", kNow, 1), Multi(kNow, {{{"v", ScalarType::kDouble, true}, 1.0}})});
  const auto measures = store_->Measures(name_);
  ASSERT_THAT(measures, SizeIs(2));
  EXPECT_EQ(measures[0].measure_name, "climate");
  EXPECT_EQ(measures[0].data_type, "multi");
  EXPECT_THAT(measures[0].dimensions, ElementsAre("host", "zone"));
  EXPECT_EQ(measures[1].data_type, "double");
  EXPECT_THAT(measures[1].dimensions, ElementsAre("host"));
}

TEST_F(TableStoreTest, RegionsAreApart) {
  EXPECT_EQ(CodeOf([&] { store_->GetDatabase("us-west-2", "db"); }), "ResourceNotFoundException");
  store_->CreateDatabase("us-west-2", "db", "key");
  EXPECT_THAT(store_->Tables("us-west-2", "db"), IsEmpty());
  EXPECT_EQ(CodeOf([&] { store_->Schema({"us-west-2", "db", "t"}); }), "ResourceNotFoundException");
  EXPECT_THAT(store_->Databases("us-west-2"), SizeIs(1));
}

TEST_F(TableStoreTest, CatalogErrorsAndDeletion) {
  EXPECT_EQ(CodeOf([&] { store_->CreateDatabase("eu-west-1", "db", ""); }), "ConflictException");
  EXPECT_EQ(CodeOf([&] { store_->CreateTable(name_, {}); }), "ConflictException");
  EXPECT_EQ(CodeOf([&] { store_->DeleteDatabase("eu-west-1", "db"); }), "ValidationException");
  EXPECT_EQ(store_->GetDatabase("eu-west-1", "db").table_count, 1);
  store_->Write(name_, {Single("a", kNow, 1)});
  store_->DeleteTable(name_);
  EXPECT_EQ(CodeOf([&] { store_->GetTable(name_); }), "ResourceNotFoundException");
  store_->CreateTable(name_, {});
  EXPECT_THAT(Rows(), IsEmpty()) << "a new table of an old name is empty";
  Open();
  EXPECT_EQ(store_->GetTable(name_).properties.memory_hours, 6);
  EXPECT_EQ(store_->GetDatabase("eu-west-1", "db").table_count, 1);
  store_->DeleteTable(name_);
  store_->DeleteDatabase("eu-west-1", "db");
  EXPECT_THAT(store_->Databases("eu-west-1"), IsEmpty());
}

TEST_F(TableStoreTest, AScanSeesTheStateAtItsStart) {
  std::vector<Record> records;
  for (int i = 0; i < 1000; ++i) records.push_back(Single("a", kNow - i, i));
  store_->Write(name_, records);
  int seen = 0;
  store_->Scan(name_, store_->Schema(name_), 0, kForever, [&](const RowView&) {
    if (seen++ == 0) store_->Write(name_, {Single("later", kNow + 1, 1), Single("a", kNow, 2, 2)});
    return true;
  });
  EXPECT_EQ(seen, 1000);
  EXPECT_THAT(Rows(), SizeIs(1001));
  int stopped = 0;
  store_->Scan(name_, store_->Schema(name_), 0, kForever,
               [&](const RowView&) { return ++stopped < 3; });
  EXPECT_EQ(stopped, 3);
}

TEST_F(TableStoreTest, ManyThreadsWriteAndScan) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        store_->Write(name_, {Single("h" + std::to_string(t * 50 + i), kNow, i)});
        int count = 0;
        store_->Scan(name_, store_->Schema(name_), 0, kForever, [&](const RowView& row) {
          count += row.dimensions.at(0).has_value() ? 1 : 0;
          return true;
        });
        EXPECT_GE(count, i + 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Rows(), SizeIs(200));
}

}  // namespace
}  // namespace ts_local
