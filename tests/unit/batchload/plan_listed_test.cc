#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "../../src/batchload/listed_files.h"
#include "batchload/source_world.h"
#include "tsm/core/text.h"

namespace tsm::batchload {
namespace {

using test::SourceWorld;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kQ1 = "QUERYONE";
const std::string kQ2 = "QUERYTWO";
const std::string kDay1 = "partition_date=2024-01-01/";
const std::string kDay2 = "partition_date=2024-01-02/";

std::string Key(const std::string& query, const std::string& folder, std::size_t i) {
  return SourceWorld::DataKey("unload/", query, folder, i);
}

std::vector<std::string> Roots(std::string_view prefix, const std::vector<std::string>& folders) {
  std::vector<std::string> out;
  for (const ManifestRoot& root : ManifestRoots(prefix, folders)) {
    out.push_back((root.exclusive ? "" : "above:") + root.folder);
  }
  return out;
}

TEST(ManifestRootsTest, AreWhatPrecedesResults) {
  EXPECT_THAT(Roots("unload/results/", {"unload/results/"}), ElementsAre("unload/"));
  EXPECT_THAT(Roots("unload/results/p=1/", {"unload/results/"}), ElementsAre("unload/"));
  EXPECT_THAT(Roots("unload/", {"unload/results/"}), ElementsAre("unload/", "above:"));
  EXPECT_THAT(Roots("results/", {"results/"}), ElementsAre(""));
  EXPECT_THAT(Roots("my/data/", {}), ElementsAre("above:my/"));
  // "noresults/" is no results folder.
  EXPECT_THAT(Roots("a/noresults/", {}), ElementsAre("above:a/"));
  EXPECT_THAT(Roots("u/results/", {"u/results/s1/results/"}), ElementsAre("u/results/s1/", "u/"));
}

TEST(PlanListedTest, ManifestsTellTheRows) {
  SourceWorld world;
  world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}, {kDay2, 20, 4}});
  world.request.prefix = "unload/results/";
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_THAT(SourceWorld::Lines(*planned),
              ElementsAre("g0001 partition_date=2024-01-01 unload/results/" + kDay1 + " 1 3",
                          "g0002 partition_date=2024-01-02 unload/results/" + kDay2 + " 1 4"));
  const TableLoad& table = planned->tables[0];
  EXPECT_EQ(table.target.str(), "targetdb.t");
  EXPECT_EQ(table.source, std::nullopt);
  EXPECT_EQ(table.record_uri, "");
  EXPECT_EQ(table.listed, "s3://src/unload/results/");
  EXPECT_EQ(table.files, 2U);
  EXPECT_EQ(table.bytes, 30U);
  EXPECT_EQ(table.rows, 7U);
  EXPECT_EQ(table.spool, "files-0.spool");
  EXPECT_EQ(table.target_prefix, "unload/results/");
  ASSERT_EQ(table.places.size(), 2U);
  EXPECT_EQ(table.places[1].label, "2024-01-02");
  EXPECT_EQ(table.places[1].from, test::At("2024-01-02"));
  EXPECT_EQ(table.places[1].end, test::At("2024-01-03"));
  EXPECT_EQ(table.places[1].rows, 4U);
  EXPECT_THAT(table.places[1].groups, ElementsAre(1U));
  EXPECT_EQ(planned->facts[0].sample.str(), Key(kQ1, kDay1, 0));
  EXPECT_EQ(planned->facts[0].record.has_value(), false);
  const auto files = world.Files(*planned);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[1].source, files[1].target);
  EXPECT_EQ(files[1].etag, "s20");
  EXPECT_EQ(files[1].rows, 4U);
}

TEST(PlanListedTest, CopiesKeepTheWholeKeyBehindTheDestination) {
  SourceWorld world;
  world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}, {kDay2, 20, 4}});
  world.Copy("dest/");
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  const auto files = world.Files(*planned);
  EXPECT_EQ(files[0].target.str(), "dest/" + files[0].source.str());
  EXPECT_EQ(planned->groups[0].prefix, "dest/unload/results/" + kDay1);
  EXPECT_EQ(planned->tables[0].target_prefix, "dest/unload/results/");
  // Manifests beside results/ are not loaded, and in the way of nobody.
  EXPECT_EQ(planned->tables[0].files, 2U);
}

TEST(PlanListedTest, PlacesNeedPartitionsOfOneUnit) {
  for (const std::string other : {"partition_date=2024-02/", "x/", ""}) {
    SourceWorld world;
    world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}, {other, 20, 4}});
    world.Copy();
    const auto planned = world.Plan();
    ASSERT_TRUE(planned) << planned.error().Text();
    EXPECT_TRUE(planned->tables[0].places.empty()) << other;
    EXPECT_EQ(planned->tables[0].rows, 7U);
  }
}

