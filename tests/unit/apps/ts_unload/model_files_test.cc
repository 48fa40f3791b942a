#include "ts_unload/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/ts_unload/plan_sample.h"
#include "run/run_dir.h"
#include "support/recording_sink.h"
#include "tsm/model/data_model.h"

namespace tsm::apps {
namespace {

using ::testing::HasSubstr;
using tsm::test::ContentOf;
using tsm::test::RecordingSink;
using tsm::test::RunDir;

class ModelFilesTest : public ::testing::Test {
 protected:
  ModelFilesTest() {
    plan_ = test::OneTable();
    plan_.data_model_out = (dir_.path() / "model.json").string();
  }
  unload::TablePlan& table() { return plan_.tables.front(); }

  model::DataModel Written() {
    const Status status = WriteDataModel(plan_, sink_);
    EXPECT_TRUE(status) << status.error().Text();
    auto parsed = model::ParseDataModel(ContentOf(plan_.data_model_out));
    EXPECT_TRUE(parsed) << parsed.error().Text();
    return parsed ? *parsed : model::DataModel();
  }

  RunDir dir_;
  unload::UnloadPlan plan_;
  RecordingSink sink_;
};

TEST_F(ModelFilesTest, OfTheTablesSchemaWithThePlansNames) {
  table().select.time_alias = "nanoseconds_2";
  table().schema.columns.push_back({"seen", "timestamp", timestream::ColumnRole::kMulti});
  table().select.timestamps = {{"seen", "seen_nanoseconds"}};
  const model::DataModel model = Written();
  EXPECT_EQ(model.time_column, "nanoseconds_2");
  EXPECT_EQ(model.measure_name_column, "measure_name");
  ASSERT_EQ(model.dimensions.size(), 1U);
  EXPECT_EQ(model.dimensions[0].source_column, "city");
  ASSERT_TRUE(model.multi);
  ASSERT_EQ(model.multi->attributes.size(), 2U);
  EXPECT_EQ(model.multi->attributes[1].source_column, "seen_nanoseconds");
  EXPECT_EQ(model.multi->attributes[1].target_name, "seen");
}

TEST_F(ModelFilesTest, ColumnsThatAreNotUnloadedAreNotMapped) {
  table().schema.columns.push_back({"floor", "varchar", timestream::ColumnRole::kDimension});
  table().select.columns = {"city", "measure_name", "load"};
  const model::DataModel model = Written();
  ASSERT_EQ(model.dimensions.size(), 1U);
  EXPECT_EQ(model.dimensions[0].source_column, "city");
}

TEST_F(ModelFilesTest, NoFileIsAskedForNoneIsWritten) {
  plan_.data_model_out.clear();
  EXPECT_TRUE(WriteDataModel(plan_, sink_));
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(ModelFilesTest, ATableWithNothingToMapIsToldAndGetsNone) {
  table().measures.clear();
  EXPECT_TRUE(WriteDataModel(plan_, sink_));
  EXPECT_FALSE(std::filesystem::exists(plan_.data_model_out));
  EXPECT_EQ(sink_.Count("no data model for sourcedb.myTable"), 1U);
}

TEST_F(ModelFilesTest, AFileThatCannotBeWrittenNamesTheFlag) {
  plan_.data_model_out = "/dev/null/model.json";
  const Status status = WriteDataModel(plan_, sink_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kLocalIo);
  EXPECT_THAT(status.error().Text(), HasSubstr("--data_model_out"));
}

}  // namespace
}  // namespace tsm::apps
