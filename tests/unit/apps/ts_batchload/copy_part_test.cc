// The copies of a run: groups are handed on as they are complete, what failed is told once, and a
// resume copies only what is missing.
#include "ts_batchload/copy_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/ts_batchload/part_world.h"

namespace tsm::apps {
namespace {

using test::PartWorld;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using tsm::test::CopyS3Call;
using tsm::test::FakeCopyS3;

struct CopyPartTest : ::testing::Test {
  // Copies to keys that hold this are refused.
  void Forbid(const std::string& key) {
    world.copies.s3.before = [key](const CopyS3Call& call) -> std::optional<http::Response> {
      if (call.name != "CopyObject" || call.key.find(key) == std::string::npos) return std::nullopt;
      return FakeCopyS3::Refusal(403, "AccessDenied");
    };
  }
  std::uint64_t CopiesAsked() const { return world.copies.s3.Count("CopyObject"); }
  batchload::GroupState Group(std::size_t group) const { return world.ledger->Group(group); }

  PartWorld world;
};

TEST_F(CopyPartTest, GroupsAreHandedOnAsSoonAsTheyAreComplete) {
  world.AddGroup({"a", "bb"});
  world.AddGroup({"ccc"});
  world.AddGroup({"d"});
  std::vector<std::size_t> before_last;
  world.copies.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "CopyObject" && call.key == "dest/p=03/0.csv") {
      before_last = world.ready->Take();
      EXPECT_FALSE(world.ready->closed());
    }
    return std::nullopt;
  };
  const CopyResult result = world.Run();
  EXPECT_THAT(before_last, ElementsAre(0, 1));
  EXPECT_THAT(world.ready->Take(), ElementsAre(2));
  EXPECT_TRUE(world.ready->closed());
  EXPECT_FALSE(result.fatal) << result.fatal->Text();
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(result.files, 4U);
  EXPECT_EQ(result.bytes, 7U);
  EXPECT_EQ(result.were_there, 0U);
  EXPECT_THAT(result.differences, IsEmpty());
  ASSERT_TRUE(Group(0).sealed);
  EXPECT_EQ(Group(0).sealed->objects, 2U);
  EXPECT_EQ(Group(0).sealed->bytes, 3U);
  EXPECT_EQ(Group(0).sealed->rows, 100U);  // the plan's
  EXPECT_EQ(world.copies.Body("dest/p=01/1.csv"), "bb");
}

TEST_F(CopyPartTest, AGroupIsToldOnceHoweverManyOfItsFilesFail) {
  world.AddGroup({"a", "b", "c"});
  world.AddGroup({"d"});
  Forbid("p=01/");
  const CopyResult result = world.Run();
  EXPECT_FALSE(result.fatal);
  EXPECT_EQ(result.failed, 3U);
  EXPECT_EQ(
      world.Told("group g0001 (dest/p=01/) is not complete, a file was not copied: unload/p=01"),
      1U);
  EXPECT_EQ(world.topic.sent(), 1U);
  EXPECT_FALSE(Group(0).sealed);
  EXPECT_THAT(Group(0).copy_failure, HasSubstr("unload/p=01/"));
  EXPECT_THAT(Group(0).copy_failure, HasSubstr("s3:GetObject"));
  EXPECT_THAT(world.ready->Take(), ElementsAre(1));
  EXPECT_TRUE(world.ready->closed());
  EXPECT_THAT(result.differences, IsEmpty());  // a group that is told is not proven
}

TEST_F(CopyPartTest, AResumeCopiesWhatAHalfCopiedGroupLacks) {
  world.AddGroup({"a", "b", "c"});
  world.AddGroup({"d"});
  Forbid("p=01/1.csv");
  world.Run();
  EXPECT_EQ(Group(0).copied.size(), 2U);
  world.copies.s3.before = nullptr;
  const std::uint64_t before = CopiesAsked();
  const CopyResult result = world.Run();
  EXPECT_EQ(CopiesAsked() - before, 1U);
  EXPECT_EQ(result.files, 4U);
  EXPECT_EQ(result.were_there, 3U);
  EXPECT_EQ(result.failed, 0U);
  EXPECT_THAT(world.ready->Take(), ElementsAre(1, 0));  // the complete one at once
  ASSERT_TRUE(Group(0).sealed);
  EXPECT_EQ(Group(0).copy_failure, "");
  EXPECT_EQ(world.copies.sink.told.back().total, 4U);
}