TEST(PlanListedTest, FilesCopiedElsewhereAreKnownByTheirTail) {
  SourceWorld world;
  world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}});
  for (const std::string place : {"copy/unload/", "mine/"}) {
    world.request.prefix = place == "mine/" ? place + "data/" : place + "results/";
    world.store.PutSize("src/" + world.request.prefix +
                            Key(kQ1, kDay1, 0).substr(std::string("unload/results/").size()),
                        10);
    world.store.Put("src/" + SourceWorld::ManifestKey(place, kQ1),
                    world.store.buckets["src"][SourceWorld::ManifestKey("unload/", kQ1)].body);
    const auto planned = world.Plan();
    ASSERT_TRUE(planned) << planned.error().Text();
    EXPECT_EQ(planned->tables[0].rows, 3U) << place;
  }
}

TEST(PlanListedTest, WhatManifestsDoNotNameIsAFinding) {
  SourceWorld world;
  world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}, {kDay2, 20, 4}});
  ASSERT_EQ(world.Refusal(), "");
  const std::string manifest = SourceWorld::ManifestKey("unload/", kQ1);

  world.store.PutSize("src/" + Key(kQ1, kDay2, 7), 1);
  EXPECT_THAT(world.Refusal(),
              HasSubstr(Key(kQ1, kDay2, 7) + " is not named by the manifest of its query"));
  EXPECT_EQ(world.RefusalKind(), ErrorKind::kInTheWay);
  world.store.Remove("src/" + Key(kQ1, kDay2, 7));

  world.store.PutSize("src/" + Key(kQ1, kDay2, 1), 21);
  EXPECT_THAT(world.Refusal(), AllOf(HasSubstr("has 21 bytes, " + manifest + " says 20"),
                                     Not(HasSubstr("not named"))));
  world.store.Remove("src/" + Key(kQ1, kDay2, 1));
  EXPECT_THAT(world.Refusal(), HasSubstr(manifest + " names " + kDay2 + kQ1 +
                                         "_12_0000000000000001.csv, which is "
                                         "missing; unload again"));
  // Only what lies below the listed prefix is asked for.
  world.request.prefix = "unload/results/" + kDay1;
  EXPECT_EQ(world.Refusal(), "");
  world.request.prefix = "unload/";

  world.store.PutSize("src/" + Key(kQ1, kDay2, 1), 20);
  world.store.PutSize("src/" + Key(kQ2, kDay2, 1), 1);
  EXPECT_THAT(world.Refusal(), HasSubstr("no complete manifest for " + Key(kQ2, kDay2, 1)));
  world.store.Put("src/" + SourceWorld::ManifestKey("unload/", kQ2), "{}");
  EXPECT_THAT(world.Refusal(), HasSubstr("(" + SourceWorld::ManifestKey("unload/", kQ2) +
                                         ": this is no UNLOAD manifest"));
  world.store.Remove("src/" + Key(kQ2, kDay2, 1));
  EXPECT_THAT(world.Refusal(), HasSubstr("this is no UNLOAD manifest")) << "a broken one of none";
  world.store.Remove("src/" + SourceWorld::ManifestKey("unload/", kQ2));

  world.store.PutSize("src/unload/results/mine.csv", 1);
  EXPECT_THAT(world.Refusal(), HasSubstr("no UNLOAD wrote unload/results/mine.csv"));
}

TEST(PlanListedTest, AWholeUnloadThatIsMissingIsFound) {
  SourceWorld world;
  world.PutUnload("unload/", kQ1, {{"", 10, 3}});
  world.PutUnload("unload/", kQ2, {{"", 10, 3}});
  world.store.Remove("src/" + Key(kQ2, "", 0));
  EXPECT_THAT(world.Refusal(), HasSubstr("which is missing"));
  // In a folder that merely lies above, other queries' manifests are no concern.
  SourceWorld bare;
  bare.store.PutSize("src/d/in/" + kQ1 + "_12_0000000000000000.csv", 10);
  bare.store.Put("src/" + SourceWorld::ManifestKey("d/", kQ1),
                 world.store.buckets["src"][SourceWorld::ManifestKey("unload/", kQ1)].body);
  bare.store.Put("src/" + SourceWorld::ManifestKey("d/", kQ2), "broken");
  bare.request.prefix = "d/in/";
  EXPECT_EQ(bare.Refusal(), "");
}

