// What lies at the target: before the copies and as their proof.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "copy/copy_world.h"

namespace tsm::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct CopyTargetTest : ::testing::Test {
  Result<copy::TargetLook> Look(const std::vector<std::string>& prefixes = {"to/"}) {
    ListFeed feed(world.files);
    return copy::LookAtTarget(world.target, world.options, "to/", prefixes, feed, world.book, {});
  }
  std::vector<std::string> Prove() {
    ListFeed feed(world.files);
    const auto copied = [this](const run::SpooledFile& file) -> std::optional<copy::CopiedFile> {
      const auto found = world.book.copied.find(file.target.str());
      if (found == world.book.copied.end()) return std::nullopt;
      return found->second;
    };
    Result<std::vector<std::string>> lines =
        copy::ProveCopies(world.target, world.options, "to/", feed, copied, {});
    return lines ? *lines : std::vector<std::string>{lines.error().Text()};
  }
  // As the copy of a file.
  void Lay(const std::string& key) {
    world.s3.Put("dst", "to/" + key, world.s3.Get("src", key)->body);
  }
  CopyWorld world;
};

TEST(InflatedKeyTest, NamesAreOfTheFileWithoutItsEnding) {
  const auto key = [](const std::string& target, std::uint32_t object) {
    return copy::InflatedKey(s3::ObjectKey(target), object).str();
  };
  EXPECT_EQ(key("a/x.csv.gz", 0), "a/x-0001.csv");
  EXPECT_EQ(key("a/x.gz", 11), "a/x-0012.csv");
  EXPECT_EQ(key("a.gz/x", 0), "a.gz/x-0001.csv");
  EXPECT_EQ(key("x.gz", 12344), "x-12345.csv");
}

TEST_F(CopyTargetTest, EqualDifferentMissingAndForeign) {
  world.AddMany(5);
  Lay("f0001.csv");
  Lay("f0004.csv");
  world.s3.Put("dst", "to/f0002.csv", "BODY 0002");  // of the same size
  world.s3.Put("dst", "to/f0000.csv.part", "x");
  world.s3.Put("dst", "to/zz", "x");
  world.s3.Put("dst", "to/", "");
  world.s3.Put("dst", "to/folder/", "");
  world.s3.Put("dst", "to/elsewhere/a", "x");
  world.s3.Put("dst", "other", "x");
  const Result<copy::TargetLook> look = Look({"to/f", "to/z"});
  ASSERT_TRUE(look) << look.error().Text();
  EXPECT_EQ(look->equal, 2U);
  EXPECT_EQ(look->different, 1U);
  EXPECT_EQ(look->foreign, 2U);
  EXPECT_THAT(look->foreign_keys, ElementsAre("to/f0000.csv.part", "to/zz"));
  EXPECT_THAT(look->there, ElementsAre(false, true, false, false, true));

  const auto summary = world.Run(look->there);
  ASSERT_EQ(WhyNotAll(summary, world), "");
  EXPECT_EQ(summary.were_there, 2U);
  EXPECT_EQ(world.s3.Count("CopyObject"), 3U);
  EXPECT_THAT(Prove(), IsEmpty());
}

TEST_F(CopyTargetTest, WhatTheBookHasNeedsOnlyItsSize) {
  world.options.encryption = "aws:kms";
  world.AddMany(3);
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  world.s3.Put("dst", "to/f0001.csv", "cut");
  world.s3.Delete("dst", "to/f0002.csv");
  const Result<copy::TargetLook> look = Look();
  ASSERT_TRUE(look) << look.error().Text();
  EXPECT_EQ(look->equal, 1U);
  EXPECT_EQ(look->lost, 2U);
  EXPECT_THAT(look->lost_keys, ElementsAre("to/f0001.csv", "to/f0002.csv"));
  EXPECT_EQ(look->foreign, 0U);
}

TEST_F(CopyTargetTest, OverManyPages) {
  world.AddMany(1050);
  for (int i = 0; i < 1050; i += 3) Lay("f" + std::to_string(10000 + i).substr(1) + ".csv");
  const Result<copy::TargetLook> look = Look();
  ASSERT_TRUE(look);
  EXPECT_EQ(look->equal, 350U);
  EXPECT_EQ(look->foreign, 0U);
  EXPECT_EQ(world.s3.Count("ListObjectsV2"), 4U);
}

TEST_F(CopyTargetTest, TheProofNamesWhatIsMissingOrOfAnotherSize) {
  world.AddMany(4);
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_THAT(Prove(), IsEmpty());
  world.s3.Delete("dst", "to/f0003.csv");
  world.s3.Put("dst", "to/f0001.csv", "longer than before");
  EXPECT_THAT(Prove(), ElementsAre("s3://dst/to/f0001.csv has 18 bytes, it should have 9",
                                   "s3://dst/to/f0003.csv is not there"));
}

TEST_F(CopyTargetTest, TheProofNamesTheFirstHundred) {
  world.AddMany(300);
  EXPECT_THAT(Prove(), SizeIs(100));
}

TEST_F(CopyTargetTest, InflatedFilesAreProvenByTheSumOfTheirObjects) {
  world.options.inflate = true;
  // By their sources' names a-1 comes first, by the objects' a does.
  for (const std::string key : {"a-1.gz", "a.gz", "b.csv.gz", "c.gz"}) world.Add(key, "packed");
  const auto lay = [&](const std::string& key, std::size_t bytes) {
    world.s3.Put("dst", "to/" + key, std::string(bytes, 'x'));
  };
  world.book.copied["to/a.gz"] = {.objects = 2, .bytes = 30, .rows = 1, .was_there = false};
  lay("a-0001.csv", 20);
  lay("a-0002.csv", 10);
  world.book.copied["to/a-1.gz"] = {.objects = 1, .bytes = 5, .rows = 1, .was_there = false};
  lay("a-1-0001.csv", 5);
  world.book.copied["to/b.csv.gz"] = {.objects = 2, .bytes = 9, .rows = 1, .was_there = false};
  lay("b-0001.csv", 4);
  lay("b-0002.csv", 5);
  world.book.copied["to/c.gz"] = {.objects = 1, .bytes = 7, .rows = 1, .was_there = false};
  lay("c-0001.csv", 7);
  EXPECT_THAT(Prove(), IsEmpty());
  const Result<copy::TargetLook> look = Look();
  ASSERT_TRUE(look);
  EXPECT_EQ(look->equal, 4U);
  EXPECT_EQ(look->foreign, 0U);

  world.s3.Delete("dst", "to/a-0002.csv");
  lay("b-0002.csv", 6);
  lay("c-0002.csv", 1);
  world.book.copied.erase("to/a-1.gz");
  EXPECT_THAT(Prove(), ElementsAre("s3://dst/to/a.gz, inflated to 2 objects: 1 of them are there",
                                   "s3://dst/to/a-1.gz was not inflated",
                                   "s3://dst/to/b.csv.gz has 10 bytes, it should have 9",
                                   "s3://dst/to/c.gz, inflated to 1 objects: 2 are there"));
}

TEST_F(CopyTargetTest, AListingThatIsRefusedIsTold) {
  world.AddMany(1);
  world.s3.before = [](const CopyS3Call&) -> std::optional<http::Response> {
    return FakeCopyS3::Refusal(403, "AccessDenied");
  };
  const Result<copy::TargetLook> look = Look();
  ASSERT_FALSE(look);
  EXPECT_THAT(look.error().Text(), HasSubstr("looking at what lies at the target"));
}

}  // namespace
}  // namespace tsm::test
