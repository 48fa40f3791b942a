#include "tsm/batchload/manifest_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::batchload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kQ1 = "QUERYONE_1_aaaaaaaaaaaaaaaa";
const std::string kQ1b = "QUERYONE_1_bbbbbbbbbbbbbbbb";
const std::string kQ2 = "QUERYTWO_2_cccccccccccccccc";

LoadPlan Plan(const std::vector<std::pair<std::string, std::uint64_t>>& files) {
  std::vector<s3::ObjectSummary> objects;
  for (const auto& [key, size] : files) {
    s3::ObjectSummary object;
    object.key = s3::ObjectKey(key);
    object.size = size;
    objects.push_back(object);
  }
  Result<LoadPlan> plan = PlanLoad("s3://b/", objects, false);
  EXPECT_TRUE(plan) << plan.error().Text();
  return *plan;
}

struct Entry {
  std::string key;
  std::uint64_t bytes;
  std::uint64_t rows;
};

FoundManifest Manifest(const ManifestRoot& root, const std::string& stem,
                       const std::vector<Entry>& entries) {
  run::Manifest manifest;
  for (const Entry& entry : entries) {
    run::ManifestFile file;
    file.uri.key = s3::ObjectKey(entry.key);
    file.bytes = entry.bytes;
    file.rows = entry.rows;
    manifest.files.push_back(file);
  }
  return {root, s3::ObjectKey(root.folder + stem + "_manifest.json"), manifest};
}

std::vector<std::string> Folders(std::string_view prefix, const LoadPlan& plan) {
  std::vector<std::string> folders;
  for (const ManifestRoot& root : ManifestRoots(prefix, plan)) {
    folders.push_back((root.exclusive ? "" : "above:") + root.folder);
  }
  return folders;
}

TEST(ManifestRoots, AreWhatPrecedesResults) {
  const LoadPlan plan = Plan({{"unload/results/p=1/" + kQ1 + ".csv", 1}});
  EXPECT_THAT(Folders("unload/results/", plan), ElementsAre("unload/"));
  EXPECT_THAT(Folders("unload/results/p=1/", plan), ElementsAre("unload/"));
  EXPECT_THAT(Folders("unload/", plan), ElementsAre("unload/", "above:"));
  EXPECT_THAT(Folders("results/", Plan({{"results/" + kQ1 + ".csv", 1}})), ElementsAre(""));
  EXPECT_THAT(Folders("my/data/", Plan({{"my/data/" + kQ1 + ".csv", 1}})),
              ElementsAre("above:my/"));
  // "noresults/" is no results folder.
  EXPECT_THAT(Folders("a/noresults/", Plan({{"a/noresults/" + kQ1 + ".csv", 1}})),
              ElementsAre("above:a/"));
  EXPECT_THAT(Folders("u/results/", Plan({{"u/results/s1/results/" + kQ1 + ".csv", 1}})),
              ElementsAre("u/results/s1/", "u/"));
}

TEST(ApplyManifests, SetsRowsWhereAllIsProven) {
  LoadPlan plan =
      Plan({{"u/results/p=1/" + kQ1 + ".csv", 10}, {"u/results/p=2/" + kQ1b + ".csv", 20}});
  const auto manifest = Manifest(
      {"u/", true}, kQ1,
      {{"u/results/p=1/" + kQ1 + ".csv", 10, 3}, {"u/results/p=2/" + kQ1b + ".csv", 20, 4}});
  EXPECT_THAT(ApplyManifests("u/results/", {manifest}, plan), IsEmpty());
  EXPECT_EQ(plan.rows(), 7U);
}

TEST(ApplyManifests, FilesCopiedElsewhereAreKnownByTheirTail) {
  LoadPlan plan = Plan({{"dest/u/results/p=1/" + kQ1 + ".csv", 10}});
  const auto manifest =
      Manifest({"dest/u/", true}, kQ1, {{"u/results/p=1/" + kQ1 + ".csv", 10, 3}});
  EXPECT_THAT(ApplyManifests("dest/u/results/", {manifest}, plan), IsEmpty());
  EXPECT_EQ(plan.rows(), 3U);

  LoadPlan bare = Plan({{"mine/p=1/" + kQ1 + ".csv", 10}});
  const auto above = Manifest({"", false}, kQ1, {{"u/results/p=1/" + kQ1 + ".csv", 10, 3}});
  EXPECT_THAT(ApplyManifests("mine/", {above}, bare), IsEmpty());
  EXPECT_EQ(bare.rows(), 3U);
}

TEST(ApplyManifests, AFileWithoutManifestIsNamed) {
  LoadPlan plan = Plan({{"u/results/" + kQ1 + ".csv", 10}});
  EXPECT_THAT(ApplyManifests("u/results/", {}, plan),
              ElementsAre("no complete manifest for u/results/" + kQ1 + ".csv"));
  EXPECT_EQ(plan.rows(), std::nullopt);
}