TEST_F(CopyPartTest, WhatIsLoadedIsNeitherLookedAtNorHandedOnAgain) {
  world.AddGroup({"a"});
  world.AddGroup({"b", "c"});
  Forbid("p=02/1.csv");
  world.Run();
  ASSERT_TRUE(world.ledger->AnnounceTask(0, "token", 0));
  ASSERT_TRUE(world.ledger->TookTask(0, "TASK"));
  ASSERT_TRUE(world.ledger->FinishGroup(0, {}, 0));
  world.copies.s3.before = nullptr;
  world.copies.s3.Delete("dst", "dest/p=01/0.csv");                  // as a lifecycle rule may
  world.copies.s3.Put("dst", "dest/p=01/not-ours.csv", "whatever");  // no task reads it
  const CopyResult result = world.Run();
  EXPECT_FALSE(result.fatal);
  EXPECT_THAT(result.differences, IsEmpty());
  EXPECT_EQ(result.files, 2U);
  EXPECT_THAT(world.ready->Take(), ElementsAre(1));
  EXPECT_EQ(world.copies.sink.told.back().done, 2U);
  EXPECT_EQ(world.copies.sink.told.back().total, 2U);
}

TEST_F(CopyPartTest, AGroupThatWasNotSealedBeforeTheEndIsSealedAtTheStart) {
  world.AddGroup({"a", "b"});
  world.Begin();
  for (std::uint32_t i = 0; i < 2; ++i) {
    world.copies.s3.Put("dst", world.files[i].target.str(), "x");
    ASSERT_TRUE(world.ledger->Copied(0, i, {1, 1, {}}));
  }
  const CopyResult result = world.Run();
  EXPECT_FALSE(result.fatal);
  EXPECT_EQ(CopiesAsked(), 0U);
  EXPECT_TRUE(Group(0).sealed);
  EXPECT_THAT(world.ready->Take(), ElementsAre(0));
}

TEST_F(CopyPartTest, EqualFilesThatLieThereAreTakenAsTheyAre) {
  world.AddGroup({"a", "b"});
  world.copies.s3.Put("dst", "dest/p=01/0.csv", "a");
  world.copies.s3.Put("dst", "dest/p=01/1.csv", "another");
  const CopyResult result = world.Run();
  EXPECT_EQ(CopiesAsked(), 1U);
  EXPECT_EQ(result.were_there, 1U);
  EXPECT_TRUE(Group(0).sealed);
}

TEST_F(CopyPartTest, ForeignFilesAreInTheWay) {
  world.AddGroup({"a"});
  for (int i = 0; i < 12; ++i) {
    world.copies.s3.Put("dst", "dest/p=01/foreign-" + std::to_string(i), "x");
  }
  world.copies.s3.Put("dst", "dest/p=09/elsewhere", "x");  // below no group's prefix
  const Status looked = world.Begin().Look({});
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(looked.error().Text(), HasSubstr("dest/p=01/foreign-0"));
  EXPECT_THAT(looked.error().Text(), HasSubstr(" and 2 more"));
  EXPECT_THAT(looked.error().Text(), HasSubstr("--allow_existing"));
  EXPECT_THAT(looked.error().Text(), Not(HasSubstr("elsewhere")));
  EXPECT_EQ(CopiesAsked(), 0U);
  world.plan.allow_existing = true;
  EXPECT_TRUE(world.Begin().Look({}));
}

TEST_F(CopyPartTest, CopiesThatAreGoneEndAResume) {
  world.AddGroup({"a", "b"});
  world.Run();
  world.copies.s3.Delete("dst", "dest/p=01/1.csv");
  const Status looked = world.Begin().Look({});
  ASSERT_FALSE(looked);
  EXPECT_EQ(looked.error().kind, ErrorKind::kProof);
  EXPECT_THAT(looked.error().Text(), HasSubstr("dest/p=01/1.csv"));
  EXPECT_THAT(looked.error().Text(), HasSubstr("begin a new run"));
}