TEST(PlanListedTest, VerifyNoneLoadsAllTheSame) {
  SourceWorld world;
  world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}});
  world.store.PutSize("src/unload/results/" + kDay1 + "mine.csv", 5);
  world.request.verify = Verify::kNone;
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_EQ(planned->tables[0].files, 2U);
  EXPECT_EQ(planned->tables[0].rows, std::nullopt);
  EXPECT_EQ(planned->groups[0].rows, std::nullopt);
  EXPECT_TRUE(planned->tables[0].places.empty());
  EXPECT_THAT(world.sink.notices,
              Contains(AllOf(HasSubstr("--verify none"), HasSubstr("mine.csv"))));
  // Where all agrees the rows are known all the same.
  world.store.Remove("src/unload/results/" + kDay1 + "mine.csv");
  const auto whole = world.Plan();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->groups[0].rows, 3U);
}

TEST(PlanListedTest, AForbiddenManifestIsAnErrorOfPermission) {
  SourceWorld world;
  world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}});
  world.store.Forbid("src/" + SourceWorld::ManifestKey("unload/", kQ1));
  EXPECT_EQ(world.RefusalKind(), ErrorKind::kAccessDenied);
  world.request.verify = Verify::kNone;
  EXPECT_EQ(world.Refusal(), "");
}

TEST(PlanListedTest, TheFolderAboveNeedNotBeReadable) {
  SourceWorld world;
  world.request.prefix = "unload/results/";
  world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}});
  world.store.Forbid("src/unload/tsm-run-");
  EXPECT_EQ(world.Refusal(), "");
  EXPECT_THAT(world.sink.notices, Contains(HasSubstr("the folder above it can't be listed")));
}

TEST(PlanListedTest, WhatBatchLoadCantReadIsRefused) {
  SourceWorld world;
  EXPECT_THAT(world.Refusal(), HasSubstr("no data files (*.csv) under s3://src/unload/"));
  world.store.PutSize("src/unload/readme.txt", 1);
  EXPECT_THAT(world.Refusal(), HasSubstr("no data files"));
  world.store.PutSize("src/unload/results/b.parquet", 1);
  EXPECT_THAT(world.Refusal(), HasSubstr("something else: unload/results/b.parquet"));
  EXPECT_EQ(world.RefusalKind(), ErrorKind::kInvalidInput);
  world.store.Remove("src/unload/results/b.parquet");
  world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}}, ".gz");
  EXPECT_THAT(world.Refusal(), HasSubstr("inflated on the way with --copy_s3_bucket"));
  world.Copy();
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  EXPECT_TRUE(planned->tables[0].gzip);
  EXPECT_TRUE(world.Files(*planned)[0].target.str().ends_with(".gz"));
  world.PutUnload("unload/", kQ2, {{kDay1, 10, 3}});
  EXPECT_THAT(world.Refusal(), HasSubstr("load one kind at a time"));
}

// x.gz and x.csv.gz would be inflated into each other's objects.
TEST(PlanListedTest, GzipFilesOfTwoKindsOfNamesAreRefused) {
  SourceWorld world;
  world.Copy();
  world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}}, ".gz");
  ASSERT_EQ(world.Refusal(), "");
  world.PutUnload("unload/", kQ2, {{kDay1, 10, 3}}, ".csv.gz");
  EXPECT_THAT(world.Refusal(), HasSubstr("1 files *.csv.gz and 1 other files *.gz: load one kind"));
}

TEST(PlanListedTest, ContradictionsAreRefusedBeforeAnyRequest) {
  SourceWorld world;
  world.request.group_by = GroupBy::kPacked;
  EXPECT_THAT(world.Refusal(), HasSubstr("needs a bucket to copy"));
  world.request.copy_only = true;
  EXPECT_THAT(world.Refusal(), HasSubstr("--copy_only loads nothing"));
  world.request.group_by = GroupBy::kPartition;
  world.request.unload_run = "R1";
  EXPECT_THAT(world.Refusal(), HasSubstr("--copy_only copies all"));
  world.request.unload_run = "";
  world.request.copy_only = false;
  world.request.safe_prefixes = true;
  EXPECT_THAT(world.Refusal(), HasSubstr("--safe_prefixes renames the folders of the copies"));
  EXPECT_EQ(world.store.lists, 0U);
  world.request.safe_prefixes = false;
  world.request.target_table = "";
  EXPECT_THAT(world.Refusal(), HasSubstr("--database and --table must name the table"));
}

TEST(PlanListedTest, SafePrefixesThatMeetAreRefused) {
  SourceWorld world;
  world.Copy("dest/");
  world.request.verify = Verify::kNone;
  world.store.PutSize("src/unload/p=1/a.csv", 1);
  world.store.PutSize("src/unload/p-1/a.csv", 1);
  EXPECT_EQ(world.Refusal(), "");
  world.request.safe_prefixes = true;
  EXPECT_THAT(world.Refusal(), AllOf(HasSubstr("unload/p-1/a.csv"), HasSubstr("unload/p=1/a.csv"),
                                     HasSubstr("would both be copied to dest/unload/p-1/a.csv")));
}

