#include "../../src/batchload/load_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "../../src/batchload/prefix_groups.h"
#include "tsm/core/text.h"

namespace tsm::batchload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kQuery = "AEDACANUVQ";

std::string DataFile(const std::string& folder, const std::string& stem) {
  return folder + kQuery + "_12_" + std::string(16 - stem.size(), 'x') + stem + ".csv";
}

struct Source {
  std::string key;
  std::uint64_t size = 10;
  std::uint32_t slice = 0;
  FoundFile::Kind kind = FoundFile::Kind::kData;
};

// The groups that rules make of files, each as "prefix label files bytes", and the targets.
struct Drafted {
  std::vector<GroupDraft> groups;
  std::vector<std::string> lines;
  std::map<std::string, std::string> targets;  // source by target
  std::string error;
};

Drafted Draft(const GroupRules& rules, const std::vector<Source>& sources) {
  Drafted out;
  SortedSpool spool(::testing::TempDir());
  for (const Source& source : sources) {
    FoundFile file;
    file.key = s3::ObjectKey(source.key);
    file.size = source.size;
    file.slice = source.slice;
    file.kind = source.kind;
    file.rows = 1;
    if (Status fits = CheckFile(rules, file); !fits) {
      out.error = fits.error().message;
      return out;
    }
    EXPECT_TRUE(spool.Add(OrderKey(rules, file), Pack(file)));
  }
  Result<std::vector<GroupDraft>> groups = DraftGroups(rules, spool);
  if (!groups) {
    out.error = groups.error().message;
    return out;
  }
  out.groups = *groups;
  auto reader = *spool.Read();
  TargetNames names(rules);
  for (const GroupDraft& group : out.groups) {
    out.lines.push_back(group.prefix + " " + group.label + " " + std::to_string(group.files) + " " +
                        std::to_string(group.bytes));
    EXPECT_EQ(group.rows, group.files) << "each file has a row";
    names.Begin(group);
    for (std::uint32_t i = 0; i < group.files; ++i) {
      FoundFile file;
      do {
        EXPECT_TRUE(*reader->Next());
        file = Unpack(reader->value());
      } while (file.kind != FoundFile::Kind::kData);
      const std::string target = names.Next(file).str();
      EXPECT_TRUE(target.starts_with(group.prefix)) << target;
      EXPECT_TRUE(out.targets.emplace(target, file.key.str()).second) << target;
    }
  }
  return out;
}

GroupRules Rules(Layout layout) {
  GroupRules rules;
  rules.layout = layout;
  if (layout != Layout::kInPlace) rules.destination_prefix = "d/";
  rules.packed_folder = "d/R1/";
  return rules;
}

TEST(LoadGroupsTest, AFolderIsAGroup) {
  const Drafted drafted =
      Draft(Rules(Layout::kFolders), {{"u/results/partition_date=2024-01-02/b.csv", 5},
                                      {"u/results/partition_date=2024-01-01/b.csv", 2},
                                      {"u/results/partition_date=2024-01-01/a.csv", 1},
                                      {"u/other/a.csv"}});
  EXPECT_THAT(drafted.lines,
              ElementsAre("d/u/other/ u/other 1 10",
                          "d/u/results/partition_date=2024-01-01/ partition_date=2024-01-01 2 3",
                          "d/u/results/partition_date=2024-01-02/ partition_date=2024-01-02 1 5"));
  EXPECT_EQ(drafted.targets.at("d/u/results/partition_date=2024-01-01/a.csv"),
            "u/results/partition_date=2024-01-01/a.csv");
  EXPECT_EQ(drafted.groups[1].moment, "2024-01-01");
}

TEST(LoadGroupsTest, AFolderBeyondTheLimitsBecomesParts) {
  GroupRules rules = Rules(Layout::kFolders);
  rules.max_files = 2;
  rules.max_bytes = 20;
  EXPECT_THAT(Draft(rules, {{"f/a.csv"}, {"f/b.csv"}, {"f/c.csv", 19}, {"f/d.csv", 2}}).lines,
              ElementsAre("d/f/part-001/ f part 1 2 20", "d/f/part-002/ f part 2 1 19",
                          "d/f/part-003/ f part 3 1 2"));
}

TEST(LoadGroupsTest, AFolderWithDataBelowItGetsAFolderOfItsOwn) {
  EXPECT_THAT(Draft(Rules(Layout::kFolders), {{"r/a.csv"}, {"r/x/b.csv"}, {"r/z.csv"}}).lines,
              ElementsAre("d/r/part-001/ r 2 20", "d/r/x/ r/x 1 10"));
  // "r/p" is no folder of "r/p2/…".
  EXPECT_THAT(Draft(Rules(Layout::kFolders), {{"r/p/a.csv"}, {"r/p2/b.csv"}}).lines,
              ElementsAre("d/r/p/ r/p 1 10", "d/r/p2/ r/p2 1 10"));
}

