#include "tsm/batchload/record_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::batchload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using timestream::ColumnRole;

run::RunRecord Record() {
  run::RunRecord record;
  record.source = {.database = "sourcedb", .table = "t"};
  record.time_alias = "nanoseconds";
  record.timestamps = {{"seen", "seen_nanoseconds"}};
  record.schema.columns = {{"city", "varchar", ColumnRole::kDimension},
                           {"floor", "varchar", ColumnRole::kDimension},
                           {"measure_name", "varchar", ColumnRole::kMeasureName},
                           {"time", "timestamp", ColumnRole::kTimestamp},
                           {"seen", "timestamp", ColumnRole::kMulti},
                           {"load", "double", ColumnRole::kMulti}};
  record.measures = {{"climate", "multi", {}}};
  record.partitioned_by = {{"city", "partition_city"}};
  record.state = run::RunState::kDone;
  record.verified = "equal";
  record.rows = 100;
  record.non_null = {{"city", 100}, {"floor", 40}, {"measure_name", 100}};
  return record;
}

TEST(RecordModel, TheModelLoadsTheTableBack) {
  run::RunRecord record = Record();
  const auto generated = GenerateFromRecord(record);
  ASSERT_TRUE(generated) << generated.error().Text();
  const model::DataModel& model = generated->model;
  EXPECT_EQ(model.time_column, "nanoseconds");
  EXPECT_TRUE(model.HasDimension("city")) << "what the files are partitioned by stays in them";
  EXPECT_EQ(model.multi->attributes[0].source_column, "seen_nanoseconds");
  const auto fit = model::FitToSource(model, SourceOf(record), CountsOf(record));
  ASSERT_TRUE(fit) << fit.error().Text();
  EXPECT_THAT(fit->changes, IsEmpty());
  EXPECT_THAT(fit->key_changes, IsEmpty());
  // As the model's notes say too: the original's rows are not told apart by what is left out.
  record.columns = {"city", "measure_name", "time", "load"};
  record.timestamps.clear();
  EXPECT_THAT(SourceOf(record).left_out, ElementsAre("floor", "seen"));
  const auto fewer = GenerateFromRecord(record);
  ASSERT_TRUE(fewer) << fewer.error().Text();
  const auto folded = model::FitToSource(fewer->model, SourceOf(record), CountsOf(record));
  ASSERT_TRUE(folded) << folded.error().Text();
  EXPECT_THAT(folded->key_changes, ElementsAre("the dimension \"floor\" is not in the files"));
  EXPECT_THAT(
      folded->changes,
      ElementsAre(
          "the measure \"seen\" is not in the files; batch load refuses rows that have no other"));
}

TEST(RecordModel, FilesThatBatchLoadCantReadAreRefused) {
  run::RunRecord record = Record();
  record.format.format = "PARQUET";
  EXPECT_EQ(GenerateFromRecord(record).error().Text(),
            "the data model of sourcedb.t by the run record: the files are PARQUET, and batch load "
            "reads CSV only");
  record = Record();
  record.format.include_header = false;
  EXPECT_THAT(GenerateFromRecord(record).error().Text(), HasSubstr("--include_header true"));
  record = Record();
  record.measures.clear();
  EXPECT_THAT(GenerateFromRecord(record).error().Text(),
              HasSubstr("by the run record: nothing to map: the table has no measures"));
}

TEST(RecordModel, CountsAreTakenOnlyWhereTheyAreOfTheRowsThatWereUnloaded) {
  run::RunRecord record = Record();
  EXPECT_EQ(CountsOf(record).rows, 100U);
  EXPECT_EQ(CountsOf(record).non_null.at("floor"), 40U);
  record.verified = "expired";
  record.non_null["measure_name"] = 90;
  record.non_null["city"] = 90;
  EXPECT_EQ(CountsOf(record).rows, 90U);
  EXPECT_EQ(model::RowsWithoutKey(GenerateFromRecord(record)->model, "city", SourceOf(record),
                                  CountsOf(record)),
            0U);
  record.non_null.erase("measure_name");
  EXPECT_EQ(CountsOf(record).rows, 0U);
  record = Record();
  record.non_null.clear();
  EXPECT_EQ(CountsOf(record).rows, 0U);
  record = Record();
  record.state = run::RunState::kStarted;
  EXPECT_EQ(CountsOf(record).rows, 0U);
}

TEST(RecordModel, TheRangeIsThatOfSlicesWithRows) {
  run::RunRecord record = Record();
  EXPECT_FALSE(RangeOf(record).oldest);
  for (const std::uint64_t rows : {0U, 5U, 5U, 0U}) {
    run::RecordSlice slice;
    slice.from = 10 * static_cast<UnixNanos>(record.slices.size() + 1);
    slice.end = slice.from + 10;
    slice.rows = rows;
    record.slices.push_back(slice);
  }
  EXPECT_EQ(RangeOf(record).oldest, 20);
  EXPECT_EQ(RangeOf(record).end, 40);
}

}  // namespace
}  // namespace tsm::batchload