TEST(ApplyManifests, AnIncompleteManifestIsToldWithItsReason) {
  LoadPlan plan = Plan({{"u/results/" + kQ1 + ".csv", 10}});
  const FoundManifest broken{{"u/", true},
                             s3::ObjectKey("u/" + kQ1 + "_manifest.json"),
                             MakeError(ErrorKind::kProof, "totals differ")};
  EXPECT_THAT(ApplyManifests("u/results/", {broken}, plan),
              ElementsAre(HasSubstr("(u/" + kQ1 + "_manifest.json: totals differ)")));
  const FoundManifest other{{"u/", true},
                            s3::ObjectKey("u/" + kQ2 + "_manifest.json"),
                            MakeError(ErrorKind::kBadReply, "no JSON")};
  LoadPlan again = Plan({{"u/results/" + kQ1 + ".csv", 10}});
  const auto good = Manifest({"u/", true}, kQ1, {{"u/results/" + kQ1 + ".csv", 10, 1}});
  EXPECT_THAT(ApplyManifests("u/results/", {good, other}, again),
              ElementsAre(HasSubstr("no JSON")));
}

TEST(ApplyManifests, AMissingFileIsNamed) {
  LoadPlan plan = Plan({{"u/results/p=1/" + kQ1 + ".csv", 10}});
  const auto manifest = Manifest(
      {"u/", true}, kQ1,
      {{"u/results/p=1/" + kQ1 + ".csv", 10, 3}, {"u/results/p=2/" + kQ1b + ".csv", 20, 4}});
  EXPECT_THAT(
      ApplyManifests("u/results/", {manifest}, plan),
      ElementsAre("u/" + kQ1 + "_manifest.json names p=2/" + kQ1b + ".csv, which is missing"));
}

TEST(ApplyManifests, OnlyWhatLiesBelowTheListedPrefixIsAskedFor) {
  LoadPlan plan = Plan({{"u/results/p=1/" + kQ1 + ".csv", 10}});
  const auto manifest = Manifest(
      {"u/", true}, kQ1,
      {{"u/results/p=1/" + kQ1 + ".csv", 10, 3}, {"u/results/p=2/" + kQ1b + ".csv", 20, 4}});
  EXPECT_THAT(ApplyManifests("u/results/p=1/", {manifest}, plan), IsEmpty());
  EXPECT_EQ(plan.rows(), 3U);
}

TEST(ApplyManifests, AnotherSizeIsNamedOnce) {
  LoadPlan plan = Plan({{"u/results/" + kQ1 + ".csv", 10}});
  const auto manifest = Manifest({"u/", true}, kQ1, {{"u/results/" + kQ1 + ".csv", 11, 3}});
  EXPECT_THAT(ApplyManifests("u/results/", {manifest}, plan),
              ElementsAre(HasSubstr("has 10 bytes, u/" + kQ1 + "_manifest.json says 11")));
}

TEST(ApplyManifests, AFileThatItsManifestDoesNotNameIsNamed) {
  LoadPlan plan = Plan({{"u/results/" + kQ1 + ".csv", 10}, {"u/results/" + kQ1b + ".csv", 10}});
  const auto manifest = Manifest({"u/", true}, kQ1, {{"u/results/" + kQ1 + ".csv", 10, 3}});
  EXPECT_THAT(ApplyManifests("u/results/", {manifest}, plan),
              ElementsAre(HasSubstr(kQ1b + ".csv is not named by the manifest")));
}

TEST(ApplyManifests, AWholeUnloadThatIsMissingIsFound) {
  LoadPlan plan = Plan({{"u/results/" + kQ1 + ".csv", 10}});
  const auto one = Manifest({"u/", true}, kQ1, {{"u/results/" + kQ1 + ".csv", 10, 3}});
  const auto two = Manifest({"u/", true}, kQ2, {{"u/results/" + kQ2 + ".csv", 10, 3}});
  EXPECT_THAT(ApplyManifests("u/results/", {one, two}, plan), ElementsAre(HasSubstr("is missing")));
  // In a folder that merely lies above, other queries' manifests are no concern.
  LoadPlan bare = Plan({{"d/" + kQ1 + ".csv", 10}});
  const auto above = Manifest({"", false}, kQ1, {{"u/results/" + kQ1 + ".csv", 10, 3}});
  const auto other = Manifest({"", false}, kQ2, {{"u/results/" + kQ2 + ".csv", 10, 3}});
  EXPECT_THAT(ApplyManifests("d/", {above, other}, bare), IsEmpty());
}

TEST(ApplyManifests, AFileThatNoUnloadWroteIsNamed) {
  LoadPlan plan = Plan({{"u/results/mine.csv", 10}});
  EXPECT_THAT(ApplyManifests("u/results/", {}, plan), ElementsAre(HasSubstr("u/results/mine.csv")));
}

}  // namespace
}  // namespace tsm::batchload