TEST(LoadGroupsTest, SafeFoldersHaveOnlyWhatThePublishedPatternHas) {
  EXPECT_EQ(SafeFolder("u/results/partition_date=2024-02-26/"),
            "u/results/partition_date-2024-02-26/");
  EXPECT_EQ(SafeFolder("/a b+c:d|e/"), "-a-b-c-d-e/");
  EXPECT_EQ(SafeFolder("|é€!-_*'()./"), "|--!-_*'()./");
  EXPECT_EQ(SafeFolder(".x/"), "-x/");
  GroupRules rules = Rules(Layout::kFolders);
  rules.safe_prefixes = true;
  rules.destination_prefix = "to=1/";
  const Drafted drafted = Draft(rules, {{"p=1/a=b.csv"}});
  EXPECT_THAT(drafted.lines, ElementsAre("to-1/p-1/ p=1 1 10"));
  EXPECT_EQ(drafted.targets.at("to-1/p-1/a=b.csv"), "p=1/a=b.csv") << "names stay";
}

TEST(LoadGroupsTest, PackedGroupsAreTheFewestInTheOrderOfTime) {
  GroupRules rules = Rules(Layout::kPacked);
  rules.slice_labels = {"January", "February"};
  rules.first_group = 41;
  std::vector<Source> sources;
  for (int i = 0; i < 1'050; ++i) {
    const std::string name = std::to_string(10'000 + i) + ".csv";
    sources.push_back({"u/results/s" + std::to_string(i % 2) + "/" + name, 10,
                       static_cast<std::uint32_t>(i % 2)});
  }
  const Drafted drafted = Draft(rules, sources);
  ASSERT_EQ(drafted.groups.size(), 11U) << "ceil(1,050 / 100)";
  EXPECT_EQ(drafted.groups[0].prefix, "d/R1/g0042/");
  EXPECT_EQ(drafted.groups[10].prefix, "d/R1/g0052/");
  EXPECT_EQ(drafted.groups[0].label, "January");
  EXPECT_EQ(drafted.groups[5].label, "January to February");
  EXPECT_EQ(drafted.groups[10].files, 50U);
  EXPECT_TRUE(
      std::is_sorted(drafted.groups.begin(), drafted.groups.end(),
                     [](const GroupDraft& a, const GroupDraft& b) { return a.slice < b.slice; }));
}

TEST(LoadGroupsTest, PackedGroupsOfAnySizesAreTheFewestThatKeepTheOrder) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    GroupRules rules = Rules(Layout::kPacked);
    rules.max_files = 1 + random() % 6;
    rules.max_bytes = 20 + random() % 30;
    std::vector<Source> sources;
    const std::size_t count = 1 + random() % 40;
    for (std::size_t i = 0; i < count; ++i) {
      sources.push_back({"f/" + std::to_string(100 + i), 1 + random() % 20});
    }
    // The fewest groups of the first i files, by trying every last group.
    std::vector<std::size_t> fewest(count + 1, count + 1);
    fewest[0] = 0;
    for (std::size_t end = 1; end <= count; ++end) {
      std::uint64_t bytes = 0;
      for (std::size_t begin = end; begin-- > 0;) {
        bytes += sources[begin].size;
        if (bytes > rules.max_bytes || end - begin > rules.max_files) break;
        fewest[end] = std::min(fewest[end], fewest[begin] + 1);
      }
    }
    ASSERT_EQ(Draft(rules, sources).groups.size(), fewest[count]);
  }
}

TEST(LoadGroupsTest, PackedNamesDoNotMeet) {
  const Drafted drafted = Draft(
      Rules(Layout::kPacked), {{"a/data.csv"}, {"b/data.csv"}, {"c/002-data.csv"}, {"d/data.csv"}});
  EXPECT_EQ(drafted.targets.size(), 4U);
  EXPECT_EQ(drafted.targets.at("d/R1/g0001/data.csv"), "a/data.csv");
  EXPECT_EQ(drafted.targets.at("d/R1/g0001/002-data.csv"), "b/data.csv");
}