TEST(PlanListedTest, KeysThatAreTooLongAreRefused) {
  SourceWorld world;
  world.request.verify = Verify::kNone;
  world.store.PutSize("src/unload/" + std::string(1'000, 'x') + "/a.csv", 1);
  world.Copy("1234567890/");
  EXPECT_EQ(world.Refusal(), "") << "1,024 bytes";
  world.Copy("12345678901/");
  EXPECT_THAT(world.Refusal(), HasSubstr("a key of 1025 bytes"));
  world.request.group_by = GroupBy::kPacked;
  EXPECT_EQ(world.Refusal(), "");
}

TEST(PlanListedTest, FoldersThatWouldMeetAPartAreRefused) {
  SourceWorld world;
  world.Copy();
  world.request.verify = Verify::kNone;
  world.store.PutSize("src/unload/p/a.csv", 1);
  world.store.PutSize("src/unload/p/part-001/b.csv", 1);
  EXPECT_THAT(world.Refusal(), HasSubstr("would load what belongs to another"));
}

TEST(PlanListedTest, CopyOnlyTakesEverythingAsItIs) {
  SourceWorld world;
  world.PutUnload("unload/", kQ1, {{kDay1, 10, 3}}, ".gz");
  world.store.PutSize("src/unload/big.parquet", 50'000'000'000);
  world.store.PutSize("src/unload/folder/", 0);
  world.Copy("d/");
  world.request.copy_only = true;
  world.request.target_table = "";
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  ASSERT_EQ(planned->groups.size(), 1U);
  EXPECT_EQ(planned->groups[0].files, 3U) << "data, manifest, parquet";
  EXPECT_EQ(planned->groups[0].prefix, "d/unload/");
  EXPECT_EQ(planned->groups[0].rows, std::nullopt);
  EXPECT_FALSE(planned->tables[0].gzip);
  EXPECT_EQ(planned->tables[0].target.str(), ".");
  world.request.prefix = "nothing/";
  EXPECT_THAT(world.Refusal(), HasSubstr("there are no files under"));
}

std::uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// A sanitizer's own memory hides the program's, and costs time.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasures = false;
constexpr std::uint64_t kFiles = 20'000;
#else
constexpr bool kMeasures = true;
constexpr std::uint64_t kFiles = 300'000;
#endif

// A listing of kFiles keys made up as it is asked for, each the data file of an UNLOAD of its day.
http::Response LongListing(const http::Request& request) {
  std::string prefix;
  std::uint64_t from = 0;
  for (const auto& [name, value] : request.query) {
    if (name == "prefix") prefix = value;
    if (name == "continuation-token") from = static_cast<std::uint64_t>(*ParseInt64(value));
  }
  const bool data = prefix == "unload/";
  const std::uint64_t end = data ? std::min<std::uint64_t>(from + 1'000, kFiles) : from;
  std::string body = "<ListBucketResult><IsTruncated>";
  body += data && end < kFiles ? "true</IsTruncated><NextContinuationToken>" + std::to_string(end) +
                                     "</NextContinuationToken>"
                               : "false</IsTruncated>";
  for (std::uint64_t i = from; i < end; ++i) {
    const std::string number = std::to_string(1'000'000 + i);
    body += "<Contents><Key>unload/results/partition_date=" + number.substr(0, 4) + "/" + kQ1 +
            "_12_000000000" + number + ".csv</Key><Size>10</Size><ETag>\"" +
            "0123456789abcdef0123456789abcdef\"</ETag></Contents>";
  }
  return {200, {}, body + "</ListBucketResult>"};
}

TEST(PlanListedTest, MemoryDoesNotGrowWithTheFiles) {
  SourceWorld world;
  world.store.bench.transport.SetHandler(
      [](const http::Request& request) -> Result<http::Response> { return LongListing(request); });
  world.request.verify = Verify::kNone;
  const std::uint64_t before = ResidentBytes();
  std::uint64_t most = before;
  world.sink.on_progress = [&] { most = std::max(most, ResidentBytes()); };
  const auto planned = world.Plan();
  ASSERT_TRUE(planned) << planned.error().Text();
  most = std::max(most, ResidentBytes());
  EXPECT_EQ(planned->tables[0].files, kFiles);
  EXPECT_GE(planned->groups.size(), kFiles / 100);
  std::uint64_t spooled = 0;
  for (const LoadGroup& group : planned->groups) spooled += group.files;
  EXPECT_EQ(spooled, kFiles);
  // The files' keys, sizes and ETags alone are 50 MB.
  if (kMeasures) {
    EXPECT_LT(most - before, 24U << 20U);
  }
  RecordProperty("grown_kib", static_cast<int>((most - before) >> 10U));
}

}  // namespace
}  // namespace tsm::batchload
