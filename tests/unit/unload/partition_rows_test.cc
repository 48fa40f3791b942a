#include "../../src/unload/partition_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unload/plan_sample.h"

namespace tsm::unload {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Files below an attempt's results/, as folder and rows.
run::Manifest ManifestOf(const Attempt& attempt,
                         const std::vector<std::pair<std::string, std::uint64_t>>& files) {
  run::Manifest manifest;
  for (const auto& [folder, rows] : files) {
    const std::string key = attempt.results_prefix() + folder + "Q_1_x.csv";
    manifest.files.push_back({*s3::S3Uri::Parse("s3://bkt/" + key), 10, rows});
  }
  return manifest;
}

class PartitionRowsTest : public ::testing::Test {
 protected:
  PartitionRowsTest() { plan_.tables.push_back(SampleTable("other")); }

  void Add(PartitionRows& rows, const SliceRef& ref,
           const std::vector<std::pair<std::string, std::uint64_t>>& files) {
    const Attempt attempt = NestedAttempt(ref.slice, "abcdef");
    rows.Add(ref, attempt, ManifestOf(attempt, files));
  }

  UnloadPlan plan_ = SamplePlan();
};

TEST_F(PartitionRowsTest, SumsOverFilesSlicesAndHalves) {
  PartitionRows rows(plan_);
  Add(rows, {0, "0001a"}, {{"partition_date=2024-02-26/", 3}, {"partition_date=2024-02-26/", 4}});
  Add(rows, {0, "0001b"}, {{"partition_date=2024-02-26/", 5}, {"partition_date=2024-02-27/", 1}});
  Add(rows, {1, "0001"}, {{"partition_date=2024-02-26/", 100}});
  EXPECT_THAT(rows.Of(0), ElementsAre(Pair("2024-02-26", 12), Pair("2024-02-27", 1)));
  EXPECT_THAT(rows.Of(1), ElementsAre(Pair("2024-02-26", 100)));
}

TEST_F(PartitionRowsTest, ASliceCountsOnce) {
  PartitionRows rows(plan_);
  EXPECT_FALSE(rows.Has({0, "0001"}));
  Add(rows, {0, "0001"}, {{"partition_date=2024-02-26/", 3}});
  Add(rows, {0, "0001"}, {{"partition_date=2024-02-26/", 3}});
  EXPECT_TRUE(rows.Has({0, "0001"}));
  EXPECT_FALSE(rows.Has({0, "0002"}));
  EXPECT_FALSE(rows.Has({1, "0001"}));
  EXPECT_THAT(rows.Of(0), ElementsAre(Pair("2024-02-26", 3)));
}

TEST_F(PartitionRowsTest, AForgottenTableIsAddedAnew) {
  PartitionRows rows(plan_);
  Add(rows, {0, "0001"}, {{"partition_date=2024-02-26/", 3}});
  Add(rows, {1, "0001"}, {{"partition_date=2024-02-26/", 4}});
  rows.Forget(0);
  EXPECT_FALSE(rows.Has({0, "0001"}));
  EXPECT_THAT(rows.Of(0), IsEmpty());
  EXPECT_THAT(rows.Of(1), ElementsAre(Pair("2024-02-26", 4)));
  Add(rows, {0, "0001"}, {{"partition_date=2024-02-26/", 5}});
  EXPECT_THAT(rows.Of(0), ElementsAre(Pair("2024-02-26", 5)));
}

TEST_F(PartitionRowsTest, SeveralPartitionColumnsAreJoined) {
  plan_.tables[0].select.partitioned_by = {{"city", "partition_city"}};
  PartitionRows rows(plan_);
  Add(rows, {0, "0001"},
      {{"partition_date=2024-02-26/partition_city=Oslo/", 3},
       {"partition_date=2024-02-26/partition_city=a=b/", 4}});
  EXPECT_THAT(rows.Of(0), ElementsAre(Pair("2024-02-26/Oslo", 3), Pair("2024-02-26/a=b", 4)));
}

TEST_F(PartitionRowsTest, WithoutFoldersThePlannedSliceCounts) {
  plan_.tables[0].select.partition = PartitionUnit::kNone;
  PartitionRows rows(plan_);
  Add(rows, {0, "0001a"}, {{"", 3}, {"", 4}});
  Add(rows, {0, "0001bb"}, {{"", 5}});
  Add(rows, {0, "0002"}, {{"", 6}});
  EXPECT_THAT(rows.Of(0), ElementsAre(Pair("0001", 12), Pair("0002", 6)));
}

TEST_F(PartitionRowsTest, ByAColumnAloneThereAreFoldersToo) {
  plan_.tables[0].select.partition = PartitionUnit::kNone;
  plan_.tables[0].select.partitioned_by = {{"city", "partition_city"}};
  PartitionRows rows(plan_);
  Add(rows, {0, "0001"}, {{"partition_city=Oslo/", 3}});
  EXPECT_THAT(rows.Of(0), ElementsAre(Pair("Oslo", 3)));
}

TEST_F(PartitionRowsTest, SlicesOfSeveralThreadsAllCount) {
  PartitionRows rows(plan_);
  {
    std::vector<std::jthread> threads;
    for (int i = 1; i <= 8; ++i) {
      threads.emplace_back([&, i] {
        Add(rows, {0, UnloadSlice{static_cast<std::size_t>(i), "", 0, 1, 1, {}, {}}.Id()},
            {{"partition_date=2024-02-26/", 1}});
        (void)rows.Of(0);
      });
    }
  }
  EXPECT_THAT(rows.Of(0), ElementsAre(Pair("2024-02-26", 8)));
}

TEST(PartitionRows, ValuesOfFolders) {
  EXPECT_EQ(PartitionValues("partition_date=2024-02-26/file.csv"), "2024-02-26");
  EXPECT_EQ(PartitionValues("a=1/b=/c=x y/file.csv"), "1//x y");
  EXPECT_EQ(PartitionValues("folder/file.csv"), "folder");
  EXPECT_EQ(PartitionValues("file.csv"), "");
  EXPECT_EQ(PartitionValues(""), "");
}

TEST(PartitionRows, PlannedSlices) {
  EXPECT_EQ(PlannedSlice("0007"), "0007");
  EXPECT_EQ(PlannedSlice("0007ab"), "0007");
  EXPECT_EQ(PlannedSlice("10000b"), "10000");
}

}  // namespace
}  // namespace tsm::unload
