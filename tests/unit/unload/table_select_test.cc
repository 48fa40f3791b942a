#include "tsm/unload/table_select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tsm/unload/unload_statement.h"

namespace tsm::unload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using timestream::ColumnRole;
using timestream::SchemaColumn;
using timestream::TableSchema;

TableSchema Sensors() {
  return {{{"city", "varchar", ColumnRole::kDimension},
           {"device", "varchar", ColumnRole::kDimension},
           {"measure_name", "varchar", ColumnRole::kMeasureName},
           {"time", "timestamp", ColumnRole::kTimestamp},
           {"temperature", "double", ColumnRole::kMulti},
           {"samples", "bigint", ColumnRole::kMulti},
           {"ok", "boolean", ColumnRole::kMulti}}};
}

const timestream::TableRef& Table() {
  static const timestream::TableRef table = *timestream::TableRef::Make("sourcedb", "myTable");
  return table;
}

TableSelect Made(const UnloadOptions& options, const TableSchema& schema = Sensors()) {
  const Result<TableSelect> select = MakeTableSelect(options, Table(), schema);
  EXPECT_TRUE(select) << select.error().Text();
  return select ? *select : TableSelect();
}

std::string Refusal(const UnloadOptions& options, const TableSchema& schema = Sensors()) {
  const Result<TableSelect> select = MakeTableSelect(options, Table(), schema);
  if (select) return "(accepted)";
  EXPECT_EQ(select.error().kind, ErrorKind::kInvalidInput);
  return select.error().message;
}

TEST(TableSelectTest, WithoutFlagsIsEverythingUnderTheOriginalsNames) {
  UnloadOptions options;
  options.partition = PartitionUnit::kDay;
  const TableSelect select = Made(options);
  EXPECT_EQ(select.table, Table());
  EXPECT_THAT(select.columns, IsEmpty());
  EXPECT_EQ(select.time_alias, "nanoseconds");
  EXPECT_EQ(select.partition_alias, "partition_date");
  EXPECT_THAT(select.timestamps, IsEmpty());
  EXPECT_THAT(select.partitioned_by, IsEmpty());
}

TEST(TableSelectTest, AliasesEvadeColumnsAndEachOther) {
  TableSchema schema = Sensors();
  schema.columns.push_back({"NanoSeconds", "bigint", ColumnRole::kMulti});
  schema.columns.push_back({"date", "varchar", ColumnRole::kDimension});
  schema.columns.push_back({"partition_city", "varchar", ColumnRole::kDimension});
  UnloadOptions options;
  options.partition = PartitionUnit::kMonth;
  options.partitioned_by = {"date", "city"};
  const TableSelect select = Made(options, schema);
  EXPECT_EQ(select.time_alias, "nanoseconds_2");
  EXPECT_EQ(select.partition_alias, "partition_date");
  EXPECT_THAT(select.partitioned_by, ElementsAre(AliasedColumn{"date", "partition_date_2"},
                                                 AliasedColumn{"city", "partition_city_2"}));
  options.partition = PartitionUnit::kNone;
  EXPECT_EQ(Made(options, schema).partitioned_by[0].alias, "partition_date");
}

TEST(TableSelectTest, APartitionsAliasIsGoodForAKey) {
  TableSchema schema = Sensors();
  schema.columns.push_back({"measure_value::bigint", "bigint", ColumnRole::kMeasureValue});
  schema.columns.push_back({"größe", "varchar", ColumnRole::kDimension});
  UnloadOptions options;
  options.partitioned_by = {"measure_value::bigint", "größe"};
  EXPECT_EQ(Made(options, schema).partitioned_by[0].alias, "partition_measure_value__bigint");
  EXPECT_EQ(Made(options, schema).partitioned_by[1].alias, "partition_gr____e");
}

TEST(TableSelectTest, TimestampMeasuresGetTheirEpochToo) {
  TableSchema schema = Sensors();
  schema.columns.push_back({"seen", "timestamp", ColumnRole::kMulti});
  schema.columns.push_back({"measure_value::timestamp", "timestamp", ColumnRole::kMeasureValue});
  schema.columns.push_back({std::string(250, 'l'), "timestamp", ColumnRole::kMulti});
  UnloadOptions options;
  EXPECT_THAT(
      Made(options, schema).timestamps,
      ElementsAre(AliasedColumn{"seen", "seen_nanoseconds"},
                  AliasedColumn{"measure_value::timestamp", "measure_value::timestamp_nanoseconds"},
                  AliasedColumn{std::string(250, 'l'), "timestamp_nanoseconds"}));
  options.columns = {"city", "time", "temperature"};
  EXPECT_THAT(Made(options, schema).timestamps, IsEmpty());
  options.columns = {"city", "seen"};
  EXPECT_THAT(Made(options, schema).timestamps,
              ElementsAre(AliasedColumn{"seen", "seen_nanoseconds"}));
}

