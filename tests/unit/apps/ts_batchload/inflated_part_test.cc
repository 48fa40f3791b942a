// Gzip files on their way through the copies: rows are counted, and what does not fit a task is
// told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "apps/ts_batchload/part_world.h"
#include "ts_batchload/group_files.h"

namespace tsm::apps {
namespace {

using test::PartWorld;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Gzip(const std::string& plain) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, static_cast<uLong>(plain.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// A header of four bytes and rows of four.
std::string Csv(std::size_t rows) {
  std::string text = "a,b\n";
  for (std::size_t i = 0; i < rows; ++i) text += "1,2\n";
  return text;
}

struct InflatedPartTest : ::testing::Test {
  InflatedPartTest() {
    world.plan.tables[0].gzip = true;
    world.copies.options.inflated_file_bytes = 12;  // two rows and the header
  }
  std::vector<std::string> Keys(std::size_t group) {
    const auto keys = KeysOfGroup(world.directory(), world.plan, group, world.ledger->Group(group));
    if (!keys) return {keys.error().Text()};
    std::vector<std::string> texts;
    for (const s3::ObjectKey& key : *keys) texts.push_back(key.str());
    return texts;
  }
  PartWorld world;
};

TEST_F(InflatedPartTest, RowsAndObjectsAreCountedAndProven) {
  world.AddGroup({Gzip(Csv(3)), Gzip(Csv(1))}, ".csv.gz");
  world.plan.groups[0].rows = 7;  // as a manifest may say; what lies there counts
  const CopyResult result = world.Run();
  EXPECT_FALSE(result.fatal) << result.fatal->Text();
  EXPECT_THAT(result.differences, IsEmpty());
  const batchload::GroupState group = world.ledger->Group(0);
  ASSERT_TRUE(group.sealed);
  EXPECT_EQ(group.sealed->objects, 3U);
  EXPECT_EQ(group.sealed->bytes, 12U + 8U + 8U);
  EXPECT_EQ(group.sealed->rows, 4U);
  EXPECT_THAT(group.inflated_objects, ElementsAre(2, 1));
  EXPECT_THAT(group.inflated_bytes, ElementsAre(20, 8));
  EXPECT_THAT(world.ready->Take(), ElementsAre(0));
  EXPECT_THAT(Keys(0),
              ElementsAre("dest/p=01/0-0001.csv", "dest/p=01/0-0002.csv", "dest/p=01/1-0001.csv"));
  EXPECT_EQ(world.copies.s3.Keys("dst"),
            (std::vector<std::string>{"dest/p=01/0-0001.csv", "dest/p=01/0-0002.csv",
                                      "dest/p=01/1-0001.csv"}));
}

TEST_F(InflatedPartTest, AnObjectThatVanishesIsADifference) {
  world.AddGroup({Gzip(Csv(3))}, ".csv.gz");
  world.AddGroup({Gzip(Csv(1))}, ".csv.gz");
  world.copies.s3.after = [&](const tsm::test::CopyS3Call& call) -> std::optional<http::Response> {
    if (call.key == "dest/p=02/0-0001.csv") world.copies.s3.Delete("dst", "dest/p=01/0-0002.csv");
    return std::nullopt;
  };
  EXPECT_THAT(world.Run().differences,
              ElementsAre(HasSubstr("inflated to 2 objects: 1 of them are there")));
}

TEST_F(InflatedPartTest, AResumeKnowsWhatWasInflated) {
  world.AddGroup({Gzip(Csv(3)), "no gzip"}, ".csv.gz");
  world.AddGroup({Gzip(Csv(2))}, ".csv.gz");
  EXPECT_EQ(world.Run().failed, 1U);
  EXPECT_THAT(world.ledger->Group(0).copy_failure, HasSubstr("unload/p=01/1.csv.gz"));
  const std::uint64_t puts = world.copies.s3.Count("PutObject");
  world.Begin();
  EXPECT_EQ(world.Run().failed, 1U);
  EXPECT_EQ(world.copies.s3.Count("PutObject"), puts);
  EXPECT_THAT(world.ready->Take(), ElementsAre(1));
  EXPECT_THAT(Keys(1), SizeIs(1));
}

TEST_F(InflatedPartTest, WhatInflatesToMoreFilesThanATaskTakesIsToldAndNotHandedOn) {
  world.AddGroup({Gzip(Csv(120)), Gzip(Csv(100))}, ".csv.gz");
  world.AddGroup({Gzip(Csv(200))}, ".csv.gz");
  const CopyResult result = world.Run();
  EXPECT_FALSE(result.fatal);
  EXPECT_THAT(result.differences, IsEmpty());
  const batchload::GroupState group = world.ledger->Group(0);
  EXPECT_FALSE(group.sealed);
  EXPECT_THAT(group.copy_failure, HasSubstr("inflated it has 110 files"));
  EXPECT_THAT(group.copy_failure, HasSubstr("finer --partition"));
  EXPECT_EQ(world.Told("group g0001 (dest/p=01/) is not complete, inflated it has 110 files"), 1U);
  EXPECT_EQ(world.topic.sent(), 1U);
  EXPECT_THAT(world.ready->Take(), ElementsAre(1));  // with a hundred
  EXPECT_EQ(world.ledger->Group(1).sealed->objects, 100U);
}

TEST_F(InflatedPartTest, AResumeSaysAgainWhatDoesNotFit) {
  world.AddGroup({Gzip(Csv(300))}, ".csv.gz");
  world.Run();
  const std::uint64_t puts = world.copies.s3.Count("PutObject");
  EXPECT_FALSE(world.Run().fatal);
  EXPECT_EQ(world.copies.s3.Count("PutObject"), puts);
  EXPECT_EQ(world.Told("inflated it has 150 files"), 2U);
  EXPECT_THAT(world.ready->Take(), IsEmpty());
}

TEST_F(InflatedPartTest, CopiesAloneStayAsTheyAre) {
  world.plan.load = false;
  const std::string packed = Gzip(Csv(300));
  world.AddGroup({packed}, ".csv.gz");
  const CopyResult result = world.Run();
  EXPECT_FALSE(result.fatal);
  EXPECT_THAT(result.differences, IsEmpty());
  EXPECT_EQ(world.copies.Body("dest/p=01/0.csv.gz"), packed);
  ASSERT_TRUE(world.ledger->Group(0).sealed);
  EXPECT_EQ(world.ledger->Group(0).sealed->rows, 100U);  // the plan's
}

}  // namespace
}  // namespace tsm::apps