TEST_F(CopyPartTest, UploadsOfAnEarlierProcessAreAborted) {
  world.AddGroup({"a"});
  world.Begin();
  world.copies.s3.AddUpload("left");
  ASSERT_TRUE(world.ledger->UploadStarted(s3::ObjectKey("dest/p=01/0.csv"), "left"));
  EXPECT_FALSE(world.Run().fatal);
  EXPECT_THAT(world.copies.s3.open_uploads(), IsEmpty());
  world.ledger->Look(
      [](const batchload::LoadState& state) { EXPECT_THAT(state.uploads(), IsEmpty()); });
}

TEST_F(CopyPartTest, AnUploadThatCannotBeAbortedIsSaidAndStaysKnown) {
  world.AddGroup({"a"});
  world.Begin();
  world.copies.s3.AddUpload("left");
  ASSERT_TRUE(world.ledger->UploadStarted(s3::ObjectKey("dest/p=01/0.csv"), "left"));
  world.copies.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name != "AbortMultipartUpload") return std::nullopt;
    return FakeCopyS3::Refusal(403, "AccessDenied");
  };
  EXPECT_FALSE(world.Run().fatal);
  EXPECT_TRUE(Group(0).sealed);
  EXPECT_EQ(world.Told("uploads that an earlier process left stay"), 1U);
  world.ledger->Look(
      [](const batchload::LoadState& state) { EXPECT_EQ(state.uploads().size(), 1U); });
}

TEST_F(CopyPartTest, WhatVanishesAfterItWasCopiedIsADifference) {
  world.AddGroup({"a"});
  world.AddGroup({"b"});
  world.copies.s3.after = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "CopyObject" && call.key == "dest/p=02/0.csv") {
      world.copies.s3.Delete("dst", "dest/p=01/0.csv");
    }
    return std::nullopt;
  };
  const CopyResult result = world.Run();
  EXPECT_FALSE(result.fatal);
  EXPECT_THAT(result.differences, ElementsAre("s3://dst/dest/p=01/0.csv is not there"));
}

TEST_F(CopyPartTest, AnInterruptLeavesTheRestForAResume) {
  world.AddGroup({"a"});
  world.AddGroup({"b"});
  world.copies.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "CopyObject") world.copies.drain.request_stop();
    return std::nullopt;
  };
  const CopyResult result = world.Run();
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.files, 1U);
  EXPECT_TRUE(world.ready->Take() == std::vector<std::size_t>{0} && world.ready->closed());
  EXPECT_TRUE(Group(0).sealed);
  EXPECT_FALSE(Group(1).sealed);
  EXPECT_EQ(Group(1).copy_failure, "");
}

TEST_F(CopyPartTest, WhatFailsEveryCopyAlikeEndsThem) {
  world.AddGroup({"a"});
  world.AddGroup({"b"});
  world.copies.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name != "CopyObject") return std::nullopt;
    return FakeCopyS3::Refusal(400, "ExpiredToken");
  };
  const CopyResult result = world.Run();
  ASSERT_TRUE(result.fatal);
  EXPECT_EQ(result.fatal->kind, ErrorKind::kExpiredCredentials);
  EXPECT_TRUE(world.ready->closed());
  EXPECT_EQ(world.topic.sent(), 0U);
}

TEST_F(CopyPartTest, ASpoolThatIsGoneEndsThem) {
  world.AddGroup({"a"});
  CopyPart& part = world.Begin();
  std::filesystem::remove(world.directory() / world.plan.tables[0].spool);
  const CopyResult result = part.Run(world.Interrupts());
  ASSERT_TRUE(result.fatal);
  EXPECT_EQ(result.fatal->kind, ErrorKind::kLocalIo);
  EXPECT_TRUE(world.ready->closed());
}

TEST_F(CopyPartTest, TablesAreCopiedOneAfterTheOther) {
  world.plan.tables.push_back(test::TableOf("u"));
  world.AddGroup({"a"}, ".csv", 0);
  world.AddGroup({"b", "c"}, ".csv", 1);
  const CopyResult result = world.Run();
  EXPECT_FALSE(result.fatal);
  EXPECT_EQ(result.files, 3U);
  EXPECT_THAT(world.ready->Take(), ElementsAre(0, 1));
}

}  // namespace
}  // namespace tsm::apps