TEST(LoadGroupsTest, GzipCountsForWhatItMayHold) {
  GroupRules rules = Rules(Layout::kPacked);
  rules.gzip = true;
  // 100 MB may hold 2 GB, two objects: fifty of them fill a task.
  std::vector<Source> sources;
  sources.reserve(51);
  for (int i = 0; i < 51; ++i) {
    sources.push_back({"f/" + std::to_string(100 + i) + ".gz", 100'000'000});
  }
  const Drafted drafted = Draft(rules, sources);
  ASSERT_EQ(drafted.groups.size(), 2U);
  EXPECT_EQ(drafted.groups[0].files, 50U);
  EXPECT_EQ(drafted.groups[0].bytes, 5'000'000'000U) << "as they lie in the source";
  // One that may be too large by itself is seen when it is inflated.
  EXPECT_EQ(Draft(rules, {{"f/1.gz", 6'000'000'000}, {"f/2.gz", 1}}).groups.size(), 2U);
}

TEST(LoadGroupsTest, WhatNoTaskTakesIsRefused) {
  EXPECT_THAT(Draft(Rules(Layout::kFolders), {{"r/a.csv", 5'000'000'001}}).error,
              HasSubstr("smaller max_file_size"));
  EXPECT_EQ(Draft(Rules(Layout::kFolders), {{"r/a.csv", 5'000'000'000}}).error, "");
  EXPECT_THAT(Draft(Rules(Layout::kInPlace), {{"a.csv"}}).error, HasSubstr("lies in no folder"));
}

TEST(LoadGroupsTest, ARunThatOnlyCopiesKeepsEveryKey) {
  SortedSpool spool(::testing::TempDir());
  const GroupRules rules = Rules(Layout::kCopyOnly);
  for (int i = 0; i < 1'001; ++i) {
    FoundFile file;
    file.key = s3::ObjectKey("u/" + std::to_string(10'000 + i));
    file.size = 6'000'000'000;
    ASSERT_TRUE(CheckFile(rules, file)) << "any size";
    ASSERT_TRUE(spool.Add(OrderKey(rules, file), Pack(file)));
  }
  const Result<std::vector<GroupDraft>> groups = DraftGroups(rules, spool);
  ASSERT_TRUE(groups);
  ASSERT_EQ(groups->size(), 2U);
  EXPECT_EQ((*groups)[0].files, kCopyOnlyFiles);
  EXPECT_EQ((*groups)[0].prefix, "d/u/");
  EXPECT_EQ((*groups)[0].rows, std::nullopt);
}

TEST(LoadGroupsInPlaceTest, AFolderIsThePrefixWhereItHoldsNothingElse) {
  EXPECT_THAT(
      Draft(Rules(Layout::kInPlace), {{"u/results/p=1/a.csv"},
                                      {"u/results/p=1/b.csv"},
                                      {"u/results/p=10/c.csv"},
                                      {"u/tsm-run-1.json", 1, 0, FoundFile::Kind::kStrange}})
          .lines,
      ElementsAre("u/results/p=1/ p=1 2 20", "u/results/p=10/ p=10 1 10"));
}

TEST(LoadGroupsInPlaceTest, AFolderWithDataBelowItIsKnownByItsQuery) {
  const std::string flat = DataFile("u/results/", "1");
  EXPECT_THAT(Draft(Rules(Layout::kInPlace), {{flat}, {"u/results/s1/results/b.csv"}}).lines,
              ElementsAre("u/results/" + kQuery + "_ u/results 1 10",
                          "u/results/s1/results/ u/results/s1/results 1 10"));
  // So is one that holds files of others.
  EXPECT_THAT(Draft(Rules(Layout::kInPlace),
                    {{flat}, {"u/results/OTHER_1_a.csv", 1, 0, FoundFile::Kind::kOther}})
                  .lines,
              ElementsAre("u/results/" + kQuery + "_ u/results 1 10"));
}

TEST(LoadGroupsInPlaceTest, ALargeFolderIsDividedByLongerNames) {
  GroupRules rules = Rules(Layout::kInPlace);
  rules.max_files = 2;
  const std::string start = "u/results/" + kQuery + "_12_";
  EXPECT_THAT(Draft(rules, {{DataFile("u/results/", "a1")},
                            {DataFile("u/results/", "a2")},
                            {DataFile("u/results/", "b")}})
                  .lines,
              ElementsAre(start + "xxxxxxxxxxxxxxa u/results 2 20",
                          start + "xxxxxxxxxxxxxxx u/results 1 10"));
  // Names of others' making are told in full.
  EXPECT_THAT(Draft(rules, {{"r/one.csv"}, {"r/three.csv"}, {"r/two.csv"}}).lines,
              ElementsAre("r/one.csv r 1 10", "r/t r 2 20"));
  // A prefix ends with a whole character.
  EXPECT_THAT(Draft(rules, {{"r/xé1"}, {"r/xé2"}, {"r/xè3"}}).lines,
              ElementsAre("r/xè3 r 1 10", "r/xé r 2 20"));
}

TEST(LoadGroupsInPlaceTest, AKeyThatBeginsOthersCantBeToldFromThem) {
  GroupRules rules = Rules(Layout::kInPlace);
  EXPECT_THAT(Draft(rules, {{"r/a.csv"}, {"r/a.csv.gz.csv", 1, 0, FoundFile::Kind::kOther}}).error,
              HasSubstr("r/a.csv is the beginning of other keys"));
  rules.max_files = 1;
  EXPECT_THAT(Draft(rules, {{"r/a.csv"}, {"r/a.csv.csv"}}).error, HasSubstr("no prefix"));
  EXPECT_EQ(Draft(rules, {{"r/a.csv", 1, 0, FoundFile::Kind::kOther}, {"r/a.csv.csv"}}).error, "");
}

TEST(LoadGroupsInPlaceTest, StrangeObjectsBelowAPrefixAreNamed) {
  const Drafted drafted =
      Draft(Rules(Layout::kInPlace), {{"r/p/a.csv"},
                                      {"r/p/notes.txt", 1, 0, FoundFile::Kind::kStrange},
                                      {"r/record.json", 1, 0, FoundFile::Kind::kStrange}});
  EXPECT_THAT(drafted.error, HasSubstr("r/p/notes.txt; move or delete"));
  EXPECT_EQ(drafted.error.find("record.json"), std::string::npos);
}

// Random trees of files in every layout: each file is in one group, the limits are kept, and what
// lies below a prefix is exactly its group.
TEST(LoadGroupsPropertyTest, GroupsDivideTheFilesAndPrefixesAreUnambiguous) {
  std::mt19937 random(5);
  for (int round = 0; round < 600; ++round) {
    const Layout layout =
        std::array{Layout::kFolders, Layout::kPacked, Layout::kInPlace}[random() % 3];
    GroupRules rules = Rules(layout);
    rules.max_files = 1 + random() % 5;
    rules.max_bytes = 30 + random() % 30;
    std::map<std::string, Source> sources;
    const std::size_t count = 1 + random() % 60;
    for (std::size_t i = 0; i < count; ++i) {
      std::string key = "r/";
      for (std::size_t depth = random() % 3; depth > 0; --depth) {
        key += std::string(1, static_cast<char>('a' + random() % 3)) + "/";
      }
      const std::string number = std::to_string(random() % 40);
      key = random() % 2 == 0 ? DataFile(key, number) : key + "x" + number + ".csv";
      const bool other = layout == Layout::kInPlace && random() % 8 == 0;
      sources[key] = {key, 1 + random() % 30, 0,
                      other ? FoundFile::Kind::kOther : FoundFile::Kind::kData};
    }
    std::vector<Source> list;
    std::size_t data = 0;
    for (const auto& [key, source] : sources) {
      list.push_back(source);
      data += source.kind == FoundFile::Kind::kData ? 1 : 0;
    }
    const Drafted drafted = Draft(rules, list);
    ASSERT_EQ(drafted.error, "") << round;
    ASSERT_EQ(drafted.targets.size(), data);
    std::map<std::string, std::string> all = drafted.targets;
    for (const Source& source : list) {
      if (source.kind != FoundFile::Kind::kData) all[source.key] = source.key;
    }
    for (const GroupDraft& group : drafted.groups) {
      ASSERT_LE(group.files, rules.max_files);
      ASSERT_LE(group.bytes, rules.max_bytes);
      std::size_t below = 0;
      for (const auto& [target, source] : all) below += target.starts_with(group.prefix) ? 1 : 0;
      ASSERT_EQ(below, group.files) << group.prefix;
    }
  }
}

// What the fewest prefixes are is tried out on small sets.
TEST(LoadGroupsPropertyTest, PrefixesAreTheFewest) {
  std::mt19937 random(9);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < 8; ++i) {
      std::string key = "r/";
      for (int n = 0; n < 4; ++n) key += static_cast<char>('a' + random() % 2);
      keys.push_back(key);
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    const std::size_t limit = 1 + random() % 4;
    PrefixDivider divider(limit, 1'000);
    for (const std::string& key : keys) divider.Add(key, 1, true);
    const auto groups = divider.Finish();
    ASSERT_TRUE(groups);
    // The shortest prefix of each key that holds no more than the limit.
    std::set<std::string> shortest;
    for (const std::string& key : keys) {
      for (std::size_t bytes = 2; bytes <= key.size(); ++bytes) {
        const std::string prefix = key.substr(0, bytes);
        const auto held = std::count_if(keys.begin(), keys.end(), [&](const std::string& other) {
          return other.starts_with(prefix);
        });
        if (static_cast<std::size_t>(held) > limit) continue;
        shortest.insert(prefix);
        break;
      }
    }
    ASSERT_EQ(groups->size(), shortest.size());
  }
}

TEST(LoadGroupsTest, NothingMakesNoGroup) {
  EXPECT_THAT(Draft(Rules(Layout::kFolders), {}).lines, IsEmpty());
  EXPECT_THAT(Draft(Rules(Layout::kPacked), {}).lines, IsEmpty());
  EXPECT_THAT(Draft(Rules(Layout::kInPlace), {}).lines, IsEmpty());
}

}  // namespace
}  // namespace tsm::batchload
