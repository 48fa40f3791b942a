#include "tsm/batchload/load_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tsm/timestream/limits.h"

namespace tsm::batchload {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

s3::ObjectSummary Object(std::string key, std::uint64_t size = 10) {
  s3::ObjectSummary object;
  object.key = s3::ObjectKey(std::move(key));
  object.size = size;
  object.etag = "e";
  return object;
}

std::string Refusal(const std::vector<s3::ObjectSummary>& objects, bool in_place = false) {
  const Result<LoadPlan> plan = PlanLoad("s3://b/r/", objects, in_place);
  return plan ? "no refusal" : plan.error().Text();
}

TEST(LoadPlan, GroupsByFolderInNameOrder) {
  const Result<LoadPlan> plan =
      PlanLoad("s3://b/r/",
               {Object("r/p=2024-01-02/b.csv", 5), Object("r/p=2024-01-01/a.csv", 1),
                Object("r/p=2024-01-01/b.csv", 2), Object("other.json")},
               false);
  ASSERT_TRUE(plan) << plan.error().Text();
  ASSERT_EQ(plan->groups.size(), 2U);
  EXPECT_EQ(plan->groups[0].folder, "r/p=2024-01-01/");
  EXPECT_EQ(plan->groups[0].files.size(), 2U);
  EXPECT_EQ(plan->groups[0].bytes(), 3U);
  EXPECT_EQ(plan->groups[1].folder, "r/p=2024-01-02/");
  EXPECT_EQ(plan->files(), 3U);
  EXPECT_EQ(plan->bytes(), 8U);
  EXPECT_EQ(plan->rows(), std::nullopt);
}

TEST(LoadPlan, RowsAreKnownOnlyWhereEveryFileTellsThem) {
  LoadGroup group{"f/",
                  {{s3::ObjectKey("f/a.csv"), 1, "", 3}, {s3::ObjectKey("f/b.csv"), 1, "", 4}}};
  EXPECT_EQ(group.rows(), 7U);
  group.files[1].rows.reset();
  EXPECT_EQ(group.rows(), std::nullopt);
}

TEST(LoadPlan, RefusesWhatCantBeLoaded) {
  EXPECT_THAT(Refusal({}), HasSubstr("no data files (*.csv) under s3://b/r/"));
  EXPECT_THAT(Refusal({Object("r/readme.txt")}), HasSubstr("no data files"));
  EXPECT_THAT(Refusal({Object("r/a.csv"), Object("r/b.gz")}), HasSubstr("uncompressed CSV"));
  EXPECT_THAT(Refusal({Object("r/b.parquet")}), HasSubstr("r/b.parquet"));
  EXPECT_THAT(Refusal({Object("r/a.csv", timestream::kMaxBatchLoadFileBytes + 1)}),
              HasSubstr("max_file_size"));
  EXPECT_THAT(Refusal({Object("a.csv")}), HasSubstr("lies in no folder"));
}

TEST(LoadPlan, HoldsTheServicesLimits) {
  std::vector<s3::ObjectSummary> files;
  for (int i = 0; i < 100; ++i) files.push_back(Object("r/" + std::to_string(i) + ".csv"));
  EXPECT_TRUE(PlanLoad("s3://b/r/", files, false));
  files.push_back(Object("r/more.csv"));
  EXPECT_THAT(Refusal(files), HasSubstr("101 data files"));
  std::vector<s3::ObjectSummary> large;
  for (int i = 0; i < 20; ++i) {
    large.push_back(Object("r/" + std::to_string(i) + ".csv", timestream::kMaxBatchLoadFileBytes));
  }
  EXPECT_TRUE(PlanLoad("s3://b/r/", large, false));
  large.push_back(Object("r/x.csv", 1));
  EXPECT_THAT(Refusal(large), HasSubstr("a batch-load task takes"));
}

TEST(LoadPlan, ANestedFolderWouldBeLoadedTwice) {
  EXPECT_THAT(Refusal({Object("r/a.csv"), Object("r/x/b.csv")}), HasSubstr("twice"));
  // "r/p" is no folder of "r/p2/…".
  EXPECT_THAT(Refusal({Object("r/p/a.csv"), Object("r/p2/b.csv")}), HasSubstr("no refusal"));
}

TEST(LoadPlan, InPlaceNothingElseMayLieInAFolder) {
  const std::vector<s3::ObjectSummary> objects = {Object("r/", 0), Object("r/p/", 0),
                                                  Object("r/p/a.csv"), Object("r/p/notes.txt"),
                                                  Object("r/record.json")};
  const std::string refusal = Refusal(objects, true);
  EXPECT_THAT(refusal, HasSubstr("r/p/notes.txt"));
  EXPECT_THAT(refusal, Not(HasSubstr("record.json")));
  EXPECT_EQ(Refusal(objects, false), "no refusal");
}

TEST(NameSome, CutsLongLists) {
  EXPECT_EQ(NameSome({}), "");
  EXPECT_EQ(NameSome({"a", "b"}), "a, b");
  EXPECT_EQ(NameSome({"a", "b", "c"}, 2), "a, b and 1 more");
}

}  // namespace
}  // namespace tsm::batchload