TEST(TableSelectTest, TellsTheNearestNamesOfAColumnThatIsNotThere) {
  UnloadOptions options;
  options.columns = {"city", "Device"};
  EXPECT_THAT(Refusal(options),
              AllOf(HasSubstr("--columns: sourcedb.myTable has no column 'Device'"),
                    HasSubstr("nearest are device, ")));
  options.columns.clear();
  options.order_by = {"tme DESC"};
  EXPECT_THAT(Refusal(options), AllOf(HasSubstr("--order_by"), HasSubstr("nearest are time, ")));
  options.order_by.clear();
  options.partitioned_by = {"town"};
  EXPECT_THAT(Refusal(options), AllOf(HasSubstr("--partitioned_by"), HasSubstr("'town'")));
}

TEST(TableSelectTest, RefusesAColumnTwice) {
  UnloadOptions options;
  options.columns = {"city", "city"};
  EXPECT_THAT(Refusal(options), HasSubstr("--columns: column 'city' stands twice"));
  options.columns.clear();
  options.order_by = {"city", "city desc"};
  EXPECT_THAT(Refusal(options), HasSubstr("--order_by: column 'city' stands twice"));
  options.order_by.clear();
  options.partitioned_by = {"city", "city"};
  EXPECT_THAT(Refusal(options), HasSubstr("--partitioned_by: column 'city' stands twice"));
}

TEST(TableSelectTest, PartitionsAreColumnsOfFewValues) {
  UnloadOptions options;
  options.partitioned_by = {"temperature"};
  EXPECT_THAT(Refusal(options), HasSubstr("'temperature' is of type double"));
  options.partitioned_by = {"time"};
  EXPECT_THAT(Refusal(options), HasSubstr("--partition hour, day, month or year"));
  options.partitioned_by = {"ok", "samples", "measure_name"};
  EXPECT_EQ(Made(options).partitioned_by.size(), 3U);
}

TEST(TableSelectTest, RefusesAStatementThatTheServiceWouldNotTake) {
  TableSchema schema = Sensors();
  UnloadOptions options;
  for (int i = 0; i < 1024; ++i) {
    const std::string name = std::to_string(i) + std::string(250, '"');
    schema.columns.push_back({name, "double", ColumnRole::kMulti});
    options.columns.push_back(name);
  }
  EXPECT_THAT(Refusal(options, schema), AllOf(HasSubstr("262,144"), HasSubstr("--columns")));
  options.columns.resize(400);
  EXPECT_EQ(Made(options, schema).columns.size(), 400U);
}

TEST(TableSelectTest, SaysWhatBatchLoadCannotMakeATableOf) {
  UnloadOptions options;
  EXPECT_THAT(SelectRemarks(Made(options), Sensors()), IsEmpty());
  options.columns = {"city", "device", "measure_name", "ok"};
  EXPECT_THAT(SelectRemarks(Made(options), Sensors()), IsEmpty());
  options.columns = {"measure_name", "time"};
  EXPECT_THAT(SelectRemarks(Made(options), Sensors()),
              ElementsAre(HasSubstr("no dimension"), HasSubstr("no measure"),
                          HasSubstr("leaves out city, device: rows that differ")));
  options.columns = {"city", "device", "ok"};
  EXPECT_THAT(SelectRemarks(Made(options), Sensors()),
              ElementsAre(HasSubstr("leaves out measure_name")));
}

TEST(FreeColumnNameTest, ComparesWithoutCase) {
  const TableSchema schema{{{"nanoseconds", "bigint", ColumnRole::kMulti},
                            {"NANOSECONDS_2", "bigint", ColumnRole::kMulti}}};
  EXPECT_EQ(FreeColumnName(schema, "other"), "other");
  EXPECT_EQ(FreeColumnName(schema, "Nanoseconds"), "Nanoseconds_3");
  EXPECT_EQ(FreeColumnName(schema, "other", {"Other", "other_2"}), "other_3");
}

}  // namespace
}  // namespace tsm::unload
